//! Constants that take two slots stay in a register that is free anyway.
//!
//! **What.** An address in the frame (`r2 = r10; r2 += -8`) and a map (`r1 = map ll`) take two slots
//! wherever they are needed, and selection makes them there, so that they press on no register.
//! Once registers are assigned some are free over long stretches:
//! ```text
//!   r2 = r10                      r6 = r10
//!   r2 += -8                      r6 += -8
//!   …                             r2 = r6
//!   r2 = r10              ──►     …
//!   r2 += -8                      r2 = r6
//! ```
//! A first use costs a slot more, each later one a slot less.
//!
//! **Why.** In programs that look up maps again and again these two make up a quarter of all slots.
//!
//! **Soundness.** A register is used only where it holds nothing that is read later, from the place
//! that fills it to each that reads it, on every path; only `r6` to `r9`, which calls leave alone.
//! The constant is the same to the verifier wherever it lies. Instructions with CO-RE records stay.
//!
//! **Cost.** For each register a data-flow problem over at most [`CANDIDATES`] constants at once, of
//! one bit each, over the places where something happens to the register; at most [`MAX_ROUNDS`]
//! times, as each time the constant that gains most gets its register.

use std::collections::BTreeMap;

use super::copies::{Code, Live, live_at_end, successors};
use super::lines::{Line, Target};
use super::places::Places;
use crate::lir::FRAME;
use bpf::insn::{AluOp, Insn, Operand as Source, Pseudo, Reg, RegSet, Width};
use mir::Symbol;

/// Constants that are looked at: those with most uses, one bit of a word each.
const CANDIDATES: usize = 64;
/// Constants that get a register.
const MAX_ROUNDS: usize = 24;
/// Passes until the data flow must have settled; else nothing is done.
const MAX_PASSES: usize = 40;
/// Registers that calls leave alone.
const KEPT: std::ops::RangeInclusive<u8> = 6..=9;

/// A constant of two slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Constant {
    /// `r10` plus this.
    Frame(i32),
    /// What a symbol stands for.
    Symbol(Symbol),
    /// `ld_imm64` of a kind and a number.
    Wide(u8, u64),
}

/// A place that makes a constant.
#[derive(Clone, Copy, Debug)]
struct Site {
    line: usize,
    /// Lines that it takes.
    lines: usize,
    constant: Constant,
    into: Reg,
}

/// What happens to a register, in order.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// It holds something else.
    Kill,
    /// A candidate is made while it is free.
    Make { candidate: u32, site: usize },
}

/// Keeps constants in free registers; says whether it did.
pub(super) fn constants(code: &mut Code<'_>) -> bool {
    let rounds = (0..MAX_ROUNDS).take_while(|_| keep_best(code)).count();
    rounds > 0
}

/// Keeps the constant that gains most in the register where it does, if one gains.
fn keep_best(code: &mut Code<'_>) -> bool {
    let sites: Vec<Vec<Site>> = code.bodies.iter().map(|body| sites_of(body)).collect();
    let mut counts: BTreeMap<Constant, usize> = BTreeMap::new();
    for site in sites.iter().flatten() {
        *counts.entry(site.constant).or_default() += 1;
    }
    // Two uses cost as much with a register as without.
    let mut counts: Vec<(Constant, usize)> = counts.into_iter().filter(|one| one.1 > 2).collect();
    counts.sort_by_key(|&(constant, count)| (std::cmp::Reverse(count), constant));
    counts.truncate(CANDIDATES);
    if counts.is_empty() {
        return false;
    }
    let candidates = (0..)
        .zip(&counts)
        .map(|(bit, &(constant, _))| (constant, bit));
    let candidates: BTreeMap<Constant, u32> = candidates.collect();
    let Some(live) = live_at_end(code) else {
        return false;
    };
    let mut best: Option<Plan> = None;
    for register in KEPT.map(Reg) {
        let events = events(code, register, &live, &sites, &candidates);
        let Some(flow) = Flow::solve(code, &events) else {
            return false;
        };
        let gains = flow.gains(&events, counts.len());
        let most = (0..)
            .zip(gains)
            .max_by_key(|&(bit, gain)| (gain, std::cmp::Reverse(bit)));
        if let Some((candidate, gain)) = most
            && gain > best.as_ref().map_or(0, |best| best.gain)
        {
            best = Some(Plan {
                register,
                candidate,
                gain,
                events,
                flow,
            });
        }
    }
    match best {
        Some(plan) => {
            plan.flow
                .apply(code, plan.register, &sites, &plan.events, plan.candidate);
            true
        }
        None => false,
    }
}

/// A constant with a register for it.
struct Plan {
    register: Reg,
    candidate: u32,
    /// Slots saved.
    gain: i32,
    events: Vec<Vec<Event>>,
    flow: Flow,
}

fn sites_of(body: &[Line]) -> Vec<Site> {
    let mut sites = Vec::new();
    for (at, line) in body.iter().enumerate() {
        if line.core_relo.is_some() {
            continue;
        }
        match line.insn {
            Insn::LoadImm64 { dst, pseudo, imm } => {
                let constant = match line.target {
                    Target::Symbol(symbol) => Constant::Symbol(symbol),
                    _ => {
                        let Pseudo(kind) = pseudo;
                        Constant::Wide(kind, imm)
                    }
                };
                sites.push(Site {
                    line: at,
                    lines: 1,
                    constant,
                    into: dst,
                });
            }
            Insn::Alu {
                width: Width::W64,
                op: AluOp::Mov,
                dst,
                src: Source::Reg(FRAME),
            } => {
                if let Some(Line {
                    insn:
                        Insn::Alu {
                            width: Width::W64,
                            op: AluOp::Add,
                            dst: sum,
                            src: Source::Imm(offset),
                        },
                    core_relo: None,
                    ..
                }) = body.get(at + 1)
                    && *sum == dst
                {
                    sites.push(Site {
                        line: at,
                        lines: 2,
                        constant: Constant::Frame(*offset),
                        into: dst,
                    });
                }
            }
            _ => {}
        }
    }
    sites
}

/// What happens to a register in each block.
fn events(
    code: &Code<'_>,
    register: Reg,
    live: &[Live],
    sites: &[Vec<Site>],
    candidates: &BTreeMap<Constant, u32>,
) -> Vec<Vec<Event>> {
    let place = Places::register(register);
    let mut events = Vec::with_capacity(code.bodies.len());
    for (block, body) in code.bodies.iter().enumerate() {
        let mut found = Vec::new();
        let mut after = live[block].at_end;
        let mut held = after.contains(place);
        if held {
            found.push(Event::Kill);
        }
        let mut next_site = sites[block].len();
        for (at, line) in body.iter().enumerate().rev() {
            let before = code.places.before(line, after);
            let busy = before.contains(place)
                || after.contains(place)
                || code.places.writes(line).contains(place);
            if busy && !held {
                found.push(Event::Kill);
            }
            if let Some(site) = next_site
                .checked_sub(1)
                .and_then(|last| sites[block].get(last))
                && site.line == at
            {
                next_site -= 1;
                // Of a site of two lines the second was walked just before: it was free, or killed.
                let free = !(busy || site.lines == 2 && held);
                if free && let Some(&candidate) = candidates.get(&site.constant) {
                    found.push(Event::Make {
                        candidate,
                        site: next_site,
                    });
                }
            }
            held = busy;
            after = before;
        }
        found.reverse();
        events.push(found);
    }
    events
}

/// For each block, a bit for each candidate.
struct Flow {
    /// The register holds it at the start, whichever way control came.
    available: Vec<u64>,
    /// Someone later takes it from the register, at the end.
    needed: Vec<u64>,
}

impl Flow {
    fn solve(code: &Code<'_>, events: &[Vec<Event>]) -> Option<Flow> {
        let blocks = events.len();
        let mut available = vec![u64::MAX; blocks];
        if let Some(entry) = available.first_mut() {
            *entry = 0;
        }
        settle(|| {
            let mut changed = false;
            for block in 0..blocks {
                let out = walk(&events[block], available[block], |_, _, _| {});
                for next in successors(&code.ends[block]).into_iter().flatten() {
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
        let mut at_start = vec![0; blocks];
        settle(|| {
            let mut changed = false;
            for block in (0..blocks).rev() {
                let next = successors(&code.ends[block]).into_iter().flatten();
                let out = next.fold(0, |sum, next| sum | at_start[next]);
                flow.needed[block] = out;
                let start = flow.needed_before(&events[block], block, |_, _, _| {});
                changed |= start != at_start[block];
                at_start[block] = start;
            }
            changed
        })?;
        Some(flow)
    }

    /// Walks a block backward; `visit` gets each site of a candidate, whether the candidate is in
    /// the register there, and whether it is needed after it.
    fn needed_before(
        &self,
        events: &[Event],
        block: usize,
        mut visit: impl FnMut(usize, u32, Use),
    ) -> u64 {
        let mut had = Vec::with_capacity(events.len());
        walk(events, self.available[block], |_, _, available| {
            had.push(available)
        });
        let mut needed = self.needed[block];
        for event in events.iter().rev() {
            match *event {
                Event::Kill => needed = 0,
                Event::Make { candidate, site } => {
                    let bit = 1 << candidate;
                    let available = had.pop().unwrap_or(false);
                    let useful = needed & bit != 0;
                    if available {
                        needed |= bit;
                        visit(site, candidate, Use::Take);
                    } else {
                        needed &= !bit;
                        visit(site, candidate, if useful { Use::Fill } else { Use::Leave });
                    }
                }
            }
        }
        needed
    }

    /// Slots that each candidate saves.
    fn gains(&self, events: &[Vec<Event>], candidates: usize) -> Vec<i32> {
        let mut gains = vec![0; candidates];
        for (block, events) in events.iter().enumerate() {
            self.needed_before(events, block, |_, candidate, used| {
                if let Some(gain) = gains.get_mut(candidate as usize) {
                    *gain += match used {
                        Use::Take => 1,
                        Use::Fill => -1,
                        Use::Leave => 0,
                    };
                }
            });
        }
        gains
    }

    /// Rewrites the sites of a candidate.
    fn apply(
        &self,
        code: &mut Code<'_>,
        register: Reg,
        sites: &[Vec<Site>],
        events: &[Vec<Event>],
        wanted: u32,
    ) {
        for (block, events) in events.iter().enumerate() {
            let mut uses = Vec::new();
            self.needed_before(events, block, |site, candidate, used| {
                if candidate == wanted && used != Use::Leave {
                    uses.push((sites[block][site], used));
                }
            });
            let body = &mut code.bodies[block];
            // The last one first, so that lines before it keep their numbers.
            for (site, used) in uses {
                let range = site.line..site.line + site.lines;
                let copy = Line {
                    insn: Insn::Alu {
                        width: Width::W64,
                        op: AluOp::Mov,
                        dst: site.into,
                        src: Source::Reg(register),
                    },
                    target: Target::None,
                    arguments: RegSet::EMPTY,
                    ..body[site.line].clone()
                };
                match used {
                    Use::Take => {
                        body.splice(range, [copy]);
                    }
                    Use::Fill => {
                        for line in &mut body[range.clone()] {
                            set_destination(&mut line.insn, register);
                        }
                        body.insert(range.end, copy);
                    }
                    Use::Leave => {}
                }
            }
        }
    }
}

/// What a site does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    /// It takes the constant from the register.
    Take,
    /// It makes it in the register, for others.
    Fill,
    /// It stays as it is.
    Leave,
}

fn set_destination(insn: &mut Insn, register: Reg) {
    if let Insn::Alu { dst, .. } | Insn::LoadImm64 { dst, .. } = insn {
        *dst = register;
    }
}

/// Walks a block forward with what is available at its start; gives what is at its end.
fn walk(events: &[Event], start: u64, mut visit: impl FnMut(usize, u32, bool)) -> u64 {
    let mut available = start;
    for event in events {
        match *event {
            Event::Kill => available = 0,
            Event::Make { candidate, site } => {
                visit(site, candidate, available >> candidate & 1 != 0);
                available |= 1 << candidate;
            }
        }
    }
    available
}

/// Repeats a pass until it changes nothing; none if that takes too long.
fn settle(mut pass: impl FnMut() -> bool) -> Option<()> {
    (0..MAX_PASSES).find_map(|_| (!pass()).then_some(()))
}
