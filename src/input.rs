//! Reads what a command is given: assembly, MIR text, or an object.
//!
//! What a file is, its bytes say first (ELF has a magic number) and its name second (`.mir`);
//! everything else is assembly. `-` is the standard input.

use std::io::Read as _;

use bpf::diagnostic::{Diagnostic, FileId, SourceMap, Span};
use bpf::insn::Endian;
use bpf::object::{Object, SectionId};
use frontend::asm::{AsmOptions, assemble};
use mir::parse::Parsed;

use crate::failure::Failure;

/// Largest input; the kernel takes programs of 8 MiB.
const MAX_BYTES: u64 = 1 << 30;
const ELF_MAGIC: &[u8] = b"\x7fELF";

/// An input that was read and is well-formed.
#[derive(Debug)]
pub enum Input {
    /// An object, or the object that assembly became.
    Object(Assembled),
    /// MIR text.
    Mir(Box<Parsed>),
}

/// An object with what its text had to say.
#[derive(Debug)]
pub struct Assembled {
    /// The object.
    pub object: Object,
    /// Whether it came from assembly.
    pub from_text: bool,
    /// Files that the warnings point into.
    pub map: SourceMap,
    /// Warnings about the text.
    pub warnings: Vec<Diagnostic>,
    /// Where the text's instructions lie in the object, by place.
    pub instructions: Vec<(SectionId, u64, Span)>,
}

/// The bytes of a file, or of the standard input for `-`.
///
/// # Errors
/// What the system says, or that there is too much.
pub fn bytes(path: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let result = if path == "-" {
        std::io::stdin()
            .lock()
            .take(MAX_BYTES + 1)
            .read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
    };
    result.map_err(|error| Failure::io(path, error))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Failure::refused(format!("{path}: larger than 1 GiB")));
    }
    Ok(bytes)
}

/// Reads an input of any kind.
///
/// # Errors
/// The file cannot be read, or what it says is wrong.
pub fn read(path: &str, endian: Endian) -> Result<Input, Failure> {
    parse(path, bytes(path)?, endian)
}

/// Understands bytes of any kind that were read from a file of this name.
///
/// # Errors
/// What they say is wrong.
pub fn parse(path: &str, bytes: Vec<u8>, endian: Endian) -> Result<Input, Failure> {
    if bytes.starts_with(ELF_MAGIC) {
        return object(path, &bytes).map(Input::Object);
    }
    let text = text(path, bytes)?;
    if path.ends_with(".mir") || text.starts_with("module ") {
        return mir(path, text).map(|parsed| Input::Mir(Box::new(parsed)));
    }
    assembly(path, text, endian).map(Input::Object)
}

/// Reads an object or assembly.
///
/// # Errors
/// As [`read`], and for MIR text, which is no object.
pub fn read_object(path: &str, endian: Endian) -> Result<Assembled, Failure> {
    match read(path, endian)? {
        Input::Object(assembled) => Ok(assembled),
        Input::Mir(_) => Err(Failure::Usage(format!(
            "{path} is MIR text; this command needs an object or assembly"
        ))),
    }
}

fn object(path: &str, bytes: &[u8]) -> Result<Assembled, Failure> {
    let object =
        bpf::elf::read(bytes).map_err(|error| Failure::refused(format!("{path}: {error}")))?;
    Ok(Assembled {
        object,
        from_text: false,
        map: SourceMap::new(),
        warnings: Vec::new(),
        instructions: Vec::new(),
    })
}

fn text(path: &str, bytes: Vec<u8>) -> Result<String, Failure> {
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Failure::refused(format!(
            "{path}: neither an ELF file nor text: byte {at} is not UTF-8"
        ))
    })
}

fn add(map: &mut SourceMap, path: &str, text: &str) -> Result<FileId, Failure> {
    let name = if path == "-" { "<stdin>" } else { path };
    map.add(name, text)
        .ok_or_else(|| Failure::refused(format!("{path}: larger than 4 GiB")))
}

/// Assembles a text.
///
/// # Errors
/// Every mistake in it.
pub fn assembly(path: &str, text: String, endian: Endian) -> Result<Assembled, Failure> {
    let mut map = SourceMap::new();
    let file = add(&mut map, path, &text)?;
    match assemble(&text, file, &AsmOptions::new(endian)) {
        Ok(assembled) => Ok(Assembled {
            object: assembled.object,
            from_text: true,
            map,
            warnings: assembled.warnings,
            instructions: assembled.instructions,
        }),
        Err(diagnostics) => Err(Failure::Refused { map, diagnostics }),
    }
}

fn mir(path: &str, text: String) -> Result<Parsed, Failure> {
    let mut map = SourceMap::new();
    let file = add(&mut map, path, &text)?;
    let diagnostics = match mir::parse::module_with_spans(file, &text) {
        Ok(parsed) => {
            let errors = parsed.verify();
            if errors.is_empty() {
                return Ok(parsed);
            }
            errors
        }
        Err(errors) => errors,
    };
    Err(Failure::Refused { map, diagnostics })
}
