//! `diag`: the text is wrong, and this is what people are told.

use clap::Args;

use super::{Kind, Section, Text};
use crate::commands::asm::Language;
use crate::filetest::Input;
use crate::filetest::plan::Keep;
use crate::filetest::source::Source;

/// The command.
#[derive(Debug, Args)]
pub struct Diag {
    #[command(flatten)]
    text: Text,
    #[command(flatten)]
    language: Language,
}

impl Kind for Diag {
    fn parts(&self) -> &'static [&'static str] {
        &["diagnostics"]
    }

    fn run(&self, input: &Input, _keep: &Keep) -> Result<Vec<Section>, String> {
        let how = self.language.assembly(self.text);
        let how = how.map_err(|failure| failure.to_string())?;
        let source = Source::read(input, how)?;
        let text = source.told();
        if text.is_empty() {
            return Err("nothing is wrong with this text".to_owned());
        }
        Ok(vec![Section::new("diagnostics", text)])
    }
}
