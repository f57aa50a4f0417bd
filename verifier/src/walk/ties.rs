//! Registers that hold the same number or one at a fixed distance: what a branch teaches of one holds
//! for all.
//!
//! The kernel follows at most six at a branch; the work is linear in registers and stack slots.

use smallvec::SmallVec;

use super::history::{Linked, MAX_LINKED};
use crate::domain::Value;
use crate::state::{ADDED, ADDED32, Register, State};

pub(super) type Ties = SmallVec<[Linked; MAX_LINKED]>;

/// Finds the numbers that are tied to a register's.
pub(super) fn collect_ties(state: &mut State, register: u8, ties: &mut Ties) {
    let of = &state.frame().registers[usize::from(register).min(10)];
    let id = of.base_id();
    if !of.is_scalar() || id == 0 {
        return;
    }
    for (number, frame) in state.frames.iter_mut().enumerate().rev() {
        let mut visit = |one: &mut Register, index: usize, is_register: bool| {
            if !one.is_scalar() || one.base_id() != id {
                return;
            }
            if ties.len() < MAX_LINKED {
                ties.push(Linked {
                    frame: number as u8,
                    index: index as u8,
                    is_register,
                });
            } else {
                one.clear_scalar_id();
            }
        };
        for (index, one) in frame.registers.iter_mut().enumerate().take(10) {
            visit(one, index, true);
        }
        for (index, slot) in frame.stack.iter_mut().enumerate() {
            if slot.is_spilled() {
                visit(&mut slot.spilled, index, false);
            }
        }
    }
}

/// Tells tied numbers what was learnt of one.
pub(super) fn sync_ties(state: &mut State, known: &Register, ties: &Ties, register: u8) {
    let current = state.current() as u8;
    for tie in ties {
        if tie.is_register && tie.frame == current && tie.index == register {
            continue;
        }
        let Some(frame) = state.frames.get_mut(usize::from(tie.frame)) else {
            continue;
        };
        let index = usize::from(tie.index);
        let one = if tie.is_register {
            frame.registers.get_mut(index)
        } else {
            frame.stack.get_mut(index).map(|slot| &mut slot.spilled)
        };
        let Some(one) = one else {
            continue;
        };
        if !one.is_scalar() || one.base_id() != known.base_id() {
            continue;
        }
        if (one.id ^ known.id) & ADDED == ADDED {
            // What was added on 64 bits says nothing of what was added on 32.
            continue;
        }
        let apart = one.id & ADDED != 0 || known.id & ADDED != 0;
        if !apart || one.offset == known.offset {
            *one = *known;
            continue;
        }
        let distance = i64::from(one.offset) - i64::from(known.offset);
        let mut moved = known.value;
        moved.add(&Value::constant(distance.cast_unsigned()));
        if (one.id | known.id) & ADDED32 != 0 {
            moved.zero_extend32();
            moved.sync();
        }
        *one = Register {
            value: moved,
            offset: one.offset,
            id: one.id,
            ..*known
        };
    }
}
