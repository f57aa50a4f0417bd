//! States kept for comparison, and whether one of them covers the present one.
//!
//! A state whose paths are all walked covers another if what mattered on those paths is in the
//! other at least as narrowly known. A state whose paths are not finished can only end a path when
//! a loop adds nothing any more; and if it is equal, the loop would never end.

use super::{Seen, Walker};
use crate::compare::{self, Likeness};
use crate::forget;
use crate::state::{Frame, SlotSet, State};
use crate::stop::{Check, refuse};
use crate::verdict::Rule;

/// A path this long since the last kept state keeps another.
const MAX_HISTORY: usize = 40;

/// What comparing with one kept state said.
enum Outcome {
    Covered,
    /// By a state of a loop that is not done: what it depends on is not all known.
    CoveredInLoop,
    Missed,
    /// The state is of an unfinished loop: keep no other one soon.
    MissedInLoop,
}

impl Walker<'_> {
    /// Whether the present path needs no further walking. Otherwise the state may be kept.
    pub(super) fn is_covered(&mut self) -> Check<bool> {
        let insn = self.insn;
        let force = self.options.keep_all_states
            || self.shape.checkpoint[insn]
            || self.state.history.1 - self.state.history.0 > MAX_HISTORY;
        let mut keep = force
            || (self.jumps - self.jumps_at_keep >= 2
                && self.stats.processed - self.processed_at_keep >= 8);
        self.clean_finished(insn);
        let place = (insn, self.bucket(insn));
        let mut list = self.seen.remove(&place).unwrap_or_default();
        let mut result = Ok(false);
        let mut index = 0;
        while index < list.len() {
            match self.compare_with(list[index].state) {
                Ok(outcome @ (Outcome::Covered | Outcome::CoveredInLoop)) => {
                    list[index].hits += 1;
                    let id = list[index].state;
                    result = self.adopt(id).map(|()| true);
                    if matches!(outcome, Outcome::CoveredInLoop) {
                        self.end_in_loop(id);
                    }
                    break;
                }
                Ok(outcome) => {
                    let recent = self.jumps - self.jumps_at_keep < 20
                        && self.stats.processed - self.processed_at_keep < 100;
                    if matches!(outcome, Outcome::MissedInLoop) && !force && recent {
                        keep = false;
                    }
                    if keep {
                        list[index].misses += 1;
                    }
                    if self.is_useless(&list[index]) {
                        let seen = list.remove(index);
                        self.drop_state(seen.state);
                    } else {
                        index += 1;
                    }
                }
                Err(stop) => {
                    result = Err(stop);
                    break;
                }
            }
        }
        if matches!(result, Ok(false)) && keep {
            let state = self.keep();
            let seen = Seen {
                state,
                hits: 0,
                misses: 0,
            };
            list.insert(0, seen);
        }
        self.seen.insert(place, list);
        result
    }

    /// The kernel keeps states in a table by instruction and innermost call, and sees no others.
    fn bucket(&self, insn: usize) -> u32 {
        let call_site = self.state.frame().call_site;
        let site = call_site.map_or(u32::MAX, |site| site as u32);
        (insn as u32 ^ site) % (self.program.ops.len() as u32).max(1)
    }

    fn covers(&self, old: &State, likeness: Likeness) -> bool {
        let (new, insn) = (&self.state, self.insn);
        let written = self.options.reads_unwritten_stack() || compare::written_covers(old, new);
        written && compare::state_covers(old, new, insn, &self.live, self.last_id, likeness)
    }

    fn compare_with(&mut self, id: usize) -> Check<Outcome> {
        let Some(old) = self.kept[id].as_ref() else {
            return Ok(Outcome::Missed);
        };
        if old.branches == 0 {
            let incomplete = self.is_incomplete(id);
            let likeness = if incomplete {
                Likeness::CoversAll
            } else {
                Likeness::Covers
            };
            return Ok(match self.covers(old, likeness) {
                false => Outcome::Missed,
                true if incomplete => Outcome::CoveredInLoop,
                true => Outcome::Covered,
            });
        }
        let frame = old.frame();
        if frame.asynchronous && frame.async_entries != self.state.frame().async_entries {
            return Ok(Outcome::MissedInLoop);
        }
        let is_may_goto = matches!(
            self.program.insn(self.insn),
            Some(bpf::insn::Insn::MayGoto { .. })
        );
        if is_may_goto
            && old.may_goto_depth != self.state.may_goto_depth
            && self.covers(old, Likeness::CoversAll)
        {
            return Ok(Outcome::CoveredInLoop);
        }
        if self.takes_next(self.insn) {
            let goes_on = self.iterator_goes_on();
            return if goes_on && self.covers(old, Likeness::CoversAll) {
                Ok(Outcome::CoveredInLoop)
            } else {
                Ok(Outcome::MissedInLoop)
            };
        }
        if self.calls_back(self.insn) {
            return if self.covers(old, Likeness::CoversAll) {
                Ok(Outcome::CoveredInLoop)
            } else {
                Ok(Outcome::MissedInLoop)
            };
        }
        if compare::may_loop(old, &self.state)
            && old.may_goto_depth == self.state.may_goto_depth
            && old.callback_depth == self.state.callback_depth
            && !compare::rounds_differ(old, &self.state)
            && self.covers(old, Likeness::Equal)
        {
            return refuse(
                Rule::InfiniteLoop,
                format!("infinite loop detected at insn {}", self.insn),
            );
        }
        Ok(Outcome::MissedInLoop)
    }

    /// Takes over from a state that covers the present one what will be read and what must be
    /// precise.
    fn adopt(&mut self, id: usize) -> Check {
        for (parent, frame, index) in self.reads_of(id, &self.state) {
            self.mark_slot_read_from(parent, frame, index);
        }
        if self.shape.jump[self.insn] {
            self.note_place();
        }
        self.propagate_precision(id)
    }

    /// The stack slots that are read on the paths from a kept state: for one that it covers, the kept
    /// state that they come from, frame and number.
    pub(super) fn reads_of(&self, id: usize, covered: &State) -> Vec<(usize, usize, usize)> {
        let mut reads = Vec::new();
        let frames = self.kept[id].as_ref().map_or(&[][..], |old| &old.frames);
        for (frame, of_frame) in frames.iter().enumerate() {
            for index in of_frame.read.iter() {
                if let Some(parent) = read_of(covered, frame, index) {
                    reads.push((parent, frame, index));
                }
            }
        }
        reads
    }

    /// Says in the states before this one that a stack slot is read, back to where it was written.
    pub(super) fn mark_slot_read(&mut self, frame: usize, index: usize) {
        if let Some(parent) = read_of(&self.state, frame, index) {
            self.mark_slot_read_from(parent, frame, index);
        }
    }

    /// Says so in a kept state and those before it. Says whether that is new.
    pub(super) fn mark_slot_read_from(
        &mut self,
        parent: usize,
        frame: usize,
        index: usize,
    ) -> bool {
        let mut changed = false;
        let mut next = Some(parent);
        while let Some(state) = next.and_then(|id| self.kept[id].as_mut()) {
            let parent = read_of(state, frame, index);
            let of_frame = state.frames.get_mut(frame);
            let unread = |of_frame: &&mut Frame| {
                index < of_frame.stack.len() && !of_frame.read.contains(index)
            };
            let Some(of_frame) = of_frame.filter(unread) else {
                break;
            };
            of_frame.read.insert(index);
            changed = true;
            next = parent;
        }
        changed
    }

    /// Keeps a copy of the present state, which continues it.
    fn keep(&mut self) -> usize {
        self.jumps_at_keep = self.jumps;
        self.processed_at_keep = self.stats.processed;
        self.stats.states += 1;
        // What is precise is found anew from here on.
        self.state
            .for_each_register(|register| register.precise = false);
        let mut copy = self.state.clone();
        copy.insn = self.insn as u32;
        let depth = copy.depth + 1;
        let id = self.kept.len();
        self.kept.push(Some(copy));
        let (from, to) = self.state.history;
        self.ways
            .push(self.history.get(from..to).unwrap_or(&[]).into());
        self.enter_loop(id);
        self.alive += 1;
        self.count_peak();
        let state = &mut self.state;
        state.parent = Some(id);
        state.first_insn = self.insn as u32;
        state.history.0 = state.history.1;
        state.depth = depth;
        state.branches = 1;
        for frame in &mut state.frames {
            frame.in_parent = true;
            frame.written = SlotSet::default();
            frame.read = SlotSet::default();
        }
        id
    }

    fn is_useless(&self, seen: &Seen) -> bool {
        let unfinished = self.is_unfinished(seen.state);
        let patience = if self.shape.checkpoint[self.insn] && unfinished {
            64
        } else {
            3
        };
        seen.misses > seen.hits.saturating_mul(patience) + patience
    }

    /// Forgets a state; others may still continue it, then it only leaves the list.
    fn drop_state(&mut self, id: usize) {
        let finished = self.kept[id]
            .as_ref()
            .is_some_and(|state| state.branches == 0);
        if finished && !self.is_incomplete(id) {
            self.kept[id] = None;
            self.ways[id] = Box::default();
            self.alive -= 1;
        }
    }

    fn is_unfinished(&self, id: usize) -> bool {
        self.kept[id]
            .as_ref()
            .is_some_and(|state| state.branches > 0)
    }

    fn clean_finished(&mut self, insn: usize) {
        let Some(list) = self.seen.get(&(insn, self.bucket(insn))) else {
            return;
        };
        let ids: Vec<usize> = list.iter().map(|seen| seen.state).collect();
        for id in ids {
            let in_loop = self.is_incomplete(id);
            if let Some(state) = self.kept[id].as_mut()
                && state.branches == 0
                && !in_loop
            {
                forget::clean(state, insn, &self.live);
            }
        }
    }

    /// The present path is walked; so are states all of whose paths are.
    pub(super) fn finish_path(&mut self) -> Check {
        let mut parent = self.state.parent;
        while let Some(id) = parent {
            let Some(state) = self.kept[id].as_mut() else {
                break;
            };
            state.branches = state.branches.saturating_sub(1);
            if state.branches > 0 {
                break;
            }
            parent = state.parent;
            self.leave_loop(id)?;
        }
        Ok(())
    }

    /// The nearest state before the present one that was kept at an instruction, in the same calls,
    /// with fewer kept states before it than `depth`. One that has paths to walk is before it.
    pub(super) fn earlier_at(&self, insn: usize, depth: u32) -> Option<usize> {
        let list = self.seen.get(&(insn, self.bucket(insn)))?;
        list.iter().map(|seen| seen.state).find(|id| {
            self.kept[*id].as_ref().is_some_and(|state| {
                state.branches > 0 && state.depth < depth && state.same_call_sites(&self.state)
            })
        })
    }
}

/// Where the stack slot of a state comes from, which did not write it: the kept state before it.
fn read_of(state: &State, frame: usize, index: usize) -> Option<usize> {
    let of_frame = state.frames.get(frame)?;
    if of_frame.written.contains(index) || !of_frame.in_parent {
        return None;
    }
    state.parent
}
