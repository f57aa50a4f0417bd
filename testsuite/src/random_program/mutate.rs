//! Changes of single fields, by which a program of sense becomes one that is nearly so.

use bpf::insn::Slot;

use super::environment::maps;
use super::op;
use crate::packets::Random;

/// Changes one thing.
pub(super) fn mutate(slots: &mut Vec<Slot>, random: &mut Random) {
    let at = random.below(slots.len() as u64) as usize;
    let wide = |slots: &[Slot], at: usize| slots[at].opcode == 0x18;
    let second = at > 0 && wide(slots, at - 1);
    let other = slots[random.below(slots.len() as u64) as usize];
    let slot = &mut slots[at];
    match random.below(12) {
        0 | 1 => slot.dst = random.below(11) as u8,
        2 | 3 if has_source(slot) || random.below(20) == 0 => {
            slot.src = random.below(11) as u8;
        }
        4 if has_offset(slot) || random.below(20) == 0 => {
            let near = random.below(9) as i16 - 4;
            slot.offset = slot.offset.wrapping_add(near);
        }
        5 if has_immediate(slot, second) || random.below(20) == 0 => {
            let near = random.below(9) as i32 - 4;
            slot.imm = slot.imm.wrapping_add(near);
        }
        6 if has_immediate(slot, second) || random.below(20) == 0 => {
            slot.imm = random.next_u64() as i32 >> random.below(32)
        }
        7 if !second && random.below(4) == 0 => slot.opcode ^= 1 << random.below(8),
        8 if !second && slot.opcode & 7 == 4 => slot.opcode ^= 3,
        8 if !second && matches!(slot.opcode & 7, 5 | 6) => slot.opcode ^= 3,
        9 => {
            let last = slots.len() as u64;
            let to = random.below(last) as usize;
            if !second && !wide(slots, at) && !wide(slots, to) && (to == 0 || !wide(slots, to - 1))
            {
                slots.swap(at, to);
            }
        }
        10 if !second && other.opcode != 0x18 && slot.opcode != 0x18 => *slot = other,
        _ if !second && slot.opcode != 0x18 => *slot = op::goto(0),
        _ => {}
    }
    for slot in slots {
        keep_askable(slot);
    }
}

fn has_offset(slot: &Slot) -> bool {
    match slot.opcode & 7 {
        1..=3 => true,
        5 | 6 => !matches!(slot.opcode & 0xf0, 0x80 | 0x90),
        _ => false,
    }
}

fn has_immediate(slot: &Slot, second: bool) -> bool {
    match slot.opcode & 7 {
        0 => second || slot.opcode != 0,
        2 => true,
        3 => slot.opcode & 0xe0 == 0xc0,
        4..=7 => slot.opcode & 8 == 0 && !matches!(slot.opcode, 0x05 | 0x95 | 0x84 | 0x87),
        _ => false,
    }
}

fn has_source(slot: &Slot) -> bool {
    match slot.opcode & 7 {
        0 => slot.opcode & 0xe0 == 0x40,
        1 | 3 => true,
        2 => false,
        _ => slot.opcode & 8 != 0 && !matches!(slot.opcode, 0xdc),
    }
}

/// Descriptors of this process and places in the list of maps that are not there mean something
/// else to the kernel on every run.
fn keep_askable(slot: &mut Slot) {
    if slot.opcode == 0x18 {
        if matches!(slot.src, 1 | 2) {
            slot.src += 4;
        }
        if matches!(slot.src, 5 | 6) {
            slot.imm = slot.imm.rem_euclid(maps().len() as i32);
        }
    }
}
