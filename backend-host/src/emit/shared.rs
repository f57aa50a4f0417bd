//! Blocks that need not be there: empty ones.
//!
//! Edges that got a block of their own for moves often need none. Ends are redirected past empty
//! blocks, and of those that are an `exit` and nothing else one remains. A branch whose sides became
//! one is a jump, which can make its block empty, so this is repeated until nothing changes: each
//! round removes a branch or is the last.

use super::lines::{End, Line};

/// Redirects ends past empty blocks; of lone exits the last in `layout` stays. Returns the new ends
/// and the block where the function begins.
pub(super) fn simplify(
    bodies: &[Vec<Line>],
    mut ends: Vec<End>,
    layout: &[usize],
) -> (Vec<End>, usize) {
    let mut first = 0;
    loop {
        let place = destinations(bodies, &ends, layout);
        let mut changed = false;
        first = place[first];
        for end in &mut ends {
            match end {
                End::Jump(target) => *target = place[*target],
                End::Branch(_, taken, other) => {
                    (*taken, *other) = (place[*taken], place[*other]);
                    if taken == other {
                        *end = End::Jump(*taken);
                        changed = true;
                    }
                }
                End::Return(_) => {}
            }
        }
        if !changed {
            return (ends, first);
        }
    }
}

/// For each block the one that stands for it.
fn destinations(bodies: &[Vec<Line>], ends: &[End], layout: &[usize]) -> Vec<usize> {
    let is_exit = |block: usize| bodies[block].is_empty() && matches!(ends[block], End::Return(_));
    let exit = layout.iter().rev().copied().find(|&block| is_exit(block));
    let forward = |start: usize| {
        let mut block = start;
        // A cycle of empty blocks is an endless loop; the bound leaves it one.
        for _ in 0..bodies.len() {
            match &ends[block] {
                End::Jump(next) if bodies[block].is_empty() && *next != block => block = *next,
                _ => break,
            }
        }
        match exit {
            Some(exit) if is_exit(block) => exit,
            _ => block,
        }
    };
    (0..bodies.len()).map(forward).collect()
}
