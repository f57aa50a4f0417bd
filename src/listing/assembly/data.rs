//! Sections of data: bytes, and a number where a relocation stands.

use bpf::insn::Endian;
use bpf::object::{
    Contents, R_BPF_64_32, R_BPF_64_64, R_BPF_64_ABS32, R_BPF_64_ABS64, R_BPF_64_NODYLD32,
    Relocation, Section, SectionId,
};

use super::places::sum;
use super::text::{bytes, numbers, quoted};
use super::{Assembly, Writer};

impl Writer<'_> {
    /// The data of a section.
    pub(super) fn data(&self, id: SectionId, section: &Section, out: &mut Assembly) {
        let data = section.data();
        let size = match section.contents {
            Contents::NoBits(size) => size,
            _ => data.len() as u64,
        };
        let symbols = self.places.symbols(id);
        let mut places: Vec<u64> = symbols.iter().map(|found| found.0).collect();
        places.extend(self.places.labels(id));
        places.sort_unstable();
        places.dedup();
        let mut places = places.into_iter().peekable();
        let mut symbols = symbols.iter().peekable();
        let mut relocations = section.relocations.clone();
        relocations.sort_by_key(|found| found.offset);
        let mut relocations = relocations.iter().peekable();
        let mut at = 0;
        loop {
            while let Some((value, symbol)) = symbols.next_if(|found| found.0 <= at) {
                if *value == at {
                    self.label(*symbol, out);
                }
            }
            if let Some(label) = self.places.label(id, at) {
                out.line(format_args!("{label}:"));
            }
            if at >= size {
                break;
            }
            while places.next_if(|place| *place <= at).is_some() {}
            let stop = places.peek().copied().unwrap_or(size).min(size);
            let mut next = stop;
            let mut said = false;
            let first = relocations.next_if(|found| found.offset <= at);
            if let Some(relocation) = first {
                let word = self.word(section, *relocation);
                match word.filter(|word| relocation.offset == at && at + word.0 <= stop) {
                    Some((used, line)) => {
                        out.line(format_args!("\t{line}"));
                        next = at + used;
                        said = true;
                    }
                    None if self.whole => {
                        // The field first: a relocation lies in what is there.
                        let width = relocated_bytes(relocation.kind);
                        next = stop.min(at + width);
                    }
                    None => {}
                }
            }
            if !said {
                if let Some(relocation) = relocations.peek() {
                    next = next.min(relocation.offset.max(at + 1));
                }
                self.plain_bytes(data, at, next, out);
                if let Some(relocation) = first.filter(|_| self.whole) {
                    self.explicit(section, relocation, out);
                }
            }
            at = next;
        }
        for relocation in relocations.filter(|_| self.whole) {
            self.explicit(section, relocation, out);
        }
    }

    fn plain_bytes(&self, data: &[u8], from: u64, to: u64, out: &mut Assembly) {
        if data.is_empty() {
            out.line(format_args!("\t.zero\t{}", to - from));
            return;
        }
        let part = data.get(from as usize..to as usize).unwrap_or(&[]);
        match self.whole {
            true => bytes(part, &mut out.text),
            false => numbers(part, &mut out.text),
        }
    }

    /// A number that a relocation fills in, with its size in bytes.
    fn word(&self, section: &Section, relocation: Relocation) -> Option<(u64, String)> {
        let size = match relocation.kind {
            R_BPF_64_ABS64 => 8,
            R_BPF_64_ABS32 | R_BPF_64_NODYLD32 => 4,
            R_BPF_64_64 if !self.whole => 8,
            R_BPF_64_32 if !self.whole => 4,
            _ => return None,
        };
        let start = usize::try_from(relocation.offset).ok()?;
        let bytes = section.data().get(start..start.checked_add(size)?)?;
        let addend = number(self.object.endian, bytes);
        let directive = if size == 8 { ".quad" } else { ".long" };
        let name = if self.whole {
            if relocation.addend.is_some() {
                return None;
            }
            let addend = addend.cast_signed();
            self.places
                .reference(relocation.kind, relocation.symbol, addend)?
        } else {
            let name = quoted(self.object.symbol_label(relocation.symbol));
            sum(&name, addend.cast_signed())
        };
        Some((size as u64, format!("{directive}\t{name}")))
    }
}

/// Bytes that a relocation changes.
fn relocated_bytes(kind: u32) -> u64 {
    match kind {
        R_BPF_64_ABS32 | R_BPF_64_NODYLD32 => 4,
        R_BPF_64_64 => 16,
        _ => 8,
    }
}

/// Up to eight bytes as a number.
pub fn number(endian: Endian, bytes: &[u8]) -> u64 {
    let join = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
    match endian {
        Endian::Little => bytes.iter().rev().fold(0, join),
        Endian::Big => bytes.iter().fold(0, join),
    }
}
