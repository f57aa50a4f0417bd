//! `execute`: the `expect:` lines hold, and generated inputs run through. Nothing is kept.

use clap::Args;

use super::{Kind, Section, Text};
use crate::filetest::Input;
use crate::filetest::execute::{self, World};
use crate::filetest::plan::Keep;
use crate::filetest::source::Source;

/// The command.
#[derive(Debug, Args)]
pub struct Execute {
    #[command(flatten)]
    text: Text,
}

impl Kind for Execute {
    fn parts(&self) -> &'static [&'static str] {
        &[]
    }

    fn run(&self, input: &Input, _keep: &Keep) -> Result<Vec<Section>, String> {
        let maps = execute::maps(&input.settings)?;
        let linked = Source::read(input, self.text)?.linked(maps)?;
        let module = linked.module.clone();
        let world = World::new(&input.settings, linked)?;
        execute::check_expectations(&world, &input.settings, &module, "as written")?;
        let results = world.run_all(&module);
        execute::compare(&results, &results)?;
        Ok(Vec::new())
    }
}
