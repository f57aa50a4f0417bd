//! Which registers and spill slots hold the same value, and using that.
//!
//! A forward analysis: places are divided into classes of the same value; a copy, spill or reload
//! joins a class, any other write leaves it, and where paths meet, only what is in one class on all
//! paths stays in one. Classes only get smaller, so it settles.

use super::copies::{Code, copy, successors};
use super::lines::{End, Line};
use super::places::{PLACES, Places};
use bpf::insn::{AluOp, AtomicOp, Insn, Operand as Source, Reg, Width};
use std::collections::BTreeSet;

/// For each place the lowest one of its class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Partition([u8; PLACES]);

impl Partition {
    fn apart() -> Partition {
        Partition(std::array::from_fn(|place| place as u8))
    }

    /// A place gets a value that is nowhere else.
    fn leave(&mut self, place: usize) {
        let label = place as u8;
        // Most values are in one place; a search for a byte is much faster than the loop.
        if self.0[place] == label && self.0[place + 1..].contains(&label) {
            let mut heir = None;
            for other in place + 1..PLACES {
                if self.0[other] == label {
                    self.0[other] = *heir.get_or_insert(other as u8);
                }
            }
        }
        self.0[place] = label;
    }

    /// A place gets the value of another.
    fn join(&mut self, place: usize, other: usize) {
        if self.are_equal(place, other) {
            return;
        }
        self.leave(place);
        let (label, place_label) = (self.0[other], place as u8);
        if place_label < label {
            for member in &mut self.0 {
                if *member == label {
                    *member = place_label;
                }
            }
        } else {
            self.0[place] = label;
        }
    }

    fn are_equal(&self, a: usize, b: usize) -> bool {
        self.0[a] == self.0[b]
    }

    /// Only what is equal in both.
    fn meet(&self, other: &Partition) -> Partition {
        let mut result = Partition::apart();
        for place in 0..PLACES {
            let (a, b) = (self.0[place], other.0[place]);
            if usize::from(a) == place || usize::from(b) == place {
                continue;
            }
            let first = usize::from(a.max(b))..place;
            if let Some(equal) = first
                .into_iter()
                .find(|&earlier| self.0[earlier] == a && other.0[earlier] == b)
            {
                result.0[place] = result.0[equal];
            }
        }
        result
    }

    fn step(&mut self, places: &Places, line: &Line) {
        if let Some((src, dst)) = copy(line)
            && src != Reg::FRAME
        {
            self.join(Places::register(dst), Places::register(src));
            return;
        }
        match (&line.insn, places.slot(&line.insn)) {
            (Insn::Load { dst, .. }, Some(slot)) => self.join(Places::register(*dst), slot),
            (
                Insn::Store {
                    src: Source::Reg(src),
                    ..
                },
                Some(slot),
            ) => self.join(slot, Places::register(*src)),
            _ => places
                .writes(line)
                .iter()
                .for_each(|place| self.leave(place)),
        }
    }

    /// The register to read a value from: one that survives calls, if possible, and else the
    /// lowest, so that all readers agree.
    fn best(&self, reg: Reg) -> Reg {
        if reg == Reg::FRAME {
            return reg;
        }
        let holds = |&other: &Reg| self.are_equal(Places::register(reg), Places::register(other));
        (6..10).chain(0..6).map(Reg).find(holds).unwrap_or(reg)
    }
}

/// Reads operands from where their value has been the longest, and drops what copies nothing new.
pub(super) fn propagate(code: &mut Code<'_>, max_passes: usize) -> bool {
    let Some(at_start) = solve(code, max_passes) else {
        return false;
    };
    let mut changed = false;
    for (block, start) in at_start.into_iter().enumerate() {
        let Some(mut state) = start else { continue };
        let places = code.places;
        code.bodies[block].retain_mut(|line| {
            changed |= improve(&state, &places, line);
            if is_redundant(&state, &places, line) {
                changed = true;
                return false;
            }
            state.step(&places, line);
            true
        });
        if let End::Branch(line, ..) = &mut code.ends[block] {
            changed |= improve(&state, &places, line);
        }
    }
    changed
}

fn solve(code: &Code<'_>, max_passes: usize) -> Option<Vec<Option<Partition>>> {
    let mut at_start: Vec<Option<Partition>> = vec![None; code.bodies.len()];
    *at_start.first_mut()? = Some(Partition::apart());
    let mut work = BTreeSet::from([0]);
    let mut budget = max_passes.saturating_mul(code.bodies.len());
    while let Some(block) = work.pop_first() {
        budget = budget.checked_sub(1)?;
        let Some(mut state) = at_start[block] else {
            continue;
        };
        for line in &code.bodies[block] {
            state.step(&code.places, line);
        }
        for next in successors(&code.ends[block]).into_iter().flatten() {
            let new = at_start[next].map_or(state, |old| old.meet(&state));
            if at_start[next] != Some(new) {
                at_start[next] = Some(new);
                work.insert(next);
            }
        }
    }
    Some(at_start)
}

/// Whether a copy, spill or reload puts a value where it is already.
fn is_redundant(state: &Partition, places: &Places, line: &Line) -> bool {
    if let Some((src, dst)) = copy(line) {
        return src != Reg::FRAME && state.are_equal(Places::register(src), Places::register(dst));
    }
    match (&line.insn, places.slot(&line.insn)) {
        (Insn::Load { dst, .. }, Some(slot)) => state.are_equal(slot, Places::register(*dst)),
        (
            Insn::Store {
                src: Source::Reg(src),
                ..
            },
            Some(slot),
        ) => state.are_equal(slot, Places::register(*src)),
        _ => false,
    }
}

/// Reads operands from better registers.
fn improve(state: &Partition, places: &Places, line: &mut Line) -> bool {
    let before = line.insn;
    if let (Insn::Load { dst, .. }, Some(slot)) = (&line.insn, places.slot(&line.insn)) {
        let held = (0..10)
            .map(Reg)
            .find(|&reg| reg != *dst && state.are_equal(Places::register(reg), slot));
        if let Some(reg) = held {
            line.insn = Insn::Alu {
                width: Width::W64,
                op: AluOp::Mov,
                dst: *dst,
                src: Source::Reg(state.best(reg)),
            };
        }
        return line.insn != before;
    }
    let read = |reg: &mut Reg| *reg = state.best(*reg);
    let read_source = |source: &mut Source| {
        if let Source::Reg(reg) = source {
            read(reg);
        }
    };
    match &mut line.insn {
        Insn::Alu { src, .. } => read_source(src),
        Insn::Movsx { src, .. } => read(src),
        Insn::Load { base, .. } => read(base),
        Insn::Store { base, src, .. } => {
            read(base);
            read_source(src);
        }
        Insn::Atomic {
            op,
            fetch,
            base,
            src,
            ..
        } => {
            read(base);
            if !*fetch && *op != AtomicOp::Cmpxchg {
                read(src);
            }
        }
        Insn::Branch { dst, src, .. } => {
            read(dst);
            read_source(src);
        }
        _ => {}
    }
    line.insn != before
}
