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
        // What each instruction does, last first, so that it is decoded once.
        let mut steps = Vec::with_capacity(end - start);
        for slot in (start..end).rev() {
            let Some(insn) = program.insn(slot) else {
                continue;
            };
            let next = successors(program, slot, &insn);
            let (written, read) = match insn {
                // The kernel takes these to read whatever there is.
                Insn::LoadAbs { .. } | Insn::LoadInd { .. } => {
                    ((0..11).map(Reg).collect(), (0..10).map(Reg).collect())
                }
                _ => (insn.writes(), reads(program, slot, &insn)),
            };
            let next = next.map(|next| next.filter(|next| *next < live.len()));
            steps.push((slot, next, written, read));
        }
        loop {
            let mut changed = false;
            for &(slot, next, written, read) in &steps {
                let mut after = RegSet::EMPTY;
                for next in next.into_iter().flatten() {
                    after = after.union(live[next]);
                }
                let before = after.minus(written).union(read);
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
