//! `test: diag`: the text is wrong, and this is what people are told.

use bpfmill::render;

use crate::filetest::source::Source;
use crate::filetest::{Command, Input, Outcome, SubTest};

/// The kind.
pub(super) struct Diag;

impl SubTest for Diag {
    fn name(&self) -> &'static str {
        "diag"
    }

    fn has_snapshot(&self) -> bool {
        true
    }

    fn run(&self, input: &Input, command: &Command) -> Result<Outcome, String> {
        let source = Source::read(input, command)?;
        let diagnostics = source.diagnostics();
        if diagnostics.is_empty() {
            return Err("nothing is wrong with this text".to_owned());
        }
        Ok(Outcome::Snapshot(render::text(&source.map, &diagnostics)))
    }
}
