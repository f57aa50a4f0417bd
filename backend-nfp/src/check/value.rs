//! What is known of a word: which of its bits nobody defined, and its low bits.
//!
//! A word may be an address in local memory, relative to a place that the firmware chooses; then the
//! known bits are those of the distance. The firmware's places are aligned ([`ALIGNED`]).
//!
//! Soundness: every operation keeps a bit defined only if it depends on defined bits alone, and known
//! only if it is the same for all operands that fit what is known of them.
//!
//! Cost: constant; a word can lose what is known of it at most some seventy times.

/// Low bits that are zero in the addresses that the firmware chooses.
const ALIGNED: u8 = 6;

/// What an address in local memory is relative to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    /// Nothing: a number.
    None,
    /// This context's stack.
    Stack,
    /// The packet vector.
    Vector,
    /// Metadata before the packet, which are the firmware's.
    Metadata,
}

/// A word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Value {
    /// Bits that nobody defined.
    pub(super) undefined: u32,
    base: Base,
    /// Known low bits of the distance from the base; zero above.
    low: u32,
    /// How many bits are known.
    bits: u8,
}

fn mask(bits: u8) -> u32 {
    1u32.checked_shl(bits.into())
        .map_or(u32::MAX, |bit| bit.wrapping_sub(1))
}

impl Value {
    /// Defined, and nothing known.
    pub(super) const ANY: Value = Value {
        undefined: 0,
        base: Base::None,
        low: 0,
        bits: 0,
    };
    /// Not defined.
    pub(super) const UNDEFINED: Value = Value {
        undefined: u32::MAX,
        ..Value::ANY
    };

    pub(super) fn number(value: u32) -> Value {
        Value::at(Base::None, value)
    }

    /// An address.
    pub(super) fn at(base: Base, distance: u32) -> Value {
        Value {
            undefined: 0,
            base,
            low: distance,
            bits: 32,
        }
    }

    /// The number that this is.
    pub(super) fn exact(self) -> Option<u32> {
        (self.base == Base::None && self.bits == 32).then_some(self.low)
    }

    pub(super) fn base(self) -> Base {
        self.base
    }

    /// The distance from the base.
    pub(super) fn distance(self) -> Option<u32> {
        (self.bits == 32).then_some(self.low)
    }

    /// So many low bits, also of an address.
    pub(super) fn low_bits(self, bits: u8) -> Option<u32> {
        let flat = self.flat();
        (flat.bits >= bits).then_some(flat.low & mask(bits))
    }

    pub(super) fn is_defined(self) -> bool {
        self.undefined == 0
    }

    /// The same bits undefined, and nothing known.
    pub(super) fn forgotten(self) -> Value {
        Value {
            undefined: self.undefined,
            ..Value::ANY
        }
    }

    /// With these bits undefined too.
    pub(super) fn spoiled(self, undefined: u32) -> Value {
        Value {
            undefined: self.undefined | undefined,
            ..self
        }
        .normal()
    }

    fn normal(self) -> Value {
        let bits = self.bits.min(self.undefined.trailing_zeros() as u8);
        let base = if bits == 0 { Base::None } else { self.base };
        let low = self.low & mask(bits);
        Value {
            base,
            low,
            bits,
            ..self
        }
    }

    /// As a number, whatever it is relative to.
    fn flat(self) -> Value {
        if self.base == Base::None {
            return self;
        }
        let bits = self.bits.min(ALIGNED);
        Value {
            base: Base::None,
            bits,
            ..self
        }
        .normal()
    }

    fn of(undefined: u32, low: u32, bits: u8) -> Value {
        Value {
            undefined,
            base: Base::None,
            low,
            bits,
        }
        .normal()
    }

    /// What holds of both.
    pub(super) fn meet(self, other: Value) -> Value {
        if self == other {
            return self;
        }
        let (left, right) = if self.base == other.base {
            (self, other)
        } else {
            (self.flat(), other.flat())
        };
        let alike = (left.low ^ right.low).trailing_zeros() as u8;
        Value {
            undefined: left.undefined | right.undefined,
            bits: left.bits.min(right.bits).min(alike),
            ..left
        }
        .normal()
    }

    /// Known zero bits and known one bits.
    fn fixed(self) -> (u32, u32) {
        let flat = self.flat();
        let known = mask(flat.bits);
        (known & !flat.low, known & flat.low)
    }

    pub(super) fn not(self) -> Value {
        let flat = self.flat();
        Value::of(self.undefined, !flat.low, flat.bits)
    }

    pub(super) fn and(self, other: Value) -> Value {
        let ((zero, one), (other_zero, other_one)) = (self.fixed(), other.fixed());
        let zeros = zero | other_zero;
        let known = zeros | one & other_one;
        let undefined = (self.undefined | other.undefined) & !zeros;
        Value::of(undefined, one & other_one, known.trailing_ones() as u8)
    }

    pub(super) fn or(self, other: Value) -> Value {
        // An address with zero stays an address.
        match (self.exact(), other.exact()) {
            (Some(0), _) => other,
            (_, Some(0)) => self,
            _ => self.not().and(other.not()).not(),
        }
    }

    pub(super) fn xor(self, other: Value) -> Value {
        let (left, right) = (self.flat(), other.flat());
        let bits = left.bits.min(right.bits);
        Value::of(self.undefined | other.undefined, left.low ^ right.low, bits)
    }

    /// The sum; from the lowest undefined bit up, all may depend on it.
    pub(super) fn plus(self, other: Value) -> Value {
        let (left, right) = match (self.base, other.base) {
            (_, Base::None) | (Base::None, _) => (self, other),
            _ => (self.flat(), other.flat()),
        };
        let base = if left.base == Base::None {
            right.base
        } else {
            left.base
        };
        Value {
            undefined: upward(self.undefined | other.undefined),
            base,
            low: left.low.wrapping_add(right.low),
            bits: left.bits.min(right.bits),
        }
        .normal()
    }

    /// The difference.
    pub(super) fn minus(self, other: Value) -> Value {
        let (left, right) = match (self.base, other.base) {
            (_, Base::None) => (self, other),
            (left, right) if left == right => {
                let bare = |value: Value| Value {
                    base: Base::None,
                    ..value
                };
                (bare(self), bare(other))
            }
            _ => (self.flat(), other.flat()),
        };
        Value {
            undefined: upward(self.undefined | other.undefined),
            base: left.base,
            low: left.low.wrapping_sub(right.low),
            bits: left.bits.min(right.bits),
        }
        .normal()
    }

    /// A sum of which only the definedness is followed.
    pub(super) fn sum_of(self, other: Value) -> Value {
        Value::of(upward(self.undefined | other.undefined), 0, 0)
    }

    /// Moved left, by less than 32.
    pub(super) fn left(self, by: u32) -> Value {
        let flat = self.flat();
        let bits = flat.bits.saturating_add(by as u8).min(32);
        Value::of(
            self.undefined.wrapping_shl(by),
            flat.low.wrapping_shl(by),
            bits,
        )
    }

    /// Moved right, by less than 32.
    pub(super) fn right(self, by: u32) -> Value {
        let flat = self.flat();
        let bits = match flat.bits {
            32 => 32,
            bits => bits.saturating_sub(by as u8),
        };
        let low = flat.low.wrapping_shr(by);
        Value::of(self.undefined.wrapping_shr(by), low, bits)
    }

    pub(super) fn rotated(self, by: u32) -> Value {
        let undefined = self.undefined.rotate_right(by);
        match self.exact() {
            Some(number) => Value::number(number.rotate_right(by)),
            None => Value::of(undefined, 0, 0),
        }
    }

    /// After an operation whose control nobody knows.
    pub(super) fn somehow(self) -> Value {
        if self.undefined == 0 {
            Value::ANY
        } else {
            Value::UNDEFINED
        }
    }

    /// These bits where `reach` is set, the other's elsewhere.
    pub(super) fn over(self, other: Value, reach: u32) -> Value {
        let inside = self.and(Value::number(reach));
        inside.or(other.and(Value::number(!reach)))
    }

    /// Whether some bit is known to be one.
    pub(super) fn is_certainly_nonzero(self) -> bool {
        self.fixed().1 != 0
    }
}

/// All bits from the lowest one up.
fn upward(bits: u32) -> u32 {
    bits | bits.wrapping_neg()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_keep_their_distance() {
        let stack = Value::at(Base::Stack, 0);
        let moved = stack.plus(Value::number(0x44)).minus(Value::number(4));
        assert_eq!((moved.base(), moved.distance()), (Base::Stack, Some(0x40)));
        assert_eq!(moved.minus(stack).exact(), Some(0x40));
        assert_eq!(moved.low_bits(6), Some(0));
        assert_eq!(moved.low_bits(7), None);
    }

    #[test]
    fn meeting_keeps_what_is_alike() {
        let met = Value::at(Base::Stack, 0x48).meet(Value::at(Base::Stack, 0x58));
        assert_eq!((met.distance(), met.low_bits(4)), (None, Some(8)));
        let met = Value::number(3).meet(Value::UNDEFINED);
        assert_eq!(met, Value::UNDEFINED);
    }

    #[test]
    fn masks_define_and_align() {
        let half = Value::ANY.spoiled(0xffff_0000);
        assert!(half.and(Value::number(0xffff)).is_defined());
        assert_eq!(Value::ANY.and(Value::number(!3)).low_bits(2), Some(0));
        assert_eq!(half.plus(Value::number(1)).undefined, 0xffff_0000);
        assert!(!half.left(1).is_defined());
        assert_eq!(half.right(16).undefined, 0xffff);
    }
}
