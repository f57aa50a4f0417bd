//! What holds before an instruction, on every path that leads there.
//!
//! States that meet keep what both have. Whatever the machine carries from one instruction to the
//! next (an amount, a product under way, a register read) is there only on a straight line.

use super::rules::Rules;
use super::value::{Base, Value};
use crate::isa::{Bank, MultiplySize, Operand};

/// Condition codes, as bits: negative, zero, carry, overflow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flags {
    /// Those that the last instruction that sets them leaves defined.
    pub(super) set: u8,
    /// Those that do not depend on undefined bits.
    pub(super) known: u8,
}

impl Flags {
    pub(super) const NEGATIVE: u8 = 1;
    pub(super) const ZERO: u8 = 2;
    pub(super) const CARRY: u8 = 4;
    pub(super) const OVERFLOW: u8 = 8;

    fn meet(self, other: Flags) -> Flags {
        Flags {
            set: self.set & other.set,
            known: self.known & other.known,
        }
    }
}

/// An index register of local memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Index {
    pub(super) value: Value,
    /// Instructions after which it holds.
    pub(super) wait: usize,
}

/// A multiplication under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Multiplication {
    pub(super) sources: (Operand, Operand, bool),
    pub(super) values: (Value, Value),
    pub(super) size: Option<MultiplySize>,
    pub(super) steps: u8,
    /// Results taken.
    pub(super) results: u8,
}

/// What a command that is under way does with transfer registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moves {
    /// Fills them with so many bytes.
    Fills {
        first: u8,
        bytes: usize,
        /// Whether a word's first byte is its lowest.
        swap: bool,
    },
    /// Reads so many bytes from them.
    Reads { first: u8, bytes: usize },
    /// Neither.
    Nothing,
}

/// A signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    /// Nothing raises it.
    Idle,
    /// A command will.
    Awaited(Moves),
    /// It depends on the path.
    Mixed,
}

/// Signals of a context.
pub(super) const SIGNALS: usize = 16;

/// A state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct State {
    pub(super) gprs: [[Value; 32]; 2],
    pub(super) transfer_in: [Value; 64],
    pub(super) transfer_out: [Value; 64],
    /// Words of the stack.
    pub(super) stack: Vec<Value>,
    pub(super) indices: [Index; 4],
    pub(super) flags: Flags,
    /// The previous result.
    pub(super) previous: Value,
    /// Whether the instruction right before gave it.
    pub(super) fresh: bool,
    /// Left operand of the ALU instruction right before.
    pub(super) amount: Option<Value>,
    pub(super) multiplication: Option<Multiplication>,
    /// What a register read gives to the next instruction.
    pub(super) read: Option<Value>,
    pub(super) signals: [Signal; SIGNALS],
}

/// Most words of local memory that are followed.
const STACK_LIMIT: u32 = 1024;

impl State {
    /// As the firmware enters a program.
    pub(super) fn entry(rules: &Rules) -> State {
        let words = (rules.stack_size / 4).min(STACK_LIMIT) as usize;
        let index = |base: Base| Index {
            value: Value::at(base, 0),
            wait: 0,
        };
        let mut state = State {
            gprs: [[Value::UNDEFINED; 32]; 2],
            transfer_in: [Value::UNDEFINED; 64],
            transfer_out: [Value::UNDEFINED; 64],
            stack: vec![Value::UNDEFINED; words],
            indices: [
                index(Base::Stack),
                index(Base::Vector),
                index(Base::Metadata),
                Index {
                    value: Value::UNDEFINED,
                    wait: 0,
                },
            ],
            flags: Flags::default(),
            previous: Value::UNDEFINED,
            fresh: false,
            amount: None,
            multiplication: None,
            read: None,
            signals: [Signal::Idle; SIGNALS],
        };
        state.set_gpr(Bank::A, 22, Value::at(Base::Stack, 0));
        for (bank, register) in &rules.live {
            state.set_gpr(*bank, *register, Value::ANY);
        }
        state
    }

    pub(super) fn gpr(&self, bank: Bank, register: u8) -> Value {
        self.gprs[bank as usize][usize::from(register & 31)]
    }

    pub(super) fn set_gpr(&mut self, bank: Bank, register: u8, value: Value) {
        self.gprs[bank as usize][usize::from(register & 31)] = value;
    }

    /// Whether a general register holds this address.
    pub(super) fn holds(&self, address: u32) -> bool {
        let mut all = self.gprs.iter().flatten();
        all.any(|value| value.exact() == Some(address))
    }

    /// What the machine carries between instructions is gone.
    pub(super) fn interrupt(&mut self) {
        self.fresh = false;
        self.amount = None;
        self.multiplication = None;
        self.read = None;
    }

    /// An instruction has passed.
    pub(super) fn tick(&mut self) {
        for index in &mut self.indices {
            index.wait = index.wait.saturating_sub(1);
        }
    }

    /// After a helper: what it does not promise to keep is undefined, results are in both banks.
    pub(super) fn after_helper(&mut self, rules: &Rules) {
        for bank in [Bank::A, Bank::B] {
            for register in 0..32 {
                let result = register < 2;
                let kept =
                    rules.preserved.contains(&register) || rules.live.contains(&(bank, register));
                if result {
                    self.set_gpr(bank, register, Value::ANY);
                } else if !kept {
                    self.set_gpr(bank, register, Value::UNDEFINED);
                }
            }
        }
        for (index, kept) in self.indices.iter_mut().zip(rules.indices_preserved) {
            if !kept {
                index.value = Value::UNDEFINED;
            }
            index.wait = 0;
        }
        self.transfer_in = [Value::UNDEFINED; 64];
        self.transfer_out = [Value::UNDEFINED; 64];
        self.flags = Flags::default();
        self.previous = Value::UNDEFINED;
        self.interrupt();
    }

    /// Keeps what the other has too; whether that is less than before.
    pub(super) fn meet(&mut self, other: &State) -> bool {
        let mut changed = false;
        let pairs = self
            .gprs
            .iter_mut()
            .flatten()
            .chain(&mut self.transfer_in)
            .chain(&mut self.transfer_out)
            .chain(&mut self.stack)
            .zip(
                other
                    .gprs
                    .iter()
                    .flatten()
                    .chain(&other.transfer_in)
                    .chain(&other.transfer_out)
                    .chain(&other.stack),
            );
        for (mine, other) in pairs {
            changed |= meet(mine, *other);
        }
        changed |= meet(&mut self.previous, other.previous);
        for (mine, other) in self.indices.iter_mut().zip(&other.indices) {
            changed |= meet(&mut mine.value, other.value);
            let wait = mine.wait.max(other.wait);
            changed |= wait != mine.wait;
            mine.wait = wait;
        }
        let before = (
            self.flags,
            self.fresh,
            self.amount,
            self.multiplication,
            self.read,
        );
        self.flags = self.flags.meet(other.flags);
        self.fresh &= other.fresh;
        self.amount = self.amount.zip(other.amount).map(|(a, b)| a.meet(b));
        if self.multiplication != other.multiplication {
            self.multiplication = None;
        }
        self.read = self.read.zip(other.read).map(|(a, b)| a.meet(b));
        changed |= before
            != (
                self.flags,
                self.fresh,
                self.amount,
                self.multiplication,
                self.read,
            );
        for (mine, other) in self.signals.iter_mut().zip(other.signals) {
            if *mine != other && *mine != Signal::Mixed {
                *mine = Signal::Mixed;
                changed = true;
            }
        }
        changed
    }
}

/// Keeps what another value has too; whether that is less than before.
fn meet(mine: &mut Value, other: Value) -> bool {
    let met = mine.meet(other);
    let changed = met != *mine;
    *mine = met;
    changed
}
