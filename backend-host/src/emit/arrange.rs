//! The order of blocks and the branches between them.
//!
//! Blocks keep the order that selection chose, which is the input's, as far as [`order`](super::order)
//! finds none with fewer jumps. A branch is turned round when its destination follows; a jump to
//! what follows is nothing; a jump to a lone `exit` is that `exit`.

use super::copies::{Code, successors};
use super::hoist::hoist;
use super::lines::{End, Line, Target};
use super::order::fewest_jumps;
use super::places::Places;
use super::{shared, tails};
use bpf::insn::{Insn, RegSet};

/// Rounds of sharing ends, and of moving instructions before branches.
const MAX_ROUNDS: usize = 3;

/// Blocks in their order, with their ends written.
pub(super) struct Arranged {
    /// Each with its number, for branches to it.
    pub(super) blocks: Vec<(usize, Vec<Line>)>,
    /// Jumps that the order saves.
    pub(super) jumps_saved: usize,
}

/// Writes the ends of blocks, in the order of `layout`, or anew if `reorders` says so.
pub(super) fn arrange(
    mut bodies: Vec<Vec<Line>>,
    mut ends: Vec<End>,
    layout: &[usize],
    places: Places,
    reorders: bool,
) -> Arranged {
    let (mut first, mut order, mut lone_exit);
    let mut layout = layout.to_vec();
    // Blocks whose destinations became one can be alike where they were not.
    for _ in 0..MAX_ROUNDS {
        (ends, first) = shared::simplify(&bodies, ends, &layout);
        layout = written(&ends, &layout, first, &lone_exits(&bodies, &ends));
        if !tails::share(&mut bodies, &mut ends, &mut layout, places) {
            break;
        }
    }
    let mut rounds = 0;
    let mut jumps_saved = 0;
    loop {
        (ends, first) = shared::simplify(&bodies, ends, &layout);
        lone_exit = lone_exits(&bodies, &ends);
        order = written(&ends, &layout, first, &lone_exit);
        if reorders {
            (order, jumps_saved) = fewest_jumps(&ends, &order);
        }
        rounds += 1;
        let mut jumping = vec![false; bodies.len()];
        for (position, &block) in order.iter().enumerate() {
            jumping[block] = matches!(&ends[block], End::Jump(target)
                if order.get(position + 1) != Some(target) && !lone_exit[*target]);
        }
        let mut code = Code {
            bodies: &mut bodies,
            ends: &mut ends,
            places,
        };
        if rounds == MAX_ROUNDS || !hoist(&mut code, &order, &jumping) {
            break;
        }
    }
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
                    && let Some(opposite) = cond.inverted()
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
    Arranged {
        blocks: result,
        jumps_saved,
    }
}

/// Blocks that are an `exit` and nothing else.
fn lone_exits(bodies: &[Vec<Line>], ends: &[End]) -> Vec<bool> {
    bodies
        .iter()
        .zip(ends)
        .map(|(body, end)| body.is_empty() && matches!(end, End::Return(_)))
        .collect()
}

/// The blocks that must be written, in the order of `layout` after the first.
fn written(ends: &[End], layout: &[usize], first: usize, lone_exit: &[bool]) -> Vec<usize> {
    // Blocks that something reaches without passing through an empty one.
    let mut used = vec![false; ends.len()];
    let mut work = vec![first];
    while let Some(block) = work.pop() {
        if !std::mem::replace(&mut used[block], true) {
            work.extend(successors(&ends[block]).into_iter().flatten());
        }
    }
    let mut order: Vec<usize> = layout
        .iter()
        .copied()
        .filter(|&block| used[block])
        .collect();
    if let Some(position) = order.iter().position(|&block| block == first) {
        order[..=position].rotate_right(1);
    }
    // A jump to a lone `exit` becomes an `exit`, so that block is written for branches only.
    let mut wanted: Vec<bool> = lone_exit.iter().map(|lone| !lone).collect();
    wanted[first] = true;
    for &block in &order {
        if let End::Branch(_, taken, other) = &ends[block] {
            wanted[*taken] = true;
            wanted[*other] = true;
        }
    }
    order.retain(|&block| wanted[block]);
    order
}
