//! Whether a state that was walked covers another, so that walking the other tells nothing new.
//!
//! An old state covers a new one when each thing that something after the old state read is in the
//! new one at least as narrowly known. What no later check depended on may differ: registers that
//! are not read again, numbers that are not marked precise, stack that is not read. Identities may
//! be renamed, but consistently.

use bpf::insn::RegSet;

use crate::state::{ADDED, Byte, Frame, Kind, Register, SLOT_BYTES, Slot, State};

/// How alike two states must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Likeness {
    /// What matters of the old state covers the new one.
    Covers,
    /// Everything of the old state covers the new one: it is not known yet what matters.
    CoversAll,
    /// They are equal.
    Equal,
}

/// Renaming of identities from the old state to the new one. The kernel's has a fixed size too, and
/// gives up when it is full.
#[derive(Debug)]
pub(crate) struct Renaming {
    pairs: Vec<(u32, u32)>,
    temporary: u32,
}

const MAX_PAIRS: usize = 600;

impl Renaming {
    /// An empty one; identities above `last` are free.
    pub(crate) fn new(last: u32) -> Renaming {
        Renaming {
            pairs: Vec::new(),
            temporary: last,
        }
    }

    fn matches(&mut self, old: u32, new: u32) -> bool {
        if (old != 0) != (new != 0) {
            return false;
        }
        if old == 0 {
            return true;
        }
        for &(left, right) in &self.pairs {
            if left == old {
                return right == new;
            }
            if right == new {
                return false;
            }
        }
        if self.pairs.len() >= MAX_PAIRS {
            return false;
        }
        self.pairs.push((old, new));
        true
    }

    /// For numbers: an old one without ties covers any; a new one without ties is its own.
    fn matches_scalar(&mut self, old: u32, new: u32) -> bool {
        if old == 0 {
            return true;
        }
        let new = if new == 0 {
            self.temporary += 1;
            self.temporary
        } else {
            new
        };
        if !self.matches(old, new) {
            return false;
        }
        old & ADDED == 0 || self.matches(old & !ADDED, new & !ADDED)
    }
}

pub(crate) fn equal(old: &Register, new: &Register, ids: &mut Renaming) -> bool {
    old.kind == new.kind
        && old.offset == new.offset
        && old.value == new.value
        && (old.dynptr, old.in_packet) == (new.dynptr, new.in_packet)
        && ids.matches(old.id, new.id)
        && ids.matches(old.reference, new.reference)
}

fn scalar_covers(old: &Register, new: &Register, ids: &mut Renaming, likeness: Likeness) -> bool {
    if !old.precise && likeness == Likeness::Covers {
        return true;
    }
    if old.id & ADDED != 0 && ((old.id ^ new.id) & ADDED != 0 || old.offset != new.offset) {
        return false;
    }
    if old.id != 0 && old.id & ADDED == 0 && new.id & ADDED != 0 {
        return false;
    }
    ids.matches_scalar(old.id, new.id) && old.value.includes(&new.value)
}

/// Whether a register covers another.
fn covers(old: &Register, new: &Register, ids: &mut Renaming, likeness: Likeness) -> bool {
    if likeness == Likeness::Equal {
        return equal(old, new, ids);
    }
    if old.kind == Kind::Unset && (likeness == Likeness::Covers || new.kind == Kind::Unset) {
        return true;
    }
    match (old.kind, new.kind) {
        (Kind::Scalar, Kind::Scalar) => scalar_covers(old, new, ids, likeness),
        (
            Kind::MapKey(_) | Kind::MapValue { .. } | Kind::Memory { .. } | Kind::TracepointBuffer,
            _,
        ) => {
            old.kind == new.kind
                && old.offset == new.offset
                && old.value.includes(&new.value)
                && (old.dynptr, old.in_packet) == (new.dynptr, new.in_packet)
                && ids.matches(old.id, new.id)
                && ids.matches(old.reference, new.reference)
        }
        (Kind::Packet(left), Kind::Packet(right))
        | (Kind::PacketMeta(left), Kind::PacketMeta(right)) => {
            let reaches = if left < 0 || right < 0 {
                left == right
            } else {
                left <= right
            };
            reaches
                && old.offset == new.offset
                && ids.matches(old.id, new.id)
                && old.value.includes(&new.value)
        }
        _ => equal(old, new, ids),
    }
}

/// A slot that says no more than a number would.
fn as_scalar(slot: &Slot) -> Option<Register> {
    if slot.is_spilled_scalar64() {
        Some(slot.spilled)
    } else if slot.is_all_misc() {
        Some(Register::UNKNOWN)
    } else {
        None
    }
}

/// Iterators are alike when both have numbers left or neither has; how many were taken is no matter.
fn iterator_covers(old: &Slot, new: &Slot, ids: &mut Renaming) -> bool {
    let drained = |slot: &Slot| matches!(slot.spilled.kind, Kind::Iterator { drained: true, .. });
    drained(old) == drained(new) && ids.matches(old.spilled.reference, new.spilled.reference)
}

fn slot_covers(old: &Slot, new: Option<&Slot>, ids: &mut Renaming, likeness: Likeness) -> bool {
    if likeness != Likeness::Covers && new.is_none_or(|new| old.bytes != new.bytes) {
        return false;
    }
    let unknown = |byte: &Byte| matches!(byte, Byte::Invalid | Byte::Misc);
    if old.bytes.iter().all(unknown) {
        return true;
    }
    let Some(new) = new else {
        return false;
    };
    if let (Some(left), Some(right)) = (as_scalar(old), as_scalar(new)) {
        return covers(&left, &right, ids, likeness);
    }
    if old.is_dynptr() || new.is_dynptr() {
        return old.bytes == new.bytes
            && old.spilled.kind == new.spilled.kind
            && old.spilled.id == new.spilled.id
            && ids.matches(old.spilled.reference, new.spilled.reference);
    }
    if old.is_iterator() {
        return new.is_iterator() && iterator_covers(old, new, ids);
    }
    for (left, right) in old.bytes.iter().zip(&new.bytes) {
        if !unknown(left) && left != right {
            return false;
        }
    }
    old.bytes[SLOT_BYTES - 1] != Byte::Spill || covers(&old.spilled, &new.spilled, ids, likeness)
}

fn frame_covers(
    old: &Frame,
    new: &Frame,
    live: RegSet,
    ids: &mut Renaming,
    likeness: Likeness,
) -> bool {
    if old.callback_depth > new.callback_depth {
        return false;
    }
    for register in live.iter().take_while(|register| register.0 < 11) {
        let at = usize::from(register.0);
        if !covers(&old.registers[at], &new.registers[at], ids, likeness) {
            return false;
        }
    }
    let mut slots = old.stack.iter().enumerate();
    if likeness == Likeness::Covers {
        // What is not read does not matter.
        let mut read = old.read.iter();
        return read.all(|at| match old.stack.get(at) {
            Some(slot) => slot_covers(slot, new.stack.get(at), ids, likeness),
            None => true,
        });
    }
    slots.all(|(at, slot)| slot_covers(slot, new.stack.get(at), ids, likeness))
}

/// Whether an old state covers a new one at the same instruction. `live` gives the registers that
/// may be read from an instruction on; `last_id` is the last identity in use.
pub(crate) fn state_covers(
    old: &State,
    new: &State,
    insn: usize,
    live: &[RegSet],
    last_id: u32,
    likeness: Likeness,
) -> bool {
    if !old.same_call_sites(new)
        || old.rcu != new.rcu
        || old.preempt != new.preempt
        || old.sleepable != new.sleepable
    {
        return false;
    }
    let mut ids = Renaming::new(last_id);
    match (old.lock, new.lock) {
        (None, None) => {}
        (Some(left), Some(right))
            if left.holder == right.holder && ids.matches(left.id, right.id) => {}
        _ => return false,
    }
    if old.references.len() != new.references.len() {
        return false;
    }
    for (number, (left, right)) in old.frames.iter().zip(&new.frames).enumerate() {
        let at = match old.frames.get(number + 1) {
            Some(callee) => callee.call_site.unwrap_or(insn),
            None => insn,
        };
        let live = live.get(at).copied().unwrap_or(RegSet::EMPTY);
        if !frame_covers(left, right, live, &mut ids, likeness) {
            return false;
        }
    }
    old.references
        .iter()
        .zip(&new.references)
        .all(|(left, right)| ids.matches(left.id, right.id))
}

/// Whether each byte of stack that was written in an old state, and is read from there, was written
/// in the new one too.
pub(crate) fn written_covers(old: &State, new: &State) -> bool {
    let written = |slot: &Slot, at: usize| slot.bytes[at] != Byte::Invalid;
    old.frames.iter().zip(&new.frames).all(|(left, right)| {
        left.read.iter().all(|index| {
            let other = right.stack.get(index);
            left.stack.get(index).is_none_or(|slot| {
                (0..SLOT_BYTES)
                    .all(|at| !written(slot, at) || other.is_some_and(|other| written(other, at)))
            })
        })
    })
}

/// Whether an iterator that both states have took different numbers of rounds.
pub(crate) fn rounds_differ(old: &State, new: &State) -> bool {
    let rounds = |slot: &Slot| match slot.spilled.kind {
        Kind::Iterator {
            drained: false,
            depth,
        } if slot.is_iterator() => Some(depth),
        _ => None,
    };
    old.frames.iter().zip(&new.frames).any(|(left, right)| {
        left.stack
            .iter()
            .zip(right.stack.iter())
            .any(|(left, right)| rounds(left).is_some_and(|depth| rounds(right) != Some(depth)))
    })
}

/// Whether the registers are so much alike, identities too, that a loop may have changed nothing.
pub(crate) fn may_loop(old: &State, new: &State) -> bool {
    old.frames.len() == new.frames.len()
        && old
            .frame()
            .registers
            .iter()
            .zip(&new.frame().registers)
            .all(|(left, right)| {
                left.kind == right.kind
                    && left.offset == right.offset
                    && left.value == right.value
                    && left.id == right.id
                    && left.reference == right.reference
            })
}

#[cfg(test)]
mod tests {
    use super::{Likeness, Renaming, covers};
    use crate::domain::Value;

    use crate::state::{Kind, Register};

    fn number(min: u64, max: u64, precise: bool) -> Register {
        let mut value = Value::UNKNOWN;
        (value.umin, value.umax) = (min, max);
        value.sync();
        Register {
            value,
            precise,
            ..Register::UNKNOWN
        }
    }

    #[test]
    fn precise_numbers_cover_what_they_include() {
        let mut ids = Renaming::new(0);
        let mut check =
            |old: &Register, new: &Register, likeness| covers(old, new, &mut ids, likeness);
        let (wide, narrow) = (number(0, 100, true), number(3, 5, false));
        assert!(check(&wide, &narrow, Likeness::Covers));
        assert!(!check(&number(0, 4, true), &narrow, Likeness::Covers));
        assert!(check(&number(0, 4, false), &narrow, Likeness::Covers));
        assert!(!check(&number(0, 4, false), &narrow, Likeness::CoversAll));
        assert!(!check(&wide, &narrow, Likeness::Equal));
    }

    #[test]
    fn identities_are_renamed_consistently() {
        let pointer = |id| Register {
            id,
            ..Register::pointer(Kind::Packet(4))
        };
        let mut ids = Renaming::new(100);
        assert!(covers(&pointer(1), &pointer(7), &mut ids, Likeness::Covers));
        assert!(covers(&pointer(1), &pointer(7), &mut ids, Likeness::Covers));
        assert!(!covers(
            &pointer(1),
            &pointer(8),
            &mut ids,
            Likeness::Covers
        ));
        assert!(!covers(
            &pointer(2),
            &pointer(7),
            &mut ids,
            Likeness::Covers
        ));
    }

    #[test]
    fn a_packet_known_further_is_covered_by_one_known_less_far() {
        let mut ids = Renaming::new(0);
        let near = Register::pointer(Kind::Packet(4));
        let far = Register::pointer(Kind::Packet(8));
        assert!(covers(&near, &far, &mut ids, Likeness::Covers));
        assert!(!covers(&far, &near, &mut ids, Likeness::Covers));
    }
}
