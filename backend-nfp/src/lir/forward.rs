//! Values that are other values: parameters with one argument, copies of transfer registers.
//!
//! Selection gives a block's parameter a register of its own, and a word that came with a packet one
//! where a parameter needs it. Where all ways bring the same register, the parameter is that
//! register; and an instruction reads a transfer register itself, if its other operand is none.
//!
//! Soundness: what replaces a parameter dominates each of its predecessors, or the only one, so it
//! dominates the block. Groups of transfer registers are filled once, and are given registers after
//! this, with these uses in sight.
//!
//! Cost: two walks over the instructions.

use crate::isa::AluOp;
use crate::lir::{End, Lir, Op, Reg, Source, Target};

/// Forwards values to where they are read.
pub fn forward(lir: &mut Lir) {
    let mut same: Vec<Reg> = (0..lir.regs).map(Reg).collect();
    parameters(lir, &mut same);
    let words = transfers(lir);
    let find = |mut reg: Reg| {
        while same[reg.0 as usize] != reg {
            reg = same[reg.0 as usize];
        }
        reg
    };
    for block in &mut lir.blocks {
        for inst in &mut block.insts {
            inst.op.for_each_source(|source| {
                if let Source::Reg(reg) = source {
                    *reg = find(*reg);
                }
            });
            read_transfers(&mut inst.op, inst.target, &words);
        }
        let Some(end) = &mut block.end else { continue };
        for edge in end.edges_mut() {
            for arg in &mut edge.args {
                *arg = find(*arg);
            }
        }
        match end {
            End::Branch(branch, ..) => {
                if let Some(source) = branch.source_mut()
                    && let Source::Reg(reg) = *source
                {
                    let reg = find(reg);
                    *source = words[reg.0 as usize].unwrap_or(Source::Reg(reg));
                }
            }
            End::Done(reg) => *reg = find(*reg),
            End::Return(address, results) => {
                *address = find(*address);
                for (_, reg) in results {
                    *reg = find(*reg);
                }
            }
            End::Jump(_) => {}
        }
    }
}

/// Finds parameters that are one register, and removes them.
fn parameters(lir: &mut Lir, same: &mut [Reg]) {
    let mut incoming: Vec<Vec<Option<Reg>>> = lir
        .blocks
        .iter()
        .map(|block| vec![None; block.params.len()])
        .collect();
    let mut varies: Vec<Vec<bool>> = lir
        .blocks
        .iter()
        .map(|block| vec![false; block.params.len()])
        .collect();
    for block in &lir.blocks {
        for edge in block.end.iter().flat_map(End::edges) {
            let at = edge.block.index();
            for (index, arg) in edge.args.iter().enumerate() {
                let param = lir.blocks[at].params[index];
                match incoming[at][index] {
                    // A loop brings a parameter itself.
                    _ if *arg == param => {}
                    None => incoming[at][index] = Some(*arg),
                    Some(known) => varies[at][index] |= known != *arg,
                }
            }
        }
    }
    let keep: Vec<Vec<bool>> = (0..lir.blocks.len())
        .map(|at| {
            let params = lir.blocks[at].params.iter().enumerate();
            let kept = params.map(|(index, param)| match incoming[at][index] {
                Some(arg) if !varies[at][index] => {
                    same[param.0 as usize] = arg;
                    false
                }
                _ => true,
            });
            kept.collect()
        })
        .collect();
    for (block, keep_params) in lir.blocks.iter_mut().zip(&keep) {
        let mut kept = keep_params.iter();
        block
            .params
            .retain(|_| kept.next().copied().unwrap_or(true));
        let Some(end) = &mut block.end else { continue };
        for edge in end.edges_mut() {
            let mut kept = keep[edge.block.index()].iter();
            edge.args.retain(|_| kept.next().copied().unwrap_or(true));
        }
    }
}

/// Registers that are copies of words of transfer registers.
fn transfers(lir: &Lir) -> Vec<Option<Source>> {
    let mut words = vec![None; lir.regs as usize];
    for inst in lir.blocks.iter().flat_map(|block| &block.insts) {
        if let (
            Op::Alu(AluOp::Move, Source::Nothing, word @ Source::Transfer(..)),
            Target::Reg(reg),
        ) = (&inst.op, inst.target)
        {
            words[reg.0 as usize] = Some(*word);
        }
    }
    words
}

/// Lets an instruction read transfer registers where it can.
fn read_transfers(op: &mut Op, target: Target, words: &[Option<Source>]) {
    let word = |source: &Source| match source {
        Source::Reg(reg) => words[reg.0 as usize],
        _ => None,
    };
    let single = |source: &mut Source, other: Option<Source>| {
        if !matches!(other, Some(Source::Transfer(..)))
            && let Some(found) = word(source)
        {
            *source = found;
        }
    };
    match op {
        Op::Alu(_, a, b) | Op::Shift(_, a, b, _) | Op::Multiply { a, b, .. } => {
            single(a, Some(*b));
            single(b, Some(*a));
        }
        Op::Field {
            old: Some(old),
            source,
            ..
        } => single(source, Some(*old)),
        // The target is an operand too.
        Op::Field { source, .. } if matches!(target, Target::Reg(_)) => single(source, None),
        Op::IndirectShift {
            amount,
            left,
            right,
            ..
        } => {
            single(amount, None);
            single(right, Some(*left));
        }
        Op::ArithmeticShift(source, _) | Op::SignExtend(source, _) => single(source, None),
        _ => {}
    }
}
