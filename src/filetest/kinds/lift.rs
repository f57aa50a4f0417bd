//! `lift`: the MIR that code becomes, without source positions.

use clap::Args;

use super::{Kind, Section, Text};
use crate::filetest::Input;
use crate::filetest::plan::Keep;
use crate::filetest::source::Source;

/// The command.
#[derive(Debug, Args)]
pub struct Lift {
    #[command(flatten)]
    text: Text,
}

impl Kind for Lift {
    fn parts(&self) -> &'static [&'static str] {
        &["mir"]
    }

    fn run(&self, input: &Input, _keep: &Keep) -> Result<Vec<Section>, String> {
        let module = Source::read(input, self.text)?.module()?;
        let mut text = String::new();
        for (id, function) in &module.functions {
            let printer = mir::print::function(function).with_id(id);
            text.push_str(&printer.without_attributes().to_string());
        }
        Ok(vec![Section::new("mir", text)])
    }
}
