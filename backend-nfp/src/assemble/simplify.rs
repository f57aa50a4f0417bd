//! Fewer blocks: what cannot be reached, jumps to jumps, blocks that could be one, equal blocks, and
//! equal ends of blocks.
//!
//! Each step runs the same instructions on each path as before. None makes code longer: a shared end
//! needs one jump fewer than it has users, since one of them falls into it.
//!
//! Cost: linear in the program for each of at most [`ROUNDS`] rounds.

use std::collections::BTreeMap;

use super::graph::{Exit, ExitKey, Graph, Node};
use crate::isa::{Condition, Insn};

/// Rounds of sharing: each round finds what the one before made equal.
const ROUNDS: usize = 16;

/// Does all of it.
pub(super) fn simplify(graph: &mut Graph<'_>) {
    for _ in 0..ROUNDS {
        thread(graph);
        join(graph);
        let equal = share_blocks(graph);
        let tails = share_tails(graph);
        if !equal && !tails {
            break;
        }
    }
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
    let mut uses = vec![0usize; graph.nodes.len()];
    for entry in &graph.entries {
        uses[*entry] += 2;
    }
    for node in &order {
        for next in graph.successors(*node) {
            uses[next] += 1;
        }
    }
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

/// Blocks with the same items and the same end become one.
fn share_blocks(graph: &mut Graph<'_>) -> bool {
    let mut map: Vec<usize> = (0..graph.nodes.len()).collect();
    let mut known: BTreeMap<(Vec<usize>, ExitKey), usize> = BTreeMap::new();
    let mut changed = false;
    for node in graph.reached().into_iter().rev() {
        let class = |item: &usize| graph.class[*item];
        let items = graph.nodes[node].items.iter().map(class).collect();
        let (kind, word, one, two) = graph.exit_key(node);
        // Successors are done, but for those that a loop leads back to.
        let key = match kind {
            0 => (kind, word, map[one], two),
            1 => (kind, word, map[one], map[two]),
            _ => (kind, word, one, two),
        };
        match known.get(&(items, key)) {
            Some(first) => {
                map[node] = *first;
                changed = true;
            }
            None => {
                let items = graph.nodes[node].items.iter().map(class).collect();
                known.insert((items, key), node);
            }
        }
    }
    graph.redirect(&map);
    changed
}

/// Blocks that end in the same way share what they have in common before that.
fn share_tails(graph: &mut Graph<'_>) -> bool {
    let mut groups: BTreeMap<(ExitKey, usize), Vec<usize>> = BTreeMap::new();
    for node in graph.reached() {
        if let Some(last) = graph.nodes[node].items.last() {
            let key = (graph.exit_key(node), graph.class[*last]);
            groups.entry(key).or_default().push(node);
        }
    }
    let mut changed = false;
    for group in groups.into_values() {
        let (Some(first), true) = (group.first().copied(), group.len() > 1) else {
            continue;
        };
        let common = group.iter().fold(usize::MAX, |common, node| {
            let pair = graph.nodes[first].items.iter().rev();
            let pair = pair.zip(graph.nodes[*node].items.iter().rev());
            let same = pair.take_while(|(one, two)| graph.class[**one] == graph.class[**two]);
            common.min(same.count())
        });
        let Node {
            function,
            items,
            exit,
        } = &mut graph.nodes[first];
        let tail = Node {
            function: *function,
            items: items.split_off(items.len() - common.min(items.len())),
            exit: *exit,
        };
        let shared = graph.nodes.len();
        graph.nodes.push(tail);
        for node in group {
            let found = &mut graph.nodes[node];
            if node != first {
                found
                    .items
                    .truncate(found.items.len().saturating_sub(common));
            }
            found.exit = Exit::Jump(shared);
        }
        changed = true;
    }
    changed
}
