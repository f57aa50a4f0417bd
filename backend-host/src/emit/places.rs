//! Registers and spill slots as a set of bits.

use super::lines::Line;
use crate::lir::FRAME;
use bpf::insn::{Insn, MemWidth, Reg, RegSet};

/// Bits 0 to 15 are registers, the rest spill slots.
const REGISTERS: usize = 16;

/// Spill slots that are told apart. A frame has 512 bytes, so there are never more.
const SLOTS: usize = 64;

/// How many places there are.
pub(super) const PLACES: usize = REGISTERS + SLOTS;

/// A set of places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Set(u128);

impl Set {
    pub(super) const EMPTY: Set = Set(0);

    fn of_registers(registers: RegSet) -> Set {
        Set(u128::from(registers.bits()))
    }

    pub(super) fn with(self, place: Option<usize>) -> Set {
        place.map_or(self, |place| Set(self.0 | 1 << place))
    }

    pub(super) fn contains(self, place: usize) -> bool {
        self.0 >> place & 1 != 0
    }

    pub(super) fn union(self, other: Set) -> Set {
        Set(self.0 | other.0)
    }

    pub(super) fn intersection(self, other: Set) -> Set {
        Set(self.0 & other.0)
    }

    pub(super) fn without(self, other: Set) -> Set {
        Set(self.0 & !other.0)
    }

    /// The set with one place instead of another, if that is in it.
    pub(super) fn renamed(self, old: usize, new: usize) -> Set {
        if self.contains(old) {
            Set(self.0 & !(1 << old) | 1 << new)
        } else {
            self
        }
    }

    pub(super) fn intersects(self, other: Set) -> bool {
        self.0 & other.0 != 0
    }

    /// The places, lowest first.
    pub(super) fn iter(self) -> impl Iterator<Item = usize> {
        std::iter::successors(Some(self.0), |&bits| Some(bits & bits.wrapping_sub(1)))
            .take_while(|&bits| bits != 0)
            .map(|bits| bits.trailing_zeros() as usize)
    }
}

/// Where a function's spill slots are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places {
    /// Offset of spill slot 0 from the frame pointer; the next lie below.
    pub(super) spill_base: i32,
    /// How many there are.
    pub(super) slots: usize,
}

impl Places {
    pub(super) fn register(reg: Reg) -> usize {
        usize::from(reg.0) % REGISTERS
    }

    /// Spill slots that have a place.
    pub(super) const TRACKED: usize = SLOTS;

    /// The spill slot of a place.
    pub(super) fn slot_of_place(place: usize) -> Option<usize> {
        place.checked_sub(REGISTERS)
    }

    /// The place of the spill slot that an instruction loads from or stores to.
    pub(super) fn slot(&self, insn: &Insn) -> Option<usize> {
        let slot = self.slot_number(insn)?;
        (slot < SLOTS).then_some(REGISTERS + slot)
    }

    /// The spill slot that an instruction loads from or stores to.
    pub(super) fn slot_number(&self, insn: &Insn) -> Option<usize> {
        let (Insn::Load {
            width: MemWidth::B64,
            base: FRAME,
            offset,
            ..
        }
        | Insn::Store {
            width: MemWidth::B64,
            base: FRAME,
            offset,
            ..
        }) = *insn
        else {
            return None;
        };
        let below = self.spill_base - i32::from(offset);
        let slot = usize::try_from(below).ok()? / 8;
        (below % 8 == 0 && slot < self.slots).then_some(slot)
    }

    /// Offset of a spill slot from the frame pointer.
    pub(super) fn offset(&self, slot: usize) -> i16 {
        // No more slots are allowed than this can address.
        (self.spill_base - 8 * slot as i32) as i16
    }

    /// What a line needs. Of a call that is what it is given.
    pub(super) fn reads(&self, line: &Line) -> Set {
        let registers = match line.insn {
            Insn::Call { .. } => line.arguments,
            _ => line.insn.reads(),
        };
        let slot = match line.insn {
            Insn::Load { .. } => self.slot(&line.insn),
            _ => None,
        };
        Set::of_registers(registers).with(slot)
    }

    /// What a line gives a new value.
    pub(super) fn writes(&self, line: &Line) -> Set {
        let slot = match line.insn {
            Insn::Store { .. } => self.slot(&line.insn),
            _ => None,
        };
        Set::of_registers(line.insn.writes()).with(slot)
    }

    /// What is live before a line, given what is after it.
    pub(super) fn before(&self, line: &Line, after: Set) -> Set {
        Set(after.0 & !self.writes(line).0).union(self.reads(line))
    }
}
