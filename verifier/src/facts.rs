//! What is known at each instruction, for people: over all the ways on which the walk came there.
//!
//! A walk that ends early, because a state was met before, leaves out ways that differ in nothing
//! that a check depends on; their values may differ from what is told here. So these facts explain
//! a verdict and prove nothing to an optimiser.
//!
//! Bounds: a register is told as at most [`MAX_FORMS`] different kinds of value, ranges of one kind
//! are joined, and [`Explanation`]s are made for the first [`MAX_WAYS`] ways to the instruction.

use std::collections::{BTreeMap, BTreeSet};

use bpf::insn::RegSet;

use crate::domain::Value;
use crate::program::Program;
use crate::state::{Byte, Kind, Register, SLOT_BYTES, State};
use crate::verdict::Step;

/// Different kinds of value of a register that are told.
const MAX_FORMS: usize = 4;
/// Ways to an instruction that are explained.
pub(crate) const MAX_WAYS: usize = 4;

/// A place that can hold a register's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FactPlace {
    /// A register.
    Register(u8),
    /// Eight bytes of the function's own stack, by their offset from `r10`.
    Stack(i16),
}

impl std::fmt::Display for FactPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            FactPlace::Register(number) => write!(f, "r{number}"),
            FactPlace::Stack(offset) => write!(f, "fp{offset}"),
        }
    }
}

/// What is known of a place: in one of these forms.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Fact {
    forms: Vec<Form>,
    /// Whether there are more forms than are kept.
    more: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Form {
    Holds(Register),
    /// Bytes that were written, not a register's.
    Data {
        zero: bool,
    },
}

/// What is known before an instruction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InsnFacts {
    /// How often the walk came here.
    pub visits: u32,
    places: BTreeMap<FactPlace, Fact>,
}

impl InsnFacts {
    /// What a place may hold, in each of the forms that are kept.
    pub fn forms(&self, place: FactPlace) -> impl Iterator<Item = &Register> {
        let fact = self.places.get(&place);
        let forms = fact.map_or(&[][..], |fact| fact.forms.as_slice());
        forms.iter().filter_map(|form| match form {
            Form::Holds(register) => Some(register),
            Form::Data { .. } => None,
        })
    }

    /// Whether eight bytes of the stack are zero on every way, by their offset from `r10`.
    #[must_use]
    pub fn is_zero(&self, offset: i16) -> bool {
        self.places
            .get(&FactPlace::Stack(offset))
            .is_some_and(|fact| {
                !fact.more
                    && fact.forms.iter().all(|form| match form {
                        Form::Holds(register) => register.is_null(),
                        Form::Data { zero } => *zero,
                    })
            })
    }

    /// What is known of each place that holds something, in one line each.
    #[must_use]
    pub fn describe(&self, program: &Program) -> BTreeMap<FactPlace, String> {
        let line = |(place, fact): (&FactPlace, &Fact)| {
            let forms = fact.forms.iter().map(|form| match form {
                Form::Holds(register) => register.describe(program),
                Form::Data { zero: true } => "zeros".to_owned(),
                Form::Data { zero: false } => "data".to_owned(),
            });
            let mut forms: Vec<String> = forms.collect();
            // Two that differ only in what is not told.
            forms.dedup();
            if fact.more {
                forms.push("…".to_owned());
            }
            (*place, forms.join(" | "))
        };
        self.places.iter().map(line).collect()
    }
}

/// A stretch of stack that an instruction accesses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StackAccess {
    /// The function whose stack it is.
    pub function: usize,
    /// Offset from that function's `r10`.
    pub offset: i16,
    /// Bytes that may be accessed.
    pub size: u16,
    /// The instruction.
    pub insn: u32,
}

/// Why registers hold what they hold at an instruction, on one way to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Each register that holds something, with what it holds and what led to that.
    pub registers: Vec<(u8, String, Vec<Step>)>,
    /// What is held and must be given back.
    pub held: Vec<String>,
}

/// What was seen on a walk.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// By slot; empty where the walk never came.
    pub insns: Vec<InsnFacts>,
    /// Registers that are read later, by slot.
    pub live: Vec<RegSet>,
    /// All accesses to the stack.
    pub stack: BTreeSet<StackAccess>,
    /// Ways to the instruction that was asked for.
    pub explanations: Vec<Explanation>,
}

impl Facts {
    pub(crate) fn new(slots: usize, live: Vec<RegSet>) -> Facts {
        Facts {
            insns: vec![InsnFacts::default(); slots],
            live,
            ..Facts::default()
        }
    }

    /// The walk came to an instruction in this state.
    pub(crate) fn meet(&mut self, insn: usize, state: &State) {
        let Some(facts) = self.insns.get_mut(insn) else {
            return;
        };
        let first = facts.visits == 0;
        facts.visits = facts.visits.saturating_add(1);
        let mut met = BTreeMap::new();
        let frame = state.frame();
        for (number, register) in (0..).zip(&frame.registers[..10]) {
            if register.kind != Kind::Unset {
                met.insert(FactPlace::Register(number), Form::Holds(*register));
            }
        }
        for (index, slot) in (1..).zip(frame.stack.iter()) {
            let form = if slot.is_spilled() {
                Form::Holds(slot.spilled)
            } else if slot.bytes.iter().all(|byte| *byte == Byte::Invalid) {
                continue;
            } else {
                let zero = slot.bytes.iter().all(|byte| *byte == Byte::Zero);
                Form::Data { zero }
            };
            let offset = -(index * SLOT_BYTES as i16);
            met.insert(FactPlace::Stack(offset), form);
        }
        if !first {
            // What is not set on every way is not known to be set.
            facts.places.retain(|place, _| met.contains_key(place));
        }
        for (place, form) in met {
            match facts.places.get_mut(&place) {
                Some(fact) => fact.join(form),
                None if first => {
                    let forms = vec![form];
                    facts.places.insert(place, Fact { forms, more: false });
                }
                None => {}
            }
        }
    }
}

impl Fact {
    fn join(&mut self, form: Form) {
        if self.forms.contains(&form) {
            return;
        }
        if let Form::Holds(new) = &form {
            let alike = |old: &Register| {
                let numbers = old.is_scalar() && new.is_scalar();
                numbers || (old.kind == new.kind && old.offset == new.offset)
            };
            let same = self.forms.iter_mut().find_map(|old| match old {
                Form::Holds(old) if alike(old) => Some(old),
                _ => None,
            });
            if let Some(old) = same {
                old.value = hull(&old.value, &new.value);
                return;
            }
        }
        if self.forms.len() < MAX_FORMS {
            self.forms.push(form);
        } else {
            self.more = true;
        }
    }
}

/// What holds of both numbers.
fn hull(a: &Value, b: &Value) -> Value {
    Value {
        bits: a.bits.union(b.bits),
        umin: a.umin.min(b.umin),
        umax: a.umax.max(b.umax),
        smin: a.smin.min(b.smin),
        smax: a.smax.max(b.smax),
        umin32: a.umin32.min(b.umin32),
        umax32: a.umax32.max(b.umax32),
        smin32: a.smin32.min(b.smin32),
        smax32: a.smax32.max(b.smax32),
    }
}

#[cfg(test)]
mod tests {
    use super::{Fact, Form, hull};
    use crate::domain::Value;
    use crate::state::{Kind, Register};

    #[test]
    fn a_hull_holds_both() {
        let joined = hull(&Value::constant(3), &Value::constant(u64::MAX));
        assert!(joined.contains(3) && joined.contains(u64::MAX));
        assert_eq!((joined.smin, joined.smax), (-1, 3));
    }

    #[test]
    fn kinds_are_told_apart_and_numbers_joined() {
        let mut fact = Fact::default();
        for number in [1, 5, 9] {
            fact.join(Form::Holds(Register::constant(number)));
        }
        fact.join(Form::Holds(Register::pointer(Kind::Context)));
        assert_eq!(fact.forms.len(), 2);
        assert!(!fact.more);
    }
}
