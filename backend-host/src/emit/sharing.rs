//! Which instructions two paths may share.
//!
//! The verifier walks each path on its own, so most code may be shared by paths that reach it with
//! different values. Not so where it notes something at the instruction, for all paths:
//! - what kind of pointer a load or store goes through: "same insn cannot be used with different
//!   pointers" when a context or a socket meets another kind;
//! - which map a helper is given: several make a lookup slower and a tail call refused;
//! - what a loader rewrites: CO-RE records.
//!
//! So an access may be shared if its base is the frame, is the function's first parameter on both
//! paths, or is made among the shared instructions from the frame or from a symbol; a call if the
//! map it is given is made there. A walk back from the instruction finds where a register is made.

use super::copies::{Code, copy, successors};
use super::lines::{Line, Target};
use super::places::{Places, Set};
use bpf::insn::{AluOp, CallTarget, Insn, Operand as Source, Pseudo, Reg, Slot};

/// Lines to look back for where a register is made.
const MAX_DISTANCE: usize = 24;

/// Passes over the blocks until the parameter must have been followed.
const MAX_PASSES: usize = 16;

/// What makes an instruction equal to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    slots: [Slot; 2],
    target: Target,
    through_parameter: bool,
}

/// How an instruction may be shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sharing {
    Never,
    /// Together with the line of this number, which makes what the instruction needs.
    From(usize),
}

/// An instruction's key and how it may be shared.
pub(super) type Entry = (Key, Sharing);

/// What is known of every line of a body.
pub(super) fn entries(body: &[Line], parameter: Set, places: Places) -> Vec<Entry> {
    let mut held = parameter;
    let mut result = Vec::with_capacity(body.len());
    for (index, line) in body.iter().enumerate() {
        let base = base(&line.insn);
        let through_parameter = base.is_some_and(|base| held.contains(Places::register(base)));
        let sharing = match base {
            _ if line.core_relo.is_some() => Sharing::Never,
            Some(Reg::FRAME) => Sharing::From(index),
            Some(_) if through_parameter => Sharing::From(index),
            Some(base) => made(body, index, base, true),
            None => other(body, index),
        };
        result.push((key(line, through_parameter), sharing));
        held = step(held, line, places);
    }
    result
}

fn key(line: &Line, through_parameter: bool) -> Key {
    let encoded = line.insn.encode();
    let slots = encoded.as_slice();
    let slot = |number: usize| slots.get(number).copied().unwrap_or_default();
    Key {
        slots: [slot(0), slot(1)],
        target: line.target,
        through_parameter,
    }
}

fn base(insn: &Insn) -> Option<Reg> {
    match *insn {
        Insn::Load { base, .. } | Insn::Store { base, .. } => Some(base),
        _ => None,
    }
}

/// Helpers that note which map they are given, and the register it is in.
fn noted_map(helper: i32) -> Option<Reg> {
    match helper {
        // Lookup, update and delete of an element, redirection, the operations of queues, iteration,
        // lookup on another processor.
        1..=3 | 51 | 87..=89 | 164 | 195 => Some(Reg(1)),
        // Tail call.
        12 => Some(Reg(2)),
        _ => None,
    }
}

/// How an instruction that is no plain access may be shared.
fn other(body: &[Line], index: usize) -> Sharing {
    let line = &body[index];
    match line.insn {
        Insn::Alu { .. }
        | Insn::Neg { .. }
        | Insn::Endian { .. }
        | Insn::Movsx { .. }
        | Insn::LoadImm64 { .. } => Sharing::From(index),
        Insn::Call { target } => match (target, line.target) {
            (_, Target::Func(_)) => Sharing::From(index),
            (CallTarget::Helper(helper), Target::None) => {
                noted_map(helper).map_or(Sharing::From(index), |reg| made(body, index, reg, false))
            }
            _ => Sharing::Never,
        },
        _ => Sharing::Never,
    }
}

/// Whether a register is made from a symbol (or the frame) by the lines before `index`, and from
/// which line on.
fn made(body: &[Line], index: usize, mut reg: Reg, or_frame: bool) -> Sharing {
    for at in (index.saturating_sub(MAX_DISTANCE)..index).rev() {
        let line = &body[at];
        if !line.insn.writes().contains(reg) {
            continue;
        }
        match line.insn {
            Insn::LoadImm64 { pseudo, .. }
                if pseudo != Pseudo(0) || line.target != Target::None =>
            {
                return Sharing::From(at);
            }
            Insn::Alu {
                op: AluOp::Add,
                src: Source::Imm(_),
                ..
            } if or_frame => {}
            _ => match copy(line) {
                Some((Reg::FRAME, _)) if or_frame => return Sharing::From(at),
                Some((from, _)) => reg = from,
                None => return Sharing::Never,
            },
        }
    }
    Sharing::Never
}

/// Which places hold the first parameter after a line.
fn step(held: Set, line: &Line, places: Places) -> Set {
    let source = match (copy(line), places.slot(&line.insn), &line.insn) {
        (Some((src, _)), ..) => Some(Places::register(src)),
        (None, Some(slot), Insn::Load { .. }) => Some(slot),
        (
            None,
            Some(_),
            Insn::Store {
                src: Source::Reg(src),
                ..
            },
        ) => Some(Places::register(*src)),
        _ => None,
    };
    let written = places.writes(line);
    if source.is_some_and(|source| held.contains(source)) {
        held.union(written)
    } else {
        held.without(written)
    }
}

/// Which places hold the function's first parameter at the start of each block, on all paths.
pub(super) fn parameter(code: &Code<'_>) -> Vec<Set> {
    let nowhere = vec![Set::EMPTY; code.bodies.len()];
    let mut at_start: Vec<Option<Set>> = vec![None; code.bodies.len()];
    at_start[0] = Some(Set::EMPTY.with(Some(Places::register(Reg(1)))));
    for _ in 0..MAX_PASSES {
        let mut changed = false;
        for block in 0..code.bodies.len() {
            let Some(mut held) = at_start[block] else {
                continue;
            };
            for line in &code.bodies[block] {
                held = step(held, line, code.places);
            }
            for next in successors(&code.ends[block]).into_iter().flatten() {
                let new = at_start[next].map_or(held, |old| old.intersection(held));
                changed |= at_start[next] != Some(new);
                at_start[next] = Some(new);
            }
        }
        if !changed {
            return at_start
                .into_iter()
                .map(|held| held.unwrap_or(Set::EMPTY))
                .collect();
        }
    }
    nowhere
}
