//! Comparisons: what they are called, turned around and reversed, and whether the outcome is known.

use bpf::insn::{Cond, Width};

use super::tnum::Tnum;
use super::value::Value;

/// What is known to hold on one side of a branch: a condition, or the failure of a bit test, which
/// no condition expresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// The condition holds.
    Holds(Cond),
    /// No bit of the second operand is set in the first.
    NoBitSet,
}

/// What is known of a branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// It is taken.
    Taken,
    /// It is not.
    NotTaken,
    /// Both can be.
    Unknown,
}

impl Decision {
    fn from(outcome: bool) -> Decision {
        if outcome {
            Decision::Taken
        } else {
            Decision::NotTaken
        }
    }
}

impl Comparison {
    /// What holds when the condition does not.
    #[must_use]
    pub fn failure_of(cond: Cond) -> Comparison {
        cond.inverted()
            .map_or(Comparison::NoBitSet, Comparison::Holds)
    }
}

/// One width's view of a number.
struct View {
    bits: Tnum,
    unsigned: (u64, u64),
    signed: (i64, i64),
}

impl View {
    fn new(value: &Value, width: Width) -> View {
        match width {
            Width::W64 => View {
                bits: value.bits,
                unsigned: (value.umin, value.umax),
                signed: (value.smin, value.smax),
            },
            Width::W32 => View {
                bits: value.bits.low(),
                unsigned: (value.umin32.into(), value.umax32.into()),
                signed: (value.smin32.into(), value.smax32.into()),
            },
        }
    }

    fn can_equal(&self, other: &View) -> bool {
        self.bits.overlaps(other.bits)
            && overlap(self.unsigned, other.unsigned)
            && overlap(self.signed, other.signed)
    }
}

fn overlap<T: PartialOrd>(a: (T, T), b: (T, T)) -> bool {
    a.0 <= b.1 && a.1 >= b.0
}

/// Whether `a < b` (or `a <= b`) for all, no, or some numbers.
fn ordered<T: PartialOrd>(a: (T, T), b: (T, T), or_equal: bool) -> Decision {
    let (always, never) = if or_equal {
        (a.1 <= b.0, a.0 > b.1)
    } else {
        (a.1 < b.0, a.0 >= b.1)
    };
    match (always, never) {
        (true, _) => Decision::Taken,
        (_, true) => Decision::NotTaken,
        _ => Decision::Unknown,
    }
}

impl Decision {
    /// Whether comparing two numbers has a known outcome.
    #[must_use]
    pub fn of(left: &Value, right: &Value, cond: Cond, width: Width) -> Decision {
        let (a, b) = (View::new(left, width), View::new(right, width));
        match cond {
            Cond::Eq | Cond::Ne => {
                let equal = if a.bits.is_const() && b.bits.is_const() {
                    Decision::from(a.bits.value == b.bits.value)
                } else if !a.can_equal(&b)
                    || (width == Width::W64 && low_halves_differ(left, right))
                {
                    Decision::NotTaken
                } else {
                    Decision::Unknown
                };
                match (cond, equal) {
                    (Cond::Ne, Decision::Taken) => Decision::NotTaken,
                    (Cond::Ne, Decision::NotTaken) => Decision::Taken,
                    _ => equal,
                }
            }
            Cond::Set => bit_test(a.bits, b.bits),
            Cond::Gt => ordered(b.unsigned, a.unsigned, false),
            Cond::Ge => ordered(b.unsigned, a.unsigned, true),
            Cond::Lt => ordered(a.unsigned, b.unsigned, false),
            Cond::Le => ordered(a.unsigned, b.unsigned, true),
            Cond::Sgt => ordered(b.signed, a.signed, false),
            Cond::Sge => ordered(b.signed, a.signed, true),
            Cond::Slt => ordered(a.signed, b.signed, false),
            Cond::Sle => ordered(a.signed, b.signed, true),
        }
    }
}

fn low_halves_differ(left: &Value, right: &Value) -> bool {
    !overlap((left.umin32, left.umax32), (right.umin32, right.umax32))
        || !overlap((left.smin32, left.smax32), (right.smin32, right.smax32))
}

fn bit_test(a: Tnum, b: Tnum) -> Decision {
    let (tested, mask) = if b.is_const() { (a, b) } else { (b, a) };
    if !mask.is_const() {
        Decision::Unknown
    } else if tested.value & mask.value != 0 {
        Decision::Taken
    } else if (tested.value | tested.mask) & mask.value == 0 {
        Decision::NotTaken
    } else {
        Decision::Unknown
    }
}
