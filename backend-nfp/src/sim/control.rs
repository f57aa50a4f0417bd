//! Instructions that move control, wait, or touch control registers.
//!
//! The instructions in the defer slots of a branch run whether it is taken or not; each saves one of
//! the cycles that a taken branch loses.

use super::core::{After, Core};
use super::fault::{FaultKind, HazardKind};
use super::operands::Moves;
use super::value::Value;
use crate::isa::{Condition, Insn, csr};

impl Core {
    pub(super) fn control(&mut self, insn: Insn) -> Result<(), FaultKind> {
        let mut moves = Moves::default();
        match insn {
            Insn::Branch {
                condition,
                target,
                defer,
            } => {
                let lost = if condition == Condition::Always {
                    self.latencies.branch
                } else {
                    self.latencies.conditional
                };
                let taken = self.holds(condition);
                self.branch(taken, u32::from(target), defer, lost);
            }
            Insn::BranchBit {
                operand,
                bank,
                bit,
                set,
                target,
                defer,
            } => {
                let value = self
                    .read(operand, bank, &mut moves)?
                    .masked(1 << (bit & 31));
                let taken = (self.certain(value, HazardKind::UnknownBranch) != 0) == set;
                self.branch(taken, u32::from(target), defer, self.latencies.conditional);
            }
            Insn::BranchByte {
                operand,
                bank,
                byte,
                value,
                equal,
                target,
                defer,
            } => {
                let found = self.read(operand, bank, &mut moves)?;
                let found = found.right(8 * u32::from(byte & 3)).masked(0xff);
                let found = self.certain(found, HazardKind::UnknownBranch);
                let taken = (found == u32::from(value)) == equal;
                self.branch(taken, u32::from(target), defer, self.latencies.conditional);
            }
            Insn::Jump {
                operand,
                bank,
                offset,
                defer,
            } => {
                let value = self.read(operand, bank, &mut moves)?;
                let target = self.certain(value, HazardKind::UnknownBranch);
                let target = target.wrapping_add(offset);
                self.branch(true, target, defer, self.latencies.jump);
            }
            Insn::CsrRead { address } => self.csr_result = Some(self.control_register(address)),
            Insn::CsrWrite {
                address,
                source,
                bank,
            } => {
                let value = self.read(source, bank, &mut moves)?;
                self.certain(value, HazardKind::UnknownControl);
                let index = csr::LM_ADDR.iter().position(|found| *found == address);
                let Some(index) = index else {
                    return Err(FaultKind::Unsupported("a write of this control register"));
                };
                // Not the next `lm_index` instructions, but the one after them sees it.
                let ready = self
                    .now()
                    .saturating_add(self.latencies.lm_index.saturating_add(1));
                self.local.set_index(index as u8, value, ready);
            }
            Insn::ContextSwap {
                signals,
                any,
                defer,
            } => self.after = Some((defer, After::Wait { signals, any })),
            _ => return Err(FaultKind::Unsupported("this instruction")),
        }
        self.finish(moves);
        Ok(())
    }

    /// Defer slots count even where the branch is not taken: no branch may be among them.
    fn branch(&mut self, taken: bool, target: u32, defer: u8, lost: u64) {
        let (target, lost) = if taken {
            (target, lost.saturating_sub(u64::from(defer)))
        } else {
            (self.at.saturating_add(1 + u32::from(defer)), 0)
        };
        self.after = Some((defer, After::Branch(target, lost)));
    }

    fn holds(&mut self, condition: Condition) -> bool {
        let flags = self.conditions;
        let less = flags.negative.zip(flags.overflow).map(|(n, v)| n != v);
        let less_or_equal = match (less, flags.zero) {
            (Some(less), Some(zero)) => Some(less || zero),
            _ => None,
        };
        let holds = match condition {
            Condition::Equal => flags.zero,
            Condition::NotEqual => flags.zero.map(|zero| !zero),
            Condition::Negative => flags.negative,
            Condition::Positive => flags.negative.map(|negative| !negative),
            Condition::CarrySet => flags.carry,
            Condition::CarryClear => flags.carry.map(|carry| !carry),
            Condition::Overflow => flags.overflow,
            Condition::NoOverflow => flags.overflow.map(|overflow| !overflow),
            Condition::GreaterOrEqual => less.map(|less| !less),
            Condition::Less => less,
            Condition::LessOrEqual => less_or_equal,
            Condition::Greater => less_or_equal.map(|holds| !holds),
            Condition::Always => Some(true),
        };
        holds.unwrap_or_else(|| {
            self.hazard(HazardKind::UnknownBranch);
            false
        })
    }

    fn control_register(&mut self, address: u16) -> Value {
        if address == csr::RANDOM {
            return self.next_random().into();
        }
        match csr::LM_ADDR.iter().position(|found| *found == address) {
            Some(index) => self.local.index(index as u8),
            None => Value::unknown(0),
        }
    }

    /// Xorshift, as the bytecode interpreter draws its numbers: runs can be compared.
    fn next_random(&mut self) -> u32 {
        let mut state = self.random.max(1);
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        self.random = state;
        (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) as u32
    }

    /// Another context ran: nobody has said that condition codes live through that.
    pub(super) fn swapped(&mut self) {
        self.conditions = super::value::Conditions::default();
    }

    /// Waits for signals, and takes what arrives with them.
    pub(super) fn wait_for(&mut self, signals: u16, any: bool) -> Result<(), FaultKind> {
        let raised = |signal: u8| signals >> (signal & 15) & 1 != 0;
        let mut found: Vec<_> = self
            .pending
            .iter()
            .filter(|pending| raised(pending.signal))
            .map(|pending| (pending.ready, pending.signal))
            .collect();
        found.sort_unstable();
        let all = found
            .iter()
            .fold(0u16, |all, (_, signal)| all | 1 << (signal & 15));
        let until = if any { found.first() } else { found.last() };
        self.swapped();
        // Waiting for nothing only lets the others run.
        if signals != 0 && (found.is_empty() || !any && all != signals) {
            return Err(FaultKind::Deadlock(signals));
        }
        if let Some((ready, _)) = until.copied() {
            self.wait(ready.saturating_sub(self.now()));
        }
        self.settle(signals);
        Ok(())
    }
}
