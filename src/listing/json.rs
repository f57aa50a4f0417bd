//! The listing as data: one object for each section, each on a line of its own.
//!
//! The text of an instruction takes ten to twenty times the room of its slot, and as a value in memory
//! two hundred times. So each is made when the serializer asks for it, written, and forgotten. Beyond
//! the object there are only tables that are sorted once: symbols, functions, relocations, and the
//! records of `.BTF.ext`. Time is linear but for these sorts.
//!
//! Fields stand by name, here and in what is written, so that a reader finds them by eye in a line.

use std::fmt::{self, Display, Formatter};
use std::io::{Result, Write};

use bpf::insn::Insn;
use bpf::object::{FunctionRange, Object, SectionId};
use serde::{Serialize, Serializer};

use super::line::{Line, lines, relocation_name};
use super::names::Names;
use super::notes::{Notes, SourceLine};

/// Writes code sections.
///
/// # Errors
/// Those of the writer.
pub fn write_json(object: &Object, ids: &[SectionId], to: &mut dyn Write) -> Result<()> {
    let all = All {
        object,
        names: Names::of(object),
        notes: Notes::of(object),
    };
    let functions = object.functions();
    for &id in ids {
        // They are sorted by section.
        let start = functions.partition_point(|function| function.section < id);
        let end = functions.partition_point(|function| function.section <= id);
        let here = functions.get(start..end).unwrap_or(&[]);
        serde_json::to_writer(&mut *to, &all.section(id, here))?;
        to.write_all(b"\n")?;
    }
    Ok(())
}

/// What the sections of an object have in common.
struct All<'a> {
    object: &'a Object,
    names: Names<'a>,
    notes: Notes,
}

#[derive(Serialize)]
struct Section<'a> {
    functions: Vec<Function<'a>>,
    insns: Instructions<'a>,
    section: Option<&'a str>,
    symbols: Vec<Symbol<'a>>,
}

#[derive(Serialize)]
struct Function<'a> {
    name: &'a str,
    slot: u64,
    slots: u64,
}

#[derive(Serialize)]
struct Symbol<'a> {
    name: &'a str,
    offset: u64,
}

/// The instructions of a section, made one by one.
struct Instructions<'a> {
    all: &'a All<'a>,
    id: SectionId,
}

#[derive(Serialize)]
struct Instruction<'a> {
    bytes: Hex<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    core: Vec<String>,
    error: Option<String>,
    insn: Option<Shown>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    more_relocations: Vec<Relocation<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    named: Option<String>,
    relocation: Option<Relocation<'a>>,
    slot: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<Source<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<i64>,
}

#[derive(Serialize)]
struct Relocation<'a> {
    offset: u64,
    symbol: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
}

#[derive(Serialize)]
struct Source<'a> {
    column: u32,
    file: &'a str,
    line: u32,
    text: &'a str,
}

impl All<'_> {
    fn section<'a>(&'a self, id: SectionId, functions: &'a [FunctionRange]) -> Section<'a> {
        let functions = functions.iter().map(|function| Function {
            name: &function.name,
            slot: function.offset / 8,
            slots: function.size / 8,
        });
        let symbols = self.names.section(id).iter().map(|symbol| Symbol {
            name: &symbol.name,
            offset: symbol.value,
        });
        let section = self.object.section(id);
        Section {
            functions: functions.collect(),
            insns: Instructions { all: self, id },
            section: section.map(|section| section.name.as_str()),
            symbols: symbols.collect(),
        }
    }
}

impl Serialize for Instructions<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let All { names, notes, .. } = self.all;
        let mut sources = notes.lines(self.id).peekable();
        let mut accesses = notes.accesses(self.id).peekable();
        let instructions = lines(self.all.object, self.id).map(|line| {
            let mut source = None;
            while let Some((_, found)) = sources.next_if(|found| found.0 <= line.offset) {
                source = Some(found);
            }
            let mut core = Vec::new();
            while let Some((_, access)) = accesses.next_if(|found| found.0 < line.end()) {
                core.push(access);
            }
            let named = names.insn(self.id, &line);
            instruction(self.all.object, line, named, source, core)
        });
        serializer.collect_seq(instructions)
    }
}

fn instruction<'a>(
    object: &'a Object,
    line: Line<'a>,
    named: Option<String>,
    source: Option<SourceLine<'a>>,
    core: Vec<String>,
) -> Instruction<'a> {
    let mut relocations = line.relocations.iter().map(|found| Relocation {
        offset: found.offset,
        symbol: object.symbol_label(found.symbol),
        kind: relocation_name(found.kind),
    });
    let insn = line.insn.as_ref().ok();
    let distance = insn.and_then(Insn::branch_offset);
    Instruction {
        bytes: Hex(line.bytes),
        core,
        insn: insn.copied().map(Shown),
        relocation: relocations.next(),
        more_relocations: relocations.collect(),
        named,
        slot: line.offset / 8,
        source: source.map(|source| Source {
            column: source.column,
            file: source.file,
            line: source.line,
            text: source.text.trim(),
        }),
        target: distance.map(|distance| line.target(distance).div_euclid(8)),
        error: line.insn.err(),
    }
}

/// An instruction in words, which go straight to where the text is written.
struct Shown(Insn);

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// Bytes in hexadecimal.
struct Hex<'a>(&'a [u8]);

impl Display for Hex<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl Serialize for Hex<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
