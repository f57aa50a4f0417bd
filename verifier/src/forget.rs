//! What a kept or waiting state need not know: numbers that loops change, registers and stack that
//! are not read again.
//!
//! Forgetting makes states alike that differ in nothing that matters, so that one ends the other's
//! path. It is sound because it only ever widens what is known. Linear in the size of the states.

use bpf::insn::RegSet;

use crate::compare::{Renaming, equal};
use crate::state::{Register, Slot, State};

/// Forgets numbers that no check has depended on yet and that changed since an earlier round of a
/// loop, so that the rounds become alike.
pub(crate) fn widen(old: &State, new: &mut State, last_id: u32) {
    let mut ids = Renaming::new(last_id);
    let mut forget = |left: &Register, right: &mut Register| {
        if left.is_scalar()
            && right.is_scalar()
            && !left.precise
            && !right.precise
            && !equal(left, right, &mut ids)
        {
            *right = Register {
                precise: false,
                ..Register::UNKNOWN
            };
        }
    };
    for (left, right) in old.frames.iter().zip(&mut new.frames).rev() {
        for (left, right) in left.registers.iter().zip(&mut right.registers) {
            forget(left, right);
        }
        for (left, right) in left.stack.iter().zip(right.stack.iter_mut()) {
            if left.is_spilled() && right.is_spilled() {
                forget(&left.spilled, &mut right.spilled);
            }
        }
    }
}

/// Drops what will not be read: the state was walked to its ends, so that is known.
pub(crate) fn clean(state: &mut State, insn: usize, live: &[RegSet]) {
    if state.cleaned {
        return;
    }
    state.cleaned = true;
    let sites: Vec<usize> = (1..state.frames.len())
        .map(|number| state.frames[number].call_site.unwrap_or(insn))
        .chain([insn])
        .collect();
    for (frame, at) in state.frames.iter_mut().zip(sites) {
        let live = live.get(at).copied().unwrap_or(RegSet::EMPTY);
        for (number, register) in frame.registers.iter_mut().enumerate().take(10) {
            if !live.contains(bpf::insn::Reg(number as u8)) {
                *register = Register::UNSET;
            }
        }
        let read = frame.read;
        let used = (0..frame.stack.len()).rev();
        let mut used =
            used.filter(|&index| read.contains(index) && frame.stack[index] != Slot::default());
        let length = used.next().map_or(0, |last| last + 1);
        frame.stack.truncate(length);
        for (index, slot) in frame.stack.iter_mut().enumerate() {
            if !read.contains(index) {
                *slot = Slot::default();
            }
        }
    }
}
