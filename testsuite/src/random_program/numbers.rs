//! Numbers: where they come from, what is computed with them, and how they are bounded.

use super::generator::{Fork, Generator, Holds};
use super::op::{self, ALU32, ALU64, JMP, JMP32};

/// A number of which the program knows that it is between 0 and `most`, if all went well; `away`
/// are the jumps for the other cases.
pub(super) struct Bounded {
    pub register: u8,
    pub most: i32,
    pub away: Vec<Fork>,
}

impl Generator {
    /// A number that is interesting as an immediate.
    pub fn number(&mut self) -> i32 {
        let wild = self.random.next_u64() as i32;
        let bits = self.below(33) as u32;
        let masked = (self.random.next_u64() as u32)
            .checked_shr(bits)
            .unwrap_or(0)
            .cast_signed();
        let power = 1i32.wrapping_shl(self.below(32) as u32);
        let near = power.wrapping_add(self.below(3) as i32 - 1);
        self.pick(&[
            0,
            1,
            -1,
            2,
            7,
            8,
            14,
            63,
            64,
            255,
            4096,
            65535,
            i32::MIN,
            i32::MAX,
            wild,
            masked,
            -masked,
            near,
            power.wrapping_neg(),
        ])
    }

    /// A register that holds a number; made one, if there is none.
    pub fn numeric(&mut self) -> u8 {
        if self.chance(4, 5)
            && let Some(register) = self.find(|one| one == Holds::Number)
        {
            return register;
        }
        let register = self.target();
        self.fresh_number(register);
        register
    }

    /// Puts a number into a register: known, or from somewhere.
    pub fn fresh_number(&mut self, register: u8) {
        match self.below(8) {
            0 | 1 => {
                let number = self.number();
                self.push(op::set(register, number));
            }
            2 => {
                let number = self.number();
                self.push(op::slot(op::MOV | ALU32, register, 0, 0, number));
            }
            3 => {
                let (low, high) = (self.number(), self.number());
                self.push(op::slot(0x18, register, 0, 0, low));
                self.push(op::slot(0, 0, 0, 0, high));
            }
            4 if self.read_field(register) => {}
            _ => {
                let helper = self.pick(&[5, 7, 7, 8, 14]);
                self.push(op::call(helper));
                self.clobber(Holds::Number);
                if register != 0 {
                    self.push(op::copy(register, 0));
                }
            }
        }
        self.write(register, Holds::Number);
    }

    /// A copy, of numbers with and without extension.
    pub fn moving(&mut self) {
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
        let offset = if self.wrong() { 24 } else { offset };
        self.push(op::slot(op::MOV | class | 8, dst, src, offset, 0));
        self.write(dst, Holds::Number);
    }

    /// One operation on a number.
    pub fn arithmetic(&mut self) {
        let dst = self.numeric();
        self.operate(dst);
    }

    /// One operation on this register.
    pub fn operate(&mut self, dst: u8) {
        let class = self.pick(&[ALU64, ALU64, ALU32]);
        if self.chance(1, 8) {
            let bits = self.pick(&[16, 32, 64]);
            let opcode = self.pick(&[0xdc, 0xd4, 0xd7]);
            self.push(op::slot(opcode, dst, 0, 0, bits));
            return;
        }
        let operation = self.pick(&[
            op::ADD,
            op::ADD,
            op::SUB,
            op::SUB,
            op::MUL,
            op::DIV,
            op::OR,
            op::AND,
            op::AND,
            op::LSH,
            op::RSH,
            op::NEG,
            op::MOD,
            op::XOR,
            op::ARSH,
        ]);
        let signed = matches!(operation, op::DIV | op::MOD) && self.chance(1, 3);
        let offset = i16::from(signed);
        if operation == op::NEG {
            self.push(op::slot(op::NEG | class, dst, 0, 0, 0));
        } else if self.chance(1, 2) {
            let width = if class == ALU64 { 64 } else { 32 };
            let number = match operation {
                op::LSH | op::RSH | op::ARSH if !self.wrong() => self.below(width) as i32,
                op::DIV | op::MOD if !self.wrong() => match self.number() {
                    0 => 3,
                    other => other,
                },
                _ => self.number(),
            };
            self.push(op::slot(operation | class, dst, 0, offset, number));
        } else {
            let src = self.numeric();
            if matches!(operation, op::LSH | op::RSH | op::ARSH) && self.chance(3, 4) {
                let most = self.pick(&[7, 15, 31, 63]);
                self.push(op::alu(op::AND, src, most));
            }
            self.push(op::slot(operation | class | 8, dst, src, offset, 0));
        }
        self.write(dst, Holds::Number);
    }

    /// A comparison of a number with something.
    pub fn comparison(&mut self) -> bpf::insn::Slot {
        let dst = self.numeric();
        let class = self.pick(&[JMP, JMP, JMP32]);
        let condition = self.pick(&op::CONDITIONS);
        if self.chance(2, 3) {
            let number = self.number();
            op::slot(condition | class, dst, 0, 0, number)
        } else {
            let src = self.numeric();
            op::slot(condition | class | 8, dst, src, 0, 0)
        }
    }

    /// A number between 0 and about `limit`, and not in the registers of `not`.
    pub fn bounded(&mut self, limit: i32, not: &[u8]) -> Bounded {
        let register = self.target_but(not);
        self.fresh_number(register);
        for _ in 0..self.pick(&[0, 0, 0, 1, 2]) {
            self.operate(register);
        }
        let limit = limit.max(0);
        let slack = self.pick(&[0, 0, 0, 1, -1, 3]);
        let most = if self.wrong() {
            limit + 1 + self.below(8) as i32
        } else {
            (limit + slack.min(0)).max(0)
        };
        let mask = (1 << (31 - (most + 1).leading_zeros())) - 1;
        let mut away = Vec::new();
        let mut known = most;
        match self.below(14) {
            0 | 1 => {
                let mask = if most >= 8 && self.chance(1, 3) {
                    most & !3
                } else {
                    mask.max(0)
                };
                self.push(op::alu(op::AND, register, mask));
                known = mask;
            }
            2 => {
                self.push(op::slot(op::AND | ALU32, register, 0, 0, mask.max(0)));
                known = mask.max(0);
            }
            3 => away.push(self.fork(op::slot(op::JGT | JMP, register, 0, 0, most))),
            4 => away.push(self.fork(op::slot(op::JGE | JMP, register, 0, 0, most + 1))),
            5 => {
                let over = self.fork(op::slot(op::JLE | JMP, register, 0, 0, most));
                away.push(self.fork(op::goto(0)));
                self.land_alone(&over);
            }
            6 => {
                away.push(self.fork(op::slot(op::JSGT | JMP, register, 0, 0, most)));
                if !self.wrong() {
                    away.push(self.fork(op::slot(op::JSLT | JMP, register, 0, 0, 0)));
                }
            }
            7 => {
                away.push(self.fork(op::slot(op::JGT | JMP32, register, 0, 0, most)));
                if !self.wrong() {
                    self.push(op::slot(op::MOV | ALU32 | 8, register, register, 0, 0));
                }
            }
            8 => {
                let divisor = most + 1;
                let class = self.pick(&[ALU64, ALU32]);
                self.push(op::slot(op::MOD | class, register, 0, 0, divisor.max(1)));
            }
            9 => {
                let bits = 63 - (mask.max(0) + 1).trailing_zeros() as i32 + 1;
                self.push(op::alu(op::RSH, register, bits.clamp(0, 63)));
                known = mask.max(0);
            }
            10 => {
                let test = op::slot(op::JSET | JMP, register, 0, 0, !mask.max(0));
                away.push(self.fork(test));
                known = mask.max(0);
            }
            11 => {
                away.push(self.fork(op::slot(op::JNE | JMP, register, 0, 0, most)));
            }
            12 => {
                let mut but = not.to_vec();
                but.push(register);
                let other = self.target_but(&but);
                self.push(op::set(other, most));
                self.write(other, Holds::Number);
                let (condition, class) =
                    self.pick(&[(op::JGT, JMP), (op::JGE, JMP), (op::JLE, JMP)]);
                if condition == op::JLE {
                    let over = self.fork(op::slot(condition | class | 8, register, other, 0, 0));
                    away.push(self.fork(op::goto(0)));
                    self.land_alone(&over);
                } else {
                    away.push(self.fork(op::slot(condition | class | 8, register, other, 0, 0)));
                }
            }
            _ => {
                away.push(self.fork(op::slot(op::JSGE | JMP32, register, 0, 0, most + 1)));
                away.push(self.fork(op::slot(op::JSLT | JMP32, register, 0, 0, 0)));
                self.push(op::slot(op::MOV | ALU32 | 8, register, register, 0, 0));
            }
        }
        known = self.reshape(register, known);
        Bounded {
            register,
            most: known,
            away,
        }
    }

    /// Something that keeps a bounded number bounded; returns the new bound.
    fn reshape(&mut self, register: u8, most: i32) -> i32 {
        match self.below(24) {
            0 if most >= 2 => {
                self.push(op::alu(op::RSH, register, 1));
                most / 2
            }
            1 if most >= 2 => {
                self.push(op::alu(op::ARSH, register, 1));
                most / 2
            }
            2 if most >= 4 => {
                self.push(op::alu(op::AND, register, !3));
                most
            }
            3 if most >= 4 => {
                self.push(op::alu(op::RSH, register, 2));
                self.push(op::alu(op::LSH, register, 1));
                most / 2
            }
            4 if most >= 3 => {
                self.push(op::alu(op::DIV, register, 3));
                self.push(op::alu(op::MUL, register, 2));
                most / 3 * 2
            }
            5 => {
                self.push(op::alu(op::XOR, register, 1));
                most | 1
            }
            6 => {
                self.push(op::alu(op::NEG, register, 0));
                self.push(op::alu(op::ADD, register, most));
                most
            }
            7 => {
                self.push(op::slot(op::MOV | ALU64 | 8, register, register, 8, 0));
                most
            }
            8 => {
                self.push(op::slot(0xd7, register, 0, 0, 64));
                self.push(op::alu(op::RSH, register, 56));
                255
            }
            9 => {
                // Through the stack.
                let size = self.pick(&[op::W, op::DW, op::B, op::H]);
                self.push(op::store(size, 10, -8, register));
                self.push(op::load(size, register, 10, -8));
                self.written[0] |= size == op::DW;
                most
            }
            _ => most,
        }
    }
}
