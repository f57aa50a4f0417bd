//! Statements, branches around them, and loops.

use super::generator::{Generator, Holds};
use super::op::{self, ALU64, JMP, JMP32};

const MAX_DEPTH: u32 = 3;
const MAX_SLOTS: usize = 260;

impl Generator {
    pub fn statements(&mut self, count: u64) {
        for _ in 0..count {
            if self.slots.len() < MAX_SLOTS {
                self.statement();
            }
        }
    }

    fn statement(&mut self) {
        let before = self.slots.len();
        let nested = self.depth < MAX_DEPTH;
        match self.below(56) {
            0..=4 => self.arithmetic(),
            5 | 6 => self.moving(),
            7..=10 if nested => self.conditional(),
            11 if nested => self.counted_loop(),
            12 if nested => self.open_loop(),
            13..=16 => self.stack_store(),
            17..=19 => self.stack_load(),
            20 => self.stack_variable(),
            21 | 22 => self.field(),
            23..=28 => self.packet(),
            29..=32 => self.lookup(),
            33..=37 => self.memory(),
            38 | 39 => self.atomic(),
            40 => self.direct_value(),
            41 => self.reserve(),
            42 if nested => self.look_up_socket(),
            43..=46 => self.helper_with_memory(),
            47 => self.map_helper(),
            48 => self.change_packet(),
            49 | 50 => self.call_function(),
            51 => self.tail_call(),
            52 => self.legacy_load(),
            53 => self.pointer_arithmetic(),
            54 => self.spill(),
            55 if self.chance(1, 3) => self.any_helper(),
            _ => {
                let register = self.target();
                self.fresh_number(register);
            }
        }
        if before == self.slots.len() && self.chance(1, 8) {
            self.push(op::goto(0));
        }
    }

    fn few(&mut self) -> u64 {
        1 + self.below(3)
    }

    /// `if`, with and without `else`.
    fn conditional(&mut self) {
        self.depth += 1;
        let branch = self.comparison();
        let fork = self.fork(branch);
        let count = self.few();
        self.statements(count);
        if self.chance(1, 3) {
            let end = self.fork(op::goto(0));
            self.land_alone(&fork);
            let count = self.few();
            self.statements(count);
            self.land(&end);
        } else {
            self.land(&fork);
        }
        self.depth -= 1;
    }

    /// A loop that ends, or that only seems to.
    fn counted_loop(&mut self) {
        self.depth += 1;
        let counter = self.pick(&[6, 7, 8, 9]);
        // Most end soon: a walk to the kernel's limit takes a second.
        let sane = !self.chance(1, 150);
        let start = if sane {
            self.pick(&[0, 0, 1])
        } else {
            self.number()
        };
        self.push(op::set(counter, start));
        self.write(counter, Holds::Nothing);
        let head = self.slots.len();
        self.forget_caller_saved();
        let before = (self.holds, self.written);
        let count = 1 + self.below(2);
        self.statements(count);
        let (step, rounds) = (self.pick(&[1, 1, 1, 2, 3]), self.pick(&[2, 2, 3, 4, 5, 9]));
        let step = if sane || self.wrong() { step } else { 0 };
        self.push(op::alu(op::ADD, counter, step));
        let condition = match step {
            1 => self.pick(&[op::JLT, op::JLT, op::JSLT, op::JNE, op::JLE]),
            _ => self.pick(&[op::JLT, op::JSLT, op::JLE]),
        };
        let class = self.pick(&[JMP, JMP, JMP32]);
        let back = (self.slots.len() + 1 - head) as i16;
        self.push(op::slot(condition | class, counter, 0, -back, rounds));
        for (now, then) in self.holds.iter_mut().zip(before.0) {
            if *now != then {
                *now = Holds::Nothing;
            }
        }
        self.write(counter, Holds::Number);
        self.depth -= 1;
    }

    /// What a body leaves there is not what it finds there when it begins.
    fn forget_caller_saved(&mut self) {
        if !self.wrong() {
            self.holds[..6].fill(Holds::Nothing);
        }
    }

    /// A loop whose end the kernel sees to (`may_goto`), or that goes back by a jump.
    fn open_loop(&mut self) {
        self.depth += 1;
        let head = self.slots.len();
        self.forget_caller_saved();
        let leave = if self.chance(29, 30) {
            self.fork(op::slot(0xe5, 0, 0, 0, 0))
        } else {
            let branch = self.comparison();
            self.fork(branch)
        };
        let before = self.holds;
        let count = self.few();
        self.statements(count);
        let back = (self.slots.len() + 1 - head) as i16;
        self.push(op::goto(-back));
        self.land_alone(&leave);
        self.holds = before;
        self.depth -= 1;
    }

    /// A number added to or taken from a pointer, which may leave it of no use.
    fn pointer_arithmetic(&mut self) {
        let Some(pointer) =
            self.find(|one| !matches!(one, Holds::Nothing | Holds::Number | Holds::Context))
        else {
            return;
        };
        let dst = self.target_but(&[pointer]);
        self.push(op::copy(dst, pointer));
        let held = self.holds.get(usize::from(pointer)).copied();
        match self.below(5) {
            0 | 1 => {
                let number = self.pick(&[1, 4, 8, -4, -8, 64, 1 << 20]);
                self.push(op::alu(op::ADD, dst, number));
            }
            2 => {
                let bounded = self.bounded(16, &[pointer, dst]);
                self.push(op::alu_reg(op::ADD, dst, bounded.register));
                for fork in &bounded.away {
                    self.land(fork);
                }
            }
            3 => {
                // The distance between two pointers is a number.
                self.push(op::alu_reg(op::SUB, dst, pointer));
                self.write(dst, Holds::Number);
                return;
            }
            _ => {
                let condition = self.pick(&[op::JEQ, op::JNE, op::JGT, op::JLE]);
                let fork = self.fork(op::slot(condition | JMP | 8, dst, pointer, 0, 0));
                self.arithmetic();
                self.land(&fork);
            }
        }
        if self.wrong() {
            let operation = self.pick(&[op::MUL, op::AND, op::XOR, op::SUB]);
            let number = self.number();
            self.push(op::slot(operation | ALU64, dst, 0, 0, number));
        }
        self.write(
            dst,
            if held == Some(Holds::Nothing) {
                Holds::Nothing
            } else {
                Holds::Other
            },
        );
    }
}
