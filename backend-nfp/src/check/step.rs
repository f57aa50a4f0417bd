//! One instruction, from the state before it to the state after it.
//!
//! Here are operands, results and what passes from an instruction to the next; what ALU
//! instructions compute is in `compute`, products in `multiply`, local memory in `local`, commands in
//! `command`.

use std::collections::BTreeSet;

use super::command::Prepared;
use super::rules::Rules;
use super::shape;
use super::state::{Flags, Signal, State};
use super::value::Value;
use super::violation::{Rule, Use, Violation};
use crate::isa::{Bank, Condition, Destination, Insn, Operand, Width, csr};

/// Violations that are kept.
const MOST: usize = 256;

/// What was found so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    pub(super) violations: Vec<Violation>,
    /// Instructions whose local-memory address does not follow from the words.
    pub(super) unproved: BTreeSet<u32>,
}

impl Found {
    pub(super) fn add(&mut self, at: u32, rule: Rule) {
        let violation = Violation { at, rule };
        if self.violations.len() < MOST && !self.violations.contains(&violation) {
            self.violations.push(violation);
        }
    }
}

/// What an instruction starts, which takes place after its defer slots.
#[derive(Clone, Copy, Debug)]
pub(super) enum After {
    /// Control goes to an address if a condition holds.
    Branch { target: u32, always: bool },
    /// A command is done, and the context waited for it.
    Command(Prepared),
    /// The context waits for signals.
    Wait { signals: u16, any: bool },
}

/// An instruction being followed.
pub(super) struct Step<'a> {
    pub(super) state: &'a mut State,
    pub(super) rules: &'a Rules,
    pub(super) at: u32,
    /// The program's first address, and the one behind its last.
    pub(super) code: (u32, u32),
    pub(super) found: &'a mut Found,
}

/// Whether control goes on.
pub(super) enum Next {
    /// To the next instruction.
    On,
    /// So too, for so many instructions, and then this happens.
    Slots(u8, After),
    /// Nowhere that could be followed.
    Lost,
}

impl Step<'_> {
    pub(super) fn broken(&mut self, rule: Rule) {
        self.found.add(self.at, rule);
    }

    /// Reports a use of undefined bits.
    pub(super) fn used(&mut self, value: Value, bits: u32, what: Use) {
        if value.undefined & bits != 0 {
            self.broken(Rule::Undefined(what));
        }
    }

    /// Follows an instruction.
    pub(super) fn run(&mut self, insn: Insn) -> Next {
        let read = self.state.read.take();
        if read.is_some() && !receives(insn) {
            self.broken(Rule::SplitRead);
        }
        let (fresh, amount) = (self.state.fresh, self.state.amount.take());
        self.state.fresh = false;
        let multiplication = self.state.multiplication.take();
        let next = match insn {
            Insn::Alu { .. } | Insn::AluShift { .. } | Insn::LoadField { .. } => {
                self.compute(insn, fresh, amount);
                Next::On
            }
            Insn::Immed { .. } => {
                self.immediate(insn, read);
                Next::On
            }
            Insn::MultiplyStep { .. } | Insn::MultiplyResult { .. } => {
                self.multiply(insn, multiplication);
                Next::On
            }
            Insn::Command(command) => self.command(command, fresh),
            _ => self.control(insn),
        };
        self.state.tick();
        next
    }

    /// The value of a source.
    pub(super) fn read(&mut self, operand: Operand, bank: Bank) -> Value {
        match operand {
            Operand::Gpr(register) => self.state.gpr(bank, register),
            Operand::Transfer(register) => self.state.transfer_in[usize::from(register & 63)],
            Operand::Immediate(value) => Value::number(value.into()),
            Operand::Lmem { index, access } => self.local_read(index, access),
            // Refused by their shape.
            Operand::Absolute(_) | Operand::NextNeighbour(_) => Value::ANY,
            Operand::Nothing => Value::number(0),
        }
    }

    /// The value of a source that the instruction computes with.
    pub(super) fn source(&mut self, operand: Operand, bank: Bank) -> Value {
        let value = self.read(operand, bank);
        if value.undefined == u32::MAX && !self.rules.undefined_sources {
            match operand {
                Operand::Gpr(register) => {
                    self.broken(Rule::Undefined(Use::Source(bank, register)));
                }
                Operand::Transfer(register) => {
                    self.broken(Rule::Undefined(Use::Transfer(register)));
                }
                _ => {}
            }
        }
        value
    }

    /// Writes a result.
    pub(super) fn write(&mut self, destination: Destination, value: Value) {
        match destination.operand {
            Operand::Gpr(register) => {
                if destination.both || destination.bank == Bank::A {
                    self.state.set_gpr(Bank::A, register, value);
                }
                if destination.both || destination.bank == Bank::B {
                    self.state.set_gpr(Bank::B, register, value);
                }
            }
            Operand::Transfer(register) => {
                self.in_flight(register);
                self.state.transfer_out[usize::from(register & 63)] = value;
            }
            Operand::Lmem { index, access } => self.local_write(index, access, value),
            _ => {}
        }
    }

    fn control(&mut self, insn: Insn) -> Next {
        match insn {
            Insn::Branch {
                condition,
                target,
                defer,
            } => {
                self.condition(condition);
                let always = condition == Condition::Always;
                branch(target, always, defer)
            }
            Insn::BranchBit {
                operand,
                bank,
                bit,
                target,
                defer,
                ..
            } => {
                let value = self.read(operand, bank);
                self.used(value, 1u32.wrapping_shl(bit.into()), Use::Branch);
                branch(target, false, defer)
            }
            Insn::BranchByte {
                operand,
                bank,
                byte,
                target,
                defer,
                ..
            } => {
                let value = self.read(operand, bank);
                let bits = 0xffu32.wrapping_shl(8 * u32::from(byte));
                self.used(value, bits, Use::Branch);
                branch(target, false, defer)
            }
            Insn::Jump {
                operand,
                bank,
                offset,
                defer,
            } => {
                let value = self.read(operand, bank);
                let Some(base) = value.exact() else {
                    self.broken(Rule::UnknownJump);
                    return Next::Lost;
                };
                let target = base.wrapping_add(offset);
                let always = true;
                Next::Slots(defer, After::Branch { target, always })
            }
            Insn::CsrRead { address } => {
                let index = csr::LM_ADDR.iter().position(|at| *at == address);
                let value = index.map_or(Value::ANY, |index| self.state.indices[index].value);
                self.state.read = Some(value);
                Next::On
            }
            Insn::CsrWrite {
                address,
                source,
                bank,
            } => {
                let value = self.read(source, bank);
                self.used(value, u32::MAX, Use::Control);
                if let Some(index) = csr::LM_ADDR.iter().position(|at| *at == address) {
                    self.set_index(index, value);
                }
                Next::On
            }
            Insn::ContextSwap {
                signals,
                any,
                defer,
            } => Next::Slots(defer, After::Wait { signals, any }),
            _ => Next::On,
        }
    }

    fn condition(&mut self, condition: Condition) {
        let needed = match condition {
            Condition::Always => 0,
            Condition::Equal | Condition::NotEqual => Flags::ZERO,
            Condition::Negative | Condition::Positive => Flags::NEGATIVE,
            Condition::CarrySet | Condition::CarryClear => Flags::CARRY,
            Condition::Overflow | Condition::NoOverflow => Flags::OVERFLOW,
            Condition::GreaterOrEqual | Condition::Less => Flags::NEGATIVE | Flags::OVERFLOW,
            Condition::LessOrEqual | Condition::Greater => {
                Flags::NEGATIVE | Flags::OVERFLOW | Flags::ZERO
            }
        };
        let flags = self.state.flags;
        if needed & !(flags.set & flags.known) != 0 {
            self.broken(Rule::Undefined(Use::Conditions));
        }
    }

    /// Waits for signals; what their commands bring is there then.
    pub(super) fn wait(&mut self, signals: u16, any: bool) {
        self.state.flags = Flags::default();
        let several = signals.count_ones() > 1;
        for signal in (0u8..16).filter(|signal| signals >> signal & 1 != 0) {
            let place = usize::from(signal);
            match self.state.signals[place] {
                Signal::Awaited(_) if any && several => {
                    self.state.signals[place] = Signal::Mixed;
                }
                Signal::Awaited(moves) => {
                    self.state.signals[place] = Signal::Idle;
                    self.arrive(moves);
                }
                Signal::Idle | Signal::Mixed => self.broken(Rule::Signal(signal)),
            }
        }
    }
}

fn branch(target: u16, always: bool, defer: u8) -> Next {
    let target = u32::from(target);
    Next::Slots(defer, After::Branch { target, always })
}

/// The instruction that receives a register read.
fn receives(insn: Insn) -> bool {
    matches!(
        insn,
        Insn::Immed {
            value: 0,
            width: Width::Whole,
            byte_shift: 0,
            invert: false,
            ..
        }
    )
}

/// Whether an instruction may stand in a defer slot: it neither moves control nor waits.
pub(super) fn fits_slot(insn: Insn) -> bool {
    match insn {
        Insn::Branch { .. }
        | Insn::BranchBit { .. }
        | Insn::BranchByte { .. }
        | Insn::Jump { .. }
        | Insn::ContextSwap { .. } => false,
        Insn::Command(command) => command.swap.is_none(),
        _ => shape::multiplies(insn).is_none(),
    }
}
