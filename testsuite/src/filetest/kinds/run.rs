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

    fn run(&self, input: &Input, _command: &Command) -> Result<Outcome, String> {
        let module = Source::read(input)?.module()?;
        let world = World::new(&input.header)?;
        execute::check_expectations(&world, &input.header, &module, "as written")?;
        let results = world.run_all(&module);
        execute::compare(&results, &results)?;
        Ok(Outcome::Checked)
    }
}
