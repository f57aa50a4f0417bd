//! `asm`: text to an object, exactly as written.

use std::path::PathBuf;

use bpf::insn::Cpu;
use clap::Args;

use super::TextArgs;
use crate::failure::Failure;
use crate::input::Assembly;
use crate::terminal::Terminal;
use crate::warnings::WarningOptions;
use crate::{input, output};

/// Options of `asm`.
#[derive(Debug, Args)]
pub struct Options {
    /// Assembly; `-` is the standard input
    file: String,
    /// Object to write; `-` is the standard output [default: FILE with `.o`]
    #[arg(short, value_name = "OUT")]
    output: Option<String>,
    #[command(flatten)]
    text: TextArgs,
    #[command(flatten)]
    language: Language,
    #[command(flatten)]
    warnings: WarningOptions,
}

/// What the text does not say of itself.
#[derive(Clone, Debug, Args)]
pub struct Language {
    /// Folder of included files, after that of the file that includes them; may be repeated
    #[arg(short = 'I', value_name = "DIR")]
    include: Vec<PathBuf>,
    /// Define a constant before the text begins (1 without a value); may be repeated
    #[arg(short = 'D', long = "defsym", value_name = "NAME[=VALUE]", value_parser = define)]
    define: Vec<(String, i64)>,
    /// Read as llvm-mc does where it drops bits without a word
    #[arg(long)]
    llvm_compat: bool,
    /// Instruction set of the kernel, v1 to v4. All instructions are taken in any case, as by
    /// llvm-mc; only `--relax` asks for it
    #[arg(long, value_name = "CPU", value_parser = cpu)]
    mcpu: Option<Cpu>,
    /// Make a `gotol` of a `goto` that does not reach its label; needs `--mcpu v4`
    #[arg(long)]
    relax: bool,
}

impl Language {
    /// How to read a text.
    ///
    /// # Errors
    /// [`Failure::Usage`] when options do not go together.
    pub fn assembly(&self, text: TextArgs) -> Result<Assembly, Failure> {
        if self.relax && self.mcpu != Some(Cpu::V4) {
            return Err(Failure::Usage(
                "--relax makes instructions of the set v4: add --mcpu v4".to_owned(),
            ));
        }
        let mut options = Assembly::from(text).options;
        options.defines.clone_from(&self.define);
        options.llvm_compat = self.llvm_compat;
        options.relax = self.relax;
        Ok(Assembly {
            options,
            folders: self.include.clone(),
            beside: None,
        })
    }
}

fn cpu(text: &str) -> Result<Cpu, String> {
    Cpu::from_name(text).ok_or_else(|| "instruction sets are v1, v2, v3 and v4".to_owned())
}

/// `NAME` or `NAME=VALUE`
fn define(text: &str) -> Result<(String, i64), String> {
    let (name, value) = text.split_once('=').unwrap_or((text, "1"));
    let mut bytes = name.bytes();
    let first = bytes.next().is_some_and(|byte| !byte.is_ascii_digit());
    let is_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"_.$".contains(&byte);
    if !first || !name.bytes().all(is_byte) {
        return Err(format!("`{name}` is not the name of a symbol"));
    }
    let (sign, digits) = match value.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, value),
    };
    let hexadecimal = digits.strip_prefix("0x").or(digits.strip_prefix("0X"));
    let number = match hexadecimal {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => digits.parse::<u64>(),
    };
    match number {
        Ok(number) => Ok((name.to_owned(), (number as i64).wrapping_mul(sign))),
        Err(_) => Err(format!("`{value}` is not a number of 64 bits")),
    }
}

/// Assembles a file.
///
/// # Errors
/// [`Failure`] for unreadable files and wrong text.
pub fn run(options: &Options, terminal: &Terminal) -> Result<(), Failure> {
    let text = String::from_utf8(input::bytes(&options.file)?)
        .map_err(|_| Failure::refused(format!("{}: this is not text", options.file)))?;
    let how = options.language.assembly(options.text)?;
    let mut assembled = input::assembly(&options.file, text, how)?;
    options.warnings.judge(&mut assembled)?;
    terminal.show_diagnostics(&assembled);
    let to_file = default_output(options) != "-";
    for message in &assembled.messages {
        // The standard output belongs to the object where that goes there.
        match to_file {
            true => output::write("-", format!("{message}\n").as_bytes())?,
            false => terminal.line(message),
        }
    }
    let image = bpf::elf::image(&assembled.object)
        .map_err(|error| Failure::refused(format!("{}: {error}", options.file)))?;
    output::write_as_made(&default_output(options), |to| image.write_to(to))
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
