//! `build`: what the compiler makes of a file, with the flags that decide it.
//!
//! Parts are the assembly or MIR that comes out, what the passes changed (all of them, or one as
//! `changes=PASS`), statistics without times, remarks, and diagnostics. A file that is refused has
//! only diagnostics; it fails the test when those are not kept. With `--target nfp` it is the card's
//! code ([`build_card`]).

use std::path::Path;

use clap::Args;
use mir::parse::Parsed;

use super::{Kind, Section, Text, build_card, changes};
use crate::commands::check::Target;
use crate::commands::optimiser::OptimiserOptions;
use crate::compile::{self, CompileOptions};
use crate::failure::Failure;
use crate::filetest::plan::Keep;
use crate::filetest::source::{Source, lifted};
use crate::filetest::{Input, told};
use crate::input::{self, Assembled};
use crate::linked::Linked;
use crate::{listing, report};

/// Lines around a change.
const AROUND: usize = 3;

/// The command.
#[derive(Debug, Args)]
pub struct Build {
    /// How to optimise
    #[command(flatten)]
    optimiser: OptimiserOptions,
    #[command(flatten)]
    text: Text,
    /// Where the program is to run
    #[arg(long, value_enum, default_value_t)]
    target: Target,
    /// What the card's firmware offers
    #[arg(long, value_name = "FILE")]
    nfp_caps: Option<String>,
}

impl Kind for Build {
    fn parts(&self) -> &'static [&'static str] {
        &[
            "assembly",
            "mir",
            "changes",
            "stats",
            "remarks",
            "diagnostics",
        ]
    }

    fn run(&self, input: &Input, keep: &Keep) -> Result<Vec<Section>, String> {
        let source = Source::read(input, self.text)?;
        if let Some(refusal) = source.refusal(keep) {
            return Ok(refusal);
        }
        let diagnostics = source.told();
        if self.target == Target::Nfp {
            let assembled = source.assembled()?;
            let object = Some(&assembled.object);
            let options = self.options(input.folder(), assembled.from_text, object, keep)?;
            let capabilities = self.nfp_caps.as_deref();
            return build_card::run(input, &assembled, &options, capabilities, keep);
        }
        if self.nfp_caps.is_some() {
            return Err("--nfp-caps says nothing about the host".to_owned());
        }
        let mut sections = match source.input()? {
            input::Input::Object(assembled) => self.object(input, &assembled, keep)?,
            input::Input::Mir(parsed) => self.mir(input, *parsed, keep)?,
        };
        if keep.has("diagnostics") {
            sections.push(Section::new("diagnostics", diagnostics));
        }
        Ok(sections)
    }
}

impl Build {
    fn object(
        &self,
        input: &Input,
        assembled: &Assembled,
        keep: &Keep,
    ) -> Result<Vec<Section>, String> {
        let object = &assembled.object;
        let mut options = self.options(input.folder(), assembled.from_text, Some(object), keep)?;
        options.cpu = options.cpu.or_else(|| Some(compile::newest_used(object)));
        let object =
            &compile::with_maps_as_data(object, &options).map_err(|error| error.to_string())?;
        let compiled =
            compile::compile(object, &options, |_| ()).map_err(|error| error.to_string())?;
        if !compiled.differences.is_empty() {
            return Err(compiled.differences.join("\n"));
        }
        let mut sections = Vec::new();
        for part in &keep.0 {
            let text = match part.name.as_str() {
                "assembly" => listing::assembly(&compiled.object),
                "mir" => compiled.module.to_string(),
                "changes" => {
                    changes::of(&lifted(object)?, &options, part.of.as_deref(), AROUND)?.text
                }
                "stats" => report::stable_stats_text(&compiled),
                "remarks" => lines(&report::remarks(&compiled, &input.name, false)),
                _ => continue,
            };
            sections.push(Section::new(part.title(), text));
        }
        Ok(sections)
    }

    fn mir(&self, input: &Input, parsed: Parsed, keep: &Keep) -> Result<Vec<Section>, String> {
        if keep.has("stats") {
            return Err("MIR text has no statistics: it has no slots to count".to_owned());
        }
        let mut module = parsed.module;
        let options = self.options(input.folder(), true, None, keep)?;
        let before = Linked::from_module(module.clone(), Vec::new());
        let remarks =
            compile::optimise(&mut module, &options, |_| ()).map_err(|error| error.to_string())?;
        let mut sections = Vec::new();
        for part in &keep.0 {
            let text = match part.name.as_str() {
                "assembly" => listing::assembly(&compile::object_of(&module, &options)?),
                "mir" => module.to_string(),
                "changes" => changes::of(&before, &options, part.of.as_deref(), AROUND)?.text,
                "remarks" => lines(&report::module_remarks(&remarks, &input.name)),
                _ => continue,
            };
            sections.push(Section::new(part.title(), text));
        }
        Ok(sections)
    }

    fn options(
        &self,
        folder: &Path,
        from_text: bool,
        object: Option<&bpf::object::Object>,
        keep: &Keep,
    ) -> Result<CompileOptions, String> {
        let options = self.optimiser.compile_options_in(folder, from_text, object);
        let mut options = options.map_err(|failure: Failure| told(&failure))?;
        options.keep_remarks = keep.has("remarks");
        Ok(options)
    }
}

fn lines(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}
