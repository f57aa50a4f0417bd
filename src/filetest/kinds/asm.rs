//! `asm [--endian big]`, with the options of the command `asm`: the object that assembly becomes:
//! sections with their code or bytes, relocations, symbols, and what the text has printed. What is
//! written is read again and must be the same.

use std::fmt::Write as _;

use bpf::insn::{Insn, read_slots};
use bpf::object::{Contents, Object, SectionId, Symbol, SymbolPlace};

use clap::Args;

use super::{Kind, Section, Text};
use crate::commands::asm::Language;
use crate::filetest::plan::Keep;
use crate::filetest::source::Source;
use crate::filetest::{Input, diff};
use crate::warnings::WarningOptions;

/// Bytes of data on a line.
const LINE: usize = 16;

/// The command.
#[derive(Debug, Args)]
pub struct Asm {
    #[command(flatten)]
    text: Text,
    #[command(flatten)]
    language: Language,
    #[command(flatten)]
    warnings: WarningOptions,
}

impl Kind for Asm {
    fn parts(&self) -> &'static [&'static str] {
        &["object", "diagnostics"]
    }

    fn run(&self, input: &Input, keep: &Keep) -> Result<Vec<Section>, String> {
        let how = self.language.assembly(self.text);
        let how = how.map_err(|failure| failure.to_string())?;
        let source = Source::read(input, how)?.judged(&self.warnings)?;
        if let Some(refusal) = source.refusal(keep) {
            return Ok(refusal);
        }
        let told = source.told();
        let mut sections = Vec::new();
        if keep.has("object") {
            let assembled = source.assembled()?;
            sections.push(Section::new("object", written(&assembled.object)?));
            if !assembled.messages.is_empty() {
                let lines = assembled.messages.iter();
                let lines: String = lines.map(|message| format!("{message}\n")).collect();
                sections.push(Section::new("messages", lines));
            }
        }
        if keep.has("diagnostics") {
            sections.push(Section::new("diagnostics", told));
        }
        Ok(sections)
    }
}

/// An object as text, after a trip through its file.
fn written(object: &Object) -> Result<String, String> {
    let bytes = bpf::elf::write(object).map_err(|error| error.to_string())?;
    let again = bpf::elf::read(&bytes).map_err(|error| error.to_string())?;
    let (text, text_again) = (list(object), list(&again));
    if text == text_again {
        return Ok(text);
    }
    let diff = diff(&text, &text_again);
    Err(format!("the written object is read differently:\n{diff}"))
}

/// An object as text, without what only its file has.
fn list(object: &Object) -> String {
    let mut text = String::new();
    for id in object.section_ids() {
        let Some(section) = object.section(id) else {
            continue;
        };
        let interesting = match &section.contents {
            Contents::Bytes(bytes) => !bytes.is_empty() && section.name != ".strtab",
            Contents::NoBits(size) => *size > 0,
            Contents::Relocations | Contents::Symbols => false,
        };
        if interesting {
            list_section(object, id, &mut text);
        }
    }
    for id in object.symbol_ids() {
        if let Some(symbol) = object.symbol(id).filter(|_| id.0 > 0) {
            list_symbol(object, object.symbol_label(id), symbol, &mut text);
        }
    }
    text
}

fn list_section(object: &Object, id: SectionId, text: &mut String) {
    let Some(section) = object.section(id) else {
        return;
    };
    let (name, align, flags) = (&section.name, section.align, section.flags);
    // Writing to a string cannot fail.
    let _ = writeln!(text, "section {name} flags {flags:#x} align {align}");
    let data = object.data(id);
    let code = section.is_executable().then(|| code_lines(object, data));
    match code.flatten() {
        Some(lines) => text.push_str(&lines),
        None => {
            for (index, line) in data.chunks(LINE).enumerate() {
                let offset = index * LINE;
                let _ = writeln!(text, "  {offset:4x}  {}", hex(line));
            }
        }
    }
    for relocation in &section.relocations {
        let name = object.symbol_label(relocation.symbol);
        let (offset, kind) = (relocation.offset, relocation.kind);
        let _ = writeln!(text, "  relocation at {offset:#x} kind {kind} to {name}");
    }
}

fn code_lines(object: &Object, data: &[u8]) -> Option<String> {
    let slots = read_slots(data, object.endian)?;
    let mut text = String::new();
    let mut at = 0;
    while at < slots.len() {
        let used = match Insn::decode(&slots[at..]) {
            Ok((insn, used)) => {
                let _ = writeln!(text, "  {at:4}  {}  {insn}", hex(&data[at * 8..][..8]));
                used
            }
            Err(error) => {
                let _ = writeln!(text, "  {at:4}  {}  ({error})", hex(&data[at * 8..][..8]));
                1
            }
        };
        at += used.max(1);
    }
    Some(text)
}

fn list_symbol(object: &Object, label: &str, symbol: &Symbol, text: &mut String) {
    let place = match symbol.place {
        SymbolPlace::Section(id) => object.section(id).map_or("?", |section| &section.name),
        SymbolPlace::Undefined => "undefined",
        SymbolPlace::Absolute => "absolute",
        SymbolPlace::Common => "common",
        SymbolPlace::Reserved(_) => "reserved",
    };
    let binding = match symbol.binding {
        0 => "local",
        1 => "global",
        _ => "weak",
    };
    let kind = match symbol.kind {
        1 => "object",
        2 => "function",
        3 => "section",
        4 => "file",
        _ => "symbol",
    };
    let (value, size) = (symbol.value, symbol.size);
    let _ = writeln!(
        text,
        "{binding} {kind} {label} at {place}+{value:#x} size {size}"
    );
}

fn hex(bytes: &[u8]) -> String {
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    pairs.join(" ")
}
