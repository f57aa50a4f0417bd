//! Numbers: where they come from, and what is computed with them.

use super::maker::{Holds, Maker};
use crate::random_program::op::{self, ALU32, ALU64};

impl Maker {
    /// A number that is interesting as an immediate.
    pub(super) fn number(&mut self) -> i32 {
        let wild = self.random.next_u64() as i32;
        let bits = self.below(32) as u32;
        let masked = ((self.random.next_u64() as u32) >> bits).cast_signed();
        let power = 1i32.wrapping_shl(self.below(32) as u32);
        let near = power.wrapping_add(self.below(3) as i32 - 1);
        let byte = self.below(256) as i32;
        let placed = byte.wrapping_shl(8 * self.below(4) as u32);
        self.pick(&[
            0,
            1,
            -1,
            2,
            31,
            32,
            63,
            127,
            128,
            255,
            256,
            65535,
            0x10000,
            0x00ff_00ff,
            i32::MIN,
            i32::MAX,
            wild,
            wild,
            masked,
            masked.wrapping_neg(),
            near,
            power.wrapping_neg(),
            byte,
            placed,
            !placed,
        ])
    }

    /// A register that holds a number; made one, if there is none.
    pub(super) fn numeric(&mut self) -> u8 {
        if self.chance(7, 8)
            && let Some(register) = self.find(|one| one == Holds::Number)
        {
            return register;
        }
        let register = self.target();
        self.fresh_number(register);
        register
    }

    /// A register with a number that may be changed.
    fn changeable(&mut self) -> u8 {
        let counters = self.counters.clone();
        let fitting: Vec<u8> = (0..10)
            .filter(|one| self.held(*one) == Holds::Number && !counters.contains(one))
            .collect();
        if !fitting.is_empty() && self.chance(9, 10) {
            return self.pick(&fitting);
        }
        let register = self.target();
        self.fresh_number(register);
        register
    }

    /// Puts a number into a register: known, or from somewhere.
    pub(super) fn fresh_number(&mut self, register: u8) {
        match self.below(10) {
            0 => {
                let number = self.number();
                self.push(op::set(register, number));
            }
            1 => {
                let number = self.number();
                self.push(op::slot(op::MOV | ALU32, register, 0, 0, number));
            }
            2 => {
                let (low, high) = (self.number(), self.number());
                self.push(op::slot(0x18, register, 0, 0, low));
                self.push(op::slot(0, 0, 0, 0, high));
            }
            3..=5 if self.frame > 0 => self.read_stack(register),
            6..=8 => {
                if let Some(packet) =
                    self.find(|one| matches!(one, Holds::Packet(reach) if reach > 0))
                {
                    self.read_packet(packet, register);
                } else {
                    self.random_number(register);
                }
            }
            _ => self.random_number(register),
        }
        self.write(register, Holds::Number);
    }

    fn random_number(&mut self, register: u8) {
        let helper = self.pick(&[7, 7, 7, 7, 5]);
        self.push(op::call(helper));
        self.clobber(Holds::Number);
        if register != 0 {
            self.push(op::copy(register, 0));
        }
        if self.chance(1, 3) {
            // Both halves.
            self.push(op::alu(op::LSH, register, 32));
            self.push(op::call(7));
            let kept = self.held(register);
            self.clobber(Holds::Number);
            match register {
                0 => {}
                1..=5 => self.push(op::copy(register, 0)),
                _ => self.push(op::alu_reg(op::OR, register, 0)),
            }
            self.write(register, kept);
        }
    }

    /// A copy, with and without extension.
    pub(super) fn moving(&mut self) {
        let (dst, src) = (self.target(), self.numeric());
        let (class, offset) = self.pick(&[
            (ALU64, 0),
            (ALU64, 0),
            (ALU32, 0),
            (ALU64, 8),
            (ALU64, 16),
            (ALU64, 32),
            (ALU32, 8),
            (ALU32, 16),
        ]);
        self.push(op::slot(op::MOV | class | 8, dst, src, offset, 0));
        self.write(dst, Holds::Number);
    }

    /// One operation.
    pub(super) fn arithmetic(&mut self) {
        let dst = self.changeable();
        let class = self.pick(&[ALU64, ALU64, ALU32]);
        if self.chance(1, 9) {
            let bits = self.pick(&[16, 32, 64]);
            let opcode = self.pick(&[0xdc, 0xd4, 0xd7]);
            return self.push(op::slot(opcode, dst, 0, 0, bits));
        }
        let operation = self.pick(&[
            op::ADD,
            op::ADD,
            op::SUB,
            op::SUB,
            op::MUL,
            op::DIV,
            op::OR,
            op::OR,
            op::AND,
            op::AND,
            op::LSH,
            op::LSH,
            op::RSH,
            op::RSH,
            op::NEG,
            op::MOD,
            op::XOR,
            op::ARSH,
        ]);
        let signed = matches!(operation, op::DIV | op::MOD) && self.chance(1, 3);
        let offset = i16::from(signed);
        if operation == op::NEG {
            return self.push(op::slot(op::NEG | class, dst, 0, 0, 0));
        }
        let shifts = matches!(operation, op::LSH | op::RSH | op::ARSH);
        if self.chance(1, 2) {
            let src = self.numeric();
            if shifts && self.chance(1, 4) {
                // A known half of the amounts.
                let counters = self.counters.clone();
                if !counters.contains(&src) && src != dst {
                    self.push(op::alu(op::AND, src, 31));
                }
            }
            self.push(op::slot(operation | class | 8, dst, src, offset, 0));
            return;
        }
        let bits = if class == ALU64 { 64 } else { 32 };
        let imm = match operation {
            op::LSH | op::RSH | op::ARSH => {
                let any = self.below(bits) as i32;
                self.pick(&[
                    any,
                    any,
                    any,
                    0,
                    1,
                    8,
                    16,
                    31,
                    bits as i32 / 2,
                    bits as i32 - 1,
                ])
            }
            op::DIV | op::MOD => match self.number() {
                0 => 3,
                number => number,
            },
            _ => self.number(),
        };
        self.push(op::slot(operation | class, dst, 0, offset, imm));
    }

    /// A rotation, a byte swap by hand, a mask of a shift: what is matched as one instruction.
    pub(super) fn idiom(&mut self) {
        let dst = self.changeable();
        let other = self.target_but(&[dst]);
        let class = self.pick(&[ALU64, ALU32, ALU32]);
        let bits = if class == ALU64 { 64 } else { 32 };
        let by = 1 + self.below(bits - 1) as i32;
        let with = |operation| op::slot(operation | class, dst, 0, 0, by);
        match self.below(4) {
            0 | 1 => {
                self.push(op::slot(op::MOV | class | 8, other, dst, 0, 0));
                self.push(with(op::LSH));
                let back = self.pick(&[bits as i32 - by, bits as i32 - by, by]);
                self.push(op::slot(op::RSH | class, other, 0, 0, back));
                let join = self.pick(&[op::OR, op::OR, op::ADD, op::XOR]);
                self.push(op::slot(join | class | 8, dst, other, 0, 0));
            }
            2 => {
                let (first, second) = self.pick(&[
                    (op::LSH, op::RSH),
                    (op::RSH, op::LSH),
                    (op::LSH, op::ARSH),
                    (op::RSH, op::RSH),
                    (op::LSH, op::LSH),
                ]);
                self.push(with(first));
                let again = self.below(bits) as i32;
                let again = self.pick(&[by, by, again]);
                self.push(op::slot(second | class, dst, 0, 0, again));
                return;
            }
            _ => {
                let mask = self.pick(&[0xff, 0xffff, 0xf0, 0xff00, 0x00ff_0000, -256, 0xfff]);
                self.push(op::slot(op::MOV | class | 8, other, dst, 0, 0));
                let shift = self.pick(&[op::LSH, op::RSH, op::ARSH]);
                self.push(op::slot(shift | class, other, 0, 0, by));
                self.push(op::slot(op::AND | class, other, 0, 0, mask));
                let join = self.pick(&[op::OR, op::XOR, op::ADD, op::SUB, op::AND]);
                self.push(op::slot(join | class | 8, dst, other, 0, 0));
            }
        }
        self.write(other, Holds::Number);
    }
}
