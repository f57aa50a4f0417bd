//! The slots of a section as lines: an instruction each, or bytes that are none.

use bpf::insn::{Insn, read_slots};
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

/// The instructions of a code section.
#[must_use]
pub fn lines(object: &Object, id: SectionId) -> Vec<Line<'_>> {
    let Some(section) = object.section(id) else {
        return Vec::new();
    };
    let data = section.data();
    let whole = data.len() / 8 * 8;
    let (code, tail) = data.split_at(whole);
    let slots = read_slots(code, object.endian).unwrap_or_default();
    let mut lines: Vec<Line<'_>> = Vec::with_capacity(slots.len());
    let mut sorted = section.relocations.clone();
    sorted.sort_by_key(|found| found.offset);
    let mut relocations = sorted.into_iter().peekable();
    let mut at = 0;
    while let Some(rest) = slots.get(at..).filter(|rest| !rest.is_empty()) {
        let (insn, used) = match Insn::decode(rest) {
            Ok((insn, used)) => (Ok(insn), used.max(1)),
            Err(error) => (Err(error.to_string()), 1),
        };
        let end = (at as u64 + used as u64) * 8;
        let mut here = Vec::new();
        while let Some(relocation) = relocations.next_if(|found| found.offset < end) {
            here.push(relocation);
        }
        lines.push(Line {
            offset: at as u64 * 8,
            bytes: data.get(at * 8..(at + used) * 8).unwrap_or(&[]),
            insn,
            relocations: here,
        });
        at += used;
    }
    if !tail.is_empty() {
        let size = data.len() as u64;
        lines.push(Line {
            offset: whole as u64,
            bytes: tail,
            insn: Err("a part of a slot".to_owned()),
            relocations: relocations.filter(|found| found.offset < size).collect(),
        });
    }
    lines
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
