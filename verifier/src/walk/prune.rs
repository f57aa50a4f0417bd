//! States kept for comparison, and whether one of them covers the present one.
//!
//! A state whose paths are all walked covers another if what mattered on those paths is in the
//! other at least as narrowly known. A state whose paths are not finished can only end a path when
//! a loop adds nothing any more; and if it is equal, the loop would never end.

use super::{Seen, Walker};
use crate::compare::{self, Likeness};
use crate::state::State;
use crate::stop::{Check, refuse};
use crate::verdict::Rule;

/// A path this long since the last kept state keeps another.
const MAX_HISTORY: usize = 40;

/// What comparing with one kept state said.
enum Outcome {
    Covered,
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
                Ok(Outcome::Covered) => {
                    list[index].hits += 1;
                    result = self.adopt(list[index].state).map(|()| true);
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
            list.push(Seen {
                state,
                hits: 0,
                misses: 0,
            });
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
        compare::state_covers(
            old,
            &self.state,
            self.insn,
            &self.live,
            self.last_id,
            likeness,
        )
    }

    fn compare_with(&mut self, id: usize) -> Check<Outcome> {
        let Some(old) = self.kept[id].as_ref() else {
            return Ok(Outcome::Missed);
        };
        if old.branches == 0 {
            let entry = self.loop_entry_of(id);
            let unfinished = entry.filter(|entry| self.is_unfinished(*entry));
            let likeness = if unfinished.is_some() {
                Likeness::CoversAll
            } else {
                Likeness::Covers
            };
            if !self.kept[id]
                .as_ref()
                .is_some_and(|old| self.covers(old, likeness))
            {
                return Ok(Outcome::Missed);
            }
            if let Some(entry) = unfinished {
                self.enter_loop(entry);
            }
            return Ok(Outcome::Covered);
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
            self.enter_loop(id);
            return Ok(Outcome::Covered);
        }
        if self.takes_next(self.insn) {
            let goes_on = self.iterator_goes_on();
            return if goes_on && self.covers(old, Likeness::CoversAll) {
                self.enter_loop(id);
                Ok(Outcome::Covered)
            } else {
                Ok(Outcome::MissedInLoop)
            };
        }
        if self.calls_back(self.insn) {
            return if self.covers(old, Likeness::CoversAll) {
                self.enter_loop(id);
                Ok(Outcome::Covered)
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
        self.propagate_reads(id);
        if self.shape.jump[self.insn] {
            self.note_place();
        }
        self.propagate_precision(id)
    }

    fn propagate_reads(&mut self, id: usize) {
        let Some(old) = self.kept[id].as_ref() else {
            return;
        };
        let mut reads = Vec::new();
        for (frame, of_frame) in old.frames.iter().enumerate() {
            for (index, slot) in of_frame.stack.iter().enumerate() {
                if slot.read {
                    reads.push((frame, index));
                }
            }
        }
        for (frame, index) in reads {
            self.mark_slot_read(frame, index);
        }
    }

    /// Says in the states before this one that a stack slot is read, back to where it was written.
    pub(super) fn mark_slot_read(&mut self, frame: usize, index: usize) {
        let Some(of_frame) = self.state.frames.get(frame) else {
            return;
        };
        let written = of_frame.stack.get(index).is_some_and(|slot| slot.written);
        if written || !of_frame.in_parent {
            return;
        }
        let mut parent = self.state.parent;
        while let Some(state) = parent.and_then(|id| self.kept[id].as_mut()) {
            let Some(of_frame) = state.frames.get_mut(frame) else {
                return;
            };
            let goes_on = of_frame.in_parent;
            let Some(slot) = of_frame.stack.get_mut(index) else {
                return;
            };
            if slot.read {
                return;
            }
            slot.read = true;
            if slot.written || !goes_on {
                return;
            }
            parent = state.parent;
        }
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
        self.alive += 1;
        self.count_peak();
        let state = &mut self.state;
        state.parent = Some(id);
        state.first_insn = self.insn as u32;
        state.history.0 = state.history.1;
        state.depth = depth;
        state.branches = 1;
        state.loop_entry = None;
        state.is_loop_entry = false;
        for frame in &mut state.frames {
            frame.in_parent = true;
            for slot in &mut frame.stack {
                slot.written = false;
                slot.read = false;
            }
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
        let removable = self.kept[id]
            .as_ref()
            .is_some_and(|state| state.branches == 0 && !state.is_loop_entry);
        if removable {
            self.kept[id] = None;
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
            let in_loop = self
                .loop_entry_of(id)
                .is_some_and(|entry| self.is_unfinished(entry));
            if let Some(state) = self.kept[id].as_mut()
                && state.branches == 0
                && !in_loop
            {
                compare::clean(state, insn, &self.live);
            }
        }
    }

    /// The outermost loop head that a kept state is known to be in.
    fn loop_entry_of(&mut self, id: usize) -> Option<usize> {
        self.outermost(self.kept[id].as_ref()?.loop_entry?)
    }

    fn outermost(&mut self, entry: usize) -> Option<usize> {
        let mut root = entry;
        // Heads of loops are ever further out, so this ends.
        for _ in 0..self.kept.len() {
            match self.kept[root].as_ref().and_then(|state| state.loop_entry) {
                Some(next) if next != root => root = next,
                _ => break,
            }
        }
        // Shortens the way for the next time: some loops have thousands of heads.
        let mut at = entry;
        while at != root {
            let next = self.kept[at]
                .as_mut()
                .and_then(|state| state.loop_entry.replace(root));
            match next {
                Some(next) if next != at => at = next,
                _ => break,
            }
        }
        Some(root)
    }

    /// The present state leads back into the loop of a kept one.
    fn enter_loop(&mut self, head: usize) {
        let current = self
            .state
            .loop_entry
            .and_then(|entry| self.outermost(entry))
            .and_then(|entry| self.kept[entry].as_ref())
            .map_or(self.state.depth, |state| state.depth);
        if self.is_outer(head, current) {
            self.state.loop_entry = Some(head);
            self.set_head(head);
        }
    }

    fn is_outer(&mut self, head: usize, depth: u32) -> bool {
        let outermost = self.loop_entry_of(head).unwrap_or(head);
        self.kept[outermost]
            .as_ref()
            .is_some_and(|state| state.branches > 0 && state.depth <= depth)
    }

    fn set_head(&mut self, head: usize) {
        if let Some(state) = self.kept[head].as_mut() {
            state.is_loop_entry = true;
        }
    }

    /// The present path is walked; so are states all of whose paths are.
    pub(super) fn finish_path(&mut self) {
        let mut entry = self.state.loop_entry;
        let mut parent = self.state.parent;
        while let Some(id) = parent {
            if let Some(head) = entry {
                let depth = self
                    .loop_entry_of(id)
                    .and_then(|outer| self.kept[outer].as_ref())
                    .or(self.kept[id].as_ref())
                    .map_or(0, |state| state.depth);
                if self.is_outer(head, depth) {
                    if let Some(state) = self.kept[id].as_mut() {
                        state.loop_entry = Some(head);
                    }
                    self.set_head(head);
                }
            }
            let Some(state) = self.kept[id].as_mut() else {
                return;
            };
            state.branches = state.branches.saturating_sub(1);
            if state.branches > 0 {
                return;
            }
            entry = state.loop_entry;
            parent = state.parent;
        }
    }

    /// The nearest state before the present one that was kept at an instruction, in the same calls,
    /// with fewer kept states before it than `depth`. One that has paths to walk is before it.
    pub(super) fn earlier_at(&self, insn: usize, depth: u32) -> Option<usize> {
        let list = self.seen.get(&(insn, self.bucket(insn)))?;
        list.iter().rev().map(|seen| seen.state).find(|id| {
            self.kept[*id].as_ref().is_some_and(|state| {
                state.branches > 0 && state.depth < depth && state.same_call_sites(&self.state)
            })
        })
    }
}
