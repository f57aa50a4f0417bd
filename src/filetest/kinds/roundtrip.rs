//! `roundtrip`: print → parse → print gives the same text again. Nothing is kept.

use bpf::diagnostic::FileId;
use clap::Args;

use super::{Kind, Section, Text};
use crate::filetest::plan::Keep;
use crate::filetest::source::Source;
use crate::filetest::{Input, diff};

/// The command.
#[derive(Debug, Args)]
pub struct RoundTrip {
    #[command(flatten)]
    text: Text,
}

impl Kind for RoundTrip {
    fn parts(&self) -> &'static [&'static str] {
        &[]
    }

    fn run(&self, input: &Input, _keep: &Keep) -> Result<Vec<Section>, String> {
        let module = Source::read(input, self.text)?.module()?;
        let first = module.to_string();
        let parsed = mir::parse::module(FileId(0), &first)
            .map_err(|diagnostics| format!("printed text is not read: {diagnostics:?}\n{first}"))?;
        let second = parsed.to_string();
        if first == second {
            return Ok(Vec::new());
        }
        let diff = diff(&first, &second);
        Err(format!("a second trip changes the text:\n{diff}"))
    }
}
