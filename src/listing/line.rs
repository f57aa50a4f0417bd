//! The slots of a section as lines: an instruction each, or bytes that are none.

use std::iter::Peekable;
use std::vec::IntoIter;

use bpf::insn::{Endian, Insn, Slot};
use bpf::object::{
    Object, R_BPF_64_32, R_BPF_64_64, R_BPF_64_ABS32, R_BPF_64_ABS64, R_BPF_64_NODYLD32,
    R_BPF_NONE, Relocation, SectionId,
};

/// One instruction, or one slot that is none.
#[derive(Clone, Debug)]
pub struct Line<'a> {
    /// Byte offset in the section.
    pub offset: u64,
    /// The bytes: 8 or 16, fewer behind the last whole slot.
    pub bytes: &'a [u8],
    /// The instruction; what is wrong with the slot otherwise.
    pub insn: Result<Insn, String>,
    /// The relocations on these bytes, by offset.
    pub relocations: Vec<Relocation>,
}

impl Line<'_> {
    /// One past the last byte.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.offset + self.bytes.len() as u64
    }

    /// The byte offset that a jump or a call of a subprogram goes to; it may lie outside.
    #[must_use]
    pub fn target(&self, distance: i32) -> i64 {
        self.offset as i64 + 8 + i64::from(distance) * 8
    }
}

/// The instructions of a code section, each made when it is asked for: a section may be large, and
/// most readers want one line at a time.
#[derive(Debug)]
pub struct Lines<'a> {
    data: &'a [u8],
    endian: Endian,
    /// Where the next line begins in the data.
    at: usize,
    relocations: Peekable<IntoIter<Relocation>>,
}

/// The instructions of a code section. Its relocations are sorted once.
#[must_use]
pub fn lines(object: &Object, id: SectionId) -> Lines<'_> {
    let section = object.section(id);
    let mut relocations = section.map_or_else(Vec::new, |section| section.relocations.clone());
    relocations.sort_by_key(|found| found.offset);
    Lines {
        data: section.map_or(&[], |section| section.data()),
        endian: object.endian,
        at: 0,
        relocations: relocations.into_iter().peekable(),
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        let rest = self.data.get(self.at..).filter(|rest| !rest.is_empty())?;
        // No instruction has more than two slots.
        let (chunks, _) = rest.as_chunks::<{ Slot::SIZE }>();
        let slot = |bytes: &[u8; Slot::SIZE]| Slot::from_bytes(*bytes, self.endian);
        let (insn, size) = match chunks {
            [] => (Err("a part of a slot".to_owned()), rest.len()),
            [one] => decoded(&[slot(one)]),
            [one, two, ..] => decoded(&[slot(one), slot(two)]),
        };
        let offset = self.at as u64;
        self.at += size;
        let end = self.at as u64;
        let mut relocations = Vec::new();
        while let Some(relocation) = self.relocations.next_if(|found| found.offset < end) {
            relocations.push(relocation);
        }
        Some(Line {
            offset,
            bytes: rest.get(..size).unwrap_or(rest),
            insn,
            relocations,
        })
    }
}

/// The first instruction of some slots, or what is wrong with the first slot, and the bytes it takes.
fn decoded(slots: &[Slot]) -> (Result<Insn, String>, usize) {
    match Insn::decode(slots) {
        Ok((insn, used)) => (Ok(insn), used.max(1) * Slot::SIZE),
        Err(error) => (Err(error.to_string()), Slot::SIZE),
    }
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
