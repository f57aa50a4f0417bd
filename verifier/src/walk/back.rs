//! One instruction backwards: what is wanted after it, as what is wanted before it.
//!
//! An instruction that makes a wanted number of others wants those instead; one that makes it of
//! nothing ends the search for it. Constant time each.

use bpf::insn::{AluOp, CallTarget, Insn, Operand, Reg, RegSet};

use super::Walker;
use super::history::Entry;
use super::wanted::Wanted;
use crate::helpers::TAIL_CALL;
use crate::program::Meaning;
use crate::stop::{Check, gap};

impl Walker<'_> {
    /// Takes what is wanted after an instruction to what is wanted before it.
    pub(super) fn back_over(
        &self,
        at: u32,
        later: u32,
        entry: Option<&Entry>,
        wanted: &mut Wanted,
    ) -> Check<Back> {
        let Some(insn) = self.program.insn(at as usize) else {
            return Ok(Back::On);
        };
        wanted.sync_linked(entry);
        let stack = entry.and_then(|entry| entry.stack);
        let back = match insn {
            Insn::Alu { op, dst, src, .. } => {
                if wanted.has(dst) {
                    if op == AluOp::Mov {
                        wanted.remove(dst);
                    }
                    if let Operand::Reg(src) = src {
                        wanted.add(src);
                    }
                }
                Back::On
            }
            Insn::Movsx { dst, src, .. } => {
                if wanted.has(dst) {
                    wanted.remove(dst);
                    wanted.add(src);
                }
                Back::On
            }
            Insn::LoadImm64 { dst, .. } => {
                wanted.remove(dst);
                Back::On
            }
            Insn::Load { .. } | Insn::LoadAcquire { .. } => {
                for loaded in insn.writes().iter() {
                    if wanted.has(loaded) {
                        wanted.remove(loaded);
                        if let Some(stack) = stack {
                            wanted.add_slot(stack);
                        }
                    }
                }
                Back::On
            }
            Insn::Store { base, src, .. } => self.back_over_store(base, src, stack, wanted),
            Insn::StoreRelease { base, src, .. } => {
                self.back_over_store(base, Operand::Reg(src), stack, wanted)
            }
            // The kernel takes them for stores, whatever they fetch.
            Insn::Atomic { base, src, .. } => {
                self.back_over_store(base, Operand::Reg(src), stack, wanted)
            }
            Insn::Call { .. } => return self.back_over_call(at, later, wanted),
            Insn::Exit => return self.back_over_exit(later, wanted),
            Insn::LoadAbs { .. } | Insn::LoadInd { .. } => {
                if wanted.has(Reg(0)) {
                    Back::Lost
                } else if later != at + 1 {
                    // The load failed and returned from the function.
                    match wanted.enter_callee() {
                        Some(()) => Back::On,
                        None => Back::Lost,
                    }
                } else {
                    Back::On
                }
            }
            Insn::Branch {
                dst,
                src: Operand::Reg(src),
                ..
            } => {
                if wanted.has(dst) || wanted.has(src) {
                    // Both numbers decided what is known of each.
                    if entry.is_none_or(|entry| !entry.source_is_stack) {
                        wanted.add(src);
                    }
                    if entry.is_none_or(|entry| !entry.destination_is_stack) {
                        wanted.add(dst);
                    }
                }
                Back::On
            }
            _ => Back::On,
        };
        wanted.sync_linked(entry);
        Ok(back)
    }

    fn back_over_store(
        &self,
        base: Reg,
        src: Operand,
        stack: Option<(u8, u8)>,
        wanted: &mut Wanted,
    ) -> Back {
        if wanted.has(base) {
            return Back::Lost;
        }
        if let Some(stack) = stack
            && wanted.has_slot(stack)
        {
            wanted.remove_slot(stack);
            if let Operand::Reg(src) = src {
                wanted.add(src);
            }
        }
        Back::On
    }

    fn back_over_call(&self, at: u32, later: u32, wanted: &mut Wanted) -> Check<Back> {
        if let Meaning::Function(function) = self.program.ops[at as usize].meaning {
            if self.program.subprograms[function].global {
                wanted.remove(Reg(0));
                return Ok(Back::On);
            }
            let others = wanted.registers[wanted.frame] & !RegSet::ARGUMENTS.bits();
            if others != 0 || !wanted.slots[wanted.frame].is_empty() {
                return Ok(Back::Lost);
            }
            return match wanted.leave_callee(true) {
                Some(()) => Ok(Back::On),
                None => gap("precision across calls"),
            };
        }
        let calls_back = self.calls_back(at as usize);
        if calls_back && later != at + 1 {
            let others = wanted.registers[wanted.frame] & !RegSet::ARGUMENTS.bits();
            if others != 0 || !wanted.slots[wanted.frame].is_empty() {
                return Ok(Back::Lost);
            }
            return match wanted.leave_callee(false) {
                Some(()) => Ok(Back::On),
                None => gap("precision across callbacks"),
            };
        }
        wanted.remove(Reg(0));
        if wanted.registers[wanted.frame] & RegSet::ARGUMENTS.bits() != 0 {
            return Ok(Back::Lost);
        }
        let tail_call = CallTarget::Helper(TAIL_CALL.cast_signed());
        let returned = later != at + 1;
        if returned && self.program.insn(at as usize) == Some(Insn::Call { target: tail_call }) {
            // It did not fail, and returned from the function.
            return match wanted.enter_callee() {
                Some(()) => Ok(Back::On),
                None => gap("precision across tail calls"),
            };
        }
        Ok(Back::On)
    }

    fn back_over_exit(&self, later: u32, wanted: &mut Wanted) -> Check<Back> {
        let returned = later
            .checked_sub(1)
            .and_then(|call| self.program.ops.get(call as usize))
            .is_some_and(|op| matches!(op.meaning, Meaning::Function(_)) && op.slots() == 1);
        let wants_result = returned && wanted.has(Reg(0));
        wanted.remove(Reg(0));
        if wanted.enter_callee().is_none() {
            return gap("precision across calls");
        }
        if wants_result {
            wanted.add(Reg(0));
        }
        Ok(Back::On)
    }
}

/// How following one instruction back ended.
pub(super) enum Back {
    /// Go on.
    On,
    /// It cannot be followed.
    Lost,
}
