//! Makes a program smaller while something stays true of it.

use std::time::{Duration, Instant};

use bpf::insn::Slot;

use super::{RandomProgram, op};

const BUDGET: Duration = Duration::from_secs(30);

/// Replaces by `goto +0` what is not needed for `holds` to be true, then simplifies numbers, and
/// takes out what is left of that. Asks no more once this took [`BUDGET`].
pub fn reduce(
    program: &RandomProgram,
    mut holds: impl FnMut(&RandomProgram) -> bool,
) -> RandomProgram {
    let sort = program.sort;
    let slots = reduce_slots(&program.slots, |slots| {
        let slots = slots.to_vec();
        holds(&RandomProgram { sort, slots })
    });
    RandomProgram { sort, slots }
}

/// The same for slots alone.
pub(crate) fn reduce_slots(slots: &[Slot], mut holds: impl FnMut(&[Slot]) -> bool) -> Vec<Slot> {
    let mut best = slots.to_vec();
    let start = Instant::now();
    let mut ask = |best: &mut Vec<Slot>, slots: Vec<Slot>| {
        let better = start.elapsed() < BUDGET && slots != *best && holds(&slots);
        if better {
            *best = slots;
        }
        better
    };
    for _ in 0..4 {
        let mut changed = false;
        let mut length = best.len() / 2;
        while length > 0 {
            let mut from = 0;
            while from < best.len() {
                let mut slots = best.clone();
                let to = (from + length).min(slots.len());
                slots[from..to].fill(op::goto(0));
                changed |= ask(&mut best, slots);
                from += length;
            }
            length /= 2;
        }
        for at in (0..best.len()).rev() {
            let slots = without(&best, at);
            changed |= ask(&mut best, slots);
        }
        for at in 0..best.len() {
            for number in [0, 1, best.get(at).map_or(0, |slot| slot.imm / 2)] {
                let mut slots = best.clone();
                if slots[at].opcode != 0x85 {
                    slots[at].imm = number;
                    changed |= slots[at].imm.unsigned_abs() < best[at].imm.unsigned_abs()
                        && ask(&mut best, slots);
                }
            }
        }
        if !changed {
            break;
        }
    }
    best
}

/// The program without a slot, jumps and calls adjusted.
fn without(slots: &[Slot], at: usize) -> Vec<Slot> {
    let mut after = Vec::with_capacity(slots.len());
    let place = |old: i64| if old > at as i64 { old - 1 } else { old };
    for (index, &slot) in slots.iter().enumerate() {
        if index == at {
            continue;
        }
        let mut slot = slot;
        let here = place(index as i64);
        let moved = |distance: i64| place(index as i64 + 1 + distance) - here - 1;
        let jumps = matches!(slot.opcode & 7, op::JMP | op::JMP32);
        if slot.opcode == 0x85 && slot.src == 1 {
            slot.imm = moved(slot.imm.into()) as i32;
        } else if jumps && slot.opcode != 0x85 && slot.opcode != 0x95 {
            slot.offset = moved(slot.offset.into()) as i16;
        }
        after.push(slot);
    }
    after
}
