//! Statements, branches, loops, and calls of functions.

use super::maker::{Function, Holds, Maker};
use super::{MAPS, MOST_SLOTS};
use crate::random_program::op::{self, CONDITIONS, JMP, JMP32};

const MAX_DEPTH: u32 = 3;
const MAX_FUNCTIONS: usize = 3;

impl Maker {
    pub(super) fn statements(&mut self, count: u64) {
        for _ in 0..count {
            if self.slots.len() < MOST_SLOTS {
                self.statement();
            }
        }
    }

    pub(super) fn statement(&mut self) {
        let nested = self.depth < MAX_DEPTH;
        let which = match self.chance(1, 4) {
            true => self.favourite,
            false => self.below(40),
        };
        match which {
            0..=6 => {
                for _ in 0..1 + self.below(4) {
                    self.arithmetic();
                }
            }
            7 | 8 => self.moving(),
            9 | 10 => self.idiom(),
            11..=14 if nested => self.conditional(),
            15 if nested => self.counted_loop(),
            16..=18 => self.stack_store(),
            19 => self.stack_load(),
            20 => self.stack_variable(),
            21..=26 => self.packet(),
            27 | 28 => self.lookup(),
            29 => self.change_map(),
            30 => self.event(),
            31 => self.adjust(),
            32 => self.legacy(),
            33 | 34 => self.call_function(),
            35 => self.pointer(),
            36 if nested => {
                self.depth += 1;
                self.pressure();
                self.depth -= 1;
            }
            37 if nested => {
                let (condition, register) =
                    (self.pick(&[op::JEQ, op::JGT, op::JLT]), self.numeric());
                let number = self.number();
                self.leave_if(condition, register, None, number);
            }
            _ => {
                let register = self.target();
                self.fresh_number(register);
            }
        }
    }

    /// Something through a pointer that is held.
    fn pointer(&mut self) {
        let found = self.find(|one| matches!(one, Holds::Stack(bytes) if bytes > 0));
        if let Some(register) = found
            && let Holds::Stack(bytes) = self.held(register)
        {
            return self.through(register, bytes);
        }
        let found = self.find(|one| matches!(one, Holds::Value(_)));
        if let Some(register) = found
            && let Holds::Value(map) = self.held(register)
        {
            self.use_value(register, map);
        }
    }

    fn branch(&mut self) -> bpf::insn::Slot {
        let dst = self.numeric();
        let class = self.pick(&[JMP, JMP, JMP32]);
        let condition = self.pick(&CONDITIONS);
        if self.chance(1, 2)
            && let Some(src) = self.find(|one| one == Holds::Number)
        {
            return op::slot(condition | class | 8, dst, src, 0, 0);
        }
        let number = self.number();
        op::slot(condition | class, dst, 0, 0, number)
    }

    fn conditional(&mut self) {
        let branch = self.branch();
        self.depth += 1;
        let away = self.fork(branch);
        let count = 1 + self.below(3);
        self.statements(count);
        if self.chance(1, 2) {
            let end = self.fork(op::goto(0));
            self.land_alone(&away);
            let count = 1 + self.below(3);
            self.statements(count);
            self.land(&end);
        } else {
            self.land(&away);
        }
        self.depth -= 1;
    }

    /// A loop with a counter in a register that calls keep.
    fn counted_loop(&mut self) {
        let free = |maker: &Maker, one: u8| {
            !maker.counters.contains(&one)
                && matches!(maker.held(one), Holds::Nothing | Holds::Number)
        };
        let Some(counter) = [6, 7, 8, 9].into_iter().find(|one| free(self, *one)) else {
            return;
        };
        let times = 1 + self.below(4) as i32;
        let down = self.chance(1, 3);
        self.push(op::set(counter, if down { times } else { 0 }));
        self.write(counter, Holds::Number);
        self.counters.push(counter);
        // The next round may follow an update of this one.
        self.forget_elements();
        let start = self.slots.len();
        let before = self.holds;
        self.depth += 1;
        let count = 1 + self.below(3);
        self.statements(count);
        self.depth -= 1;
        self.restore(before);
        self.counters.pop();
        self.push(op::alu(op::ADD, counter, if down { -1 } else { 1 }));
        let distance = (start as i64 - self.slots.len() as i64 - 1) as i16;
        let (condition, limit) = match down {
            true => (self.pick(&[op::JNE, op::JSGT, op::JGT]), 0),
            false => (self.pick(&[op::JNE, op::JLT, op::JSLT]), times),
        };
        let class = self.pick(&[JMP, JMP, JMP32]);
        self.push(op::slot(condition | class, counter, 0, distance, limit));
    }

    /// Makes registers hold what they held.
    fn restore(&mut self, before: [Holds; 10]) {
        for (register, then) in (0..10u8).zip(before) {
            if self.held(register) == then || then == Holds::Nothing {
                continue;
            }
            match (then, self.context()) {
                (Holds::Number, _) => {
                    let number = self.number();
                    self.push(op::set(register, number));
                    self.write(register, Holds::Number);
                }
                (Holds::Packet(_), Some(context)) => {
                    self.packet_into(context, register);
                }
                _ => {}
            }
        }
        // What the check of a packet took as scratch is a number again.
        for (register, then) in (0..10u8).zip(before) {
            if then == Holds::Number && self.held(register) != then {
                self.push(op::set(register, 5));
                self.write(register, then);
            }
        }
    }

    /// Calls a function of the program, which may be new.
    fn call_function(&mut self) {
        let next = self.functions.len() + 1;
        let known: Vec<usize> = (self.function + 1..next).collect();
        if !known.is_empty() && (self.chance(1, 2) || next > MAX_FUNCTIONS) {
            let number = self.pick(&known);
            let function = self.functions[number - 1].clone();
            return self.around(&function);
        }
        if next > MAX_FUNCTIONS {
            return;
        }
        let mut parameters = Vec::new();
        for _ in 0..self.below(6) {
            let holds = match self.below(6) {
                0 => self.context().map(|_| Holds::Context),
                1 => (self.frame >= 16).then_some(Holds::Stack(16)),
                2 => self
                    .find(|one| matches!(one, Holds::Packet(_)))
                    .map(|register| self.held(register)),
                3 => self
                    .find(|one| matches!(one, Holds::Value(map) if !MAPS[map].counts))
                    .map(|register| self.held(register)),
                _ => None,
            };
            parameters.push(holds.unwrap_or(Holds::Number));
        }
        let function = Function {
            parameters,
            number: next,
        };
        self.functions.push(function.clone());
        self.around(&function);
    }

    /// Loads before a call and after it what the function may change.
    fn around(&mut self, function: &Function) {
        let packet = self.find(|one| matches!(one, Holds::Packet(_)));
        for again in [true, false] {
            if let Some(packet) = packet
                && self.chance(2, 3)
            {
                for _ in 0..2 {
                    let dst = self.target_but(&[packet]);
                    self.read_packet(packet, dst);
                    self.write(dst, Holds::Number);
                }
            }
            if again {
                self.pass(function);
            }
        }
    }

    /// Stores to what a function was given.
    pub(super) fn change_arguments(&mut self) {
        for register in 6..10 {
            match self.held(register) {
                Holds::Packet(reach) => {
                    for _ in 0..2 {
                        self.write_packet(register, reach);
                    }
                }
                Holds::Value(map) => self.use_value(register, map),
                Holds::Stack(bytes) if bytes > 0 => self.through(register, bytes),
                _ => {}
            }
        }
    }

    /// Passes arguments; from the last on, so that none is overwritten before it is read.
    fn pass(&mut self, function: &Function) {
        let mut plan = Vec::new();
        for (register, wanted) in (1..6u8).zip(&function.parameters) {
            let source = match *wanted {
                Holds::Packet(reach) => {
                    self.find(|one| matches!(one, Holds::Packet(found) if found >= reach))
                }
                Holds::Stack(_) => (self.frame >= 16).then_some(10),
                wanted => self.find(|one| one == wanted),
            };
            // Only registers that no argument overwrites are sure to be still there.
            let Some(source) = source.filter(|one| !(1..6).contains(one) || *one == register)
            else {
                if *wanted == Holds::Number {
                    plan.push((register, None));
                    continue;
                }
                return;
            };
            plan.push((register, Some(source)));
        }
        for (register, source) in plan {
            match source {
                Some(10) => {
                    let steps = (self.frame - 16) / 8;
                    let at = 8 * self.below(steps as u64 + 1) as i32 - self.frame;
                    self.push(op::copy(register, 10));
                    self.push(op::alu(op::ADD, register, at));
                }
                Some(source) if source != register => self.push(op::copy(register, source)),
                Some(_) => {}
                None => {
                    let number = self.number();
                    self.push(op::set(register, number));
                }
            }
        }
        self.calls.push((self.slots.len(), function.number));
        self.push(op::slot(0x85, 0, 1, 0, 0));
        self.clobber(Holds::Number);
        self.forget_elements();
    }
}
