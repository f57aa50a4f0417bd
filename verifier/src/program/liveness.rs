//! Which registers may be read later, before being written.
//!
//! Registers that will not be read don't matter when two states are compared. A backward data-flow
//! over each function, to a fixpoint; calls read the argument registers that their target takes.

use bpf::helpers::{ArgKind, by_id};
use bpf::insn::{CallTarget, Insn, Reg, RegSet};

use super::cfg::jump_target;
use super::prototype::Signature;
use super::{Meaning, Program};
use crate::helpers::arguments;

/// Registers live before each slot.
#[must_use]
pub(crate) fn live_before(program: &Program) -> Vec<RegSet> {
    let mut live = vec![RegSet::EMPTY; program.ops.len()];
    for index in 0..program.subprograms.len() {
        let (start, end) = (
            program.subprograms[index].start,
            program.subprogram_end(index),
        );
        loop {
            let mut changed = false;
            for slot in (start..end).rev() {
                let Some(insn) = program.insn(slot) else {
                    continue;
                };
                let mut after = RegSet::EMPTY;
                for next in successors(program, slot, &insn).into_iter().flatten() {
                    if let Some(next) = live.get(next) {
                        after = after.union(*next);
                    }
                }
                let before = match insn {
                    // The kernel takes these to read whatever there is.
                    Insn::LoadAbs { .. } | Insn::LoadInd { .. } => (0..10).map(Reg).collect(),
                    _ => after
                        .minus(insn.writes())
                        .union(reads(program, slot, &insn)),
                };
                if before != live[slot] {
                    live[slot] = before;
                    changed = true;
                }
            }
            if !changed {
                break;
            }
        }
    }
    live
}

fn successors(program: &Program, slot: usize, insn: &Insn) -> [Option<usize>; 2] {
    let next = slot + program.ops[slot].slots();
    let target = jump_target(slot, insn).and_then(|target| usize::try_from(target).ok());
    match insn {
        Insn::Exit => [None, None],
        Insn::Goto { .. } => [target, None],
        _ => [Some(next), target],
    }
}

fn reads(program: &Program, slot: usize, insn: &Insn) -> RegSet {
    let Insn::Call { target } = insn else {
        return insn.reads();
    };
    let count = match target {
        CallTarget::Helper(id) => u32::try_from(*id).ok().and_then(by_id).map(|helper| {
            // Those that are not checked count as not read.
            let all = arguments(helper, program.program_type);
            all.take_while(|one| one.kind != ArgKind::Unchecked).count()
        }),
        CallTarget::Kfunc(_) => None,
        CallTarget::Subprogram(_) => match &program.ops[slot].meaning {
            Meaning::Function(callee) if program.subprograms[*callee].global => {
                match &program.subprograms[*callee].signature {
                    Signature::Known(arguments) => Some(arguments.len()),
                    _ => None,
                }
            }
            _ => None,
        },
    };
    (1..=count.unwrap_or(5).min(5) as u8).map(Reg).collect()
}
