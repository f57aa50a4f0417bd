//! `check`: what the command prints on each program, its explanations included. A capability file is
//! named from the test's folder.

use clap::Args;

use super::{Kind, Section};
use crate::commands::check::{Flags, Form, answer};
use crate::filetest::plan::Keep;
use crate::filetest::source::Source;
use crate::filetest::{Input, told};

/// The command.
#[derive(Debug, Args)]
pub struct Check {
    #[command(flatten)]
    flags: Flags,
}

impl Kind for Check {
    fn parts(&self) -> &'static [&'static str] {
        &["verdict", "diagnostics"]
    }

    fn run(&self, input: &Input, keep: &Keep) -> Result<Vec<Section>, String> {
        let source = Source::read(input, self.flags.text())?;
        if let Some(refusal) = source.refusal(keep) {
            return Ok(refusal);
        }
        let diagnostics = source.told();
        let mut sections = Vec::new();
        if keep.has("verdict") {
            let assembled = source.assembled()?;
            let flags = self.flags.in_folder(input.folder());
            let answer = answer(&flags, &input.name, &assembled, Form::Plain)
                .map_err(|failure| told(&failure))?;
            sections.push(Section::new("verdict", answer.text));
        }
        if keep.has("diagnostics") {
            sections.push(Section::new("diagnostics", diagnostics));
        }
        Ok(sections)
    }
}
