//! What is remembered while a program is made, and its frame: beginning, functions, end.

use bpf::insn::Slot;
use bpf::program_type::ProgramType;

use super::MAPS;
use crate::packets::Random;
use crate::random_program::op::{self, JMP};

/// What a register holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    Nothing,
    Number,
    Context,
    /// The packet's beginning; so many bytes are there.
    Packet(i32),
    /// A value of this map.
    Value(usize),
    /// Memory of a caller's stack, so many bytes.
    Stack(i32),
}

/// A function that is still to be made.
#[derive(Clone, Debug)]
pub(super) struct Function {
    pub(super) parameters: Vec<Holds>,
    /// Functions that it may call come after this one.
    pub(super) number: usize,
}

/// A jump whose target is not known yet, and what was known there.
pub(super) struct Fork {
    slot: usize,
    holds: [Holds; 10],
}

pub(super) struct Maker {
    pub(super) random: Random,
    pub(super) program_type: ProgramType,
    pub(super) slots: Vec<Slot>,
    pub(super) holds: [Holds; 10],
    /// Bytes of the frame that hold numbers, below the context's place.
    pub(super) frame: i32,
    /// Calls, and which function each calls.
    pub(super) calls: Vec<(usize, usize)>,
    pub(super) functions: Vec<Function>,
    /// Number of the function that is made; the main one has 0.
    pub(super) function: usize,
    pub(super) depth: u32,
    /// Bytes that moves of the packet's beginning may still take.
    pub(super) head: i32,
    /// Registers that loops count in.
    pub(super) counters: Vec<u8>,
    /// Statements that are likely in this program.
    pub(super) favourite: u64,
}

impl Maker {
    pub(super) fn new(mut random: Random, program_type: ProgramType) -> Maker {
        let favourite = random.below(40);
        Maker {
            random,
            program_type,
            slots: Vec::new(),
            holds: [Holds::Nothing; 10],
            frame: 0,
            calls: Vec::new(),
            functions: Vec::new(),
            function: 0,
            depth: 0,
            head: 40,
            counters: Vec::new(),
            favourite,
        }
    }

    /// All of a program: the main function, and those that it calls.
    pub(super) fn program(mut self) -> Vec<Slot> {
        self.holds[1] = Holds::Context;
        let frame = self.pick(&[16, 24, 64, 96, 136, 136, 200, 256]);
        self.begin(frame);
        let length = 1 + self.below(16);
        self.statements(length);
        self.finish();
        let mut starts = vec![0];
        while self.function < self.functions.len() {
            let function = self.functions[self.function].clone();
            self.function += 1;
            starts.push(self.slots.len());
            self.holds = [Holds::Nothing; 10];
            self.depth = 0;
            for (register, holds) in (1..).zip(function.parameters) {
                self.holds[register] = holds;
            }
            let frame = self.pick(&[0, 8, 16, 64, 72]);
            self.begin(frame);
            if self.chance(1, 2) {
                self.change_arguments();
            }
            let length = 1 + self.below(5);
            self.statements(length);
            self.finish();
        }
        for &(call, function) in &self.calls {
            self.slots[call].imm = (starts[function] as i64 - call as i64 - 1) as i32;
        }
        self.slots
    }

    /// Parameters go where calls leave them, and numbers on the stack.
    fn begin(&mut self, frame: i32) {
        self.frame = frame;
        let keeps = [6u8, 7, 8, 9];
        let turn = self.below(4) as usize;
        for register in 1..6u8 {
            let holds = self.holds[usize::from(register)];
            if holds == Holds::Nothing {
                continue;
            }
            // Legacy loads want the context in r6.
            let free = |maker: &Maker, to: u8| maker.holds[usize::from(to)] == Holds::Nothing;
            let to = match holds {
                Holds::Context if self.chance(2, 3) => Some(6),
                _ => (0..4)
                    .map(|at| keeps[(at + turn) % 4])
                    .find(|to| free(self, *to)),
            };
            if let Some(to) = to.filter(|to| free(self, *to)) {
                self.push(op::copy(to, register));
                self.write(to, holds);
            }
            if holds != Holds::Number {
                self.write(register, Holds::Nothing);
            }
        }
        for slot in 1..=frame / 8 {
            let source = self.find(|one| one == Holds::Number);
            match source {
                Some(source) if self.chance(1, 4) => {
                    self.push(op::store(op::DW, 10, (-8 * slot) as i16, source));
                }
                _ => {
                    let number = self.number();
                    self.push(op::store_imm(op::DW, 10, (-8 * slot) as i16, number));
                }
            }
        }
        for _ in 0..self.below(4) {
            let register = self.target();
            self.fresh_number(register);
        }
    }

    /// Everything that was computed goes into the result.
    pub(super) fn finish(&mut self) {
        if self.holds[0] != Holds::Number {
            self.push(op::set(0, 1));
        }
        self.write(0, Holds::Number);
        for register in 1..10u8 {
            match self.held(register) {
                Holds::Number => {
                    let operation = self.pick(&[op::XOR, op::ADD, op::SUB, op::XOR]);
                    self.push(op::alu_reg(operation, 0, register));
                }
                Holds::Value(map) if !MAPS[map].counts && self.chance(1, 2) => {
                    self.push(op::load(op::W, register, register, 0));
                    self.push(op::alu_reg(op::XOR, 0, register));
                }
                _ => {}
            }
        }
        let all = self.chance(1, 2);
        for slot in 1..=self.frame / 8 {
            if all || self.chance(1, 3) {
                self.push(op::load(op::DW, 1, 10, (-8 * slot) as i16));
                let operation = self.pick(&[op::XOR, op::ADD, op::SUB, op::XOR]);
                self.push(op::alu_reg(operation, 0, 1));
            }
        }
        if self.function == 0 {
            match self.below(6) {
                0 => self.push(op::alu(op::AND, 0, 3)),
                1 => self.push(op::alu(op::RSH, 0, 61)),
                2 => {
                    let result = self.pick(&[0, 1, 2, 3, 4, 5, 7, -1]);
                    self.push(op::set(0, result));
                }
                _ => {}
            }
        }
        self.push(op::exit());
    }

    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.random.below(limit)
    }

    pub(super) fn chance(&mut self, of: u64, all: u64) -> bool {
        self.below(all) < of
    }

    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.random.below(from.len() as u64) as usize]
    }

    pub(super) fn push(&mut self, slot: Slot) {
        self.slots.push(slot);
    }

    pub(super) fn write(&mut self, register: u8, holds: Holds) {
        if let Some(slot) = self.holds.get_mut(usize::from(register)) {
            *slot = holds;
        }
    }

    pub(super) fn held(&self, register: u8) -> Holds {
        self.holds
            .get(usize::from(register))
            .copied()
            .unwrap_or(Holds::Nothing)
    }

    /// A register that holds what `wanted` says.
    pub(super) fn find(&mut self, wanted: impl Fn(Holds) -> bool) -> Option<u8> {
        let fitting: Vec<u8> = (0..10).filter(|one| wanted(self.held(*one))).collect();
        (!fitting.is_empty()).then(|| self.pick(&fitting))
    }

    /// A register to write to.
    pub(super) fn target(&mut self) -> u8 {
        self.target_but(&[])
    }

    /// A register to write to that is not among these, and holds no pointer.
    pub(super) fn target_but(&mut self, not: &[u8]) -> u8 {
        let fits = |maker: &Maker, one: u8| {
            !not.contains(&one)
                && !maker.counters.contains(&one)
                && matches!(maker.held(one), Holds::Nothing | Holds::Number)
        };
        let free: Vec<u8> = (0..10).filter(|one| fits(self, *one)).collect();
        let empty: Vec<u8> = free
            .iter()
            .copied()
            .filter(|one| self.held(*one) == Holds::Nothing)
            .collect();
        if !empty.is_empty() && self.chance(1, 2) {
            return self.pick(&empty);
        }
        match free.is_empty() {
            true => (0..6).find(|one| !not.contains(one)).unwrap_or(0),
            false => self.pick(&free),
        }
    }

    /// What a call leaves.
    pub(super) fn clobber(&mut self, result: Holds) {
        self.holds[0] = result;
        self.holds[1..6].fill(Holds::Nothing);
    }

    pub(super) fn context(&mut self) -> Option<u8> {
        self.find(|one| one == Holds::Context)
    }

    /// A jump to be landed later.
    pub(super) fn fork(&mut self, branch: Slot) -> Fork {
        self.push(branch);
        Fork {
            slot: self.slots.len() - 1,
            holds: self.holds,
        }
    }

    /// Makes a fork lead to here.
    pub(super) fn land(&mut self, fork: &Fork) {
        self.lead_here(fork);
        for (now, then) in self.holds.iter_mut().zip(fork.holds) {
            *now = match (*now, then) {
                (Holds::Packet(a), Holds::Packet(b)) => Holds::Packet(a.min(b)),
                (a, b) if a == b => a,
                _ => Holds::Nothing,
            };
        }
    }

    /// Makes a fork lead to here, where control cannot come from above.
    pub(super) fn land_alone(&mut self, fork: &Fork) {
        self.lead_here(fork);
        self.holds = fork.holds;
    }

    fn lead_here(&mut self, fork: &Fork) {
        let distance = self.slots.len() - fork.slot - 1;
        self.slots[fork.slot].offset = distance as i16;
    }

    /// Leaves the program if a comparison holds.
    pub(super) fn leave_if(&mut self, condition: u8, dst: u8, src: Option<u8>, imm: i32) {
        let opposite = match condition {
            op::JEQ => op::JNE,
            op::JNE => op::JEQ,
            op::JGT => op::JLE,
            op::JLE => op::JGT,
            op::JGE => op::JLT,
            _ => op::JGE,
        };
        let by = if src.is_some() { 8 } else { 0 };
        let branch = op::slot(opposite | JMP | by, dst, src.unwrap_or(0), 0, imm);
        let on = self.fork(branch);
        let result = self.pick(&[1, 2, 3, 2, 77]);
        match self.find(|one| one == Holds::Number) {
            Some(number) if self.chance(1, 2) => self.push(op::copy(0, number)),
            _ => self.push(op::set(0, result)),
        }
        self.push(op::exit());
        self.land_alone(&on);
    }
}
