//! Words of local memory that are read where they are wanted, without a register between.
//!
//! Soundness: the register has one use, in the same block; between load and use nothing writes that
//! word or another through another index, sets an index, or calls. The using instruction has a field
//! that reaches the word, and no other operand in local memory.
//!
//! Cost: for each load, the instructions up to its use, at most [`FARTHEST`].

use crate::isa::AluOp;
use crate::lir::{BlockData, Branch, End, Inst, Lir, Op, Reg, Source, Target};

/// Instructions between a load and its use.
const FARTHEST: usize = 64;

/// Reads local memory in place.
pub fn locals(lir: &mut Lir) {
    let uses = lir.use_counts();
    for block in &mut lir.blocks {
        let mut dead = Vec::with_capacity(block.insts.len());
        for at in 0..block.insts.len() {
            dead.push(is_moved(block, at, &uses));
        }
        let mut dead = dead.into_iter();
        block.insts.retain(|_| !dead.next().unwrap_or(false));
    }
}

/// Whether the load at a place was moved to its use.
fn is_moved(block: &mut BlockData, at: usize, uses: &[u32]) -> bool {
    let load = block.insts.get(at).map(|inst| (&inst.op, inst.target));
    let Some((Op::Alu(AluOp::Move, Source::Nothing, word @ Source::Local(..)), Target::Reg(reg))) =
        load
    else {
        return false;
    };
    let word = *word;
    if uses[reg.0 as usize] != 1 {
        return false;
    }
    let behind = block.insts.iter_mut().skip(at + 1);
    for (steps, inst) in behind.enumerate() {
        let mut reads = false;
        inst.for_each_use(|used| reads |= used == reg);
        if reads {
            return read_in_place(inst, reg, word);
        }
        if steps == FARTHEST || is_obstacle(inst, word) {
            return false;
        }
    }
    branch_in_place(block.end.as_mut(), reg, word)
}

fn is_obstacle(inst: &Inst, word: Source) -> bool {
    let Source::Local(index, at) = word else {
        return true;
    };
    let writes = match inst.target {
        Target::Local(other, to) => other != index || to == at,
        _ => false,
    };
    writes || matches!(inst.op, Op::SetIndex(..) | Op::Helper(_) | Op::Call(_))
}

/// Whether a word can be read by a field of the short form.
fn is_near(word: Source) -> bool {
    matches!(word, Source::Local(_, 0..8))
}

fn read_in_place(inst: &mut Inst, reg: Reg, word: Source) -> bool {
    let other_local = inst
        .op
        .sources()
        .iter()
        .any(|source| matches!(source, Source::Local(..)));
    if other_local || matches!(inst.target, Target::Local(..)) {
        return false;
    }
    let put = |source: &mut Source, allowed: bool| {
        let here = allowed && *source == Source::Reg(reg);
        if here {
            *source = word;
        }
        here
    };
    let near = is_near(word);
    match &mut inst.op {
        Op::Alu(_, a, b) if a != b => put(a, true) || put(b, true),
        Op::Shift(_, a, b, _) if a != b => put(a, near) || put(b, near),
        Op::Field {
            old: None, source, ..
        } => put(source, near),
        Op::Field {
            old: Some(Source::Reg(old)),
            source,
            ..
        } if *old != reg => put(source, near),
        Op::ArithmeticShift(source, _) | Op::SignExtend(source, _) => put(source, near),
        Op::SetIndex(_, source) => put(source, true),
        _ => false,
    }
}

fn branch_in_place(end: Option<&mut End>, reg: Reg, word: Source) -> bool {
    let Some(End::Branch(Branch::Bit(source, ..) | Branch::Byte(source, ..), ..)) = end else {
        return false;
    };
    let here = is_near(word) && *source == Source::Reg(reg);
    if here {
        *source = word;
    }
    here
}
