//! Branches whose target is further than their 16-bit offset says.
//!
//! ```text
//!                                 if r1 != 5 goto +1
//!   if r1 == 5 goto far    ──►    gotol far
//! ```
//! A bit test has no opposite; it goes over a jump that goes over the `gotol`. Unconditional jumps
//! become `gotol` where they are encoded. Only instruction sets with `gotol` (v4) can say it; elsewhere
//! the branch stays, and encoding it is an error.
//!
//! **Cost.** Nothing for functions that no offset is too short for. Else a pass over all lines for
//! each round; each round lengthens a branch at least, and what that pushes out of reach is found in
//! the next. Two or three rounds are usual, and no branch is lengthened twice.

use bpf::insn::{Insn, RegSet};

use super::lines::{Line, Target};

/// Lengthens branches until all reach their targets.
pub(super) fn relax(blocks: &mut [(usize, Vec<Line>)]) {
    // The furthest that a branch goes back or ahead.
    let reach = usize::from(i16::MAX.unsigned_abs());
    let slots = |lines: &[Line]| lines.iter().map(|line| line.insn.slots()).sum::<usize>();
    if blocks.iter().map(|(_, lines)| slots(lines)).sum::<usize>() <= reach {
        return;
    }
    while round(blocks) {}
}

/// Where each block starts, by its number.
pub(super) fn starts(blocks: &[(usize, Vec<Line>)]) -> Vec<i64> {
    let count = blocks.iter().map(|(block, _)| block + 1).max();
    let mut starts = vec![0i64; count.unwrap_or(0)];
    let mut at = 0i64;
    for (block, lines) in blocks {
        starts[*block] = at;
        at += lines
            .iter()
            .map(|line| line.insn.slots() as i64)
            .sum::<i64>();
    }
    starts
}

/// Lengthens the branches that do not reach as things are. Says whether there were any.
fn round(blocks: &mut [(usize, Vec<Line>)]) -> bool {
    let starts = starts(blocks);
    let mut changed = false;
    for (block, lines) in blocks {
        let mut at = starts[*block];
        let is_short = |line: &Line, at: i64| match (&line.insn, line.target) {
            (Insn::Branch { .. }, Target::Block(target)) => {
                i16::try_from(starts[target] - at - 1).is_err()
            }
            _ => false,
        };
        let mut longer = Vec::new();
        for (index, line) in lines.iter().enumerate() {
            if is_short(line, at) {
                longer.push(index);
            }
            at += line.insn.slots() as i64;
        }
        changed |= !longer.is_empty();
        for index in longer.into_iter().rev() {
            let line = lines[index].clone();
            lines.splice(index..=index, lengthened(line));
        }
    }
    changed
}

/// A branch, a jump if it needs one, and the long jump.
fn lengthened(mut branch: Line) -> Vec<Line> {
    let jump = |offset, long, target| Line {
        insn: Insn::Goto { offset, long },
        target,
        location: branch.location,
        origin: branch.origin,
        core_relo: None,
        arguments: RegSet::EMPTY,
    };
    let far = jump(0, true, branch.target);
    let over = jump(1, false, Target::None);
    branch.target = Target::None;
    let Insn::Branch { cond, offset, .. } = &mut branch.insn else {
        return vec![branch];
    };
    *offset = 1;
    match cond.inverted() {
        Some(inverted) => {
            *cond = inverted;
            vec![branch, far]
        }
        None => vec![branch, over, far],
    }
}
