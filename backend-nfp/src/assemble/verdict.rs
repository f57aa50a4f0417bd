//! Verdicts that are given before a branch, so that the branch leaves the program.
//!
//! A block that only puts a number into a register and is done costs two words, and a packet that
//! takes it loses the cycles of two branches. Where the register is free on the other side of the
//! branches that lead there, they can go straight to the firmware after the number was put there: in
//! a defer slot, or by an earlier branch's copy that still holds. That is done if it takes no more
//! words: each copy is one, and two words go away.
//!
//! Soundness: a copy is added only where nothing on the branch's other side reads the register before
//! it is written ([`live`]); calls and returns count as reading it. No copy is needed where the
//! register holds the number on every path ([`held`], which assumes nothing of entries and of what
//! calls leave). Copies that others make unnecessary cannot do so in a circle: on each path the
//! first one is not preceded by any.
//!
//! Cost: linear in the program, for each of at most [`MOST`] numbers.

use super::effects::Effects;
use super::graph::{Exit, Graph, Node};

/// How many numbers are tried.
const MOST: usize = 16;

/// Does it for each block that puts a number into a register and is done.
pub(super) fn give_early(graph: &mut Graph<'_>) -> bool {
    let mut changed = false;
    let ends: Vec<usize> = graph
        .reached()
        .into_iter()
        .filter(|node| number(graph, *node).is_some() && !graph.entries.contains(node))
        .take(MOST)
        .collect();
    for end in ends {
        if let Some(item) = number(graph, end) {
            changed |= one(graph, end, item);
        }
    }
    changed
}

/// The only item of a block that puts a number into a register and is done.
fn number(graph: &Graph<'_>, node: usize) -> Option<usize> {
    match (graph.nodes[node].items.as_slice(), graph.nodes[node].exit) {
        ([item], Exit::Done) if graph.effects(*item).is_number() => Some(*item),
        _ => None,
    }
}

fn one(graph: &mut Graph<'_>, end: usize, item: usize) -> bool {
    let order = graph.reached();
    let registers = graph.effects(item).registers_written();
    let sources: Vec<usize> = order
        .iter()
        .copied()
        .filter(|node| graph.successors(*node).any(|next| next == end))
        .collect();
    let live = live(graph, &order, registers);
    let mut jumps = 0;
    for source in &sources {
        match graph.nodes[*source].exit {
            Exit::Branch {
                insn,
                taken,
                otherwise,
            } => {
                let other = if taken == end { otherwise } else { taken };
                let branch = Effects::of_end(Some(&insn));
                if other == end || live[other] || branch.registers_read() & registers != 0 {
                    return false;
                }
            }
            _ => jumps = 1,
        }
    }
    let held = held(graph, &order, (item, registers), &sources);
    let copies: Vec<usize> = sources.into_iter().filter(|node| !held[*node]).collect();
    // One jump would have fallen into the block.
    if copies.len() + jumps > 2 {
        return false;
    }
    for copy in copies {
        graph.nodes[copy].items.push(item);
    }
    // Nothing is left of the block but its end.
    graph.nodes[end].items.clear();
    true
}

/// For each node, whether registers may be read before they are written.
fn live(graph: &Graph<'_>, order: &[usize], registers: u64) -> Vec<bool> {
    let mut live = vec![false; graph.nodes.len()];
    let mut changed = true;
    while changed {
        changed = false;
        for node in order.iter().rev() {
            let Node { items, exit, .. } = &graph.nodes[*node];
            let mut now = match exit {
                Exit::Done | Exit::Return(_) => true,
                Exit::Branch { insn, .. } => {
                    Effects::of_end(Some(insn)).registers_read() & registers != 0
                }
                Exit::Jump(_) => false,
            };
            now |= graph.successors(*node).any(|next| live[next]);
            for item in items.iter().rev() {
                let effects = graph.effects(*item);
                let reads = effects.registers_read() & registers != 0;
                let writes = registers & !effects.registers_written() == 0;
                now = reads || now && !writes;
            }
            changed |= now != live[*node];
            live[*node] = now;
        }
    }
    live
}

/// For each node, whether registers hold what an item puts there at its end, if all of `sources` put
/// it there at theirs; for these, whether they do before.
fn held(
    graph: &Graph<'_>,
    order: &[usize],
    (item, registers): (usize, u64),
    sources: &[usize],
) -> Vec<bool> {
    let count = graph.nodes.len();
    let mut adds = vec![false; count];
    for source in sources {
        adds[*source] = true;
    }
    let class = graph.class[item];
    let mut entry = vec![true; count];
    for node in &graph.entries {
        entry[*node] = false;
    }
    let at_end = |node: usize, mut now: bool| {
        for item in &graph.nodes[node].items {
            let effects = graph.effects(*item);
            if graph.class[*item] == class {
                now = true;
            } else if effects.registers_written() & registers != 0 {
                now = false;
            }
        }
        now
    };
    let mut changed = true;
    while changed {
        changed = false;
        for node in order {
            let now = at_end(*node, entry[*node]) || adds[*node];
            for next in graph.successors(*node) {
                changed |= entry[next] && !now;
                entry[next] &= now;
            }
        }
    }
    (0..count).map(|node| at_end(node, entry[node])).collect()
}
