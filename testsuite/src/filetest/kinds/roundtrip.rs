//! `test: roundtrip`: print → parse → print gives the same text again.

use bpf::diagnostic::FileId;

use crate::filetest::source::Source;
use crate::filetest::{Command, Input, Outcome, SubTest};

/// The kind.
pub(super) struct RoundTrip;

impl SubTest for RoundTrip {
    fn name(&self) -> &'static str {
        "roundtrip"
    }

    fn has_snapshot(&self) -> bool {
        false
    }

    fn run(&self, input: &Input, command: &Command) -> Result<Outcome, String> {
        let module = Source::read(input, command)?.module()?;
        let first = module.to_string();
        let parsed = mir::parse::module(FileId(0), &first)
            .map_err(|diagnostics| format!("printed text is not read: {diagnostics:?}\n{first}"))?;
        let second = parsed.to_string();
        if first == second {
            Ok(Outcome::Checked)
        } else {
            Err(format!(
                "a second trip changes the text:\n{}",
                crate::filetest::diff(&first, &second)
            ))
        }
    }
}
