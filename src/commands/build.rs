//! `build`: lift, optimise, emit.

use std::cell::RefCell;

use clap::{Args, ValueEnum};
use mir::parse::Parsed;
use passes::{Event, OptLevel};

use super::check::Target;
use super::optimiser::OptimiserOptions;
use super::{TextArgs, build_card};
use crate::cli::ReportFormat;
use crate::compile::{self, CompileOptions, Compiled};
use crate::failure::Failure;
use crate::input::{Assembled, Input};
use crate::terminal::Terminal;
use crate::{input, listing, output, report};

/// Options of `build`.
#[derive(Debug, Args)]
pub struct Options {
    /// Object, assembly or MIR text; `-` is the standard input
    pub(super) file: String,
    /// File to write; `-` is the standard output. Without it text goes to the standard output, and
    /// an object is made but not written
    #[arg(short, value_name = "OUT")]
    pub(super) output: Option<String>,
    /// What to make [default: obj, or mir for MIR text]
    #[arg(long, value_enum, value_name = "FORM")]
    pub(super) emit: Option<Emit>,
    /// How to optimise
    #[command(flatten)]
    pub(super) optimiser: OptimiserOptions,
    #[command(flatten)]
    text: TextArgs,
    /// Print a function's MIR after this pass; `all` for every pass
    #[arg(long, value_name = "PASS", value_delimiter = ',')]
    print_after: Vec<String>,
    /// Print a function's MIR after each pass that changed it
    #[arg(long)]
    print_changed: bool,
    /// Say what was done and what was missed
    #[arg(long, value_name = "FORMAT", num_args = 0..=1, require_equals = true, default_missing_value = "text")]
    pub(super) remarks: Option<ReportFormat>,
    /// Say what became of each function
    #[arg(long, value_name = "FORMAT", num_args = 0..=1, require_equals = true, default_missing_value = "text")]
    pub(super) stats: Option<ReportFormat>,
    /// Say how long each pass took
    #[arg(long)]
    pub(super) time_passes: bool,
    /// Where the program is to run; for `nfp`, machine code of a network card is made
    #[arg(long, value_enum, default_value_t)]
    target: Target,
    /// What the card's firmware offers, as docs/nfp.md describes it; the open firmware without
    #[arg(long, value_name = "FILE")]
    pub(super) nfp_caps: Option<String>,
    /// With --target nfp: programs that can be offloaded go to OUT, and the object without them, for
    /// the host, to HOST
    #[arg(long, value_name = "HOST")]
    pub(super) split: Option<String>,
}

/// What to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Emit {
    /// An ELF object
    Obj,
    /// Assembly; of the card, in objdump's syntax with sources and cycles beside
    Asm,
    /// MIR after the passes
    Mir,
    /// Machine words of the card in hexadecimal digits, one a line, as they are loaded
    Words,
}

/// Compiles a file.
///
/// # Errors
/// [`Failure`] for unreadable or wrong input, unknown passes, and outputs that cannot be written.
pub fn run(options: &Options, terminal: &Terminal) -> Result<(), Failure> {
    if options.target == Target::Nfp {
        build_card::refuse(options, options.text.endian())?;
        let assembled = input::read_object(&options.file, options.text)?;
        return build_card::run(options, &assembled, terminal);
    }
    if options.nfp_caps.is_some() {
        let message = "--nfp-caps says nothing about the host: it needs --target nfp";
        return Err(Failure::Usage(message.to_owned()));
    }
    if options.split.is_some() {
        let message = "--split leaves to the host what the card cannot run: it needs --target nfp";
        return Err(Failure::Usage(message.to_owned()));
    }
    if options.emit == Some(Emit::Words) {
        let message = "--emit words are the card's: it needs --target nfp";
        return Err(Failure::Usage(message.to_owned()));
    }
    match input::read(&options.file, options.text)? {
        Input::Object(assembled) => build_object(options, &assembled, terminal),
        Input::Mir(parsed) => build_mir(options, *parsed, terminal),
    }
}

impl Options {
    pub(super) fn compile_options(
        &self,
        from_text: bool,
        object: Option<&bpf::object::Object>,
    ) -> Result<CompileOptions, Failure> {
        let mut options = self.optimiser.compile_options(from_text, object)?;
        options.pipeline.print_after = self.print_after.clone();
        options.pipeline.print_changed = self.print_changed;
        options.keep_remarks = self.remarks.is_some();
        Ok(options)
    }

    /// Where text results go: beside an artefact on the standard output they would spoil it.
    pub(super) fn reports_to_stderr(&self, emit: Emit) -> bool {
        match &self.output {
            Some(output) => output == "-",
            None => emit != Emit::Obj,
        }
    }
}

/// What the pass manager shows, in order, to be printed when the compilation is over.
fn show(events: &RefCell<Vec<String>>, event: Event<'_>) {
    events.borrow_mut().push(event.to_string());
}

fn build_object(
    options: &Options,
    assembled: &Assembled,
    terminal: &Terminal,
) -> Result<(), Failure> {
    terminal.show_warnings(assembled);
    let compile_options = options.compile_options(assembled.from_text, Some(&assembled.object))?;
    let events = RefCell::new(Vec::new());
    let object = compile::with_maps_as_data(&assembled.object, &compile_options)
        .map_err(|error| Failure::refused(format!("{}: {error}", options.file)))?;
    let compiled = compile::compile(&object, &compile_options, |event| show(&events, event))
        .map_err(|error| Failure::Usage(error.to_string()))?;
    for event in events.into_inner() {
        terminal.line(event.trim_end());
    }
    if !compiled.differences.is_empty() {
        let shown = compiled.differences.iter();
        return Err(Failure::Refused {
            map: bpf::diagnostic::SourceMap::new(),
            diagnostics: shown.map(bpf::diagnostic::Diagnostic::error).collect(),
        });
    }
    let emit = options.emit.unwrap_or(Emit::Obj);
    let bytes = match emit {
        Emit::Obj => bpf::elf::write(&compiled.object)
            .map_err(|error| Failure::refused(format!("{}: {error}", options.file)))?,
        Emit::Asm => listing::assembly(&compiled.object).into_bytes(),
        Emit::Mir | Emit::Words => compiled.module.to_string().into_bytes(),
    };
    write(options, emit, &bytes)?;
    reports(
        options,
        emit,
        &compiled,
        compile_options.pipeline.level,
        terminal,
    )
}

fn write(options: &Options, emit: Emit, bytes: &[u8]) -> Result<(), Failure> {
    match (&options.output, emit) {
        (Some(output), _) => output::write(output, bytes),
        (None, Emit::Obj) => Ok(()),
        (None, _) => output::print(bytes),
    }
}

fn reports(
    options: &Options,
    emit: Emit,
    compiled: &Compiled,
    level: OptLevel,
    terminal: &Terminal,
) -> Result<(), Failure> {
    if let Some(format) = options.remarks {
        let as_json = format == ReportFormat::Json;
        for line in report::remarks(compiled, &options.file, as_json) {
            terminal.line(&line);
        }
    }
    if options.time_passes {
        terminal.line(report::times_text(compiled).trim_end());
    }
    let text = match options.stats {
        None => return Ok(()),
        Some(ReportFormat::Text) => report::stats_text(compiled),
        Some(ReportFormat::Json) => {
            let json = report::stats_json(compiled, &options.file, level);
            format!("{json}\n")
        }
    };
    if options.reports_to_stderr(emit) {
        terminal.line(text.trim_end());
        Ok(())
    } else {
        output::print(text.as_bytes())
    }
}

fn build_mir(options: &Options, parsed: Parsed, terminal: &Terminal) -> Result<(), Failure> {
    let mut module = parsed.module;
    let compile_options = options.compile_options(true, None)?;
    if !compile_options.map_as_data.is_empty() {
        let message = "--map-as-data: MIR text does not define maps, only objects do";
        return Err(Failure::Usage(message.to_owned()));
    }
    let events = RefCell::new(Vec::new());
    let remarks = compile::optimise(&mut module, &compile_options, |event| show(&events, event));
    for event in events.into_inner() {
        terminal.line(event.trim_end());
    }
    let remarks = remarks.map_err(|error| match error {
        compile::OptimiseError::Unknown(error) => Failure::Usage(error.to_string()),
        compile::OptimiseError::Broken(error) => Failure::refused(error.to_string()),
    })?;
    if options.remarks.is_some() {
        for line in report::module_remarks(&remarks, &options.file) {
            terminal.line(&line);
        }
    }
    let emit = options.emit.unwrap_or(Emit::Mir);
    if emit == Emit::Mir {
        return write(options, emit, module.to_string().as_bytes());
    }
    let object = compile::object_of(&module, &compile_options)
        .map_err(|message| Failure::refused(format!("{}: {message}", options.file)))?;
    let bytes = match emit {
        Emit::Obj => bpf::elf::write(&object)
            .map_err(|error| Failure::refused(format!("{}: {error}", options.file)))?,
        _ => listing::assembly(&object).into_bytes(),
    };
    write(options, emit, &bytes)
}
