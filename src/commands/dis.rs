//! `dis`: the code of an object as a listing, as data, or as assembly.

use std::io::Write;

use bpf::insn::Endian;
use bpf::object::{Object, SectionId};
use clap::Args;

use super::TextArgs;
use crate::failure::Failure;
use crate::listing::{self, Shown};
use crate::terminal::Terminal;
use crate::{input, output};

/// Options of `dis`.
#[derive(Debug, Args)]
pub struct Options {
    /// Object, or assembly to be assembled first; `-` for the standard input
    file: String,
    #[command(flatten)]
    form: Form,
    /// FILE is code without a container: raw bytes, or text with bytes in hexadecimal (of xxd, of
    /// `bpftool prog dump xlated … opcodes`); where there is no such file, FILE itself is the text
    #[arg(long, conflicts_with = "section")]
    raw: bool,
    #[command(flatten)]
    text: TextArgs,
}

/// What is printed.
#[derive(Clone, Debug, Args)]
pub struct Form {
    /// List this section only
    #[arg(long, value_name = "S", conflicts_with = "asm")]
    section: Option<String>,
    /// Show labels, symbols and helpers in place of numbers
    #[arg(long, conflicts_with_all = ["json", "asm"])]
    names: bool,
    /// Show source lines, as `.BTF.ext` has them, before the code that they became
    #[arg(long, conflicts_with_all = ["json", "asm"])]
    lines: bool,
    /// One JSON object for each section
    #[arg(long)]
    json: bool,
    /// Print the whole object as assembly; named after the command `asm`, which makes the same
    /// object of it: code, data, symbols, relocations and debugging information. What it cannot say
    /// stands in comments at the start
    #[arg(long, conflicts_with = "json")]
    asm: bool,
}

impl Form {
    /// Writes the text for an object that came from this file; `false`, with nothing written, if it
    /// lacks the section asked for. JSON is written while it is made.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write(&self, object: &Object, file: &str, to: &mut dyn Write) -> std::io::Result<bool> {
        if self.asm {
            to.write_all(listing::whole_assembly(object).text.as_bytes())?;
            return Ok(true);
        }
        let wanted = |id: &SectionId| {
            let name = object.section(*id).map(|section| &section.name);
            self.section.is_none() || name == self.section.as_ref()
        };
        let ids: Vec<SectionId> = listing::code_sections(object).filter(wanted).collect();
        if self.section.is_some() && ids.is_empty() {
            return Ok(false);
        }
        if self.json {
            listing::write_json(object, &ids, to)?;
            return Ok(true);
        }
        let shown = Shown {
            names: self.names,
            lines: self.lines,
        };
        let listed = listing::listed(object, &ids, shown);
        write!(to, "\n{file}:\tfile format elf64-bpf\n{listed}")?;
        Ok(true)
    }

    /// Whether the text is assembly.
    #[must_use]
    pub fn is_assembly(&self) -> bool {
        self.asm
    }
}

/// Lists code.
///
/// # Errors
/// [`Failure`] for unreadable files and unknown sections.
pub fn run(options: &Options, _terminal: &Terminal) -> Result<(), Failure> {
    let endian = options.text.endian();
    let object = match options.raw {
        true => raw(&options.file, endian)?,
        false => input::read_object(&options.file, options.text)?.object,
    };
    let printed = output::print_as_made(|to| options.form.write(&object, &options.file, to))?;
    if !printed {
        let section = options.form.section.as_deref().unwrap_or("");
        return Err(Failure::Usage(format!(
            "{}: there is no code section `{section}`",
            options.file
        )));
    }
    Ok(())
}

fn raw(file: &str, endian: Endian) -> Result<Object, Failure> {
    let is_file = file == "-" || std::path::Path::new(file).exists();
    let bytes = match is_file {
        true => input::bytes(file)?,
        false => file.as_bytes().to_vec(),
    };
    match listing::read_raw(bytes) {
        Some(bytes) => Ok(listing::object_of(bytes, endian)),
        None if is_file => Err(Failure::refused(format!(
            "{file}: this is text, but no line of it begins with bytes in hexadecimal"
        ))),
        None => Err(Failure::Usage(format!(
            "{file}: there is no such file, and these are no bytes in hexadecimal"
        ))),
    }
}
