//! `test: run`: the `run:` lines hold, and generated inputs run through.

use crate::filetest::execute::{self, World};
use crate::filetest::source::Source;
use crate::filetest::{Command, Input, Outcome, SubTest};

/// The kind.
pub(super) struct Run;

impl SubTest for Run {
    fn name(&self) -> &'static str {
        "run"
    }

    fn has_snapshot(&self) -> bool {
        false
    }

    fn run(&self, input: &Input, command: &Command) -> Result<Outcome, String> {
        let linked = Source::read(input, command)?.linked(execute::maps(&input.header)?)?;
        let module = linked.module.clone();
        let world = World::new(&input.header, linked)?;
        execute::check_expectations(&world, &input.header, &module, "as written")?;
        let results = world.run_all(&module);
        execute::compare(&results, &results)?;
        Ok(Outcome::Checked)
    }
}
