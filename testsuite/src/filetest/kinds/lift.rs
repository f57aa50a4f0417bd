//! `test: lift`: the MIR that assembly becomes, without source positions.

use crate::filetest::source::Source;
use crate::filetest::{Command, Input, Outcome, SubTest};

/// The kind.
pub(super) struct Lift;

impl SubTest for Lift {
    fn name(&self) -> &'static str {
        "lift"
    }

    fn has_snapshot(&self) -> bool {
        true
    }

    fn run(&self, input: &Input, command: &Command) -> Result<Outcome, String> {
        let module = Source::read(input, command)?.module()?;
        let mut text = String::new();
        for (id, function) in &module.functions {
            let printer = mir::print::function(function).with_id(id);
            text.push_str(&printer.without_attributes().to_string());
        }
        Ok(Outcome::Snapshot(text))
    }
}
