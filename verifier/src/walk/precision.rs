//! Which numbers a check depended on, found backwards along the path.
//!
//! From a register that some check needs, the path is followed back, instruction by instruction,
//! to where its number came from; in every state kept on the way, the registers and stack slots
//! that it passed through are marked precise. Only those must match when states are compared.
//! Where the way back cannot be followed, all numbers of all states before are marked, which is
//! always safe. The cost is the length of the path back to the nearest state that is marked already.

use bpf::insn::Reg;

use super::Walker;
use super::back::Back;
use super::history::Entry;
use super::wanted::{FRAMES, Wanted, mark_in};
use crate::state::NO_INSN;
use crate::stop::Check;

/// A stretch of a path: from a kept state to some place.
pub(super) struct Way<'a> {
    /// First instruction since the kept state.
    pub first: u32,
    /// Last instruction.
    pub last: u32,
    /// What was written down of the instructions between.
    pub history: &'a [Entry],
    /// The kept state.
    pub parent: Option<usize>,
}

impl Walker<'_> {
    /// Marks the number in a register as one that a check depends on.
    pub(super) fn mark_precise(&mut self, register: u8) -> Check {
        let mut wanted = Wanted {
            frame: self.state.current(),
            ..Wanted::default()
        };
        wanted.add(Reg(register));
        self.follow_back_from_here(wanted)
    }

    /// Marks a spilled number in a stack slot as one that a check depends on.
    pub(super) fn mark_slot_precise(&mut self, frame: usize, slot: usize) -> Check {
        let mut wanted = Wanted {
            frame: self.state.current(),
            ..Wanted::default()
        };
        wanted.add_slot((frame as u8, slot as u8));
        self.follow_back_from_here(wanted)
    }

    /// What was precise in a state that covers the present one must be precise on the way here too.
    pub(super) fn propagate_precision(&mut self, from: usize) -> Check {
        let wanted = self.wanted_by(from, self.state.current());
        self.follow_back_from_here(wanted)
    }

    /// The numbers that paths from a kept state depend on, wanted of a state in a frame of this number.
    pub(super) fn wanted_by(&self, id: usize, frame: usize) -> Wanted {
        let mut wanted = Wanted {
            frame,
            ..Wanted::default()
        };
        let Some(old) = self.kept[id].as_ref() else {
            return wanted;
        };
        for (number, frame) in old.frames.iter().enumerate().take(FRAMES) {
            for (index, register) in frame.registers.iter().enumerate().take(10) {
                if register.is_scalar() && register.precise {
                    wanted.registers[number] |= 1 << index;
                }
            }
            for (index, slot) in frame.stack.iter().enumerate() {
                let marked = slot.is_spilled_scalar() && slot.spilled.precise;
                if marked && (frame.read.contains(index) || !old.cleaned) {
                    wanted.add_slot((number as u8, index as u8));
                }
            }
        }
        wanted
    }

    fn follow_back_from_here(&mut self, wanted: Wanted) -> Check {
        let history = std::mem::take(&mut self.history);
        let (from, to) = self.state.history;
        let way = Way {
            first: self.state.first_insn,
            last: self.insn as u32,
            history: history.get(from..to).unwrap_or(&[]),
            parent: self.state.parent,
        };
        let result = self.follow_back(way, wanted);
        self.history = history;
        result.map(|_| ())
    }

    /// Whether something is marked that was not before.
    pub(super) fn follow_back(&mut self, way: Way<'_>, mut wanted: Wanted) -> Check<bool> {
        let mut changed = false;
        if wanted.is_empty() {
            return Ok(changed);
        }
        let Way {
            mut first,
            mut last,
            history,
            mut parent,
        } = way;
        let mut later = NO_INSN;
        // The present instruction has not changed its registers yet.
        let mut skip = true;
        let mut way = Box::default();
        let mut way_of = None;
        loop {
            if last == NO_INSN {
                // The entry of a function: what is wanted are its arguments.
                break;
            }
            let entries: &[Entry] = if way_of.is_some() { &way } else { history };
            let back = self.back_along(entries, (first, last), &mut later, skip, &mut wanted);
            skip = false;
            if let Some(id) = way_of.take() {
                self.ways[id] = std::mem::take(&mut way);
            }
            if matches!(back?, Back::Lost) {
                return Ok(self.mark_all_precise(parent) | changed);
            }
            if wanted.is_empty() {
                return Ok(changed);
            }
            let Some(id) = parent else {
                break;
            };
            let Some(state) = self.kept[id].as_mut() else {
                break;
            };
            mark_in(state, &mut wanted);
            if wanted.is_empty() {
                return Ok(changed);
            }
            changed = true;
            later = first;
            last = state.last_insn;
            first = state.first_insn;
            parent = state.parent;
            way = std::mem::take(&mut self.ways[id]);
            way_of = Some(id);
        }
        if !wanted.is_empty() {
            changed |= self.mark_all_precise(parent);
        }
        Ok(changed)
    }

    /// Follows back the instructions between two kept states.
    fn back_along(
        &self,
        entries: &[Entry],
        (first, last): (u32, u32),
        later: &mut u32,
        mut skip: bool,
        wanted: &mut Wanted,
    ) -> Check<Back> {
        let mut end = entries.len();
        let mut at = last;
        loop {
            if !std::mem::take(&mut skip) {
                let entry = entries[..end].last().filter(|entry| entry.insn == at);
                if let Back::Lost = self.back_over(at, *later, entry, wanted)? {
                    return Ok(Back::Lost);
                }
            }
            if wanted.is_empty() {
                return Ok(Back::On);
            }
            *later = at;
            match self.before(at, first, entries, &mut end) {
                Some(previous) => at = previous,
                None => return Ok(Back::On),
            }
        }
    }

    /// The instruction before `at` on the path, unless the state began there.
    fn before(&self, at: u32, first: u32, entries: &[Entry], end: &mut usize) -> Option<u32> {
        let entries = &entries[..*end];
        let here = entries.last().is_some_and(|entry| entry.insn == at);
        if at == first && (entries.is_empty() || (entries.len() == 1 && here)) {
            return None;
        }
        if here {
            *end -= 1;
            return entries.last().map(|entry| entry.previous);
        }
        let previous = at.checked_sub(1)?;
        // The second half of a wide instruction stands for the whole.
        let is_half = matches!(
            self.program.ops.get(previous as usize).map(|op| &op.insn),
            Some(Ok(None))
        );
        Some(if is_half {
            previous.saturating_sub(1)
        } else {
            previous
        })
    }

    /// Marks every number in a kept state and in all before it. Says whether one was not marked.
    pub(super) fn mark_all_precise(&mut self, mut parent: Option<usize>) -> bool {
        let mut changed = false;
        while let Some(state) = parent.and_then(|id| self.kept[id].as_mut()) {
            for frame in &mut state.frames {
                let spilled = frame
                    .stack
                    .iter_mut()
                    .filter(|slot| slot.is_spilled_scalar());
                let registers = frame.registers[..10]
                    .iter_mut()
                    .filter(|one| one.is_scalar());
                for register in registers.chain(spilled.map(|slot| &mut slot.spilled)) {
                    changed |= !register.precise;
                    register.precise = true;
                }
            }
            parent = state.parent;
        }
        changed
    }
}
