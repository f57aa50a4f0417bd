//! Known bits ("tristate numbers"): each bit is 0, 1, or either.
//!
//! A number belongs to the set when it agrees with `value` wherever `mask` is 0. `value` has no bit
//! in common with `mask`. The operations are those of Vishwanathan et al., "Sound, Precise, and Fast
//! Abstract Interpretation with Tristate Numbers" (CGO 2022), as far as the kernel has them.

use std::fmt;

/// A set of numbers by known bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tnum {
    /// Bits known to be 1.
    pub value: u64,
    /// Bits that are not known.
    pub mask: u64,
}

impl Tnum {
    /// Nothing is known.
    pub const UNKNOWN: Tnum = Tnum {
        value: 0,
        mask: u64::MAX,
    };

    /// Exactly one number.
    #[must_use]
    pub const fn constant(value: u64) -> Tnum {
        Tnum { value, mask: 0 }
    }

    /// The smallest set of this kind with all numbers from `min` to `max`.
    #[must_use]
    pub fn range(min: u64, max: u64) -> Tnum {
        let differing = min ^ max;
        let bits = 64 - differing.leading_zeros();
        if bits > 63 {
            return Tnum::UNKNOWN;
        }
        let mask = (1 << bits) - 1;
        Tnum {
            value: min & !mask,
            mask,
        }
    }

    /// Whether the set has one member.
    #[must_use]
    pub fn is_const(self) -> bool {
        self.mask == 0
    }

    /// Whether the set's one member is `value`.
    #[must_use]
    pub fn is(self, value: u64) -> bool {
        self.mask == 0 && self.value == value
    }

    /// Whether a number is in the set.
    #[must_use]
    pub fn contains(self, number: u64) -> bool {
        number & !self.mask == self.value
    }

    /// The greatest member.
    #[must_use]
    pub fn greatest(self) -> u64 {
        self.value | self.mask
    }

    /// The least member above `number`; the greatest member if there is none above.
    #[must_use]
    pub fn next_above(self, number: u64) -> u64 {
        if number >= self.greatest() {
            return self.greatest();
        }
        let least = number + 1;
        let wrong = (least ^ self.value) & !self.mask;
        if wrong == 0 {
            return least;
        }
        let place = 63 - wrong.leading_zeros();
        let below = |bit: u32| (1u64 << bit) - 1;
        if self.value >> place & 1 != 0 {
            // A known 1 lifts the number; what is below can be as small as it gets.
            let low = below(place) | 1 << place;
            return least & !low | self.value & low;
        }
        // A known 0 is in the way: the next free bit above must become 1.
        let free = self.mask & !least & !below(place);
        let lifted = 1u64 << free.trailing_zeros().min(63);
        least & !(lifted | (lifted - 1)) | lifted | self.value & (lifted - 1)
    }

    /// Whether every member of `other` is a member.
    #[must_use]
    pub fn includes(self, other: Tnum) -> bool {
        other.mask & !self.mask == 0 && other.value & !self.mask == self.value
    }

    /// Whether the sets have a common member.
    #[must_use]
    pub fn overlaps(self, other: Tnum) -> bool {
        let both_known = !self.mask & !other.mask;
        self.value & both_known == other.value & both_known
    }

    /// Members of both. Where the two disagree the result is meaningless, as the kernel's is.
    #[must_use]
    pub fn intersect(self, other: Tnum) -> Tnum {
        let mask = self.mask & other.mask;
        Tnum {
            value: (self.value | other.value) & !mask,
            mask,
        }
    }

    /// The smallest set of this kind with the members of both.
    #[must_use]
    pub fn union(self, other: Tnum) -> Tnum {
        let mask = self.mask | other.mask | (self.value ^ other.value);
        Tnum {
            value: self.value & other.value & !mask,
            mask,
        }
    }

    /// The lower half, zero-extended.
    #[must_use]
    pub fn low(self) -> Tnum {
        self.truncate(4)
    }

    /// The upper half, with a zero lower half.
    #[must_use]
    pub fn high(self) -> Tnum {
        Tnum {
            value: self.value >> 32 << 32,
            mask: self.mask >> 32 << 32,
        }
    }

    /// The upper half with another lower half.
    #[must_use]
    pub fn with_low(self, low: Tnum) -> Tnum {
        self.high() | low.low()
    }

    /// The lowest `bytes`, zero-extended.
    #[must_use]
    pub fn truncate(self, bytes: u32) -> Tnum {
        let kept = if bytes >= 8 {
            u64::MAX
        } else {
            (1 << (bytes * 8)) - 1
        };
        Tnum {
            value: self.value & kept,
            mask: self.mask & kept,
        }
    }

    /// The lowest `bytes` in reverse order, zero-extended.
    #[must_use]
    pub fn swap_bytes(self, bytes: u32) -> Tnum {
        let unused = 64 - bytes.clamp(1, 8) * 8;
        Tnum {
            value: self.value.swap_bytes() >> unused,
            mask: self.mask.swap_bytes() >> unused,
        }
    }

    /// Whether all members are multiples of `size`, a power of two.
    #[must_use]
    pub fn is_aligned(self, size: u64) -> bool {
        size == 0 || (self.value | self.mask) & (size - 1) == 0
    }

    /// Shifted left by a known count below 64.
    #[must_use]
    pub fn shift_left(self, count: u32) -> Tnum {
        Tnum {
            value: self.value.wrapping_shl(count),
            mask: self.mask.wrapping_shl(count),
        }
    }

    /// Shifted right by a known count below 64.
    #[must_use]
    pub fn shift_right(self, count: u32) -> Tnum {
        Tnum {
            value: self.value.wrapping_shr(count),
            mask: self.mask.wrapping_shr(count),
        }
    }

    /// Shifted right with the sign kept, as a 64-bit or (`narrow`) 32-bit number.
    #[must_use]
    pub fn shift_right_signed(self, count: u32, narrow: bool) -> Tnum {
        let shift = |bits: u64| {
            if narrow {
                let low = (bits as u32).cast_signed().wrapping_shr(count);
                u64::from(low.cast_unsigned())
            } else {
                bits.cast_signed().wrapping_shr(count).cast_unsigned()
            }
        };
        Tnum {
            value: shift(self.value),
            mask: shift(self.mask),
        }
    }
}

/// Sums.
impl std::ops::Add for Tnum {
    type Output = Tnum;

    fn add(self, other: Tnum) -> Tnum {
        let masks = self.mask.wrapping_add(other.mask);
        let values = self.value.wrapping_add(other.value);
        let sum = masks.wrapping_add(values);
        let mask = (sum ^ values) | self.mask | other.mask;
        Tnum {
            value: values & !mask,
            mask,
        }
    }
}

/// Differences.
impl std::ops::Sub for Tnum {
    type Output = Tnum;

    fn sub(self, other: Tnum) -> Tnum {
        let difference = self.value.wrapping_sub(other.value);
        let highest = difference.wrapping_add(self.mask);
        let lowest = difference.wrapping_sub(other.mask);
        let mask = (highest ^ lowest) | self.mask | other.mask;
        Tnum {
            value: difference & !mask,
            mask,
        }
    }
}

/// Products: each bit of `self` adds a shifted `other` to the sum, or, when the bit is not
/// known, the union of the sums with and without it.
impl std::ops::Mul for Tnum {
    type Output = Tnum;

    fn mul(self, other: Tnum) -> Tnum {
        let (mut left, mut right) = (self, other);
        let mut sum = Tnum::constant(0);
        while left.value | left.mask != 0 {
            if left.value & 1 != 0 {
                sum = sum + right;
            } else if left.mask & 1 != 0 {
                sum = sum.union(sum + right);
            }
            left = left.shift_right(1);
            right = right.shift_left(1);
        }
        sum
    }
}

impl std::ops::BitAnd for Tnum {
    type Output = Tnum;

    fn bitand(self, other: Tnum) -> Tnum {
        let value = self.value & other.value;
        let possible = (self.value | self.mask) & (other.value | other.mask);
        Tnum {
            value,
            mask: possible & !value,
        }
    }
}

impl std::ops::BitOr for Tnum {
    type Output = Tnum;

    fn bitor(self, other: Tnum) -> Tnum {
        let value = self.value | other.value;
        Tnum {
            value,
            mask: (self.mask | other.mask) & !value,
        }
    }
}

impl std::ops::BitXor for Tnum {
    type Output = Tnum;

    fn bitxor(self, other: Tnum) -> Tnum {
        let mask = self.mask | other.mask;
        Tnum {
            value: (self.value ^ other.value) & !mask,
            mask,
        }
    }
}

impl fmt::Display for Tnum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The kernel prints greater numbers as bits.
        if self.is_const() && self.value <= u16::MAX.into() {
            write!(f, "{}", self.value)
        } else if self.is_const() {
            write!(f, "{:#x}", self.value)
        } else {
            write!(f, "({:#x}; {:#x})", self.value, self.mask)
        }
    }
}
