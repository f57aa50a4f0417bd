//! Which functions of an object need which, as its relocations and calls say.
//!
//! **What.** A function needs those that it calls and those whose address it takes; data needs those
//! that it points to. Debug information and BTF speak of functions without needing them.
//!
//! **Why sound.** In an object one function names another by a relocation, or within a section by the
//! distance of a call; both are read from the code as it is, whether or not the code can be lifted.
//!
//! **Cost.** One pass over the code and the relocations, a search among the functions for each.

use std::collections::BTreeSet;

use bpf::insn::{Slot, read_slots};
use bpf::object::{FunctionRange, Object, R_BPF_64_32, SectionId};

const CALL: u8 = 0x85;
/// Source of a call of a function of the program (`BPF_PSEUDO_CALL`).
const OF_PROGRAM: u8 = 1;
const LD_IMM64: u8 = 0x18;

/// The functions of an object and what needs them.
#[derive(Debug)]
pub(super) struct References {
    /// For each function those that it needs.
    needs: Vec<BTreeSet<usize>>,
    /// Those that data points to.
    by_data: BTreeSet<usize>,
}

impl References {
    /// Reads an object, of which these are the functions.
    pub(super) fn of(object: &Object, functions: &[FunctionRange]) -> References {
        let mut found = References {
            needs: vec![BTreeSet::new(); functions.len()],
            by_data: BTreeSet::new(),
        };
        let holds = |section: SectionId, at: i64| {
            let at = u64::try_from(at).ok()?;
            let holds = |range: &FunctionRange| range.section == section && range.contains(at);
            functions.iter().position(holds)
        };
        for id in object.section_ids() {
            let Some(section) = object.section(id) else {
                continue;
            };
            let slots = match section.is_executable() {
                true => read_slots(section.data(), object.endian).unwrap_or_default(),
                false => Vec::new(),
            };
            let mut related = BTreeSet::new();
            for relocation in &section.relocations {
                related.insert(relocation.offset);
                let symbol = object.symbol(relocation.symbol);
                let Some((symbol, target)) = symbol.and_then(|one| Some((one, one.section()?)))
                else {
                    continue;
                };
                let index = usize::try_from(relocation.offset / 8).ok();
                let slot = index.and_then(|index| slots.get(index));
                let added = addend(slot, relocation.kind);
                let at = symbol.value.cast_signed().saturating_add(added);
                let Some(needed) = holds(target, at) else {
                    continue;
                };
                if section.is_executable() {
                    if let Some(user) = holds(id, relocation.offset.cast_signed()) {
                        found.needs[user].insert(needed);
                    }
                } else if !speaks_only(&section.name) {
                    found.by_data.insert(needed);
                }
            }
            for (index, slot) in (0i64..).zip(&slots) {
                let is_call = slot.opcode == CALL && slot.src == OF_PROGRAM;
                if !is_call || related.contains(&(8 * index).cast_unsigned()) {
                    continue;
                }
                let target = 8 * (index + 1 + i64::from(slot.imm));
                if let (Some(user), Some(needed)) = (holds(id, 8 * index), holds(id, target)) {
                    found.needs[user].insert(needed);
                }
            }
        }
        found
    }

    /// All that some functions need, themselves among them.
    pub(super) fn closure(&self, roots: impl IntoIterator<Item = usize>) -> BTreeSet<usize> {
        let mut work: Vec<usize> = roots.into_iter().collect();
        let mut found = BTreeSet::new();
        while let Some(function) = work.pop() {
            if found.insert(function) {
                work.extend(self.needs.get(function).into_iter().flatten());
            }
        }
        found
    }

    /// Functions that data points to.
    pub(super) fn by_data(&self) -> impl Iterator<Item = usize> {
        self.by_data.iter().copied()
    }
}

/// What a relocation in place of code adds to its symbol, in bytes.
fn addend(slot: Option<&Slot>, kind: u32) -> i64 {
    match slot {
        Some(slot) if kind == R_BPF_64_32 => 8 * (i64::from(slot.imm) + 1),
        Some(slot) if slot.opcode == LD_IMM64 => slot.imm.into(),
        _ => 0,
    }
}

/// Whether a section speaks of functions without needing them.
fn speaks_only(name: &str) -> bool {
    let name = name.strip_prefix(".rel").unwrap_or(name);
    name.starts_with(".BTF") || is_debug(name)
}

/// Whether a section holds DWARF or unwind tables.
pub(super) fn is_debug(name: &str) -> bool {
    name.starts_with(".debug_") || name == ".eh_frame"
}
