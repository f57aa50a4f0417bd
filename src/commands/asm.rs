//! `asm`: text to an object, exactly as written.

use clap::Args;

use super::EndianArg;
use crate::failure::Failure;
use crate::terminal::Terminal;
use crate::{input, output};

/// Options of `asm`.
#[derive(Debug, Args)]
pub struct Options {
    /// Assembly in the kernel verifier's syntax; `-` is the standard input
    file: String,
    /// Object to write; `-` is the standard output [default: FILE with `.o`]
    #[arg(short, value_name = "OUT")]
    output: Option<String>,
    /// Byte order
    #[arg(long, value_enum, default_value_t)]
    endian: EndianArg,
}

/// Assembles a file.
///
/// # Errors
/// [`Failure`] for unreadable files and wrong text.
pub fn run(options: &Options, terminal: &Terminal) -> Result<(), Failure> {
    let text = String::from_utf8(input::bytes(&options.file)?)
        .map_err(|_| Failure::refused(format!("{}: this is not text", options.file)))?;
    let assembled = input::assembly(&options.file, text, options.endian.into())?;
    terminal.show_warnings(&assembled);
    let bytes = bpf::elf::write(&assembled.object)
        .map_err(|error| Failure::refused(format!("{}: {error}", options.file)))?;
    output::write(&default_output(options), &bytes)
}

fn default_output(options: &Options) -> String {
    match (&options.output, options.file.as_str()) {
        (Some(output), _) => output.clone(),
        (None, "-") => "-".to_owned(),
        (None, file) => std::path::Path::new(file)
            .with_extension("o")
            .to_string_lossy()
            .into_owned(),
    }
}
