//! Objects as text: the listing of `dis`, and the assembly of `build --emit asm`.
//!
//! The listing has the columns of llvm-objdump. The assembly has labels for branch targets and
//! names for what relocations name, section after section; data goes out as bytes, and as `.long`
//! and `.quad` where a relocation stands.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use bpf::insn::{CallTarget, Insn, read_slots};
use bpf::object::{Contents, Object, Relocation, STT_SECTION, Section, SectionId, Symbol};

/// `SHF_*` flags with the letters that `.section` gives them.
const FLAG_LETTERS: &[(u64, char)] = &[
    (2, 'a'),
    (1, 'w'),
    (4, 'x'),
    (0x10, 'M'),
    (0x20, 'S'),
    (0x8000_0000, 'e'),
];
const STT_OBJECT: u8 = 1;
const STT_FUNC: u8 = 2;
const STT_FILE: u8 = 4;
const STB_GLOBAL: u8 = 1;
const STB_WEAK: u8 = 2;
const SHT_NOBITS: u32 = 8;
/// Bytes of data on a line.
const DATA_LINE: usize = 16;

/// One instruction, or one slot that is none.
#[derive(Clone, Debug)]
pub struct Line {
    /// Byte offset in the section.
    pub offset: u64,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The instruction; what is wrong with the slot otherwise.
    pub insn: Result<Insn, String>,
    /// The relocation on it.
    pub relocation: Option<Relocation>,
}

/// The instructions of a code section.
#[must_use]
pub fn lines(object: &Object, id: SectionId) -> Vec<Line> {
    let Some(section) = object.section(id) else {
        return Vec::new();
    };
    let data = section.data();
    let whole = data.len() / 8 * 8;
    let slots = read_slots(data.get(..whole).unwrap_or(&[]), object.endian).unwrap_or_default();
    let mut lines = Vec::with_capacity(slots.len());
    let mut at = 0;
    let mut relocations = section.relocations.iter().peekable();
    while let Some(rest) = slots.get(at..).filter(|rest| !rest.is_empty()) {
        let (insn, used) = match Insn::decode(rest) {
            Ok((insn, used)) => (Ok(insn), used.max(1)),
            Err(error) => (Err(error.to_string()), 1),
        };
        let offset = at as u64 * 8;
        while relocations.next_if(|found| found.offset < offset).is_some() {}
        let relocation = relocations.next_if(|found| found.offset == offset).copied();
        let bytes = data.get(at * 8..(at + used) * 8).unwrap_or(&[]).to_vec();
        lines.push(Line {
            offset,
            bytes,
            insn,
            relocation,
        });
        at += used;
    }
    lines
}

/// The listing of a code section, as llvm-objdump prints it.
#[must_use]
pub fn objdump(object: &Object, id: SectionId) -> String {
    let mut text = String::new();
    let Some(section) = object.section(id) else {
        return text;
    };
    // Writing to a string cannot fail, here and below.
    let _ = writeln!(text, "Disassembly of section {}:", section.name);
    let mut names = object.functions();
    names.retain(|function| function.section == id);
    let mut names = names.into_iter().peekable();
    for line in lines(object, id) {
        while let Some(function) = names.next_if(|function| function.offset <= line.offset) {
            let _ = writeln!(text, "\n{:016x} <{}>:", function.offset, function.name);
        }
        let shown = match &line.insn {
            Ok(insn) => {
                let far = |distance: i32| line.offset as i64 / 8 + 1 + i64::from(distance);
                match insn.branch_offset() {
                    Some(distance) => format!("{insn} <{}>", far(distance)),
                    None => insn.to_string(),
                }
            }
            Err(error) => format!("<unknown: {error}>"),
        };
        for (part, bytes) in line.bytes.chunks(8).enumerate() {
            let shown = if part == 0 { shown.as_str() } else { "" };
            let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            let slot = line.offset as usize / 8 + part;
            let _ = writeln!(text, "{slot:8}:\t{}\t{shown}", hex.join(" ").trim_end());
        }
        if let Some(relocation) = line.relocation {
            let kind = relocation_name(relocation.kind);
            let name = object.symbol_label(relocation.symbol);
            let _ = writeln!(text, "\t\t{:016x}:  {kind}\t{name}", relocation.offset);
        }
    }
    text
}

/// The name of a relocation type.
#[must_use]
pub fn relocation_name(kind: u32) -> &'static str {
    match kind {
        0 => "R_BPF_NONE",
        1 => "R_BPF_64_64",
        2 => "R_BPF_64_ABS64",
        3 => "R_BPF_64_ABS32",
        4 => "R_BPF_64_NODYLD32",
        10 => "R_BPF_64_32",
        _ => "R_BPF_unknown",
    }
}

/// A whole object as assembly.
#[must_use]
pub fn assembly(object: &Object) -> String {
    let mut text = String::new();
    for id in object.section_ids() {
        let Some(section) = object.section(id) else {
            continue;
        };
        let holds = matches!(section.contents, Contents::Bytes(_) | Contents::NoBits(_));
        let tables = section.kind == 3 || section.name == ".llvm_addrsig";
        if id.0 == 0 || !holds || tables {
            continue;
        }
        section_head(section, &mut text);
        if section.is_executable() {
            code(object, id, &mut text);
        } else {
            data(object, id, section, &mut text);
        }
    }
    for symbol in &object.symbols {
        if symbol.section().is_none() && symbol.binding == STB_WEAK && !symbol.name.is_empty() {
            let _ = writeln!(text, "\t.weak\t{}", quoted(&symbol.name));
        }
    }
    text
}

fn section_head(section: &Section, text: &mut String) {
    let known = FLAG_LETTERS
        .iter()
        .filter(|(bit, _)| section.flags & bit != 0);
    let flags: String = known.map(|(_, letter)| *letter).collect();
    let kind = if section.kind == SHT_NOBITS {
        "nobits"
    } else {
        "progbits"
    };
    let entry = if section.flags & 0x10 != 0 {
        format!(",{}", section.entry_size)
    } else {
        String::new()
    };
    let name = quoted(&section.name);
    let _ = writeln!(text, "\t.section\t{name},\"{flags}\",@{kind}{entry}");
    if section.align > 1 && section.align.is_power_of_two() {
        let _ = writeln!(text, "\t.p2align\t{}", section.align.trailing_zeros());
    }
}

/// A name as the assembler reads it.
fn quoted(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'$');
    let digit = name
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_digit());
    if !name.is_empty() && !digit && name.bytes().all(plain) {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

/// Directives and labels of the symbols at an offset.
fn labels(object: &Object, id: SectionId, offset: u64, text: &mut String) {
    for (_, symbol) in object.symbols_in(id) {
        if symbol.value == offset && is_label(symbol) {
            label(symbol, text);
        }
    }
}

fn is_label(symbol: &Symbol) -> bool {
    symbol.kind != STT_SECTION && symbol.kind != STT_FILE && !symbol.name.is_empty()
}

fn label(symbol: &Symbol, text: &mut String) {
    let name = quoted(&symbol.name);
    match symbol.binding {
        STB_GLOBAL => {
            let _ = writeln!(text, "\t.globl\t{name}");
        }
        STB_WEAK => {
            let _ = writeln!(text, "\t.weak\t{name}");
        }
        _ => {}
    }
    if symbol.other & 3 == 2 {
        let _ = writeln!(text, "\t.hidden\t{name}");
    }
    match symbol.kind {
        STT_FUNC => {
            let _ = writeln!(text, "\t.type\t{name},@function");
        }
        STT_OBJECT => {
            let _ = writeln!(text, "\t.type\t{name},@object");
        }
        _ => {}
    }
    if symbol.size > 0 {
        let _ = writeln!(text, "\t.size\t{name}, {}", symbol.size);
    }
    let _ = writeln!(text, "{name}:");
}

fn code(object: &Object, id: SectionId, text: &mut String) {
    let lines = lines(object, id);
    let target = |line: &Line, distance: i32| line.offset as i64 + 8 + i64::from(distance) * 8;
    let targets: BTreeSet<i64> = lines
        .iter()
        .filter_map(|line| {
            let distance = line.insn.as_ref().ok()?.branch_offset()?;
            Some(target(line, distance))
        })
        .collect();
    let place = |at: i64| format!(".L{}_{}", id.0, at / 8);
    for line in &lines {
        labels(object, id, line.offset, text);
        if targets.contains(&(line.offset as i64)) {
            let _ = writeln!(text, "{}:", place(line.offset as i64));
        }
        let shown = match &line.insn {
            Ok(insn) => match insn.branch_offset() {
                Some(distance) => {
                    let shown = insn.to_string();
                    let stem = shown
                        .rsplit_once(' ')
                        .map_or(shown.as_str(), |(stem, _)| stem);
                    format!("{stem} {}", place(target(line, distance)))
                }
                None => reference(object, id, line, *insn).unwrap_or_else(|| insn.to_string()),
            },
            Err(_) => {
                let bytes: Vec<String> = line
                    .bytes
                    .iter()
                    .map(|byte| format!("{byte:#04x}"))
                    .collect();
                format!(".byte\t{}", bytes.join(", "))
            }
        };
        let _ = writeln!(text, "\t{shown}");
    }
}

/// An instruction that names a symbol.
fn reference(object: &Object, id: SectionId, line: &Line, insn: Insn) -> Option<String> {
    let symbol = |addend: i64| -> Option<String> {
        let name = quoted(object.symbol_label(line.relocation?.symbol));
        Some(match addend {
            0 => name,
            _ => format!("{name}{addend:+}"),
        })
    };
    match insn {
        Insn::LoadImm64 { dst, imm, .. } => {
            Some(format!("{dst} = {} ll", symbol(imm.cast_signed())?))
        }
        Insn::Call {
            target: CallTarget::Subprogram(distance),
        } => match line.relocation {
            Some(_) => Some(format!("call {}", symbol((i64::from(distance) + 1) * 8)?)),
            None => {
                let at = line.offset as i64 + 8 + i64::from(distance) * 8;
                let functions = object.functions();
                let found = functions.iter().find(|function| {
                    function.section == id && i64::try_from(function.offset) == Ok(at)
                })?;
                Some(format!("call {}", quoted(&found.name)))
            }
        },
        Insn::Call { .. } => Some(format!("call {}", symbol(0)?)),
        _ => None,
    }
}

fn data(object: &Object, id: SectionId, section: &Section, text: &mut String) {
    let bytes = section.data();
    let length = match section.contents {
        Contents::NoBits(size) => size,
        _ => bytes.len() as u64,
    };
    let mut stops: BTreeSet<u64> = object
        .symbols_in(id)
        .filter(|(_, symbol)| is_label(symbol) && symbol.value <= length)
        .map(|(_, symbol)| symbol.value)
        .collect();
    stops.extend(section.relocations.iter().map(|found| found.offset));
    stops.insert(length);
    let mut at = 0;
    while at < length {
        labels(object, id, at, text);
        let next = stops.range(at + 1..).next().copied().unwrap_or(length);
        let found = section.relocations.iter().find(|found| found.offset == at);
        let used = found.and_then(|found| word(object, section, *found, text));
        let start = at + used.unwrap_or(0);
        if bytes.is_empty() {
            let _ = writeln!(text, "\t.zero\t{}", next - start);
        } else {
            let part = bytes
                .get(start as usize..next.max(start) as usize)
                .unwrap_or(&[]);
            for line in part.chunks(DATA_LINE) {
                let shown: Vec<String> = line.iter().map(u8::to_string).collect();
                let _ = writeln!(text, "\t.byte\t{}", shown.join(", "));
            }
        }
        at = next.max(start);
    }
    labels(object, id, length, text);
}

/// A number that a relocation fills in; gives its size in bytes.
fn word(
    object: &Object,
    section: &Section,
    relocation: Relocation,
    text: &mut String,
) -> Option<u64> {
    let (size, directive) = match relocation.kind {
        1 | 2 => (8, ".quad"),
        3 | 4 | 10 => (4, ".long"),
        _ => return None,
    };
    let start = usize::try_from(relocation.offset).ok()?;
    let bytes = section.data().get(start..start + size)?;
    let number = |bytes: &[u8]| -> u64 {
        bytes
            .iter()
            .rev()
            .fold(0, |sum, byte| sum << 8 | u64::from(*byte))
    };
    let addend = match object.endian {
        bpf::insn::Endian::Little => number(bytes),
        bpf::insn::Endian::Big => number(&bytes.iter().rev().copied().collect::<Vec<_>>()),
    };
    let name = quoted(object.symbol_label(relocation.symbol));
    let sum = if addend == 0 {
        String::new()
    } else {
        format!("+{addend}")
    };
    let _ = writeln!(text, "\t{directive}\t{name}{sum}");
    Some(size as u64)
}
