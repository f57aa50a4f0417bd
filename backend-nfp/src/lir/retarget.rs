//! Results that are made where they are wanted: in outgoing transfer registers and local memory.
//!
//! A value that is only moved to such a place, and made in the same block, is made there at once.
//!
//! Soundness: the register has one use. Between the instruction and the move nothing reads or writes
//! the place: no command for an outgoing register, no access to that word, no change of an index
//! register and no call for local memory. The instruction can write the place: its kind of field
//! reaches it, and what is merged with is not a transfer register, whose two directions differ.
//!
//! Cost: for each move, the instructions of its block back to the definition, at most [`FARTHEST`].

use crate::isa::AluOp;
use crate::lir::{End, Inst, Lir, Op, Source, Target};

/// Instructions between a value and its move.
const FARTHEST: usize = 64;

/// Makes results where they are wanted.
pub fn retarget(lir: &mut Lir) {
    let uses = lir.use_counts();
    for block in &mut lir.blocks {
        let mut dead = vec![false; block.insts.len()];
        for at in 0..block.insts.len() {
            let (Op::Alu(AluOp::Move, Source::Nothing, Source::Reg(reg)), to) =
                (&block.insts[at].op, block.insts[at].target)
            else {
                continue;
            };
            // Where a branch or a carry reads what the move sets, it stays.
            if uses[reg.0 as usize] != 1
                || !matches!(to, Target::Out(_) | Target::Local(..))
                || conditions_are_read(&block.insts[at + 1..], block.end.as_ref())
            {
                continue;
            }
            let first = at.saturating_sub(FARTHEST);
            let found = (first..at)
                .rev()
                .take_while(|index| dead[*index] || !is_obstacle(&block.insts[*index], to))
                .find(|index| block.insts[*index].target == Target::Reg(*reg));
            if let Some(index) = found
                && can_write(&block.insts[index], to)
            {
                block.insts[index].target = to;
                dead[at] = true;
            }
        }
        let mut dead = dead.into_iter();
        block.insts.retain(|_| !dead.next().unwrap_or(false));
    }
}

/// Whether condition codes are read before they are set again.
fn conditions_are_read(rest: &[Inst], end: Option<&End>) -> bool {
    for inst in rest {
        if inst.op.reads_conditions() {
            return true;
        }
        if inst.op.sets_conditions() {
            return false;
        }
    }
    matches!(
        end,
        Some(End::Branch(crate::lir::Branch::Conditions(_), ..))
    )
}

/// Whether an instruction has to do with a place.
fn is_obstacle(inst: &Inst, place: Target) -> bool {
    let calls = matches!(inst.op, Op::Helper(_) | Op::Call(_));
    match place {
        Target::Out(_) => {
            calls || inst.target == place || matches!(inst.op, Op::Write(_) | Op::Add { .. })
        }
        Target::Local(index, word) => {
            let apart = |other: u8, at: u8| other == index && at != word;
            let reads = inst.op.sources().into_iter().any(|source| match source {
                Source::Local(other, at) => !apart(other, at),
                _ => false,
            });
            let writes = match inst.target {
                Target::Local(other, at) => !apart(other, at),
                _ => false,
            };
            calls || reads || writes || matches!(inst.op, Op::SetIndex(..))
        }
        Target::Reg(_) | Target::Nothing => true,
    }
}

/// Whether an instruction's result can go to a place.
fn can_write(inst: &Inst, place: Target) -> bool {
    let no_local = inst
        .op
        .sources()
        .iter()
        .all(|source| !matches!(source, Source::Local(..)));
    let near = no_local && !matches!(place, Target::Local(_, 8..));
    match &inst.op {
        Op::Alu(..) => no_local,
        Op::Random => true,
        // A number in two pieces is merged with what is there.
        Op::Immediate(value) => crate::select::immediate::cost(*value) == 1,
        Op::Shift(..) | Op::IndirectShift { .. } | Op::ArithmeticShift(..) => near,
        Op::Field {
            old: None, source, ..
        } => near && !matches!(source, Source::Transfer(..)),
        _ => false,
    }
}
