//! The instructions of an object, with their places and what relocations say of them.
//!
//! Instructions are read back from the bytes, so that jumps are where they were resolved to. What
//! cannot be decoded is not listed, and its section is not followed. Memory is a few words for each
//! instruction.

use bpf::diagnostic::Span;
use bpf::insn::{CallTarget, Insn, Slot};
use bpf::object::{
    Object, R_BPF_64_32, R_BPF_64_64, STT_SECTION, SectionId, SymbolId, SymbolPlace,
};
use rustc_hash::FxHashMap;

/// One instruction.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// First byte in the section.
    pub offset: u64,
    /// What it is.
    pub insn: Insn,
    /// Its size in bytes.
    pub size: u64,
    /// Its text.
    pub span: Span,
}

/// What a relocation refers to.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The symbol.
    pub symbol: SymbolId,
    /// Section and byte, if it is defined here.
    pub place: Option<(SectionId, u64)>,
}

/// The instructions of one section.
#[derive(Debug)]
pub struct Part {
    /// The section.
    pub section: SectionId,
    /// By offset.
    pub steps: Vec<Step>,
    /// What relocations at instructions refer to, by offset.
    pub targets: FxHashMap<u64, Target>,
    /// Whether all of its instructions could be decoded.
    pub is_known: bool,
}

impl Part {
    /// Index of the instruction at a byte.
    pub fn at(&self, offset: u64) -> Option<usize> {
        let found = self.steps.binary_search_by_key(&offset, |step| step.offset);
        found.ok()
    }
}

/// The instructions of all sections.
#[derive(Debug)]
pub struct Code {
    /// By section.
    pub parts: Vec<Part>,
}

impl Code {
    /// Decodes an object's instructions, which lie at these places.
    pub fn of(object: &Object, instructions: &[(SectionId, u64, Span)]) -> Code {
        let sections = instructions.chunk_by(|one, other| one.0 == other.0);
        let parts = sections.filter_map(|list| part(object, list));
        Code {
            parts: parts.collect(),
        }
    }
}

fn part(object: &Object, list: &[(SectionId, u64, Span)]) -> Option<Part> {
    let section = list.first()?.0;
    let data = object.data(section);
    let mut part = Part {
        section,
        steps: Vec::with_capacity(list.len()),
        targets: FxHashMap::default(),
        is_known: true,
    };
    for &(_, offset, span) in list {
        let start = usize::try_from(offset).ok()?;
        let bytes = data.get(start..).unwrap_or(&[]);
        // No instruction has more than two slots; a list of its own for each would cost more than
        // decoding it.
        let (mut slots, mut count) = ([Slot::default(); 2], 0);
        for (slot, bytes) in slots.iter_mut().zip(bytes.as_chunks().0) {
            *slot = Slot::from_bytes(*bytes, object.endian);
            count += 1;
        }
        match Insn::decode(slots.get(..count).unwrap_or(&[])) {
            Ok((insn, count)) => part.steps.push(Step {
                offset,
                insn,
                size: count as u64 * 8,
                span,
            }),
            Err(_) => part.is_known = false,
        }
    }
    let relocations = object.section(section).map(|section| &section.relocations);
    for relocation in relocations.into_iter().flatten() {
        let Some(index) = part.at(relocation.offset) else {
            continue;
        };
        let addend = match (part.steps[index].insn, relocation.kind) {
            (Insn::LoadImm64 { imm, .. }, R_BPF_64_64) => i64::from(imm as u32 as i32),
            (
                Insn::Call {
                    target: CallTarget::Subprogram(slots),
                },
                R_BPF_64_32,
            ) => (i64::from(slots) + 1) * 8,
            _ => continue,
        };
        if let Some(target) = resolved(object, relocation.symbol, addend) {
            part.targets.insert(relocation.offset, target);
        }
    }
    Some(part)
}

/// What a symbol and an addend refer to.
pub fn resolved(object: &Object, symbol: SymbolId, addend: i64) -> Option<Target> {
    let entry = object.symbol(symbol)?;
    let place = match entry.place {
        SymbolPlace::Section(section) => {
            let base = if entry.kind == STT_SECTION {
                0
            } else {
                entry.value
            };
            Some((section, base.wrapping_add_signed(addend)))
        }
        _ => None,
    };
    Some(Target { symbol, place })
}
