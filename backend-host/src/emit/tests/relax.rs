//! Lengthened branches go where they went, and reach it.

use super::super::lines::{Line, Target};
use super::super::relax::{relax, starts};
use super::{constant, line};
use bpf::insn::{Cond, Insn, Operand, Reg, Width};

fn branch(cond: Cond, target: usize) -> Line {
    Line {
        insn: Insn::Branch {
            width: Width::W64,
            cond,
            dst: Reg(1),
            src: Operand::Imm(6),
            offset: 0,
        },
        target: Target::Block(target),
        ..line(Insn::Exit)
    }
}

/// Branches at both ends of so many instructions, each to the other end.
fn program(between: usize, cond: Cond) -> Vec<(usize, Vec<Line>)> {
    let filling = (0..between).map(|_| constant(2, 1)).collect();
    vec![
        (0, vec![constant(1, 2)]),
        (1, vec![branch(cond, 3)]),
        (2, filling),
        (3, vec![branch(cond, 1), line(Insn::Exit)]),
    ]
}

/// Whether control comes from the start of a block's first branch to a block, for a value of `r1`.
fn goes(blocks: &[(usize, Vec<Line>)], from: usize, to: usize, value: i32) -> bool {
    let starts = starts(blocks);
    let lines: Vec<&Line> = blocks.iter().flat_map(|(_, lines)| lines).collect();
    let mut at = starts[from];
    for _ in 0..4 {
        let line = lines[at as usize];
        at += 1;
        let next = at;
        let jump = |offset: i64| match line.target {
            Target::Block(block) => starts[block] - next,
            _ => offset,
        };
        match line.insn {
            Insn::Branch { cond, offset, .. } => {
                let offset = jump(i64::from(offset));
                assert!(i16::try_from(offset).is_ok(), "{offset} is too far");
                let taken = match cond {
                    Cond::Eq => value == 6,
                    Cond::Ne => value != 6,
                    Cond::Set => value & 6 != 0,
                    _ => unreachable!("not in these programs"),
                };
                at += if taken { offset } else { 0 };
            }
            Insn::Goto { offset, long } => {
                let offset = jump(i64::from(offset));
                assert!(long || i16::try_from(offset).is_ok());
                at += offset;
            }
            _ => return at - 1 == starts[to],
        }
        if at == starts[to] {
            return true;
        }
    }
    false
}

#[test]
fn far_branches_become_long() {
    for cond in [Cond::Eq, Cond::Ne, Cond::Set] {
        for value in [6, 2, 0, 1] {
            let mut blocks = program(40_000, cond);
            relax(&mut blocks);
            let taken = match cond {
                Cond::Eq => value == 6,
                Cond::Ne => value != 6,
                _ => value & 6 != 0,
            };
            assert_eq!(goes(&blocks, 1, 3, value), taken, "{cond:?} {value}");
            assert_eq!(goes(&blocks, 3, 1, value), taken, "{cond:?} {value}");
            assert_eq!(goes(&blocks, 1, 2, value), !taken, "{cond:?} {value}");
            let added = if cond == Cond::Set { 4 } else { 2 };
            let count: usize = blocks.iter().map(|(_, lines)| lines.len()).sum();
            assert_eq!(count, 40_004 + added);
        }
    }
}

#[test]
fn near_branches_stay() {
    let mut blocks = program(32_000, Cond::Eq);
    relax(&mut blocks);
    assert_eq!(blocks[1].1.len(), 1);
    assert_eq!(blocks[3].1.len(), 2);
}
