//! What must still run before index registers of local memory hold what was written to them.
//!
//! A write of an index holds only after [`Timing::lm_index`] more instructions. [`Pending`] counts
//! them for each index. Only instructions count: cycles that a taken branch loses, or that a command
//! takes, would make some of the waits unnecessary, but nobody has said so of the hardware.
//!
//! A use in one block can be too close to a write in another, so what is pending at a block's end is
//! pending at the start of its successors; a call hands it to the function, and a return to what
//! follows *any* call. A helper finds all indices ready, and so does a context that begins to wait: what
//! becomes of a write that is under way then is not known. [`settle`] repeats that until nothing
//! changes: what is pending at a block's start only grows and is bounded, so it ends, and then every
//! block was placed for all that can come in.
//!
//! Cost: a block is placed again at most four times [`Timing::lm_index`] times; in practice once or
//! twice.

use std::collections::VecDeque;

use super::effects::{Call, Effects};
use super::graph::{Exit, Graph};
use crate::machine::Timing;

/// For each index register, how many more instructions must run before it may be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Pending(pub(super) [u8; 4]);

impl Pending {
    /// Instructions that must come before an item, beyond those there are.
    pub(super) fn wait(&self, effects: &Effects) -> usize {
        let short = |pending: u8, at: usize| usize::from(pending).saturating_sub(at);
        let used = effects
            .uses
            .iter()
            .map(|(at, index)| short(self.0[usize::from(*index)], *at));
        let called = match effects.call {
            Some(Call::Helper) => self
                .0
                .iter()
                .copied()
                .max()
                .map(|all| short(all, effects.words)),
            _ => None,
        };
        used.chain(called).max().unwrap_or(0)
    }

    /// So many instructions run.
    pub(super) fn pass(&mut self, words: usize) {
        let words = u8::try_from(words).unwrap_or(u8::MAX);
        for pending in &mut self.0 {
            *pending = pending.saturating_sub(words);
        }
    }

    /// An item runs, up to a call if there is one.
    pub(super) fn run(&mut self, effects: &Effects, timing: &Timing) {
        self.pass(effects.words);
        for (at, index) in &effects.sets {
            let left = timing.lm_index.saturating_sub(effects.words - at - 1);
            self.0[usize::from(*index)] = u8::try_from(left).unwrap_or(u8::MAX);
        }
    }

    /// Takes the longer wait of each; whether that changed anything.
    pub(super) fn join(&mut self, other: Pending) -> bool {
        let old = *self;
        for (mine, other) in self.0.iter_mut().zip(other.0) {
            *mine = (*mine).max(other);
        }
        *self != old
    }
}

/// The order of a block: items by number, some of them in the defer slots of its branch.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    pub(super) body: Vec<usize>,
    pub(super) slots: Vec<usize>,
}

/// The branch at a block's end.
pub(super) struct Ending {
    pub(super) effects: Effects,
    /// Defer slots that it offers.
    pub(super) slots: usize,
}

/// A part of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// An item.
    Item(usize),
    /// An instruction that does nothing.
    Nop,
    /// The branch.
    Branch,
}

/// A block with all its words.
#[derive(Clone, Debug, Default)]
pub(super) struct Placed {
    pub(super) pieces: Vec<Piece>,
    pub(super) words: usize,
    /// What is pending at the end.
    pub(super) exit: Pending,
    /// What is pending where functions are called.
    pub(super) calls: Vec<(usize, Pending)>,
}

/// What holds for all blocks.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) graph: &'a Graph<'a>,
    pub(super) timing: &'a Timing,
    /// What is pending when a call comes back.
    pub(super) returned: Pending,
}

/// Puts instructions that do nothing where they must be.
pub(super) fn place(
    context: Context<'_>,
    plan: &Plan,
    ending: Option<&Ending>,
    entry: Pending,
) -> Placed {
    let Context {
        graph,
        timing,
        returned,
    } = context;
    let mut placed = Placed::default();
    let mut now = entry;
    let nops = |placed: &mut Placed, now: &mut Pending, count: usize| {
        placed.pieces.extend(std::iter::repeat_n(Piece::Nop, count));
        placed.words += count;
        now.pass(count);
    };
    for item in &plan.body {
        let effects = graph.effects(*item);
        let wait = now.wait(effects);
        nops(&mut placed, &mut now, wait);
        placed.pieces.push(Piece::Item(*item));
        placed.words += effects.words;
        now.run(effects, timing);
        match effects.call {
            Some(Call::Function(function)) => {
                placed.calls.push((function, now));
                now = returned;
            }
            Some(Call::Helper) => now = Pending::default(),
            None => {}
        }
    }
    if let Some(ending) = ending {
        let wait = now.wait(&ending.effects);
        nops(&mut placed, &mut now, wait);
        // What the slots' items wait for can run in slots that are free, else before the branch.
        let mut ahead = now;
        ahead.pass(1);
        let (mut wait, mut used) = (0, 0);
        for item in &plan.slots {
            let effects = graph.effects(*item);
            wait = wait.max(ahead.wait(effects));
            used += effects.words;
            ahead.run(effects, timing);
        }
        let behind = wait.min(ending.slots.saturating_sub(used));
        nops(&mut placed, &mut now, wait - behind);
        placed.pieces.push(Piece::Branch);
        placed.words += 1;
        now.pass(1);
        nops(&mut placed, &mut now, behind);
        for item in &plan.slots {
            let effects = graph.effects(*item);
            placed.pieces.push(Piece::Item(*item));
            placed.words += effects.words;
            now.run(effects, timing);
        }
    }
    placed.exit = now;
    placed
}

/// Places all blocks for what is pending where they start.
pub(super) fn settle(
    graph: &Graph<'_>,
    timing: &Timing,
    order: &[usize],
    plans: &[Plan],
    endings: &[Option<Ending>],
) -> Vec<Placed> {
    let count = graph.nodes.len();
    let mut placed = vec![Placed::default(); count];
    let mut entry = vec![Pending::default(); count];
    let mut returned = Pending::default();
    let mut waiting = vec![false; count];
    let mut queue: VecDeque<usize> = order.iter().copied().collect();
    for node in order {
        waiting[*node] = true;
    }
    while let Some(node) = queue.pop_front() {
        waiting[node] = false;
        let context = Context {
            graph,
            timing,
            returned,
        };
        let new = place(context, &plans[node], endings[node].as_ref(), entry[node]);
        let mut wake = |node: usize| {
            if !std::mem::replace(&mut waiting[node], true) {
                queue.push_back(node);
            }
        };
        for to in graph.successors(node) {
            if entry[to].join(new.exit) {
                wake(to);
            }
        }
        for (function, pending) in &new.calls {
            if let Some(to) = graph.entries.get(*function)
                && entry[*to].join(*pending)
            {
                wake(*to);
            }
        }
        if matches!(graph.nodes[node].exit, Exit::Return(_)) && returned.join(new.exit) {
            // All that call.
            for caller in order {
                let calls = graph.nodes[*caller]
                    .items
                    .iter()
                    .any(|item| matches!(graph.effects(*item).call, Some(Call::Function(_))));
                if calls {
                    wake(*caller);
                }
            }
        }
        placed[node] = new;
    }
    placed
}

/// For each node, how many instructions run at least from its start before each index register is
/// used; a write of the index ends the search. No more than the delay is of interest.
pub(super) fn distances(
    graph: &Graph<'_>,
    timing: &Timing,
    order: &[usize],
    endings: &[Option<Ending>],
) -> Vec<[u8; 4]> {
    let most = u8::try_from(timing.lm_index).unwrap_or(u8::MAX);
    let mut distances = vec![[most; 4]; graph.nodes.len()];
    // Loops are seen once, which is enough for an estimate.
    for node in order.iter().rev() {
        let mut now = behind(graph, *node, &distances);
        let ending = endings[*node].as_ref().map(|ending| &ending.effects);
        let items = graph.nodes[*node].items.iter();
        let effects = items.map(|item| graph.effects(*item)).chain(ending);
        for effects in effects.rev() {
            let words = u8::try_from(effects.words).unwrap_or(u8::MAX);
            for distance in &mut now {
                *distance = distance.saturating_add(words).min(most);
            }
            for (_, index) in &effects.sets {
                now[usize::from(*index)] = most;
            }
            for (at, index) in &effects.uses {
                now[usize::from(*index)] = u8::try_from(*at).unwrap_or(u8::MAX).min(most);
            }
            if effects.call.is_some() {
                now = [effects.words.min(most.into()) as u8; 4];
            }
        }
        distances[*node] = now;
    }
    distances
}

/// The same from a node's end.
pub(super) fn behind(graph: &Graph<'_>, node: usize, distances: &[[u8; 4]]) -> [u8; 4] {
    let mut least = [u8::MAX; 4];
    for next in graph.successors(node) {
        for (least, distance) in least.iter_mut().zip(distances[next]) {
            *least = (*least).min(distance);
        }
    }
    least
}
