//! Where control goes, and what holds there.
//!
//! Calls: a branch that ends right before an address which a general register then holds is a call
//! with that return address, and opens a *context*, in which everything is followed anew; a jump to
//! the address closes it. So each call has its own facts, and return addresses, also those that
//! were kept on the stack, are numbers that follow from the words. The routines that save registers
//! and go on at an address in a register need no more than that. A branch to a helper goes on at the
//! address in B0.
//!
//! A straight line is followed from the address that control was moved to; states are kept there, and
//! met. Defer slots belong to the line of their branch, so that an address may be a slot on one path
//! and a beginning on another.
//!
//! Cost: linear in the instructions of all contexts, times how often a state can lose something;
//! [`EFFORT`], [`STATES`] and [`DEPTH`] bound it for words that no compiler makes.

use std::collections::{BTreeMap, BTreeSet};

use super::rules::{HelperRules, Rules};
use super::state::{Signal, State};
use super::step::{After, Found, Next, Step, fits_slot};
use super::value::Base;
use super::violation::{Rule, Use};
use crate::isa::{Bank, Insn};

/// Instructions that are followed, counted each time.
const EFFORT: usize = 1 << 21;
/// States that are kept.
const STATES: usize = 1 << 13;
/// Calls that nest: programs have 512 bytes of stack, in units of 64, and BPF has 8 frames.
pub(super) const DEPTH: usize = 16;

/// A call under way: where it returns to, and from which context it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Context {
    parent: usize,
    back: u32,
    depth: usize,
}

/// What the walk found out, besides violations.
#[derive(Clone, Debug, Default)]
pub(super) struct Summary {
    pub(super) reached: BTreeSet<u32>,
    /// Contexts that were closed: calls that return.
    pub(super) closed: BTreeSet<usize>,
    pub(super) depth: usize,
    pub(super) effort: usize,
}

/// The walk.
pub(super) struct Walk<'a> {
    rules: &'a Rules,
    /// Instructions without the trailer; `None` where a word is none.
    insns: &'a [Option<Insn>],
    start: u32,
    /// Addresses that control is moved to, as far as words name them.
    heads: BTreeSet<u32>,
    contexts: Vec<Context>,
    known: BTreeMap<Context, usize>,
    states: BTreeMap<(usize, u32), State>,
    waiting: BTreeSet<(usize, u32)>,
    found: &'a mut Found,
    summary: Summary,
}

/// Follows a program from its first address.
pub(super) fn walk(
    insns: &[Option<Insn>],
    start: u16,
    rules: &Rules,
    found: &mut Found,
) -> Summary {
    let start = u32::from(start);
    // The context of the program itself returns nowhere.
    let main = Context {
        parent: 0,
        back: u32::MAX,
        depth: 0,
    };
    let mut walk = Walk {
        rules,
        insns,
        start,
        heads: heads(insns, start),
        contexts: vec![main],
        known: BTreeMap::new(),
        states: BTreeMap::new(),
        waiting: BTreeSet::new(),
        found,
        summary: Summary::default(),
    };
    if insns.is_empty() {
        walk.found.add(start, Rule::End);
    } else {
        walk.arrive(0, start, State::entry(rules));
    }
    while let Some((context, at)) = walk.waiting.pop_first() {
        if walk.summary.effort > EFFORT || walk.states.len() > STATES {
            walk.found.add(at, Rule::Effort);
            break;
        }
        walk.line(context, at);
    }
    walk.summary
}

/// Targets of branches, and what follows branches.
fn heads(insns: &[Option<Insn>], start: u32) -> BTreeSet<u32> {
    let mut heads = BTreeSet::new();
    for (at, insn) in (start..).zip(insns) {
        let (target, defer) = match insn {
            Some(
                Insn::Branch { target, defer, .. }
                | Insn::BranchBit { target, defer, .. }
                | Insn::BranchByte { target, defer, .. },
            ) => (Some(u32::from(*target)), *defer),
            Some(Insn::Jump { defer, .. }) => (None, *defer),
            _ => continue,
        };
        heads.extend(target);
        heads.insert(at + 1 + u32::from(defer));
    }
    heads
}

impl Walk<'_> {
    fn insn(&self, at: u32) -> Option<Insn> {
        let index = at.checked_sub(self.start)? as usize;
        self.insns.get(index).copied().flatten()
    }

    /// The first address behind the program.
    fn end(&self) -> u32 {
        self.start + self.insns.len() as u32
    }

    fn step<'b>(&'b mut self, state: &'b mut State, at: u32) -> Step<'b> {
        let code = (self.start, self.end());
        Step {
            state,
            rules: self.rules,
            at,
            code,
            found: self.found,
        }
    }

    /// Control comes to an address of the program.
    fn arrive(&mut self, context: usize, at: u32, state: State) {
        let place = (context, at);
        match self.states.get_mut(&place) {
            Some(before) => {
                if before.meet(&state) {
                    self.waiting.insert(place);
                }
            }
            None => {
                self.states.insert(place, state);
                self.waiting.insert(place);
            }
        }
    }

    /// Follows a straight line.
    fn line(&mut self, context: usize, first: u32) {
        let Some(mut state) = self.states.get(&(context, first)).cloned() else {
            return;
        };
        let mut at = first;
        loop {
            let head = at != first && self.heads.contains(&at) && at < self.end();
            // A register read is received on this line, whoever else comes here.
            if head && state.read.is_none() {
                self.arrive(context, at, state);
                return;
            }
            let Some(next) = self.one(&mut state, at, false) else {
                return;
            };
            at += 1;
            let Next::Slots(slots, after) = next else {
                continue;
            };
            for _ in 0..slots {
                if self.one(&mut state, at, true).is_none() {
                    return;
                }
                at += 1;
            }
            let last = at - 1;
            if state.read.is_some() {
                self.found.add(last, Rule::SplitRead);
            }
            match after {
                After::Command(prepared) => self.step(&mut state, last).complete(prepared),
                After::Wait { signals, any } => self.step(&mut state, last).wait(signals, any),
                After::Branch { target, always } => {
                    state.interrupt();
                    if always {
                        self.go(context, last, target, state);
                        return;
                    }
                    self.go(context, last, target, state.clone());
                }
            }
            // What a context does while it waits is the machine's: nothing is right before.
            state.interrupt();
        }
    }

    /// Follows one instruction; `None` where nothing more can be followed.
    fn one(&mut self, state: &mut State, at: u32, slot: bool) -> Option<Next> {
        if at >= self.end() {
            self.found.add(at.saturating_sub(1), Rule::End);
            return None;
        }
        self.summary.reached.insert(at);
        self.summary.effort += 1;
        // What is no instruction was reported.
        let insn = self.insn(at)?;
        if slot && !fits_slot(insn) {
            self.found.add(at, Rule::TransferInSlot);
            return None;
        }
        match self.step(state, at).run(insn) {
            Next::Lost => None,
            next => Some(next),
        }
    }

    /// Control goes from behind an instruction to an address.
    fn go(&mut self, context: usize, from: u32, target: u32, mut state: State) {
        // A helper may return to a helper.
        let mut target = target;
        for _ in 0..DEPTH {
            if target == u32::from(self.rules.done) {
                self.done(&mut state, from);
                return;
            }
            if self.start <= target && target < self.end() {
                self.enter(context, from, target, state);
                return;
            }
            let rules = self.rules;
            let helper = rules
                .helpers
                .iter()
                .find(|helper| u32::from(helper.address) == target);
            let Some(helper) = helper else {
                self.found.add(from, Rule::Target(target));
                return;
            };
            match self.helper(&mut state, from, helper) {
                Some(back) => target = back,
                None => return,
            }
        }
        self.found.add(from, Rule::Depth(DEPTH));
    }

    /// The program ends.
    fn done(&mut self, state: &mut State, from: u32) {
        let verdict = state.gpr(Bank::A, 0);
        let mut step = self.step(state, from);
        step.used(verdict, u32::MAX, Use::Verdict);
        self.signals_idle(state, from);
    }

    /// Nothing is under way.
    fn signals_idle(&mut self, state: &State, from: u32) {
        for (signal, found) in (0u8..).zip(state.signals) {
            if found != Signal::Idle {
                self.found.add(from, Rule::Signal(signal));
            }
        }
    }

    /// Control goes to a helper; gives where it returns to.
    fn helper(&mut self, state: &mut State, from: u32, helper: &HelperRules) -> Option<u32> {
        self.signals_idle(state, from);
        let back = state.gpr(Bank::B, 0).exact();
        let indices = state.indices;
        let reads: Vec<_> = helper
            .reads
            .iter()
            .map(|(bank, register)| (*bank, *register, state.gpr(*bank, *register)))
            .collect();
        let mut step = self.step(state, from);
        for (bank, register, value) in reads {
            step.used(value, u32::MAX, Use::Argument(bank, register));
        }
        for index in &helper.indices {
            let register = indices[usize::from(index & 3)];
            if register.wait > 0 {
                step.broken(Rule::IndexNotReady(*index));
            }
            step.used(register.value, u32::MAX, Use::Index(*index));
            if matches!(register.value.base(), Base::Vector | Base::Metadata) {
                step.broken(Rule::FirmwareIndex(*index));
            }
        }
        if back.is_none() {
            step.broken(Rule::ReturnAddress);
        }
        state.after_helper(self.rules);
        back
    }

    /// Control goes to an address of the program, which may be a call or a return.
    fn enter(&mut self, context: usize, from: u32, target: u32, state: State) {
        let back = from + 1;
        let current = self.contexts[context];
        let place = if target == current.back {
            self.summary.closed.insert(context);
            self.summary.depth = self.summary.depth.max(current.depth);
            current.parent
        } else if target != back && back < self.end() && state.holds(back) {
            match self.open(context, from, back) {
                Some(context) => context,
                None => return,
            }
        } else {
            context
        };
        self.arrive(place, target, state);
    }

    /// The context of a call.
    fn open(&mut self, parent: usize, from: u32, back: u32) -> Option<usize> {
        let depth = self.contexts[parent].depth + 1;
        if depth > DEPTH {
            self.found.add(from, Rule::Depth(DEPTH));
            return None;
        }
        let context = Context {
            parent,
            back,
            depth,
        };
        if let Some(found) = self.known.get(&context) {
            return Some(*found);
        }
        let number = self.contexts.len();
        self.contexts.push(context);
        self.known.insert(context, number);
        Some(number)
    }
}
