//! The registers and stack slots that are followed back along a path.
//!
//! A set of bits for each frame, so each operation takes constant time.

use bpf::insn::{Reg, RegSet};

use super::history::Entry;
use crate::state::{SlotSet, State};

impl Wanted {
    pub(super) fn is_empty(&self) -> bool {
        self.registers.iter().all(|set| *set == 0) && self.slots.iter().all(|set| set.is_empty())
    }

    pub(super) fn has(&self, register: Reg) -> bool {
        self.registers[self.frame] >> (register.0 & 15) & 1 != 0
    }

    pub(super) fn add(&mut self, register: Reg) {
        if register != Reg::FRAME {
            self.registers[self.frame] |= 1 << (register.0 & 15);
        }
    }

    pub(super) fn remove(&mut self, register: Reg) {
        self.registers[self.frame] &= !(1 << (register.0 & 15));
    }

    pub(super) fn has_slot(&self, (frame, slot): (u8, u8)) -> bool {
        self.slots[usize::from(frame) % FRAMES].contains(usize::from(slot))
    }

    pub(super) fn add_slot(&mut self, (frame, slot): (u8, u8)) {
        self.slots[usize::from(frame) % FRAMES].insert(usize::from(slot));
    }

    pub(super) fn remove_slot(&mut self, (frame, slot): (u8, u8)) {
        self.slots[usize::from(frame) % FRAMES].remove(usize::from(slot));
    }

    /// If one of a group of tied numbers is wanted, all are.
    pub(super) fn sync_linked(&mut self, entry: Option<&Entry>) {
        let Some(entry) = entry else {
            return;
        };
        let wanted = entry.linked.iter().any(|one| {
            let frame = usize::from(one.frame) % FRAMES;
            if one.is_register {
                self.registers[frame] >> (one.index & 15) & 1 != 0
            } else {
                self.has_slot((one.frame, one.index))
            }
        });
        if !wanted {
            return;
        }
        for one in &entry.linked {
            if one.is_register {
                self.registers[usize::from(one.frame) % FRAMES] |= 1 << (one.index & 15);
            } else {
                self.add_slot((one.frame, one.index));
            }
        }
    }

    /// Back into the caller: the arguments wanted are the caller's.
    pub(super) fn leave_callee(&mut self, pass_arguments: bool) -> Option<()> {
        let arguments = self.registers[self.frame] & RegSet::ARGUMENTS.bits();
        self.registers[self.frame] = 0;
        self.frame = self.frame.checked_sub(1)?;
        if pass_arguments {
            self.registers[self.frame] |= arguments;
        }
        Some(())
    }

    pub(super) fn enter_callee(&mut self) -> Option<()> {
        if self.frame + 1 >= FRAMES {
            return None;
        }
        self.frame += 1;
        Some(())
    }
}

pub(super) const FRAMES: usize = 8;

/// Registers and slots that are looked for, by frame.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) frame: usize,
    pub(super) registers: [u16; FRAMES],
    pub(super) slots: [SlotSet; FRAMES],
}

/// Marks what is wanted in a kept state; what was marked before, or is no number, is done with.
pub(super) fn mark_in(state: &mut State, wanted: &mut Wanted) {
    for (number, frame) in state.frames.iter_mut().enumerate().take(FRAMES) {
        for index in RegBits(wanted.registers[number]) {
            let Some(register) = frame.registers.get_mut(index) else {
                continue;
            };
            if register.is_scalar() && !register.precise {
                register.precise = true;
            } else {
                wanted.registers[number] &= !(1 << index);
            }
        }
        let slots = &mut wanted.slots[number];
        for index in slots.iter() {
            match frame.stack.get_mut(index) {
                Some(slot) if slot.is_spilled_scalar() && !slot.spilled.precise => {
                    slot.spilled.precise = true;
                }
                _ => slots.remove(index),
            }
        }
    }
}

/// Numbers of the set bits.
pub(super) struct RegBits(pub(super) u16);

impl Iterator for RegBits {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        if self.0 == 0 {
            return None;
        }
        let bit = self.0.trailing_zeros();
        self.0 &= self.0 - 1;
        Some(bit as usize)
    }
}
