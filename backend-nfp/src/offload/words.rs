//! Words of maps' values that are added to atomically.
//!
//! The memory engine adds to big-endian words, so the driver keeps such words swapped. A word that
//! one instruction adds to cannot be loaded or stored as it is by another, and it must begin as zero,
//! which is the same in both orders.
//!
//! Cost: accesses of maps times words that one can reach, of which the firmware's limit for values
//! bounds the number.

use std::collections::{BTreeMap, BTreeSet};

use bpf::insn::{CallTarget, Insn, Operand, Reg};
use verifier::program::MapId;
use verifier::state::Kind;

use super::access::{Use, access_of};
use super::call::{EVENT_OUTPUT, MAP_DELETE, MAP_LOOKUP, MAP_UPDATE};
use super::{Examiner, Reason, offsets};

const WORD: i64 = 4;
const STACK_SLOT: i64 = 8;
/// Helpers that only read the stack.
const READERS: [CallTarget; 4] = [
    CallTarget::Helper(MAP_LOOKUP.cast_signed()),
    CallTarget::Helper(MAP_UPDATE.cast_signed()),
    CallTarget::Helper(MAP_DELETE.cast_signed()),
    CallTarget::Helper(EVENT_OUTPUT.cast_signed()),
];

/// Instructions by the words of each map that they reach.
type Words = BTreeMap<(MapId, i64), BTreeSet<usize>>;

/// Byte offsets, in the values of each map, of the words that a program adds to.
pub type Counters = BTreeMap<MapId, BTreeSet<usize>>;

impl Examiner<'_> {
    /// Adds obstacles; gives the words that are added to.
    pub(super) fn counters(&mut self) -> Counters {
        let (mut added, mut plain) = (Words::new(), Words::new());
        for slot in 0..self.program.ops.len() {
            let insn = self.program.insn(slot).filter(|_| self.is_reached(slot));
            let Some((how, base, offset, width)) = insn.as_ref().and_then(access_of) else {
                continue;
            };
            let words = match how {
                Use::Atomic(..) => &mut added,
                Use::Load | Use::Store => &mut plain,
            };
            for form in self.forms(slot, base) {
                let Kind::MapValue { map, .. } = form.kind else {
                    continue;
                };
                let size = self.program.map(map.id).def.value_size;
                // Larger values are an obstacle already, and could be larger than one likes to list.
                if size > self.capabilities.maps.value {
                    continue;
                }
                let size = i64::from(size);
                let (first, last) = offsets(&form);
                let first = first.saturating_add(offset.into()).clamp(0, size);
                let end = last.saturating_add(i64::from(offset) + i64::from(width.bytes()));
                let mut word = first / WORD * WORD;
                while word < end.clamp(0, size) {
                    words.entry((map.id, word)).or_default().insert(slot);
                    word += WORD;
                }
            }
        }
        for ((map, offset), adding) in &added {
            let Some(other) = plain.get(&(*map, *offset)) else {
                continue;
            };
            // The upper half of a counter of 64 bits is the same mistake as its lower half.
            let before = offset.checked_sub(WORD).map(|offset| (*map, offset));
            if before.is_some_and(|key| {
                added.get(&key) == Some(adding) && plain.get(&key) == Some(other)
            }) {
                continue;
            }
            let name = self.program.map(*map).def.name.clone();
            for slot in other.iter().chain(adding) {
                let (map, offset) = (name.clone(), *offset);
                self.add(Reason::MixedWord { map, offset }, *slot);
            }
        }
        self.beginnings(&added);
        let mut counters = Counters::new();
        for (map, offset) in added.into_keys() {
            let offset = usize::try_from(offset).ok();
            counters.entry(map).or_default().extend(offset);
        }
        counters
    }

    /// Updates of maps with such words.
    fn beginnings(&mut self, added: &Words) {
        for slot in 0..self.program.ops.len() {
            let update = Insn::Call {
                target: CallTarget::Helper(MAP_UPDATE.cast_signed()),
            };
            if self.program.insn(slot) != Some(update) || !self.is_reached(slot) {
                continue;
            }
            for form in self.forms(slot, Reg(1)) {
                let Kind::MapPtr(map) = form.kind else {
                    continue;
                };
                let words = added.range((map.id, 0)..=(map.id, i64::MAX));
                let zero = words
                    .clone()
                    .all(|((_, word), _)| self.begins_zero(slot, *word));
                if !zero {
                    let name = self.program.map(map.id).def.name.clone();
                    self.add(Reason::CounterStart(name), slot);
                }
            }
        }
    }

    /// Whether a word of the value that is put into a map is surely zero: it was set, and nothing in
    /// its function stores anything else there.
    fn begins_zero(&self, slot: usize, word: i64) -> bool {
        let values = self.forms(slot, Reg(3));
        let zero = values.iter().all(|form| {
            let (first, last) = offsets(form);
            let at = first.saturating_add(word);
            let whole = i16::try_from(at.div_euclid(STACK_SLOT) * STACK_SLOT).ok();
            let set = whole.zip(self.facts_at(slot));
            matches!(form.kind, Kind::Stack(_))
                && first == last
                && set.is_some_and(|(whole, facts)| facts.is_zero(whole))
                && self.only_zero(self.program.subprogram_at(slot), at)
        });
        zero && !values.is_empty()
    }

    /// Whether all stores to a word of a function's stack are of zero.
    fn only_zero(&self, function: usize, at: i64) -> bool {
        self.facts.stack.iter().all(|access| {
            let first = i64::from(access.offset);
            let apart = first >= at + WORD || first + i64::from(access.size) <= at;
            let slot = access.insn as usize;
            access.function != function
                || apart
                || match self.program.insn(slot) {
                    Some(Insn::Store { src, .. }) => match src {
                        Operand::Imm(imm) => imm == 0,
                        Operand::Reg(reg) => {
                            self.constants.before(slot, reg).all(|value| value == 0)
                        }
                    },
                    Some(Insn::Load { .. }) => true,
                    // Helpers read the value here, and the key elsewhere.
                    Some(Insn::Call { target }) => READERS.contains(&target),
                    _ => false,
                }
        })
    }
}
