//! `pass NAME[,NAME]… [--mcpu v1…v4] [--kernel 6.1]`: these passes alone, as a difference of before and
//! after, and both forms executed. Without names it is the pipeline of the level.
//!
//! Both forms run on generated inputs and on those of the `expect:` lines and must do the same, so a
//! snapshot of a wrong change cannot be blessed.

use clap::Args;

use super::{Kind, Section, Text, changes};
use crate::commands::optimiser::OptimiserOptions;
use crate::filetest::execute::{self, World};
use crate::filetest::plan::Keep;
use crate::filetest::source::Source;
use crate::filetest::{Input, told};

/// Lines around a change: functions of such tests are small and read as a whole.
const ALL: usize = usize::MAX / 4;

/// The command.
#[derive(Debug, Args)]
pub struct Pass {
    /// Passes, in this order [default: those of the level]
    #[arg(value_name = "PASSES", value_delimiter = ',')]
    names: Vec<String>,
    /// How to optimise
    #[command(flatten)]
    optimiser: OptimiserOptions,
    #[command(flatten)]
    text: Text,
}

impl Kind for Pass {
    fn parts(&self) -> &'static [&'static str] {
        &["changes"]
    }

    fn run(&self, input: &Input, keep: &Keep) -> Result<Vec<Section>, String> {
        let mut options = self
            .optimiser
            .compile_options_in(input.folder(), true, None)
            .map_err(|failure| told(&failure))?;
        if !self.names.is_empty() {
            if self.optimiser.lists_passes() {
                return Err("passes are named twice: before the flags and by --passes".to_owned());
            }
            options.pipeline.passes = Some(self.names.clone());
        }
        let maps = execute::maps(&input.settings)?;
        let linked = Source::read(input, self.text)?.linked(maps)?;
        let before = linked.module.clone();
        let after = changes::of(&linked, &options, None, ALL)?.module;
        let mut sections = Vec::new();
        for part in &keep.0 {
            let changes = changes::of(&linked, &options, part.of.as_deref(), ALL)?;
            sections.push(Section::new(part.title(), changes.text));
        }
        let world = World::new(&input.settings, linked)?;
        execute::check_expectations(&world, &input.settings, &before, "before")?;
        execute::check_expectations(&world, &input.settings, &after, "after")?;
        execute::compare(&world.run_all(&before), &world.run_all(&after))?;
        Ok(sections)
    }
}
