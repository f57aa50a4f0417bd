//! Objects as text: the listing of `dis`, and the assembly of `build --emit asm`.
//!
//! The listing has the columns of llvm-objdump. The assembly has labels for branch targets and
//! names for what relocations name, section after section; data goes out as bytes, and as `.long`
//! and `.quad` where a relocation stands.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use bpf::insn::{CallTarget, Insn, read_slots};
use bpf::object::{
    Contents, Object, R_BPF_64_32, R_BPF_64_64, R_BPF_64_ABS32, R_BPF_64_ABS64, R_BPF_64_NODYLD32,
    R_BPF_NONE, Relocation, SHF_ALLOC, SHF_EXECINSTR, SHF_MERGE, SHF_STRINGS, SHF_WRITE,
    SHT_NOBITS, SHT_STRTAB, STB_GLOBAL, STB_WEAK, STT_FILE, STT_FUNC, STT_OBJECT, STT_SECTION,
    STV_HIDDEN, Section, SectionId, Symbol,
};

/// `SHF_EXCLUDE`, which only the text form needs.
const SHF_EXCLUDE: u64 = 0x8000_0000;
/// `SHF_*` flags with the letters that `.section` gives them.
const FLAG_LETTERS: &[(u64, char)] = &[
    (SHF_ALLOC, 'a'),
    (SHF_WRITE, 'w'),
    (SHF_EXECINSTR, 'x'),
    (SHF_MERGE, 'M'),
    (SHF_STRINGS, 'S'),
    (SHF_EXCLUDE, 'e'),
];
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
        R_BPF_NONE => "R_BPF_NONE",
        R_BPF_64_64 => "R_BPF_64_64",
        R_BPF_64_ABS64 => "R_BPF_64_ABS64",
        R_BPF_64_ABS32 => "R_BPF_64_ABS32",
        R_BPF_64_NODYLD32 => "R_BPF_64_NODYLD32",
        R_BPF_64_32 => "R_BPF_64_32",
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
        let tables = section.kind == SHT_STRTAB || section.name == ".llvm_addrsig";
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
    let entry = if section.flags & SHF_MERGE != 0 {
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

/// The labels of a section by offset, each in the order of the symbol table.
struct Labels<'a>(BTreeMap<u64, Vec<&'a Symbol>>);

impl<'a> Labels<'a> {
    fn of(object: &'a Object, id: SectionId) -> Labels<'a> {
        let mut labels: BTreeMap<u64, Vec<&Symbol>> = BTreeMap::new();
        for (_, symbol) in object.symbols_in(id).filter(|(_, symbol)| is_label(symbol)) {
            labels.entry(symbol.value).or_default().push(symbol);
        }
        Labels(labels)
    }

    /// Writes directives and labels of the symbols at an offset.
    fn write(&self, offset: u64, text: &mut String) {
        for symbol in self.0.get(&offset).into_iter().flatten() {
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
    if symbol.other & 3 == STV_HIDDEN {
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
    let labels = Labels::of(object, id);
    let functions: BTreeMap<u64, String> = object
        .functions()
        .into_iter()
        .filter(|function| function.section == id)
        .map(|function| (function.offset, function.name))
        .collect();
    for line in &lines {
        labels.write(line.offset, text);
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
                None => {
                    reference(object, &functions, line, *insn).unwrap_or_else(|| insn.to_string())
                }
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
fn reference(
    object: &Object,
    functions: &BTreeMap<u64, String>,
    line: &Line,
    insn: Insn,
) -> Option<String> {
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
                let name = functions.get(&u64::try_from(at).ok()?)?;
                Some(format!("call {}", quoted(name)))
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
    let labels = Labels::of(object, id);
    let mut stops: BTreeSet<u64> = labels.0.range(..=length).map(|(&at, _)| at).collect();
    stops.extend(section.relocations.iter().map(|found| found.offset));
    stops.insert(length);
    // Of several relocations at one place the first counts.
    let by_offset = section.relocations.iter().rev();
    let relocations: BTreeMap<u64, &Relocation> =
        by_offset.map(|found| (found.offset, found)).collect();
    let mut at = 0;
    while at < length {
        labels.write(at, text);
        let next = stops.range(at + 1..).next().copied().unwrap_or(length);
        let found = relocations.get(&at);
        let used = found.and_then(|found| word(object, section, **found, text));
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
    labels.write(length, text);
}

/// A number that a relocation fills in; gives its size in bytes.
fn word(
    object: &Object,
    section: &Section,
    relocation: Relocation,
    text: &mut String,
) -> Option<u64> {
    let (size, directive) = match relocation.kind {
        R_BPF_64_64 | R_BPF_64_ABS64 => (8, ".quad"),
        R_BPF_64_ABS32 | R_BPF_64_NODYLD32 | R_BPF_64_32 => (4, ".long"),
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
