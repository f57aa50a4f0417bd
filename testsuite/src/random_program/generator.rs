//! What is remembered while a program is made: roughly, what each register holds.
//!
//! It is a guess that decides what is worth generating next, not a verdict: a wrong guess only makes
//! a program that is refused.

use bpf::insn::Slot;

use super::environment::{MapIndex, Sort};
use super::op;
use crate::packets::Random;

/// What a register holds, as far as the order of instructions tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    Nothing,
    Number,
    Context,
    Packet,
    PacketEnd,
    Meta,
    /// A map's value.
    Value(MapIndex),
    /// Memory of so many bytes.
    Memory(i32),
    /// A record of a ring buffer, of so many bytes.
    Record(i32),
    Socket,
    /// A place in the stack: at, and the bytes above it that belong to the program.
    Stack(i32),
    /// Something else.
    Other,
}

/// A jump whose target is not known yet.
pub(super) struct Fork {
    slot: usize,
    holds: [Holds; 10],
    written: [bool; STACK_SLOTS],
}

pub(super) const STACK_SLOTS: usize = 12;

pub(super) struct Generator {
    pub random: Random,
    pub sort: &'static Sort,
    pub slots: Vec<Slot>,
    pub holds: [Holds; 10],
    /// Which 8-byte slots of the stack have been written.
    pub written: [bool; STACK_SLOTS],
    /// How many of a thousand choices are wrong ones.
    pub mistakes: u64,
    /// Calls, and which function each calls.
    pub calls: Vec<(usize, usize)>,
    pub functions: usize,
    /// The function that is being made: the main one has number 0.
    pub function: usize,
    /// References that are held.
    pub held: u32,
    pub depth: u32,
    /// Bytes of the packet that were compared with its end.
    pub reach: i32,
}

impl Generator {
    pub fn new(mut random: Random, sort: &'static Sort) -> Generator {
        let mistakes = match random.below(8) {
            0 => 20,
            1 => 8,
            2 | 3 => 2,
            _ => 0,
        };
        Generator {
            random,
            sort,
            slots: Vec::new(),
            holds: [Holds::Nothing; 10],
            written: [false; STACK_SLOTS],
            mistakes,
            calls: Vec::new(),
            functions: 0,
            function: 0,
            held: 0,
            depth: 0,
            reach: 0,
        }
    }

    /// All of a program: the main function, and those that it calls.
    pub fn program(mut self) -> Vec<Slot> {
        self.holds[1] = Holds::Context;
        self.begin();
        let length = 1 + self.below(14);
        self.statements(length);
        self.finish();
        let mut starts = vec![0];
        while self.function < self.functions {
            self.function += 1;
            starts.push(self.slots.len());
            self.begin_function();
            let length = 1 + self.below(5);
            self.statements(length);
            self.finish();
        }
        for &(call, function) in &self.calls {
            self.slots[call].imm = (starts[function] as i64 - call as i64 - 1) as i32;
        }
        self.slots
    }

    /// The context goes where calls leave it, and something is put on the stack.
    fn begin(&mut self) {
        if self.chance(9, 10) {
            let keep = self.pick(&[6, 6, 7, 8, 9]);
            self.push(op::copy(keep, 1));
            self.holds[keep as usize] = Holds::Context;
        }
        for index in 0..self.below(4) as usize {
            let number = self.number();
            self.push(op::store_imm(op::DW, 10, -8 - 8 * index as i16, number));
            self.written[index] = true;
        }
        if self.sort.packet.is_some() && self.chance(1, 2) {
            self.load_packet();
        }
    }

    fn begin_function(&mut self) {
        self.holds = [Holds::Nothing; 10];
        self.written = [false; STACK_SLOTS];
        self.held = 0;
        self.depth = 0;
        for argument in 1..3 {
            self.holds[argument] = if self.chance(1, 4) {
                Holds::Memory(8)
            } else {
                Holds::Number
            };
        }
    }

    /// Sets the result and leaves.
    fn finish(&mut self) {
        match self.below(8) {
            0 if self.sort.attach_type.is_some() => {
                let from = self.numeric();
                self.push(op::copy(0, from));
                self.holds[0] = Holds::Number;
            }
            1 if self.holds[0] == Holds::Number => {
                self.push(op::alu(op::AND, 0, 1));
            }
            2 if self.wrong() => {}
            _ => {
                let result = self.pick(&[0, 1, 2, 1, 1]);
                self.push(op::set(0, result));
            }
        }
        self.push(op::exit());
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.random.below(limit)
    }

    pub fn chance(&mut self, of: u64, all: u64) -> bool {
        self.below(all) < of
    }

    /// Whether to do something wrong here.
    pub fn wrong(&mut self) -> bool {
        self.below(1000) < self.mistakes
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.random.below(from.len() as u64) as usize]
    }

    pub fn push(&mut self, slot: Slot) {
        self.slots.push(slot);
    }

    /// A register to write to: mostly one that holds nothing dear.
    pub fn target(&mut self) -> u8 {
        for _ in 0..6 {
            let register = self.below(10) as u8;
            let dear = !matches!(
                self.holds[register as usize],
                Holds::Nothing | Holds::Number | Holds::Stack(_)
            );
            if !dear || self.chance(1, 40) {
                return register;
            }
        }
        self.pick(&[0, 2, 3, 4, 5])
    }

    /// A register that is not among these.
    pub fn target_but(&mut self, not: &[u8]) -> u8 {
        for _ in 0..12 {
            let register = self.target();
            if !not.contains(&register) {
                return register;
            }
        }
        (0..10).find(|one| !not.contains(one)).unwrap_or(0)
    }

    /// A register that holds what `wanted` says; sometimes any.
    pub fn find(&mut self, wanted: impl Fn(Holds) -> bool) -> Option<u8> {
        if self.wrong() {
            return Some(self.below(11) as u8);
        }
        let fitting: Vec<u8> = (0..10)
            .filter(|one| wanted(self.holds[*one as usize]))
            .collect();
        (!fitting.is_empty()).then(|| self.pick(&fitting))
    }

    pub fn write(&mut self, register: u8, holds: Holds) {
        if let Some(slot) = self.holds.get_mut(usize::from(register)) {
            *slot = holds;
        }
    }

    /// What a call leaves.
    pub fn clobber(&mut self, result: Holds) {
        self.holds[0] = result;
        self.holds[1..6].fill(Holds::Nothing);
    }

    /// A jump to be landed later.
    pub fn fork(&mut self, branch: Slot) -> Fork {
        self.push(branch);
        Fork {
            slot: self.slots.len() - 1,
            holds: self.holds,
            written: self.written,
        }
    }

    /// Makes a fork lead to here.
    pub fn land(&mut self, fork: &Fork) {
        self.point(fork);
        for (now, then) in self.holds.iter_mut().zip(fork.holds) {
            if *now != then {
                *now = Holds::Nothing;
            }
        }
        for (now, then) in self.written.iter_mut().zip(fork.written) {
            *now &= then;
        }
    }

    /// Makes a fork lead to here, where control cannot come from above.
    pub fn land_alone(&mut self, fork: &Fork) {
        self.point(fork);
        (self.holds, self.written) = (fork.holds, fork.written);
    }

    fn point(&mut self, fork: &Fork) {
        let distance = self.slots.len() - fork.slot - 1;
        self.slots[fork.slot].offset = distance as i16;
    }
}
