//! Random numbers, registers that have a meaning, and short forms of instructions.
//!
//! General registers 0 to 7 of both banks are free. Above are constants and return addresses, which
//! [`super::run`] knows.

use crate::isa::{
    Bank, Command, CommandAction, CommandMode, Destination, Insn, Mode, Operand, Width,
};
use crate::machine::{Item, MachineInsn, Reference};

/// `splitmix64`.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, limit: usize) -> usize {
        (self.next() >> 33) as usize % limit
    }

    pub(super) fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    pub(super) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

/// Return address of function `f` is in bank A at this and `f`; helpers take theirs from bank B.
pub(super) const RETURN: u8 = 20;
/// Counts loops down.
pub(super) const COUNTER: u8 = 30;
/// Byte address for an index register, in bank A.
pub(super) const BASE: u8 = 8;
/// Address of the packet.
pub(super) const PACKET: u8 = 14;
/// Overrides the data of an addition.
pub(super) const DATA: u8 = 15;
/// High part of an address in external memory.
pub(super) const WIDE: u8 = 16;
/// Overrides the length of a read: five words.
pub(super) const LENGTH: u8 = 17;

pub(super) fn machine(insn: Insn) -> MachineInsn {
    MachineInsn {
        insn,
        reference: Reference::None,
        location: None,
        origin: 0,
    }
}

pub(super) fn item(insns: impl IntoIterator<Item = Insn>) -> Item {
    Item {
        insns: insns.into_iter().map(machine).collect(),
        ..Item::default()
    }
}

pub(super) fn gpr(bank: Bank, number: u8) -> Destination {
    Destination {
        operand: Operand::Gpr(number),
        bank,
        both: false,
    }
}

pub(super) const NOWHERE: Destination = Destination {
    operand: Operand::Nothing,
    bank: Bank::A,
    both: false,
};

pub(super) fn immed(destination: Destination, value: u16) -> Insn {
    Insn::Immed {
        destination,
        value,
        width: Width::Whole,
        byte_shift: 0,
        invert: false,
        mode: Mode::default(),
    }
}

pub(super) fn keep(keep_conditions: bool) -> Mode {
    Mode {
        keep_conditions,
        predicated: false,
    }
}

pub(super) fn read(transfer: u8, length: u8) -> Command {
    Command {
        action: CommandAction::Read32Swap,
        mode: CommandMode::Short,
        a: Operand::Gpr(PACKET),
        b: Operand::Immediate(0),
        transfer,
        length: length - 1,
        signal: 1,
        swap: Some(0),
        indirect: false,
    }
}
