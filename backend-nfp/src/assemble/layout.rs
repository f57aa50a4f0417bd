//! The order of blocks in the code store.
//!
//! A block that one of its successors follows needs no jump, so the order is a choice of edges, at
//! most one from and one to each block and no circle, and as many as possible. Choices that cannot be
//! bad come first: an edge that is the only one left of a block or to a block (Karp and Sipser). Else
//! a block prefers the successor that is not a loop's head, so that the branch back to the head is
//! the conditional one; of two such, the one where the branch is not taken.
//!
//! Soundness: the order is a permutation of the blocks that are reached. The program's entry comes
//! first and nothing falls into it. A branch to a block that only leaves goes where that goes; the
//! block itself is left out unless it is a function's entry.
//!
//! Cost: each edge is looked at a constant number of times.

use std::collections::VecDeque;

use super::graph::{Exit, Graph};

/// Blocks in order.
pub(super) struct Layout {
    pub(super) order: Vec<usize>,
    /// For each block, which successor follows it.
    pub(super) follows: Vec<Option<usize>>,
}

/// Chooses the order.
pub(super) fn layout(graph: &Graph<'_>) -> Layout {
    let reached = graph.reached();
    let placed: Vec<usize> = reached
        .into_iter()
        .filter(|node| !graph.leaves(*node) || graph.entries.contains(node))
        .collect();
    let mut choice = Choice::new(graph, &placed);
    choice.forced();
    for node in &placed {
        if choice.follows[*node].is_none() {
            let best = choice.open(*node).min_by_key(|(back, ..)| *back);
            if let Some((_, _, to)) = best {
                choice.take(*node, to);
                choice.forced();
            }
        }
    }
    let mut order = Vec::new();
    for node in &placed {
        if choice.preceded[*node] {
            continue;
        }
        let mut next = Some(*node);
        while let Some(node) = next {
            order.push(node);
            next = choice.follows[node];
        }
    }
    Layout {
        order,
        follows: choice.follows,
    }
}

struct Choice {
    /// Successors that may follow, the better one first: whether it leads back, and which it is.
    options: Vec<Vec<(bool, usize)>>,
    sources: Vec<Vec<usize>>,
    follows: Vec<Option<usize>>,
    preceded: Vec<bool>,
    /// For the last block of a chain, its first one; the reverse for the first.
    other_end: Vec<usize>,
    queue: VecDeque<Side>,
}

#[derive(Clone, Copy)]
enum Side {
    From(usize),
    To(usize),
}

impl Choice {
    fn new(graph: &Graph<'_>, placed: &[usize]) -> Choice {
        let count = graph.nodes.len();
        let mut place = vec![usize::MAX; count];
        for (at, node) in placed.iter().enumerate() {
            place[*node] = at;
        }
        let mut choice = Choice {
            options: vec![Vec::new(); count],
            sources: vec![Vec::new(); count],
            follows: vec![None; count],
            preceded: vec![false; count],
            other_end: (0..count).collect(),
            queue: VecDeque::new(),
        };
        for node in placed {
            let mut successors: Vec<usize> = graph.successors(*node).collect();
            if matches!(graph.nodes[*node].exit, Exit::Branch { .. }) {
                // The one where the branch is not taken.
                successors.reverse();
            }
            for to in successors {
                let possible = place[to] != usize::MAX && to != graph.entries[0] && to != *node;
                if possible {
                    choice.options[*node].push((place[to] <= place[*node], to));
                    choice.sources[to].push(*node);
                }
            }
        }
        for node in placed {
            choice.queue.push_back(Side::From(*node));
            choice.queue.push_back(Side::To(*node));
        }
        choice
    }

    /// Whether `to` may come to stand behind `from`.
    fn may(&self, from: usize, to: usize) -> bool {
        self.follows[from].is_none() && !self.preceded[to] && self.other_end[from] != to
    }

    fn open(&self, from: usize) -> impl Iterator<Item = (bool, usize, usize)> {
        self.options[from]
            .iter()
            .filter(move |(_, to)| self.may(from, *to))
            .map(move |(back, to)| (*back, from, *to))
    }

    fn take(&mut self, from: usize, to: usize) {
        self.follows[from] = Some(to);
        self.preceded[to] = true;
        let (first, last) = (self.other_end[from], self.other_end[to]);
        self.other_end[first] = last;
        self.other_end[last] = first;
        // Those that lost an option.
        for (_, other) in &self.options[from] {
            self.queue.push_back(Side::To(*other));
        }
        for other in &self.sources[to] {
            self.queue.push_back(Side::From(*other));
        }
        self.queue.push_back(Side::From(last));
        self.queue.push_back(Side::To(first));
    }

    /// Takes every edge that is the only one left of its block, or to it.
    fn forced(&mut self) {
        while let Some(side) = self.queue.pop_front() {
            let only = match side {
                Side::From(from) => {
                    let mut open = self.open(from);
                    let first = open.next();
                    first.filter(|_| open.next().is_none())
                }
                Side::To(to) => {
                    let mut open = self.sources[to].iter().filter(|from| self.may(**from, to));
                    let first = open.next().map(|from| (false, *from, to));
                    first.filter(|_| open.next().is_none())
                }
            };
            if let Some((_, from, to)) = only {
                self.take(from, to);
            }
        }
    }
}
