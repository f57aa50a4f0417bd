//! Loops that are being walked: states of theirs may not yet know what they depend on.
//!
//! While a loop's paths are not all walked, a path can end because an earlier state of the loop
//! covers it, though what that state depends on is not all found. Such an end is remembered. When
//! the path that entered the loop is done, the marks of the covering states are carried to the ways
//! that ended in them, again and again until nothing changes; only then do states of the loop count
//! as finished. The outermost loop counts, seen from the outermost function: a state belongs to one
//! loop at most.
//!
//! Carrying marks ends because each round marks something new, and after [`MAX_ROUNDS`] all numbers
//! are marked, which is always safe.

use smallvec::SmallVec;

use super::Walker;
use super::history::Entry;
use super::precision::Way;
use crate::state::State;
use crate::stop::Check;

/// After so many rounds without an end everything is marked (the kernel's `MAX_BACKEDGE_ITERS`).
const MAX_ROUNDS: usize = 64;

/// A loop, and the calls that lead to it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Chain {
    calls: SmallVec<[u32; 8]>,
    component: u32,
}

/// A path that ended because a state of a loop that was not finished covers it.
struct End {
    covered_by: usize,
    /// Where it ended.
    insn: u32,
    state: State,
    history: Vec<Entry>,
}

/// One walk of a loop.
#[derive(Default)]
pub(super) struct Visit {
    /// The state that the loop was entered with.
    entry: Option<usize>,
    ends: Vec<End>,
}

impl Walker<'_> {
    fn chain(&self, state: &State, insn: usize) -> Option<Chain> {
        let mut calls = SmallVec::new();
        for number in 0..state.frames.len() {
            let callee = state.frames.get(number + 1);
            let at = callee.map_or(Some(insn), |callee| callee.call_site)?;
            let component = self.shape.component.get(at).copied()?;
            if component != 0 {
                return Some(Chain { calls, component });
            }
            calls.push(at as u32);
        }
        None
    }

    fn chain_of(&self, id: usize) -> Option<Chain> {
        let state = self.kept[id].as_ref()?;
        self.chain(state, state.insn as usize)
    }

    /// Whether a kept state belongs to a loop in which paths have ended, and that is not done.
    pub(super) fn is_incomplete(&self, id: usize) -> bool {
        if self.loops.is_empty() {
            return false;
        }
        let visit = self.chain_of(id).and_then(|chain| self.loops.get(&chain));
        visit.is_some_and(|visit| !visit.ends.is_empty())
    }

    /// A kept state may be the first of its loop.
    pub(super) fn enter_loop(&mut self, id: usize) {
        if let Some(chain) = self.chain_of(id) {
            self.loops.entry(chain).or_default().entry.get_or_insert(id);
        }
    }

    /// The present path ends, being covered by a state of a loop that is not done.
    pub(super) fn end_in_loop(&mut self, id: usize) {
        let Some(chain) = self.chain_of(id) else {
            return;
        };
        let (from, to) = self.state.history;
        let end = End {
            covered_by: id,
            insn: self.insn as u32,
            state: self.state.clone(),
            history: self.history.get(from..to).unwrap_or(&[]).to_vec(),
        };
        self.loops.entry(chain).or_default().ends.push(end);
    }

    /// All paths from a kept state are walked: if a loop was entered with it, that is done.
    pub(super) fn leave_loop(&mut self, id: usize) -> Check {
        let Some(chain) = self.chain_of(id) else {
            return Ok(());
        };
        let Some(visit) = self.loops.get_mut(&chain) else {
            return Ok(());
        };
        if visit.entry != Some(id) {
            return Ok(());
        }
        visit.entry = None;
        let ends = std::mem::take(&mut visit.ends);
        for _ in 0..MAX_ROUNDS {
            let mut changed = false;
            for end in &ends {
                for (parent, frame, index) in self.reads_of(end.covered_by, &end.state) {
                    changed |= self.mark_slot_read_from(parent, frame, index);
                }
                let way = Way {
                    first: end.state.first_insn,
                    last: end.insn,
                    history: &end.history,
                    parent: end.state.parent,
                };
                let wanted = self.wanted_by(end.covered_by, end.state.current());
                changed |= self.follow_back(way, wanted)?;
            }
            if !changed {
                return Ok(());
            }
        }
        for end in &ends {
            self.mark_all_precise(end.state.parent);
        }
        Ok(())
    }
}
