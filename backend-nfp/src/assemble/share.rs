//! What blocks have in common is kept once: whole blocks, ends, and starts.
//!
//! Blocks that end in the same way share the items that they have before that, also where these are
//! not last but could be. Items that both successors of a branch could begin with go before the
//! branch, if it does not depend on them.
//!
//! Soundness: each path runs the same items, in orders that [`Effects::before`] allows. A shared end
//! needs one jump fewer than it has users, since one of them falls into it, so that sharing a single
//! word makes nothing longer.
//!
//! Cost: linear, with a logarithm; [`NEAR`] items from an end or a start are looked at.

use std::collections::{BTreeMap, BTreeSet};

use super::effects::Effects;
use super::flags;
use super::graph::{Exit, ExitKey, Graph, Node};

/// How far from an end, or a start, items are looked for.
const NEAR: usize = 8;

/// Blocks with the same items and the same end become one.
pub(super) fn blocks(graph: &mut Graph<'_>) -> bool {
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
pub(super) fn ends(graph: &mut Graph<'_>) -> bool {
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
            // A wait stays with its commands, which may differ.
            let same = pair.take_while(|(one, two)| {
                graph.class[**one] == graph.class[**two] && !graph.effects(**one).waits
            });
            common.min(same.count())
        });
        if common == 0 {
            continue;
        }
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

/// Items that are not last, but could be.
pub(super) fn ends_in_other_orders(graph: &mut Graph<'_>) -> bool {
    let order = graph.reached();
    let live = flags::live_at_entry(graph, &order);
    let mut groups: BTreeMap<(ExitKey, usize), Vec<(usize, usize)>> = BTreeMap::new();
    for node in order {
        let strong = flags::strong(graph, node, &live);
        let key = graph.exit_key(node);
        let items = &graph.nodes[node].items;
        for at in items.len().saturating_sub(NEAR)..items.len() {
            let moved = graph.effects(items[at]);
            let last = (at + 1..items.len()).all(|later| {
                !moved.before(graph.effects(items[later]), (strong[at], strong[later]))
            });
            let group = (key, graph.class[items[at]]);
            let places = groups.entry(group).or_default();
            if last && !moved.waits && places.last().is_none_or(|(last, _)| *last != node) {
                places.push((node, at));
            }
        }
    }
    // The most common ones first.
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.sort_by_key(|group| usize::MAX - group.len());
    let mut taken = BTreeSet::new();
    let mut changed = false;
    for mut group in groups {
        group.retain(|(node, _)| !taken.contains(node));
        let (Some((first, _)), true) = (group.first().copied(), group.len() > 1) else {
            continue;
        };
        let shared = graph.nodes.len();
        let mut item = None;
        for (node, at) in &group {
            item = Some(graph.nodes[*node].items.remove(*at));
            taken.insert(*node);
        }
        let Node { function, exit, .. } = graph.nodes[first];
        graph.nodes.push(Node {
            function,
            items: item.into_iter().collect(),
            exit,
        });
        for (node, _) in group {
            graph.nodes[node].exit = Exit::Jump(shared);
        }
        changed = true;
    }
    changed
}

/// Items that both successors of a branch could begin with.
pub(super) fn starts(graph: &mut Graph<'_>) -> bool {
    let order = graph.reached();
    let live = flags::live_at_entry(graph, &order);
    let uses = graph.uses(&order);
    let mut changed = false;
    for node in order {
        while let Exit::Branch {
            insn,
            taken,
            otherwise,
        } = graph.nodes[node].exit
            && taken != otherwise
            && [taken, otherwise]
                .iter()
                .all(|next| *next != node && uses[*next] == 1)
        {
            let branch = Effects::of_end(Some(&insn));
            let first = could_be_first(graph, taken, &live);
            let second = could_be_first(graph, otherwise, &live);
            let both = first.into_iter().find_map(|(class, one)| {
                let free = !graph.effects[class].before(&branch, (false, false));
                let two = second.get(&class).copied().filter(|_| free)?;
                Some((one, two))
            });
            let Some((one, two)) = both else {
                break;
            };
            let item = graph.nodes[taken].items.remove(one);
            graph.nodes[otherwise].items.remove(two);
            graph.nodes[node].items.push(item);
            changed = true;
        }
    }
    changed
}

/// Classes of items that a node could begin with, and where they are.
fn could_be_first(graph: &Graph<'_>, node: usize, live: &[bool]) -> BTreeMap<usize, usize> {
    let strong = flags::strong(graph, node, live);
    let items = &graph.nodes[node].items;
    let mut found = BTreeMap::new();
    for at in 0..items.len().min(NEAR) {
        let moved = graph.effects(items[at]);
        let first = (0..at).all(|earlier| {
            let earlier_effects = graph.effects(items[earlier]);
            !earlier_effects.before(moved, (strong[earlier], strong[at]))
        });
        if first {
            found.entry(graph.class[items[at]]).or_insert(at);
        }
    }
    found
}
