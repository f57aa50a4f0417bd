//! Can it be offloaded? Every obstacle of a program at once, as data.
//!
//! What: [`examine`] walks a program with the verifier and looks at each instruction that the walk
//! came to, with what is known there. Why: Linux's driver says one thing, for the first instruction
//! that it dislikes, and without a place; whoever ports a program needs the whole list.
//!
//! Soundness: kinds of pointers and constant offsets are compared by the walk before it leaves a way
//! out, so an access has the kinds that are told, and offsets of pointers lie in the ranges that are
//! told. Numbers need not: where something is *allowed* because of one (verdicts, flags, counters that
//! begin with zero), `constants` finds it over all ways. Code that the walk never enters is left
//! out of the program by the kernel, and is no obstacle. In a program that the verifier refuses, what
//! lies behind the refusal is looked at without facts.
//!
//! Facts: `drivers/net/ethernet/netronome/nfp/bpf` of Linux 6.12 for the interface with the firmware.
//! What only Linux's translator cannot do (modulo, division by register, `le`, `bswap`, stores of
//! immediates, sign extension, variable stack offsets) is no obstacle.
//!
//! Cost: one walk of the verifier and one data flow, then linear in instructions and what is known of their operands.

mod access;
mod call;
mod constants;
mod flow;
mod map;
mod obstacle;
mod program;
mod size;
mod stack;
mod words;

pub use obstacle::{MapPart, Obstacle, Reason};
pub use words::Counters;

use bpf::insn::{Endian, Insn, Reg};
use verifier::facts::{FactPlace, Facts, InsnFacts};
use verifier::program::Program;
use verifier::state::{Kind, Register};
use verifier::{Ask, Report, Verdict};

use self::constants::Constants;

use crate::capabilities::Capabilities;

/// What is known of a program's way to the card.
#[derive(Clone, Debug)]
pub struct Examination {
    /// What is in the way; empty if nothing is.
    pub obstacles: Vec<Obstacle>,
    /// Instructions that it is expected to take, or takes.
    pub words: u32,
    /// Whether it was compiled, and takes so many.
    pub is_exact: bool,
    /// Bytes of stack with all that it calls.
    pub stack: u32,
    /// Words of maps that it adds to, which lie with their highest byte first.
    pub counters: Counters,
    /// The kernel verifier's answer.
    pub report: Report,
}

/// Looks for everything that keeps a program from the card.
#[must_use]
pub fn examine(
    program: &Program,
    options: &verifier::Options,
    endian: Endian,
    capabilities: &Capabilities,
) -> Examination {
    let options = verifier::Options {
        offloaded: true,
        ..options.clone()
    };
    let (report, facts) = verifier::facts(program, &options, endian, Ask::Everything);
    let mut examiner = Examiner {
        program,
        capabilities,
        facts: &facts,
        report: &report,
        constants: Constants::of(program),
        obstacles: Vec::new(),
    };
    examiner.whole(endian);
    examiner.maps();
    for slot in 0..program.ops.len() {
        if let Some(insn) = program.insn(slot)
            && examiner.is_reached(slot)
        {
            examiner.flow(slot, &insn);
            examiner.access(slot, &insn);
            if let Insn::Call { target } = insn {
                examiner.call(slot, target);
            }
        }
    }
    let counters = examiner.counters();
    let words = examiner.code_size();
    let stack = examiner.stack_size();
    let mut obstacles = examiner.obstacles;
    for obstacle in &mut obstacles {
        obstacle.insns.sort_unstable();
        obstacle.insns.dedup();
    }
    // In the order of the program, what has no place first.
    obstacles.sort_by_key(|one| one.insns.first().copied());
    Examination {
        obstacles,
        words,
        is_exact: false,
        stack,
        counters,
        report,
    }
}

impl Examination {
    /// Whether nothing is in the way but what only a compilation can decide.
    #[must_use]
    pub fn may_be_compiled(&self) -> bool {
        let is_size = |one: &Obstacle| matches!(one.reason, Reason::CodeSize { .. });
        self.obstacles.iter().all(is_size)
    }

    /// Puts the words that the program takes in the place of their estimate, and what follows from
    /// them in the place of what followed from that.
    pub fn measured(&mut self, words: u32, capabilities: &Capabilities) {
        (self.words, self.is_exact) = (words, true);
        self.obstacles
            .retain(|one| !matches!(one.reason, Reason::CodeSize { .. }));
        let limit = capabilities.code.size;
        if words > limit {
            self.obstacles.insert(
                0,
                Obstacle {
                    reason: Reason::CodeSize {
                        has: words,
                        limit,
                        is_exact: true,
                    },
                    insns: Vec::new(),
                },
            );
        }
    }

    /// Adds that the back end refuses the program, with its reason.
    pub fn not_compiled(&mut self, why: String) {
        self.obstacles.push(Obstacle {
            reason: Reason::NotCompiled(why),
            insns: Vec::new(),
        });
    }
}

/// What the parts of the examination share.
struct Examiner<'a> {
    program: &'a Program,
    capabilities: &'a Capabilities,
    facts: &'a Facts,
    report: &'a Report,
    constants: Constants<'a>,
    obstacles: Vec<Obstacle>,
}

impl Examiner<'_> {
    /// Adds an obstacle, or a place to one that is known.
    fn add(&mut self, reason: Reason, slot: impl Into<Option<usize>>) {
        let slot = slot.into();
        match self.obstacles.iter_mut().find(|one| one.reason == reason) {
            // What comes twice is dropped at the end.
            Some(known) => known.insns.extend(slot),
            None => self.obstacles.push(Obstacle {
                reason,
                insns: slot.into_iter().collect(),
            }),
        }
    }

    /// Whether the program can come to an instruction, as far as is known.
    fn is_reached(&self, slot: usize) -> bool {
        self.report.verdict != Verdict::Accepted
            || self
                .report
                .visits
                .get(slot)
                .is_none_or(|visits| *visits > 0)
    }

    fn facts_at(&self, slot: usize) -> Option<&InsnFacts> {
        self.facts.insns.get(slot)
    }

    /// What a register may hold before an instruction; nothing if the walk never came there.
    fn forms(&self, slot: usize, reg: Reg) -> Vec<Register> {
        if reg == Reg(10) {
            return vec![Register::pointer(Kind::Stack(0))];
        }
        self.facts_at(slot).map_or_else(Vec::new, |facts| {
            facts.forms(FactPlace::Register(reg.0)).copied().collect()
        })
    }
}

/// First and last offset that a pointer may have, in bytes from what it points to.
fn offsets(register: &Register) -> (i64, i64) {
    let constant = i64::from(register.offset);
    (
        constant.saturating_add(register.value.smin),
        constant.saturating_add(register.value.smax),
    )
}
