//! The order of blocks and the branches between them.
//!
//! Blocks keep the order that selection chose, which is the input's, as far as [`order`](super::order)
//! finds none with fewer jumps. A branch is turned round when its destination follows; a jump to
//! what follows is nothing; a jump to a lone `exit` is that `exit`.

use super::lines::{End, Line, Target};
use super::order::fewest_jumps;
use super::shared;
use crate::select::blocks::inverted;
use bpf::insn::{Insn, RegSet};

/// Orders blocks and writes their ends. The result keeps block numbers for branch targets.
pub(super) fn arrange(
    bodies: Vec<Vec<Line>>,
    ends: Vec<End>,
    layout: &[usize],
) -> Vec<(usize, Vec<Line>)> {
    let (ends, first) = shared::simplify(&bodies, ends, layout);
    // Blocks that something reaches without passing through an empty one.
    let mut used = vec![false; bodies.len()];
    let mut work = vec![first];
    while let Some(block) = work.pop() {
        if std::mem::replace(&mut used[block], true) {
            continue;
        }
        match &ends[block] {
            End::Jump(next) => work.push(*next),
            End::Branch(_, taken, other) => work.extend([*taken, *other]),
            End::Return(_) => {}
        }
    }
    let lone_exit: Vec<bool> = bodies
        .iter()
        .zip(&ends)
        .map(|(body, end)| body.is_empty() && matches!(end, End::Return(_)))
        .collect();
    let mut order: Vec<usize> = layout
        .iter()
        .copied()
        .filter(|&block| used[block])
        .collect();
    if let Some(position) = order.iter().position(|&block| block == first) {
        order[..=position].rotate_right(1);
    }
    // A jump to a lone `exit` becomes an `exit`, which can leave that block without a way in.
    loop {
        let mut wanted = vec![false; bodies.len()];
        wanted[first] = true;
        for (position, &block) in order.iter().enumerate() {
            match &ends[block] {
                End::Jump(target) => {
                    let next = order.get(position + 1);
                    wanted[*target] |= !lone_exit[*target] || next == Some(target);
                }
                End::Branch(_, taken, other) => {
                    wanted[*taken] = true;
                    wanted[*other] = true;
                }
                End::Return(_) => {}
            }
        }
        let before = order.len();
        order.retain(|&block| wanted[block] || !lone_exit[block]);
        if order.len() == before {
            break;
        }
    }
    let order = fewest_jumps(&ends, &order, &lone_exit);
    let goto = |block: usize, cause: Option<&Line>| Line {
        insn: Insn::Goto {
            offset: 0,
            long: false,
        },
        target: Target::Block(block),
        location: cause.and_then(|line| line.location),
        origin: cause.map_or(0, |line| line.origin),
        core_relo: None,
        arguments: RegSet::EMPTY,
    };
    let mut bodies: Vec<Option<Vec<Line>>> = bodies.into_iter().map(Some).collect();
    let mut result = Vec::with_capacity(order.len());
    for (position, &block) in order.iter().enumerate() {
        let next = order.get(position + 1).copied();
        let mut lines = bodies[block].take().unwrap_or_default();
        match &ends[block] {
            End::Return(line) => lines.push(line.clone()),
            End::Jump(target) if Some(*target) == next => {}
            End::Jump(target) => {
                let line = match &ends[*target] {
                    End::Return(exit) if lone_exit[*target] => exit.clone(),
                    _ => goto(*target, lines.last()),
                };
                lines.push(line);
            }
            End::Branch(line, taken, other) => {
                let mut line = line.clone();
                let (mut taken, mut other) = (*taken, *other);
                if Some(taken) == next
                    && let Insn::Branch { cond, .. } = &mut line.insn
                    && let Some(opposite) = inverted(*cond)
                {
                    *cond = opposite;
                    std::mem::swap(&mut taken, &mut other);
                }
                line.target = Target::Block(taken);
                let jump = (Some(other) != next).then(|| goto(other, Some(&line)));
                lines.push(line);
                lines.extend(jump);
            }
        }
        result.push((block, lines));
    }
    result
}
