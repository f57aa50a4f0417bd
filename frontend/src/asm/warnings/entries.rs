//! Where control can come into code from elsewhere: what calls, addresses in code and data, and other
//! files refer to.
//!
//! Time is linear in calls, relocations and symbols, but for a sort of what is called.

use std::collections::BTreeSet;

use bpf::insn::{CallTarget, Endian, Insn};
use bpf::object::{
    Object, R_BPF_64_ABS32, R_BPF_64_ABS64, Relocation, SHF_ALLOC, Section, SectionId,
};
use rustc_hash::FxHashMap;

use super::code::{Code, Part, resolved};

/// Entries of an object by section, as byte offsets.
#[derive(Debug, Default)]
pub struct Entries {
    /// Those that are called as functions.
    pub called: BTreeSet<(SectionId, u64)>,
    /// All others, and these.
    pub other: FxHashMap<SectionId, Vec<u64>>,
}

impl Entries {
    /// The entries of an object.
    pub fn of(object: &Object, code: &Code<'_>) -> Entries {
        let mut entries = Entries::default();
        for part in &code.parts {
            entries.of_code(part);
        }
        for id in object.symbol_ids() {
            if let Some(symbol) = object.symbol(id).filter(|symbol| !symbol.is_local())
                && let Some(section) = symbol.section()
            {
                entries.add(section, symbol.value);
            }
        }
        let sections = object.section_ids().filter_map(|id| object.section(id));
        // What debuggers read refers to all lines of the code.
        for section in sections
            .filter(|section| section.flags & SHF_ALLOC != 0 || section.name == ".jumptables")
        {
            entries.of_data(object, section);
        }
        for (section, offset) in entries.called.clone() {
            entries.add(section, offset);
        }
        entries
    }

    fn add(&mut self, section: SectionId, offset: u64) {
        self.other.entry(section).or_default().push(offset);
    }

    fn of_code(&mut self, part: &Part<'_>) {
        for target in part.targets.values() {
            match target.place {
                Some(place) if target.is_call => {
                    self.called.insert(place);
                }
                Some((section, offset)) => self.add(section, offset),
                None => {}
            }
        }
        let notable = part.notable.iter();
        for step in notable.filter(|step| !part.targets.contains_key(&step.offset)) {
            if let Insn::Call {
                target: CallTarget::Subprogram(slots),
            } = step.insn
            {
                self.called.insert((part.section, step.target(slots)));
            }
        }
    }

    fn of_data(&mut self, object: &Object, section: &Section) {
        let relocations = section.relocations.iter();
        for relocation in relocations
            .filter(|relocation| matches!(relocation.kind, R_BPF_64_ABS32 | R_BPF_64_ABS64))
        {
            let addend = stored(object.endian, section, relocation);
            let place = resolved(object, relocation.symbol, addend.cast_signed());
            if let Some((section, offset)) = place.flatten() {
                self.add(section, offset);
            }
        }
    }
}

/// The number that lies where an address will be.
fn stored(endian: Endian, section: &Section, relocation: &Relocation) -> u64 {
    let size = match relocation.kind {
        R_BPF_64_ABS64 => 8,
        _ => 4,
    };
    let start = usize::try_from(relocation.offset).unwrap_or(usize::MAX);
    let bytes = section.data().get(start..start.saturating_add(size));
    let fold = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
    match (bytes, endian) {
        (None, _) => 0,
        (Some(bytes), Endian::Little) => bytes.iter().rev().fold(0, fold),
        (Some(bytes), Endian::Big) => bytes.iter().fold(0, fold),
    }
}
