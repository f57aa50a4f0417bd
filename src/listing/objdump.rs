//! The listing of code in the columns of llvm-objdump.
//!
//! Without names it is what `llvm-objdump -d -r` prints, line for line, with three differences that are
//! meant: what does not decode has its reason beside it, a slot is never taken apart, and the operand
//! of a 32-bit atomic operation is a lower half (`w1`), as after `--mattr=+alu32`. Names, source lines
//! and labels come on top of it.

use std::fmt::Write as _;

use bpf::insn::Insn;
use bpf::object::{Object, SectionId};

use super::line::{Line, lines, relocation_name};
use super::names::Names;
use super::notes::{Notes, SourceLine};

/// What is shown beside the code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// Names in place of numbers, and labels.
    pub names: bool,
    /// Source lines.
    pub lines: bool,
}

/// The sections that are listed: those with instructions.
pub fn code_sections(object: &Object) -> impl Iterator<Item = SectionId> {
    let ids = object.section_ids();
    ids.filter(|&id| object.is_executable(id) && !object.data(id).is_empty())
}

/// The listing of a code section, as llvm-objdump prints it.
#[must_use]
pub fn objdump(object: &Object, id: SectionId) -> String {
    listed(object, &[id], Shown::default())
}

/// The listing of code sections.
#[must_use]
pub fn listed(object: &Object, ids: &[SectionId], shown: Shown) -> String {
    let names = Names::of(object);
    let notes = Notes::of(object);
    let mut text = String::new();
    for &id in ids {
        if let Some(section) = object.section(id) {
            // Writing to a string cannot fail, here and below.
            let _ = writeln!(text, "\nDisassembly of section {}:", section.name);
            let listing = Listing {
                object,
                names: &names,
                notes: &notes,
                id,
                shown,
            };
            listing.write(&mut text);
        }
    }
    text
}

struct Listing<'a> {
    object: &'a Object,
    names: &'a Names<'a>,
    notes: &'a Notes,
    id: SectionId,
    shown: Shown,
}

impl Listing<'_> {
    fn write(&self, text: &mut String) {
        let targets = self.targets();
        let mut symbols = self.names.section(self.id).iter().peekable();
        if symbols.peek().is_none_or(|symbol| symbol.value > 0) {
            let section = self.object.section(self.id);
            let name = section.map_or("", |section| section.name.as_str());
            let _ = writeln!(text, "\n{:016x} <{name}>:", 0);
        }
        let mut sources = self.notes.lines(self.id).peekable();
        let mut last: Option<SourceLine<'_>> = None;
        let mut accesses = self.notes.accesses(self.id).peekable();
        for line in lines(self.object, self.id) {
            let mut here = None;
            while let Some(symbol) = symbols.next_if(|symbol| symbol.value <= line.offset) {
                here = Some(symbol);
                // Of several symbols at one place the last is shown, with a name wherever they
                // are between slots.
                if symbols
                    .peek()
                    .is_some_and(|next| next.value != symbol.value)
                {
                    heading(symbol.value, &symbol.name, text);
                    here = None;
                }
            }
            if let Some(symbol) = here {
                heading(symbol.value, &symbol.name, text);
            }
            let mut source = None;
            while let Some(found) = sources.next_if(|found| found.0 <= line.offset) {
                source = Some(found.1);
            }
            if self.shown.lines
                && let Some(found) = source
                && last != Some(found)
            {
                source_line(found, text);
                last = Some(found);
            }
            if self.shown.names && targets.binary_search(&(line.offset as i64)).is_ok() {
                let _ = writeln!(text, "L{}:", line.offset / 8);
            }
            self.line(&line, &targets, text);
            while let Some(found) = accesses.next_if(|found| found.0 < line.end()) {
                let _ = writeln!(text, "\t\t{:016x}:  CO-RE {}", found.0, found.1);
            }
        }
    }

    /// The places that branches go to, sorted.
    fn targets(&self) -> Vec<i64> {
        if !self.shown.names {
            return Vec::new();
        }
        let mut starts: Vec<i64> = Vec::new();
        let mut targets: Vec<i64> = Vec::new();
        for line in lines(self.object, self.id) {
            starts.push(line.offset as i64);
            let distance = line.insn.as_ref().ok().and_then(Insn::branch_offset);
            targets.extend(distance.map(|distance| line.target(distance)));
        }
        targets.sort_unstable();
        targets.dedup();
        targets.retain(|target| starts.binary_search(target).is_ok());
        targets
    }

    fn line(&self, line: &Line<'_>, targets: &[i64], text: &mut String) {
        let _ = write!(text, "{:8}:\t", line.offset / 8);
        for (index, byte) in line.bytes.iter().enumerate() {
            let gap = if index == 0 { "" } else { " " };
            let _ = write!(text, "{gap}{byte:02x}");
        }
        text.push('\t');
        match &line.insn {
            Ok(insn) => {
                let named = self.shown.names.then(|| self.names.insn(self.id, line));
                match (named.flatten(), insn.branch_offset()) {
                    (Some(named), _) => text.push_str(&named),
                    (None, Some(distance)) => self.branch(line, distance, targets, text),
                    (None, None) => {
                        let _ = write!(text, "{insn}");
                    }
                }
            }
            Err(error) => {
                let _ = write!(text, "<unknown: {error}>");
            }
        }
        text.push('\n');
        for relocation in &line.relocations {
            let kind = relocation_name(relocation.kind);
            let name = self.object.symbol_label(relocation.symbol);
            let _ = writeln!(text, "\t\t{:016x}:  {kind}\t{name}", relocation.offset);
        }
    }

    fn branch(&self, line: &Line<'_>, distance: i32, targets: &[i64], text: &mut String) {
        let shown = match &line.insn {
            Ok(insn) => insn.to_string(),
            Err(_) => String::new(),
        };
        let target = line.target(distance);
        if targets.binary_search(&target).is_ok() {
            let stem = shown
                .rsplit_once(' ')
                .map_or(shown.as_str(), |found| found.0);
            let _ = write!(text, "{stem} L{}", target / 8);
            return;
        }
        // A target before the section counts as one far behind it, as addresses wrap around.
        let target = target.cast_unsigned();
        let (name, start) = match self.names.before(self.id, target) {
            Some(symbol) => (symbol.name.as_str(), symbol.value),
            None => {
                let section = self.object.section(self.id);
                (section.map_or("", |section| section.name.as_str()), 0)
            }
        };
        let _ = match target.wrapping_sub(start) {
            0 => write!(text, "{shown} <{name}>"),
            past => write!(text, "{shown} <{name}+{past:#x}>"),
        };
    }
}

fn heading(offset: u64, name: &str, text: &mut String) {
    let _ = writeln!(text, "\n{offset:016x} <{name}>:");
}

fn source_line(line: SourceLine<'_>, text: &mut String) {
    let _ = writeln!(text, "; {}:{}: {}", line.file, line.line, line.text.trim());
}
