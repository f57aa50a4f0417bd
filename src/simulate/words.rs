//! Files of machine words: ELF for a micro-engine, or text with one word a line.
//!
//! In text, a word is hexadecimal digits as a loader would put it into the code store, its error code
//! included; `#` begins a comment. All mistakes of a file are told at once.

use backend_nfp::capabilities::Capabilities;
use backend_nfp::elf;
use backend_nfp::isa::{Insn, TRAILER, ecc};
use backend_nfp::sim::{LoadError, Program};
use bpf::diagnostic::{Diagnostic, FileId, SourceMap, Span};

use crate::failure::Failure;
use crate::input;

/// First bytes of an ELF file.
const MAGIC: &[u8] = b"\x7fELF";
/// What is told about the form of text.
const FORM: &str = "a line has one word of up to 16 hexadecimal digits, as it stands in the code \
                    store; `#` begins a comment";

/// Reads and loads words. Those of an ELF file lie where it says, those of a text where programs of
/// this firmware begin.
///
/// # Errors
/// The file cannot be read, or its words cannot be loaded.
pub(super) fn read(path: &str, capabilities: &Capabilities) -> Result<Program, Failure> {
    let bytes = input::bytes(path)?;
    let refused = |what: String| Failure::refused(format!("{path}: {what}"));
    let most = capabilities.code.size as usize;
    let fits = |words: &[u64]| {
        if words.len() > most {
            let found = words.len();
            return Err(refused(format!(
                "{found} words; the firmware takes programs of {most}"
            )));
        }
        Ok(())
    };
    if bytes.starts_with(MAGIC) {
        let (words, start) = elf::read(&bytes).map_err(|error| refused(error.to_string()))?;
        fits(&words)?;
        return Program::load(&words, start).map_err(|error| refused(hinted(error)));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        refused(format!(
            "neither an ELF file nor text: byte {at} is not UTF-8"
        ))
    })?;
    let mut map = SourceMap::new();
    let file = map
        .add(path, text.as_str())
        .ok_or_else(|| refused("larger than 4 GiB".to_owned()))?;
    let words = match parse(&text, file) {
        Ok(words) => words,
        Err(diagnostics) => return Err(Failure::Refused { map, diagnostics }),
    };
    fits(&words)?;
    let start = u16::try_from(capabilities.code.start).unwrap_or(u16::MAX);
    Program::load(&words, start).map_err(|error| refused(hinted(error)))
}

/// An error of the loader, with what to do about it.
fn hinted(error: LoadError) -> String {
    match error {
        LoadError::Trailer => format!(
            "{error}: put {TRAILER} words {:016x} there",
            ecc::protect(backend_nfp::isa::NOP)
        ),
        other => other.to_string(),
    }
}

/// The words of a text, each an instruction.
fn parse(text: &str, file: FileId) -> Result<Vec<u64>, Vec<Diagnostic>> {
    let (mut words, mut diagnostics) = (Vec::new(), Vec::new());
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let code = line.split('#').next().unwrap_or_default();
        let word = code.trim();
        let from = start + code.len() - code.trim_start().len();
        start += line.len();
        if word.is_empty() {
            continue;
        }
        let small = |place: usize| u32::try_from(place).unwrap_or(u32::MAX);
        let span = Span::new(file, small(from), small(from + word.len()));
        match one(word) {
            Ok(word) => words.push(word),
            Err((message, help)) => diagnostics.push(
                Diagnostic::error(message)
                    .with_primary(span, "")
                    .with_help(help),
            ),
        }
    }
    if diagnostics.is_empty() {
        Ok(words)
    } else {
        Err(diagnostics)
    }
}

/// A word; or what is wrong with it, and what to do.
fn one(text: &str) -> Result<u64, (String, String)> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    // `from_str_radix` would take a sign.
    let plain = digits.chars().all(|digit| digit.is_ascii_hexdigit());
    let word = u64::from_str_radix(digits, 16).ok().filter(|_| plain);
    let word = word.ok_or_else(|| (format!("`{text}` is no word"), FORM.to_owned()))?;
    match ecc::check(word).and_then(Insn::decode) {
        Ok(_) => Ok(word),
        Err(error) => {
            let protected = ecc::protect(word);
            let help = match ecc::check(protected).and_then(Insn::decode) {
                Ok(insn) => format!("with its error code, `{insn}` is {protected:016x}"),
                Err(_) => "the instruction set has no such word".to_owned(),
            };
            Err((error.to_string(), help))
        }
    }
}
