//! Where a program's instructions stand in a text that people know: the assembly that they wrote,
//! the C source as the object's BTF quotes it, or else the disassembly.

use std::collections::{BTreeMap, BTreeSet};

use bpf::diagnostic::{FileId, SourceMap, Span};
use bpf::helpers::by_id;
use bpf::insn::{CallTarget, Insn};
use verifier::program::{Meaning, Program};
use verifier::{Linker, SourceLine};

use crate::input::Assembled;

/// Lines left out of a source file that are shown as a gap; shorter gaps are shown as they are.
const GAP: u32 = 3;
/// Lines of the program beside those in question that are shown too.
const AROUND: u32 = 2;

/// What kind of text it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// The assembly that was read.
    Assembly,
    /// Source lines by BTF.
    Source,
    /// The disassembly.
    Listing,
}

/// Instructions and their places in a text.
#[derive(Debug)]
pub struct Places {
    /// The text.
    pub map: SourceMap,
    /// What it is.
    pub view: View,
    spans: BTreeMap<usize, Span>,
}

impl Places {
    /// Places of these instructions of a program.
    #[must_use]
    pub fn of(
        assembled: &Assembled,
        linker: &Linker<'_>,
        program: &Program,
        slots: &BTreeSet<usize>,
    ) -> Places {
        if assembled.from_text
            && let Some(spans) = in_assembly(assembled, program, slots)
        {
            return Places {
                map: assembled.map.clone(),
                view: View::Assembly,
                spans,
            };
        }
        in_source(linker, program, slots).unwrap_or_else(|| in_listing(program))
    }

    /// The place of an instruction.
    #[must_use]
    pub fn span(&self, slot: usize) -> Option<Span> {
        self.spans.get(&slot).copied()
    }
}

fn in_assembly(
    assembled: &Assembled,
    program: &Program,
    slots: &BTreeSet<usize>,
) -> Option<BTreeMap<usize, Span>> {
    let known = &assembled.instructions;
    let span = |slot: &usize| {
        let origin = program.origins.get(*slot)?;
        Some((*slot, known.span(origin.section, origin.offset)?))
    };
    slots.iter().map(span).collect()
}

/// The line of the text that an instruction stands in: of the assembly that was read, or of the
/// source.
#[must_use]
pub fn line(
    assembled: &Assembled,
    linker: &Linker<'_>,
    program: &Program,
    slot: usize,
) -> Option<u32> {
    let slots = BTreeSet::from([slot]);
    if assembled.from_text
        && let Some(spans) = in_assembly(assembled, program, &slots)
    {
        return Some(assembled.map.line_column(*spans.get(&slot)?)?.0);
    }
    quoted_line(linker, program, slot).map(|line| line.line)
}

/// The source line of an instruction, if BTF quotes its text.
fn quoted_line(linker: &Linker<'_>, program: &Program, slot: usize) -> Option<SourceLine> {
    let line = linker.line_of(program, slot)?;
    (line.line > 0 && !line.text.trim().is_empty()).then_some(line)
}

/// Places in the source, if BTF quotes the line of each instruction.
fn in_source(linker: &Linker<'_>, program: &Program, slots: &BTreeSet<usize>) -> Option<Places> {
    let line = |slot: &usize| Some((*slot, quoted_line(linker, program, *slot)?));
    let lines: BTreeMap<usize, SourceLine> = slots.iter().map(line).collect::<Option<_>>()?;
    let mut files: BTreeMap<&str, BTreeMap<u32, &str>> = BTreeMap::new();
    for line in lines.values() {
        let file = files.entry(&line.file).or_default();
        file.entry(line.line).or_insert(line.text.trim_end());
    }
    let around: Vec<SourceLine> = neighbours(linker, program, &files);
    for line in &around {
        if let Some(file) = files.get_mut(line.file.as_str()) {
            file.entry(line.line).or_insert(line.text.trim_end());
        }
    }
    let mut map = SourceMap::new();
    let mut starts: BTreeMap<(&str, u32), (FileId, u32)> = BTreeMap::new();
    for (name, known) in &files {
        let quoted = Quoted::of(known);
        let file = map.add_numbered(*name, quoted.text, quoted.numbers)?;
        for (number, start) in quoted.starts {
            starts.insert((name, number), (file, start));
        }
    }
    let span = |(slot, line): (&usize, &SourceLine)| {
        let (file, start) = *starts.get(&(line.file.as_str(), line.line))?;
        let text = files.get(line.file.as_str())?.get(&line.line)?;
        let (from, to) = underlined(text, line.column);
        Some((*slot, Span::new(file, start + from, start + to)))
    };
    Some(Places {
        spans: lines.iter().map(span).collect::<Option<_>>()?,
        map,
        view: View::Source,
    })
}

/// Lines of the program that lie beside these.
fn neighbours(
    linker: &Linker<'_>,
    program: &Program,
    files: &BTreeMap<&str, BTreeMap<u32, &str>>,
) -> Vec<SourceLine> {
    let lines = program
        .origins
        .iter()
        .filter_map(|origin| linker.source_line(*origin));
    let near = |line: &SourceLine| {
        let known = files.get(line.file.as_str())?;
        let range = line.line.saturating_sub(AROUND)..=line.line.saturating_add(AROUND);
        known.range(range).next().map(|_| ())
    };
    lines.filter(|line| near(line).is_some()).collect()
}

/// Some lines of a file.
struct Quoted {
    text: String,
    numbers: Vec<u32>,
    /// Byte offset of each line that is known, by its number.
    starts: Vec<(u32, u32)>,
}

impl Quoted {
    fn of(known: &BTreeMap<u32, &str>) -> Quoted {
        let mut quoted = Quoted {
            text: String::new(),
            numbers: Vec::new(),
            starts: Vec::new(),
        };
        let mut previous: Option<u32> = None;
        for (&number, line) in known {
            // Between lines that are far apart so many are left blank that they are shown apart.
            if let Some(previous) = previous {
                for blank in (previous + 1..number).take(GAP as usize) {
                    quoted.push(blank, "");
                }
            }
            quoted.starts.push((number, quoted.text.len() as u32));
            quoted.push(number, line);
            previous = Some(number);
        }
        quoted
    }

    fn push(&mut self, number: u32, line: &str) {
        // The line ends where the text does, whatever a crafted object has in it.
        let line = line.split('\n').next().unwrap_or("");
        self.text.push_str(line);
        self.text.push('\n');
        self.numbers.push(number);
    }
}

/// The bytes of a line from a column on, without what is behind the statement.
fn underlined(line: &str, column: u32) -> (u32, u32) {
    let line = line.split('\n').next().unwrap_or("");
    let indent = line.len() - line.trim_start().len();
    let from = usize::try_from(column.saturating_sub(1)).unwrap_or(0);
    let from = if from < indent || from >= line.len() || !line.is_char_boundary(from) {
        indent
    } else {
        from
    };
    let rest = &line[from..];
    let end = ["//", "/*", ";", "{"]
        .into_iter()
        .filter_map(|mark| rest.find(mark))
        .filter(|at| *at > 0)
        .min()
        .unwrap_or(rest.len());
    let length = rest[..end].trim_end().len().max(1).min(rest.len());
    (from as u32, (from + length) as u32)
}

/// The disassembly: a line for each instruction, with its number, as messages name it. The lines of
/// the text itself are counted from 1 like any other's.
fn in_listing(program: &Program) -> Places {
    let mut text = String::new();
    let mut ranges = Vec::new();
    for (slot, op) in program.ops.iter().enumerate() {
        if matches!(op.insn, Ok(None)) {
            continue;
        }
        text.push_str(&format!("{slot:4}: "));
        let start = text.len() as u32;
        text.push_str(&insn_text(program, slot));
        ranges.push((slot, start, text.len() as u32));
        text.push('\n');
    }
    let mut map = SourceMap::new();
    let name = format!("{} (disassembly)", program.name);
    let file = map.add(name, text).unwrap_or_default();
    let spans = ranges
        .into_iter()
        .map(|(slot, start, end)| (slot, Span::new(file, start, end)));
    Places {
        spans: spans.collect(),
        map,
        view: View::Listing,
    }
}

/// An instruction as text, with the name of what it refers to.
#[must_use]
pub fn insn_text(program: &Program, slot: usize) -> String {
    let Some(op) = program.ops.get(slot) else {
        return "?".to_owned();
    };
    let Some(insn) = op.decoded() else {
        return format!("unknown instruction {:#04x}", op.slot.opcode);
    };
    let map = |id| program.map(id).def.name.as_str();
    let name = match (&op.meaning, insn) {
        (
            Meaning::Plain,
            Insn::Call {
                target: CallTarget::Helper(id),
            },
        ) => match u32::try_from(id).ok().and_then(by_id) {
            Some(helper) => format!("bpf_{}", helper.name),
            None => return insn.to_string(),
        },
        (Meaning::Map(id), _) => map(*id).to_owned(),
        (Meaning::MapValue(id, offset), _) => format!("{}{offset:+}", map(*id)),
        (Meaning::Function(index), _) => match program.subprograms.get(*index) {
            Some(function) => function.name.clone(),
            None => return insn.to_string(),
        },
        (Meaning::Kfunc(name) | Meaning::Ksym(name), _) => name.clone(),
        (Meaning::Plain | Meaning::Unresolved, _) => return insn.to_string(),
    };
    match insn {
        Insn::Call { .. } => format!("call {name}"),
        Insn::LoadImm64 { dst, .. } => format!("{dst} = {name} ll"),
        _ => format!("{insn} ({name})"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Quoted, underlined};

    #[test]
    fn a_statement_is_underlined_from_its_column() {
        assert_eq!(underlined("\t*v += 1; // count", 2), (1, 8));
        assert_eq!(underlined("  return 0;", 0), (2, 10));
        assert_eq!(underlined("  return 0;", 900), (2, 10));
        assert_eq!(underlined("é;", 2), (0, 2));
        assert_eq!(underlined("", 4), (0, 0));
    }

    #[test]
    fn lines_that_are_far_apart_are_shown_apart() {
        let lines = BTreeMap::from([(7, "a"), (8, "b"), (4_000_000, "c")]);
        let quoted = Quoted::of(&lines);
        assert_eq!(quoted.numbers, [7, 8, 9, 10, 11, 4_000_000]);
        assert_eq!(quoted.text, "a\nb\n\n\n\nc\n");
        assert_eq!(quoted.starts, [(7, 0), (8, 2), (4_000_000, 7)]);
    }
}
