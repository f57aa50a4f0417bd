//! Whose condition codes are read.
//!
//! Most instructions that compute set condition codes, and for most of them nobody cares. An item is
//! *strong* if what it leaves in the codes may be read before they are set again, in its block or in
//! one that follows. Codes do not live across calls and returns.
//!
//! Cost: linear, repeated until nothing changes: at most once for each block, in practice twice.

use super::graph::{Exit, Graph};
use crate::isa::Insn;

/// For each node, whether codes that are set before it may be read in it or behind it.
pub(super) fn live_at_entry(graph: &Graph<'_>, order: &[usize]) -> Vec<bool> {
    let mut live = vec![false; graph.nodes.len()];
    let mut changed = true;
    while changed {
        changed = false;
        for node in order.iter().rev() {
            let mut now = live_at_end(graph, *node, &live);
            for item in graph.nodes[*node].items.iter().rev() {
                let effects = graph.effects(*item);
                now = effects.reads_flags || now && !effects.sets_flags;
            }
            changed |= now != live[*node];
            live[*node] = now;
        }
    }
    live
}

/// Whether the codes before a node's branch are read by it or behind it.
fn live_at_end(graph: &Graph<'_>, node: usize, live: &[bool]) -> bool {
    let read = match graph.nodes[node].exit {
        Exit::Branch { insn, .. } => matches!(insn.insn, Insn::Branch { .. }),
        _ => false,
    };
    read || graph.successors(node).any(|next| live[next])
}

/// For each item of a node, whether it is strong.
pub(super) fn strong(graph: &Graph<'_>, node: usize, live: &[bool]) -> Vec<bool> {
    let mut now = live_at_end(graph, node, live);
    let items = &graph.nodes[node].items;
    let mut strong = vec![false; items.len()];
    for (strong, item) in strong.iter_mut().zip(items).rev() {
        let effects = graph.effects(*item);
        *strong = effects.sets_flags && now;
        now = effects.reads_flags || now && !effects.sets_flags;
    }
    strong
}
