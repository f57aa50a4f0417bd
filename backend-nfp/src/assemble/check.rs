//! What must hold of a program that is assembled, so that later stages need not look.
//!
//! Ends of blocks are branches; a branch in an item is a call, and its defer slots, like those of a
//! command that waits, end with the item or in it; a reference fits its instruction; every
//! instruction has a word.
//!
//! Cost: linear.

use super::effects::Effects;
use super::error::AssembleError;
use crate::isa::relocation::HELPER_BASE;
use crate::isa::{Condition, Insn, TARGETS, Width};
use crate::machine::{Item, MachineInsn, Reference, Timing};

/// An instruction's word, its reference's kind, and what that names.
type InsnKey = (u64, u8, usize);
/// What makes items equal.
pub(super) type ItemKey = (Vec<InsnKey>, [Option<(u8, u8)>; 2], bool);

/// Where an error is.
#[derive(Clone, Copy)]
pub(super) struct Position {
    pub(super) function: usize,
    pub(super) block: usize,
}

impl Position {
    fn wrong(self, what: &'static str) -> AssembleError {
        AssembleError::Shape {
            function: self.function,
            block: self.block,
            what,
        }
    }

    fn encode(self, insn: Insn) -> Result<u64, AssembleError> {
        insn.encode().map_err(|error| AssembleError::Encode {
            function: self.function,
            block: self.block,
            error,
        })
    }

    pub(super) fn branch(self, insn: MachineInsn) -> Result<MachineInsn, AssembleError> {
        let bare = match insn.insn {
            Insn::Branch { condition, .. } => Insn::Branch {
                condition,
                target: 0,
                defer: 0,
            },
            Insn::BranchBit {
                operand,
                bank,
                bit,
                set,
                ..
            } => Insn::BranchBit {
                operand,
                bank,
                bit,
                set,
                target: 0,
                defer: 0,
            },
            Insn::BranchByte {
                operand,
                bank,
                byte,
                value,
                equal,
                ..
            } => Insn::BranchByte {
                operand,
                bank,
                byte,
                value,
                equal,
                target: 0,
                defer: 0,
            },
            _ => return Err(self.wrong("the block's end is no branch")),
        };
        self.encode(bare)?;
        Ok(MachineInsn { insn: bare, ..insn })
    }

    pub(super) fn jump(self, insn: MachineInsn) -> Result<MachineInsn, AssembleError> {
        let Insn::Jump {
            operand,
            bank,
            offset,
            ..
        } = insn.insn
        else {
            return Err(self.wrong("the block's end is no jump to a register"));
        };
        let bare = Insn::Jump {
            operand,
            bank,
            offset,
            defer: 0,
        };
        self.encode(bare)?;
        Ok(MachineInsn { insn: bare, ..insn })
    }

    /// Checks an item; gives what makes it equal to others.
    pub(super) fn item(self, item: &Item, functions: usize) -> Result<ItemKey, AssembleError> {
        let mut words = Vec::new();
        // Instructions that still belong to the last branch or wait.
        let mut slots: u8 = 0;
        let mut behind_call = false;
        for (at, found) in item.insns.iter().enumerate() {
            if behind_call && slots == 0 {
                return Err(self.wrong("instructions of an item are behind its call"));
            }
            let opens = match found.insn {
                Insn::Branch {
                    condition: Condition::Always,
                    defer,
                    ..
                } => {
                    self.target(found.reference, functions)?;
                    behind_call = true;
                    Some(defer)
                }
                Insn::Branch { .. }
                | Insn::BranchBit { .. }
                | Insn::BranchByte { .. }
                | Insn::Jump { .. } => return Err(self.wrong("a branch is in an item")),
                Insn::Command(command) => command.swap,
                Insn::ContextSwap { defer, .. } => Some(defer),
                _ => None,
            };
            slots = match (slots, opens) {
                (0, Some(slots)) => slots,
                (_, Some(_)) => return Err(self.wrong("a branch or a wait is in a defer slot")),
                (slots, None) => slots.saturating_sub(1),
            };
            let last = at + 1 == item.insns.len();
            if last && matches!(found.insn, Insn::CsrRead { .. }) {
                return Err(self.wrong("a register is read and not received"));
            }
            words.push(self.insn(found)?);
        }
        if slots != 0 {
            return Err(self.wrong("an item ends before its defer slots"));
        }
        let transfers = [item.transfers_read, item.transfers_filled];
        Ok((words, transfers, item.barrier))
    }

    fn target(self, reference: Reference, functions: usize) -> Result<(), AssembleError> {
        let Position { function, block } = self;
        match reference {
            Reference::Function(callee) if callee < functions => Ok(()),
            Reference::Function(callee) => Err(AssembleError::Function {
                function,
                block,
                callee,
            }),
            Reference::Helper(helper) if helper < u32::from(TARGETS - HELPER_BASE) => Ok(()),
            Reference::Helper(helper) => Err(AssembleError::Helper {
                function,
                block,
                helper,
            }),
            Reference::None | Reference::After => Err(self.wrong("a call calls nothing")),
        }
    }

    fn insn(self, found: &MachineInsn) -> Result<InsnKey, AssembleError> {
        let word = self.encode(found.insn)?;
        let (kind, named) = match (found.reference, found.insn) {
            (Reference::None, _) => (0, 0),
            (Reference::Function(function), Insn::Branch { .. }) => (1, function),
            (Reference::Helper(helper), Insn::Branch { .. }) => (2, helper as usize),
            (
                Reference::After,
                Insn::Immed {
                    width: Width::Whole,
                    byte_shift: 0,
                    invert: false,
                    ..
                },
            ) => (3, 0),
            _ => return Err(self.wrong("a reference does not fit its instruction")),
        };
        Ok((word, kind, named))
    }

    pub(super) fn effects(self, item: &Item, timing: &Timing) -> Result<Effects, AssembleError> {
        let effects = Effects::of(item);
        if effects
            .own_delay
            .is_some_and(|between| between < timing.lm_index)
        {
            return Err(self.wrong("an item uses an index of local memory that is not yet written"));
        }
        Ok(effects)
    }
}
