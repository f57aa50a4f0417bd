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
//! **Cost.** Lines are looked at three times. At most [`MAX_ROUNDS`] constants get a register, the
//! one that gains most first; each changes what one register holds, which is followed anew
//! ([`held`](super::held)) for at most [`CANDIDATES`] constants at once.

use std::collections::BTreeMap;

use super::copies::{Code, live_at_end};
use super::held::{Events, Flow, Use, events};
use super::lines::{Line, Target};
use crate::lir::FRAME;
use bpf::insn::{AluOp, Insn, Operand as Source, Pseudo, Reg, RegSet, Width};
use mir::Symbol;

/// Constants that are looked at: those with most uses, one bit of a word each.
const CANDIDATES: usize = 64;
/// Constants that get a register.
const MAX_ROUNDS: usize = 24;
/// Registers that calls leave alone.
const KEPT: [Reg; 4] = [Reg(6), Reg(7), Reg(8), Reg(9)];

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
#[derive(Clone, Debug)]
pub(super) struct Site {
    pub(super) block: usize,
    pub(super) line: usize,
    /// Lines that it takes.
    pub(super) lines: usize,
    constant: Constant,
    /// The constant's number, if it is looked at.
    pub(super) candidate: Option<u32>,
    /// Where the constant is made.
    into: Reg,
    /// Where it comes from, if not from an instruction.
    from: Option<Reg>,
    /// Copies after it, destination first.
    copies: Vec<(Reg, Reg)>,
}

/// What is known of a register.
struct Register {
    reg: Reg,
    events: Events,
    flow: Flow,
    /// Slots that each candidate saves.
    gains: Vec<i32>,
}

impl Register {
    fn new(code: &Code<'_>, reg: Reg, events: Events, candidates: usize) -> Option<Register> {
        let flow = Flow::solve(code.ends, &events)?;
        let gains = flow.gains(&events, candidates);
        Some(Register {
            reg,
            events,
            flow,
            gains,
        })
    }
}

/// Keeps constants in free registers; says whether it did.
pub(super) fn constants(code: &mut Code<'_>) -> bool {
    let mut sites = Vec::new();
    for (block, body) in code.bodies.iter().enumerate() {
        find_sites(block, body, &mut sites);
    }
    let candidates = number(&mut sites);
    if candidates == 0 {
        return false;
    }
    keep_best(code, &mut sites, candidates);
    let changed: Vec<&Site> = sites.iter().filter(|site| site.is_changed()).collect();
    // The last one first, so that lines before it keep their numbers.
    for site in changed.iter().rev() {
        site.apply(&mut code.bodies[site.block]);
    }
    !changed.is_empty()
}

/// Numbers the constants with most uses; says how many they are.
fn number(sites: &mut [Site]) -> usize {
    let mut counts: BTreeMap<Constant, usize> = BTreeMap::new();
    for site in &*sites {
        *counts.entry(site.constant).or_default() += 1;
    }
    // Two uses cost as much with a register as without.
    let mut counts: Vec<(Constant, usize)> = counts.into_iter().filter(|one| one.1 > 2).collect();
    counts.sort_by_key(|&(constant, count)| (std::cmp::Reverse(count), constant));
    counts.truncate(CANDIDATES);
    let numbers = (0..)
        .zip(&counts)
        .map(|(bit, &(constant, _))| (constant, bit));
    let numbers: BTreeMap<Constant, u32> = numbers.collect();
    for site in sites {
        site.candidate = numbers.get(&site.constant).copied();
    }
    counts.len()
}

/// Gives registers to the constants that gain most there, as long as one gains.
fn keep_best(code: &Code<'_>, sites: &mut [Site], candidates: usize) {
    let Some(live) = live_at_end(code) else {
        return;
    };
    let mut registers = Vec::with_capacity(KEPT.len());
    for (reg, events) in KEPT.into_iter().zip(events(code, &KEPT, &live, sites)) {
        let Some(register) = Register::new(code, reg, events, candidates) else {
            return;
        };
        registers.push(register);
    }
    for _ in 0..MAX_ROUNDS {
        let Some((number, candidate)) = most(&registers) else {
            return;
        };
        let chosen = &registers[number];
        let reg = chosen.reg;
        let mut taken = vec![false; sites.len()];
        let place = |site: usize, used| match used {
            Use::Take => {
                sites[site].from = Some(reg);
                taken[site] = true;
            }
            Use::Fill => sites[site].fill(reg),
            Use::Leave => {}
        };
        let changed = chosen.flow.keep(&chosen.events, candidate, place);
        for (other, register) in registers.iter_mut().enumerate() {
            let events = if other == number {
                changed.clone()
            } else {
                // What is taken from a register is made no more.
                let mut events = std::mem::take(&mut register.events);
                events.forget(|site| taken[site]);
                events
            };
            let Some(new) = Register::new(code, register.reg, events, candidates) else {
                return;
            };
            *register = new;
        }
    }
}

/// The register and the candidate that together save most slots, if any are saved.
fn most(registers: &[Register]) -> Option<(usize, u32)> {
    let mut best = None;
    let mut gain = 0;
    for (number, register) in registers.iter().enumerate() {
        for (candidate, &gained) in (0..).zip(&register.gains) {
            if gained > gain {
                gain = gained;
                best = Some((number, candidate));
            }
        }
    }
    best
}

impl Site {
    /// Makes the constant in a register, and copies it from there.
    fn fill(&mut self, reg: Reg) {
        self.copies.insert(0, (self.into, reg));
        self.into = reg;
    }

    fn is_changed(&self) -> bool {
        self.from.is_some() || !self.copies.is_empty()
    }

    fn apply(&self, body: &mut Vec<Line>) {
        let range = self.line..self.line + self.lines;
        let model = body[self.line].clone();
        let copy = |dst, src| Line {
            insn: Insn::Alu {
                width: Width::W64,
                op: AluOp::Mov,
                dst,
                src: Source::Reg(src),
            },
            target: Target::None,
            arguments: RegSet::EMPTY,
            ..model.clone()
        };
        let mut lines = match self.from {
            Some(from) => vec![copy(self.into, from)],
            None => body[range.clone()].to_vec(),
        };
        if self.from.is_none() {
            for line in &mut lines {
                set_destination(&mut line.insn, self.into);
            }
        }
        lines.extend(self.copies.iter().map(|&(dst, src)| copy(dst, src)));
        body.splice(range, lines);
    }
}

fn find_sites(block: usize, body: &[Line], sites: &mut Vec<Site>) {
    let mut add = |line, lines, constant, into| {
        sites.push(Site {
            block,
            line,
            lines,
            constant,
            candidate: None,
            into,
            from: None,
            copies: Vec::new(),
        });
    };
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
                add(at, 1, constant, dst);
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
                    add(at, 2, Constant::Frame(*offset), dst);
                }
            }
            _ => {}
        }
    }
}

fn set_destination(insn: &mut Insn, register: Reg) {
    if let Insn::Alu { dst, .. } | Insn::LoadImm64 { dst, .. } = insn {
        *dst = register;
    }
}
