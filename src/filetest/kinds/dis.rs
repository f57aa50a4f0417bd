//! `dis [--names] [--lines] [--json] [--asm] [--raw]`: the listing of code. With `--asm` the text is
//! assembled again and must give the same object.

use bpf::diagnostic::FileId;
use bpf::object::Object;
use clap::Args;
use frontend::asm::{AsmOptions, assemble};

use super::{Kind, Section, Text};
use crate::commands::dis::Form;
use crate::filetest::Input;
use crate::filetest::plan::Keep;
use crate::filetest::source::Source;
use crate::listing;

/// The command.
#[derive(Debug, Args)]
pub struct Dis {
    #[command(flatten)]
    form: Form,
    /// The file is bytes in hexadecimal
    #[arg(long)]
    raw: bool,
    #[command(flatten)]
    text: Text,
}

impl Kind for Dis {
    fn parts(&self) -> &'static [&'static str] {
        &["listing"]
    }

    fn run(&self, input: &Input, keep: &Keep) -> Result<Vec<Section>, String> {
        let endian = self.text.endian();
        let object = if self.raw {
            let bytes = listing::read_raw(input.bytes.clone());
            listing::object_of(bytes.ok_or("no line begins with bytes")?, endian)
        } else {
            Source::read(input, endian)?.assembled()?.object
        };
        let mut text = Vec::new();
        let written = self.form.write(&object, &input.name, &mut text);
        if !written.map_err(|error| error.to_string())? {
            return Err("there is no such code section".to_owned());
        }
        let text = String::from_utf8(text).map_err(|error| error.to_string())?;
        if self.form.is_assembly() {
            same_again(&object, &text)?;
        }
        let mut sections = Vec::new();
        if keep.has("listing") {
            sections.push(Section::new("listing", text));
        }
        Ok(sections)
    }
}

fn same_again(object: &Object, text: &str) -> Result<(), String> {
    let options = AsmOptions::new(object.endian);
    let again = assemble(text, FileId(0), &options).map_err(|errors| {
        let messages: Vec<&str> = errors.iter().map(|error| error.message.as_str()).collect();
        format!("its assembly is refused:\n{}\n{text}", messages.join("\n"))
    })?;
    match listing::differences(object, &again.object).as_slice() {
        [] => Ok(()),
        found => Err(format!(
            "its assembly gives another object:\n{}",
            found.join("\n")
        )),
    }
}
