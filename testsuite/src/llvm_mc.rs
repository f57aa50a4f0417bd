//! LLVM's assembler as the measure of ours: the same text has to give the same file.
//!
//! A difference is told by what differs first in the objects (a section, a symbol, a relocation), so
//! that many files can be sorted by it. The measure is run on what it takes: it refuses `r1 = w2`,
//! which clang prints, and gets the same instruction as `w1 = w2`.
//!
//! Needs llvm-mc-19, and clang-19 for sources in C.

use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::process::Command;

use bpf::diagnostic::{Diagnostic, FileId};
use bpf::insn::Endian;
use bpf::object::{Object, STT_SECTION, SymbolId};
use frontend::asm::{AsmOptions, assemble};

/// What became of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Both files are equal.
    Identical,
    /// They are not.
    Different {
        /// What kind of thing differs first, such as `section .debug_line`.
        kind: String,
        /// LLVM's description of it, and ours.
        detail: String,
    },
    /// Only LLVM's assembler refuses it.
    LlvmRefuses(String),
    /// Only ours refuses it.
    WeRefuse(String),
    /// Both refuse it.
    BothRefuse,
}

/// Whether a program can be run.
pub fn is_there(program: &str) -> bool {
    let output = Command::new(program).arg("--version").output();
    output.is_ok_and(|output| output.status.success())
}

/// The target's name.
pub fn triple(endian: Endian) -> &'static str {
    match endian {
        Endian::Little => "bpfel",
        Endian::Big => "bpfeb",
    }
}

/// What clang prints for a source; `None` if it refuses it, such as for an old processor.
pub fn compile(source: &Path, endian: Endian, arguments: &[String]) -> io::Result<Option<String>> {
    let mut command = Command::new("clang-19");
    command.args(["-S", "-w", "-o", "-", "-target", triple(endian)]);
    let output = command.args(arguments).arg(source).output()?;
    Ok(output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned()))
}

/// Assembles a text in both ways.
pub fn compare(text: &str, endian: Endian) -> io::Result<Outcome> {
    let options = AsmOptions::new(endian);
    let ours = assemble(text, FileId(0), &options)
        .map_err(|errors| first_message(&errors))
        .and_then(|assembled| {
            bpf::elf::write(&assembled.object).map_err(|error| error.to_string())
        });
    Ok(match (llvm(text, endian)?, ours) {
        (Ok(expected), Ok(ours)) if expected == ours => Outcome::Identical,
        (Ok(expected), Ok(ours)) => difference(&expected, &ours),
        (Err(message), Ok(_)) => Outcome::LlvmRefuses(message),
        (Ok(_), Err(message)) => Outcome::WeRefuse(message),
        (Err(_), Err(_)) => Outcome::BothRefuse,
    })
}

fn first_message(errors: &[Diagnostic]) -> String {
    let first = errors.first();
    first.map_or_else(String::new, |error| {
        let at = error.span().map_or(0, |span| span.start);
        format!("{} at byte {at}", error.message)
    })
}

/// The object that LLVM makes of the text, or its first message.
fn llvm(text: &str, endian: Endian) -> io::Result<Result<Vec<u8>, String>> {
    let mut input = String::with_capacity(text.len());
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [to, "=", from] if to.starts_with('r') && from.starts_with('w') => {
                let _ = write!(input, "w{} = {from}", &to[1..]);
            }
            _ => input.push_str(line),
        }
        input.push('\n');
    }
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("input.s");
    std::fs::write(&path, input)?;
    // In a folder of its own: files in the one where it runs have shorter names in DWARF 4.
    let output = Command::new("llvm-mc-19")
        .args(["-filetype=obj", "-o", "-"])
        .arg(format!("-triple={}", triple(endian)))
        .arg(&path)
        .current_dir(folder.path())
        .output()?;
    Ok(match output.status.success() {
        true => Ok(output.stdout),
        false => {
            let messages = String::from_utf8_lossy(&output.stderr);
            let error = messages.lines().find(|line| line.contains("error:"));
            let error = error.unwrap_or("it ends without a message");
            let at = error.find("error:").unwrap_or(0);
            Err(error[at..].to_owned())
        }
    })
}

fn difference(expected: &[u8], ours: &[u8]) -> Outcome {
    let read = |bytes: &[u8]| bpf::elf::read(bytes).map(|object| describe(&object));
    let (Ok(expected), Ok(ours)) = (read(expected), read(ours)) else {
        return Outcome::Different {
            kind: "one object cannot be read".to_owned(),
            detail: String::new(),
        };
    };
    let count = expected.len().max(ours.len());
    let line = |lines: &[(String, String)], at: usize| match lines.get(at) {
        Some((kind, line)) => (kind.clone(), line.clone()),
        None => ("nothing".to_owned(), "nothing".to_owned()),
    };
    for at in 0..count {
        let (kind, expected) = line(&expected, at);
        let (_, ours) = line(&ours, at);
        if expected != ours {
            let detail = format!("llvm-mc: {expected}\nbpfmill: {ours}");
            return Outcome::Different { kind, detail };
        }
    }
    Outcome::Different {
        kind: "the files' order".to_owned(),
        detail: String::new(),
    }
}

/// Everything in an object, in order: for each thing its kind and its description.
fn describe(object: &Object) -> Vec<(String, String)> {
    let section_name = |index: u32| match object.sections.get(index as usize) {
        Some(section) => section.name.as_str(),
        None => "none",
    };
    let symbol = |id: SymbolId| match object.symbols.get(id.0 as usize) {
        Some(symbol) if symbol.kind == STT_SECTION => match symbol.section() {
            Some(section) => format!("section {}", section_name(section.0)),
            None => "no section".to_owned(),
        },
        Some(symbol) => symbol.name.clone(),
        None => "none".to_owned(),
    };
    let mut lines = Vec::new();
    for section in &object.sections {
        let name = &section.name;
        lines.push((
            format!("header of {name}"),
            format!(
                "{name} type {} flags {:x} align {} entsize {} link {} info {}",
                section.kind,
                section.flags,
                section.align,
                section.entry_size,
                section.link,
                section.info,
            ),
        ));
        let bytes = format!("{name} {:02x?}", section.data());
        lines.push((format!("bytes of {name}"), bytes));
        for relocation in &section.relocations {
            let (offset, kind) = (relocation.offset, relocation.kind);
            let target = symbol(relocation.symbol);
            lines.push((
                format!("relocation in {name}"),
                format!("{name} {offset:x} type {kind} {target}"),
            ));
        }
    }
    for entry in &object.symbols {
        lines.push(("symbol".to_owned(), format!("{entry:?}")));
    }
    lines
}
