//! Fewer blocks: what cannot be reached, jumps to jumps, blocks that could be one, and what blocks
//! have in common ([`super::share`]).
//!
//! Each step runs the same items on each path as before, and none makes code longer.
//!
//! Cost: linear in the program for each of at most [`ROUNDS`] rounds.

use super::graph::{Exit, Graph, Node};
use super::share;
use crate::isa::{Condition, Insn};

/// Rounds of sharing: each round finds what the one before made equal.
const ROUNDS: usize = 64;

/// Does all of it.
pub(super) fn simplify(graph: &mut Graph<'_>) {
    for _ in 0..ROUNDS {
        tidy(graph);
        let blocks = share::blocks(graph);
        let starts = share::starts(graph);
        // Ends that are equal as they are go first: they are longer.
        let ends = share::ends(graph) || share::ends_in_other_orders(graph);
        if !blocks && !starts && !ends {
            break;
        }
    }
    tidy(graph);
}

/// Only what concerns jumps.
pub(super) fn tidy(graph: &mut Graph<'_>) {
    thread(graph);
    join(graph);
}

/// Jumps that only lead to a jump, an exit or a return go where that goes.
fn thread(graph: &mut Graph<'_>) {
    let mut map: Vec<usize> = (0..graph.nodes.len()).collect();
    // Successors first.
    for node in graph.reached().into_iter().rev() {
        let Node { items, exit, .. } = &graph.nodes[node];
        if let (true, Exit::Jump(to)) = (items.is_empty(), exit)
            && map[*to] != node
        {
            map[node] = map[*to];
        }
    }
    graph.redirect(&map);
    for node in 0..graph.nodes.len() {
        let exit = match graph.nodes[node].exit {
            Exit::Branch {
                taken, otherwise, ..
            } if taken == otherwise => Exit::Jump(taken),
            Exit::Branch { insn, taken, .. }
                if matches!(
                    insn.insn,
                    Insn::Branch {
                        condition: Condition::Always,
                        ..
                    }
                ) =>
            {
                Exit::Jump(taken)
            }
            exit => exit,
        };
        let exit = match exit {
            Exit::Jump(to) if graph.nodes[to].items.is_empty() => match graph.nodes[to].exit {
                leaving @ (Exit::Done | Exit::Return(_)) => leaving,
                _ => exit,
            },
            exit => exit,
        };
        graph.nodes[node].exit = exit;
    }
}

/// A block that only one jump leads to becomes part of the block that jumps.
fn join(graph: &mut Graph<'_>) {
    let order = graph.reached();
    let uses = graph.uses(&order);
    let mut gone = vec![false; graph.nodes.len()];
    for node in order {
        if gone[node] {
            continue;
        }
        while let Exit::Jump(to) = graph.nodes[node].exit
            && uses[to] == 1
            && to != node
        {
            let items = std::mem::take(&mut graph.nodes[to].items);
            graph.nodes[node].items.extend(items);
            graph.nodes[node].exit = graph.nodes[to].exit;
            gone[to] = true;
        }
    }
}
