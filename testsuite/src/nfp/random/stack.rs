//! The stack: all widths, known and computed places, and more values than there are registers.

use super::maker::{Holds, Maker};
use crate::random_program::op::{self, SIZES};

impl Maker {
    /// A place in the frame that fits a size.
    fn place(&mut self, size: u8) -> i16 {
        let bytes = op::bytes(size);
        let steps = (self.frame / bytes) as u64;
        let at = self.below(steps) as i32;
        (bytes * (at - steps as i32)) as i16
    }

    pub(super) fn read_stack(&mut self, dst: u8) {
        let size = self.pick(&[op::B, op::H, op::W, op::DW, op::DW]);
        let offset = self.place(size);
        let signed = size != op::DW && self.chance(1, 4);
        self.push(match signed {
            true => op::load_signed(size, dst, 10, offset),
            false => op::load(size, dst, 10, offset),
        });
    }

    pub(super) fn stack_load(&mut self) {
        if self.frame > 0 {
            let dst = self.target();
            self.read_stack(dst);
            self.write(dst, Holds::Number);
        }
    }

    pub(super) fn stack_store(&mut self) {
        if self.frame == 0 {
            return;
        }
        let size = self.pick(&[op::B, op::H, op::W, op::DW, op::DW]);
        let offset = self.place(size);
        if self.chance(1, 3) {
            let number = self.number();
            self.push(op::store_imm(size, 10, offset, number));
        } else {
            let src = self.numeric();
            self.push(op::store(size, 10, offset, src));
        }
    }

    /// Accesses at an offset that is computed.
    pub(super) fn stack_variable(&mut self) {
        if self.frame < 16 {
            return;
        }
        let size = self.pick(&SIZES);
        let bytes = op::bytes(size);
        let room = [8, 16, 32, 64, 128]
            .into_iter()
            .filter(|room| *room <= self.frame);
        let room: Vec<i32> = room.collect();
        let room = self.pick(&room);
        let index = self.target();
        let number = self.numeric();
        if index != number {
            self.push(op::copy(index, number));
        }
        self.push(op::alu(op::AND, index, (room - 1) & -bytes));
        self.write(index, Holds::Number);
        let base = -8 * (room / 8 + self.below((self.frame / 8 - room / 8 + 1) as u64) as i32);
        let pointer = self.target_but(&[index]);
        self.push(op::copy(pointer, 10));
        let early = self.chance(1, 2);
        if early {
            self.push(op::alu(op::ADD, pointer, base));
        }
        self.push(op::alu_reg(op::ADD, pointer, index));
        let offset = if early { 0 } else { base as i16 };
        self.write(pointer, Holds::Stack(0));
        for _ in 0..1 + self.below(2) {
            if self.chance(1, 2) {
                let into = self.target_but(&[pointer]);
                self.push(op::load(size, into, pointer, offset));
                self.write(into, Holds::Number);
            } else {
                let src = self.known_number(&[pointer]);
                self.push(op::store(size, pointer, offset, src));
            }
        }
        self.write(pointer, Holds::Nothing);
    }

    /// A register with a number, made by one instruction if there is none.
    pub(super) fn known_number(&mut self, not: &[u8]) -> u8 {
        if let Some(register) = self.find(|one| one == Holds::Number) {
            return register;
        }
        let register = self.target_but(not);
        let number = self.number();
        self.push(op::set(register, number));
        self.write(register, Holds::Number);
        register
    }

    /// Accesses through a pointer to memory of so many bytes.
    pub(super) fn through(&mut self, base: u8, bytes: i32) {
        for _ in 0..1 + self.below(3) {
            let size = self.pick(&SIZES);
            let steps = bytes / op::bytes(size);
            if steps == 0 {
                continue;
            }
            let at = self.below(steps as u64) as i32 * op::bytes(size);
            if self.chance(1, 2) {
                let dst = self.target_but(&[base]);
                self.push(op::load(size, dst, base, at as i16));
                self.write(dst, Holds::Number);
            } else if self.chance(1, 3) {
                let number = self.number();
                self.push(op::store_imm(size, base, at as i16, number));
            } else {
                let src = self.known_number(&[base]);
                self.push(op::store(size, base, at as i16, src));
            }
        }
    }

    /// Fills the frame with values that are all live at once, and uses them.
    pub(super) fn pressure(&mut self) {
        let slots = (self.frame / 8).min(24);
        let count = self.below(slots.max(1) as u64) as i32;
        for slot in 1..=count {
            let register = self.target();
            self.fresh_number(register);
            self.push(op::store(op::DW, 10, (-8 * slot) as i16, register));
        }
        for _ in 0..self.below(4) {
            self.statement();
        }
        let sum = self.target();
        let number = self.number();
        self.push(op::set(sum, number));
        self.write(sum, Holds::Number);
        let one = self.target_but(&[sum]);
        for slot in 1..=count {
            self.push(op::load(op::DW, one, 10, (-8 * slot) as i16));
            let operation = self.pick(&[op::XOR, op::ADD, op::SUB]);
            self.push(op::alu_reg(operation, sum, one));
        }
        if count > 0 {
            self.write(one, Holds::Number);
        }
    }
}
