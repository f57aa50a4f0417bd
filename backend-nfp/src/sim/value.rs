//! Words of which some bits may be unknown, and arithmetic on them.
//!
//! An operation's result has an unknown bit wherever a different choice of the operands' unknown bits
//! could change it, and possibly more: sums mark all bits from the lowest unknown one up.

/// A 32-bit word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Value {
    /// The bits; where unknown, some choice.
    pub bits: u32,
    /// Which bits the machine does not define.
    pub unknown: u32,
}

impl From<u32> for Value {
    fn from(bits: u32) -> Value {
        Value { bits, unknown: 0 }
    }
}

impl Value {
    /// A word of which nothing is known; `bits` is what comparisons of runs see.
    #[must_use]
    pub fn unknown(bits: u32) -> Value {
        Value {
            bits,
            unknown: u32::MAX,
        }
    }

    /// Whether all bits are defined.
    #[must_use]
    pub fn is_known(self) -> bool {
        self.unknown == 0
    }

    /// The bits that `mask` keeps; the others are zero.
    #[must_use]
    pub fn masked(self, mask: u32) -> Value {
        Value {
            bits: self.bits & mask,
            unknown: self.unknown & mask,
        }
    }

    /// These bits where `mask` is set, the other's elsewhere.
    #[must_use]
    pub fn over(self, other: Value, mask: u32) -> Value {
        let (mine, rest) = (self.masked(mask), other.masked(!mask));
        Value {
            bits: mine.bits | rest.bits,
            unknown: mine.unknown | rest.unknown,
        }
    }

    pub(super) fn not(self) -> Value {
        Value {
            bits: !self.bits,
            ..self
        }
    }

    pub(super) fn and(self, other: Value) -> Value {
        let zero = |value: Value| !value.bits & !value.unknown;
        Value {
            bits: self.bits & other.bits,
            unknown: (self.unknown | other.unknown) & !zero(self) & !zero(other),
        }
    }

    pub(super) fn or(self, other: Value) -> Value {
        self.not().and(other.not()).not()
    }

    pub(super) fn xor(self, other: Value) -> Value {
        Value {
            bits: self.bits ^ other.bits,
            unknown: self.unknown | other.unknown,
        }
    }

    /// Moved left; amounts are below 32.
    pub(super) fn left(self, by: u32) -> Value {
        Value {
            bits: self.bits.wrapping_shl(by),
            unknown: self.unknown.wrapping_shl(by),
        }
    }

    /// Moved right; amounts are below 32.
    pub(super) fn right(self, by: u32) -> Value {
        Value {
            bits: self.bits.wrapping_shr(by),
            unknown: self.unknown.wrapping_shr(by),
        }
    }

    pub(super) fn rotated(self, by: u32) -> Value {
        Value {
            bits: self.bits.rotate_right(by),
            unknown: self.unknown.rotate_right(by),
        }
    }

    /// Nothing is known of the result of an operation one of whose controls is unknown.
    pub(super) fn unless(self, unknown: bool) -> Value {
        if unknown {
            Value::unknown(self.bits)
        } else {
            self
        }
    }
}

/// Condition codes; `None` where an instruction leaves one undefined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Conditions {
    pub(super) negative: Option<bool>,
    pub(super) zero: Option<bool>,
    pub(super) carry: Option<bool>,
    pub(super) overflow: Option<bool>,
}

impl Conditions {
    /// After a logical operation: carry and overflow are not to be relied upon.
    pub(super) fn logical(result: Value) -> Conditions {
        Conditions {
            negative: (result.unknown >> 31 == 0).then_some(result.bits >> 31 != 0),
            zero: if result.bits & !result.unknown != 0 {
                Some(false)
            } else {
                result.is_known().then_some(true)
            },
            carry: None,
            overflow: None,
        }
    }
}

/// Sum of two words and a carry, as hardware adds; subtraction adds the complement with carry, so
/// that carry set means that nothing was borrowed.
pub(super) fn sum(left: Value, right: Value, carry: Option<bool>) -> (Value, Conditions) {
    let carried = u32::from(carry.unwrap_or(false));
    let (partial, first) = left.bits.overflowing_add(right.bits);
    let (bits, second) = partial.overflowing_add(carried);
    let unknown = left.unknown | right.unknown | u32::from(carry.is_none());
    // From the lowest unknown bit up, everything may depend on it.
    let unknown = unknown | unknown.wrapping_neg();
    let result = Value { bits, unknown };
    let known = unknown == 0;
    let overflow = (left.bits ^ bits) & (right.bits ^ bits) >> 31 << 31 != 0;
    let conditions = Conditions {
        carry: known.then_some(first || second),
        overflow: known.then_some(overflow),
        ..Conditions::logical(result)
    };
    (result, conditions)
}
