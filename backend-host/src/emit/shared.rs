//! Blocks that need not be there: empty ones, and copies of another.
//!
//! An edge that got a block of its own for moves often gets the same moves as another edge to the
//! same place (`r0 = r5; exit` after each of several checks). Equal blocks, instruction for
//! instruction and with the same end, become one. Removing one can make others equal, so this is
//! repeated until nothing changes: each round removes a block or is the last.

use super::lines::{End, Line};
use std::collections::BTreeMap;

/// Blocks longer than this are not compared: what allocation duplicates is short.
const MAX_LINES: usize = 16;

/// Redirects ends past empty blocks and to one of each set of equal blocks; of those the last in
/// `layout` stays, which is the one most likely to run on into its destination. Returns the new
/// ends and the block where the function begins.
pub(super) fn simplify(
    bodies: &[Vec<Line>],
    mut ends: Vec<End>,
    layout: &[usize],
) -> (Vec<End>, usize) {
    let mut first = 0;
    loop {
        let place = destinations(bodies, &ends, layout);
        let mut changed = place[first] != first;
        first = place[first];
        for end in &mut ends {
            let new = match end {
                End::Jump(target) => End::Jump(place[*target]),
                End::Branch(line, taken, other) => {
                    let (taken, other) = (place[*taken], place[*other]);
                    if taken == other {
                        End::Jump(taken)
                    } else {
                        End::Branch(line.clone(), taken, other)
                    }
                }
                End::Return(_) => continue,
            };
            changed |= !same_targets(end, &new);
            *end = new;
        }
        if !changed {
            return (ends, first);
        }
    }
}

fn same_targets(a: &End, b: &End) -> bool {
    match (a, b) {
        (End::Jump(a), End::Jump(b)) => a == b,
        (End::Branch(_, a, b), End::Branch(_, c, d)) => a == c && b == d,
        _ => false,
    }
}

/// For each block the one that stands for it.
fn destinations(bodies: &[Vec<Line>], ends: &[End], layout: &[usize]) -> Vec<usize> {
    let mut place: Vec<usize> = (0..bodies.len()).collect();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for &block in layout.iter().rev() {
        if bodies[block].len() > MAX_LINES {
            continue;
        }
        if let Some(key) = key(&bodies[block], &ends[block]) {
            place[block] = *seen.entry(key).or_insert(block);
        }
    }
    // Past empty blocks. A cycle of them is an endless loop; the bound leaves it one.
    let forward = |start: usize| {
        let mut block = place[start];
        for _ in 0..bodies.len() {
            match &ends[block] {
                End::Jump(next) if bodies[block].is_empty() && place[*next] != block => {
                    block = place[*next];
                }
                _ => break,
            }
        }
        block
    };
    (0..bodies.len()).map(forward).collect()
}

/// What makes two blocks equal; none for a block that must stay itself.
fn key(body: &[Line], end: &End) -> Option<String> {
    let ends_alike = match end {
        End::Jump(target) => format!("j{target}"),
        End::Return(_) => "r".to_owned(),
        End::Branch(..) => return None,
    };
    if body.iter().any(|line| line.core_relo.is_some()) {
        return None;
    }
    let lines: Vec<String> = body
        .iter()
        .map(|line| format!("{:?}{:?}", line.insn, line.target))
        .collect();
    Some(format!("{}|{ends_alike}", lines.join(";")))
}
