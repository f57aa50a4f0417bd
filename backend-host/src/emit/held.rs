//! Where a register is free, and which constants it could hold there.
//!
//! For one register, what happens to it is a list of events a block: it holds something else, or a
//! constant is made while it is free. From these follow, with one bit for each constant, what it
//! would hold at the start of a block whichever way control came, and what someone would still take
//! from it at the end.
//!
//! **Cost.** The lines are looked at once, for all registers together. What follows settles in as
//! many passes over the blocks as loops are nested deep; a block is a few operations on bits.

use super::copies::{Code, Live, successors};
use super::lines::End;
use super::places::Places;
use super::reuse::Site;
use bpf::insn::Reg;

/// Passes until the data flow must have settled; else nothing is done.
const MAX_PASSES: usize = 40;

/// What happens to a register, in order.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// It holds something else.
    Kill,
    /// A candidate is made while it is free.
    Make { candidate: u32, site: usize },
}

/// What a site does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// It takes the constant from the register.
    Take,
    /// It makes it in the register, for others.
    Fill,
    /// It stays as it is.
    Leave,
}

/// What happens to one register, by block.
#[derive(Clone, Debug, Default)]
pub(super) struct Events {
    list: Vec<Event>,
    /// Where the events of each block end.
    ends: Vec<usize>,
}

impl Events {
    fn of(&self, block: usize) -> &[Event] {
        let start = block.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.list[start..self.ends[block]]
    }

    /// Ends a block whose events were added last one first.
    fn end_block(&mut self) {
        let start = self.ends.last().copied().unwrap_or(0);
        self.list[start..].reverse();
        self.ends.push(self.list.len());
    }

    /// Takes out the making of sites that are done.
    pub(super) fn forget(&mut self, is_done: impl Fn(usize) -> bool) {
        let (mut kept, mut start) = (0, 0);
        for end in &mut self.ends {
            for at in start..*end {
                let event = self.list[at];
                if !matches!(event, Event::Make { site, .. } if is_done(site)) {
                    self.list[kept] = event;
                    kept += 1;
                }
            }
            start = *end;
            *end = kept;
        }
        self.list.truncate(kept);
    }
}

/// What happens to each of some registers. `sites` are in order of blocks and lines.
pub(super) fn events(
    code: &Code<'_>,
    registers: &[Reg],
    live: &[Live],
    sites: &[Site],
) -> Vec<Events> {
    let mut events = vec![Events::default(); registers.len()];
    let places: Vec<usize> = registers.iter().copied().map(Places::register).collect();
    let mut after_sites = 0;
    for (block, body) in code.bodies.iter().enumerate() {
        let in_block = sites[after_sites..].iter();
        let first_site = after_sites;
        after_sites += in_block.take_while(|site| site.block == block).count();
        let mut next_site = after_sites;
        let mut after = live[block].at_end;
        let mut held = after;
        for (events, &place) in events.iter_mut().zip(&places) {
            if held.contains(place) {
                events.list.push(Event::Kill);
            }
        }
        for (at, line) in body.iter().enumerate().rev() {
            let before = code.places.before(line, after);
            let busy = before.union(after).union(code.places.writes(line));
            let site = next_site
                .checked_sub(1)
                .filter(|&last| last >= first_site && sites[last].line == at);
            for (events, &place) in events.iter_mut().zip(&places) {
                if busy.contains(place) {
                    if !held.contains(place) {
                        events.list.push(Event::Kill);
                    }
                } else if let Some(site) = site
                    && let Some(candidate) = sites[site].candidate
                    // Of a site of two lines the second was walked just before.
                    && !(sites[site].lines == 2 && held.contains(place))
                {
                    events.list.push(Event::Make { candidate, site });
                }
            }
            next_site -= usize::from(site.is_some());
            held = busy;
            after = before;
        }
        events.iter_mut().for_each(Events::end_block);
    }
    events
}

/// What follows from the events of a register. Each word has a bit for each candidate.
#[derive(Clone, Debug)]
pub(super) struct Flow {
    /// The register holds it at the start, whichever way control came.
    available: Vec<u64>,
    /// Someone later takes it from the register, at the end.
    needed: Vec<u64>,
}

impl Flow {
    pub(super) fn solve(ends: &[End], events: &Events) -> Option<Flow> {
        let blocks = ends.len();
        let mut available = vec![u64::MAX; blocks];
        *available.first_mut()? = 0;
        // What a block lets through, and what it adds.
        let mut forward = Vec::with_capacity(blocks);
        for block in 0..blocks {
            let (mut through, mut added) = (u64::MAX, 0);
            for event in events.of(block) {
                match event {
                    Event::Kill => (through, added) = (0, 0),
                    Event::Make { candidate, .. } => added |= 1 << candidate,
                }
            }
            forward.push((through, added));
        }
        settle(|| {
            let mut changed = false;
            for (block, &(through, added)) in forward.iter().enumerate() {
                let out = available[block] & through | added;
                for next in successors(&ends[block]).into_iter().flatten() {
                    let met = available[next] & out;
                    changed |= met != available[next];
                    available[next] = met;
                }
            }
            changed
        })?;
        let mut flow = Flow {
            needed: vec![0; blocks],
            available,
        };
        let mut backward = Vec::with_capacity(blocks);
        let mut had = Vec::new();
        for block in 0..blocks {
            let added = flow.walk(events.of(block), block, 0, &mut had, |_, _, _| {});
            let both = flow.walk(events.of(block), block, u64::MAX, &mut had, |_, _, _| {});
            backward.push((both, added));
        }
        let mut at_start = vec![0; blocks];
        settle(|| {
            let mut changed = false;
            for (block, &(through, added)) in backward.iter().enumerate().rev() {
                let next = successors(&ends[block]).into_iter().flatten();
                let out = next.fold(0, |sum, next| sum | at_start[next]);
                flow.needed[block] = out;
                let start = out & through | added;
                changed |= start != at_start[block];
                at_start[block] = start;
            }
            changed
        })?;
        Some(flow)
    }

    /// Walks a block backward with what is needed at its end; `visit` gets each event, what its
    /// site does, and what is needed after it. Gives what is needed at the block's start.
    fn walk(
        &self,
        events: &[Event],
        block: usize,
        needed: u64,
        had: &mut Vec<bool>,
        mut visit: impl FnMut(Event, Use, u64),
    ) -> u64 {
        had.clear();
        let mut available = self.available[block];
        for event in events {
            match event {
                Event::Kill => available = 0,
                Event::Make { candidate, .. } => {
                    had.push(available >> candidate & 1 != 0);
                    available |= 1 << candidate;
                }
            }
        }
        let mut needed = needed;
        for &event in events.iter().rev() {
            let after = needed;
            let used = match event {
                Event::Kill => {
                    needed = 0;
                    Use::Leave
                }
                Event::Make { candidate, .. } => {
                    let bit = 1 << candidate;
                    let is_needed = needed & bit != 0;
                    if had.pop().unwrap_or(false) {
                        needed |= bit;
                        Use::Take
                    } else {
                        needed &= !bit;
                        if is_needed { Use::Fill } else { Use::Leave }
                    }
                }
            };
            visit(event, used, after);
        }
        needed
    }

    /// Slots that each of so many candidates saves.
    pub(super) fn gains(&self, events: &Events, candidates: usize) -> Vec<i32> {
        let mut gains = vec![0; candidates];
        let mut had = Vec::new();
        for (block, &needed) in self.needed.iter().enumerate() {
            self.walk(
                events.of(block),
                block,
                needed,
                &mut had,
                |event, used, _| {
                    if let Event::Make { candidate, .. } = event
                        && let Some(gain) = gains.get_mut(candidate as usize)
                    {
                        *gain += match used {
                            Use::Take => 1,
                            Use::Fill => -1,
                            Use::Leave => 0,
                        };
                    }
                },
            );
        }
        gains
    }

    /// Gives a candidate the register. `place` gets the sites that take it from there or fill it;
    /// the result is what happens to the register then.
    pub(super) fn keep(
        &self,
        events: &Events,
        wanted: u32,
        mut place: impl FnMut(usize, Use),
    ) -> Events {
        let bit = 1 << wanted;
        let mut result = Events::default();
        let mut had = Vec::new();
        for (block, &needed) in self.needed.iter().enumerate() {
            if needed & bit != 0 {
                result.list.push(Event::Kill);
            }
            self.walk(
                events.of(block),
                block,
                needed,
                &mut had,
                |event, used, after| {
                    match event {
                        Event::Make { candidate, site }
                            if candidate == wanted && used != Use::Leave =>
                        {
                            place(site, used);
                            result.list.push(Event::Kill);
                        }
                        // The register holds the constant here.
                        Event::Make { .. } if after & bit != 0 => {}
                        _ => result.list.push(event),
                    }
                },
            );
            result.end_block();
        }
        result
    }
}

/// Repeats a pass until it changes nothing; none if that takes too long.
fn settle(mut pass: impl FnMut() -> bool) -> Option<()> {
    (0..MAX_PASSES).find_map(|_| (!pass()).then_some(()))
}
