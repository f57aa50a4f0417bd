//! Bits that are the same in every run: the domain and its arithmetic.
//!
//! [`KnownBits`] says of each of 64 bits that it is zero, one, or unknown. Each operation is given
//! the tightest result that costs a few machine instructions, never a loop over bits. An `i32`
//! value is kept as its zero-extension: its upper half counts as known zero.
//!
//! Sums use the usual argument: the carries of the smallest and of the largest pair of operands
//! bound the carries of all, so a result bit is known where both operands' bits are known and the
//! two extreme sums carry alike.

use crate::opcode::Opcode;
use crate::types::Type;

/// What is known of a value's bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KnownBits {
    /// Bits that are zero.
    pub zeros: u64,
    /// Bits that are one.
    pub ones: u64,
}

/// The bits of a type.
#[must_use]
pub fn type_mask(ty: Type) -> u64 {
    match ty {
        Type::I32 => u64::from(u32::MAX),
        Type::I64 => u64::MAX,
    }
}

impl KnownBits {
    /// Nothing is known, except that an `i32` has no upper half.
    #[must_use]
    pub fn unknown(ty: Type) -> Self {
        KnownBits {
            zeros: !type_mask(ty),
            ones: 0,
        }
    }

    /// All bits are known. For an `i32` the lower half counts.
    #[must_use]
    pub fn constant(ty: Type, value: i64) -> Self {
        let ones = value as u64 & type_mask(ty);
        KnownBits { zeros: !ones, ones }
    }

    /// The lowest `bits` bits are unknown, the others zero.
    #[must_use]
    pub fn low_bits(bits: u32) -> Self {
        KnownBits {
            zeros: u64::MAX.checked_shl(bits).unwrap_or(0),
            ones: 0,
        }
    }

    /// The value, if all bits are known; an `i32` is zero-extended.
    #[must_use]
    pub fn as_constant(self) -> Option<u64> {
        (self.zeros | self.ones == u64::MAX).then_some(self.ones)
    }

    /// The smallest unsigned value.
    #[must_use]
    pub fn min(self) -> u64 {
        self.ones
    }

    /// The largest unsigned value.
    #[must_use]
    pub fn max(self) -> u64 {
        !self.zeros
    }

    /// Whether bits 32 to 63 are zero.
    #[must_use]
    pub fn upper_half_is_zero(self) -> bool {
        self.max() <= u64::from(u32::MAX)
    }

    /// Whether bits 32 to 63 are known to be copies of bit 31.
    #[must_use]
    pub fn is_sign_extended_from_32(self) -> bool {
        self.sign_bits() >= 33
    }

    /// How many upper bits are known to be equal to the highest, itself included.
    #[must_use]
    pub fn sign_bits(self) -> u32 {
        self.zeros
            .leading_ones()
            .max(self.ones.leading_ones())
            .max(1)
    }

    /// What is known of a value that is one of the two.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        KnownBits {
            zeros: self.zeros & other.zeros,
            ones: self.ones & other.ones,
        }
    }

    /// What is known of a value of which both are true.
    #[must_use]
    pub fn meet(self, other: Self) -> Self {
        KnownBits {
            zeros: self.zeros | other.zeros,
            ones: self.ones | other.ones,
        }
    }

    /// The lower half, zero-extended.
    #[must_use]
    pub fn trunc(self) -> Self {
        KnownBits {
            zeros: self.zeros | !type_mask(Type::I32),
            ones: self.ones & type_mask(Type::I32),
        }
    }

    fn to_type(self, ty: Type) -> Self {
        match ty {
            Type::I32 => self.trunc(),
            Type::I64 => self,
        }
    }

    /// The lowest `bits` bits, sign-extended to the type.
    #[must_use]
    pub fn sign_extend(self, bits: u32, ty: Type) -> Self {
        let shift = 64 - bits;
        KnownBits {
            zeros: (((self.zeros << shift) as i64) >> shift) as u64,
            ones: (((self.ones << shift) as i64) >> shift) as u64,
        }
        .to_type(ty)
    }

    /// The lowest `bits` bits with the bytes reversed, zero-extended.
    #[must_use]
    pub fn byte_swap(self, bits: u32) -> Self {
        let low = KnownBits::low_bits(bits);
        KnownBits {
            zeros: (self.zeros << (64 - bits)).swap_bytes() | low.zeros,
            ones: (self.ones << (64 - bits)).swap_bytes() & !low.zeros,
        }
    }

    fn add_with_carry(self, other: Self, carry: u64) -> Self {
        let smallest = self.min().wrapping_add(other.min()).wrapping_add(carry);
        let largest = self.max().wrapping_add(other.max()).wrapping_add(carry);
        let carries_smallest = smallest ^ self.min() ^ other.min();
        let carries_largest = largest ^ self.max() ^ other.max();
        let known = (self.zeros | self.ones)
            & (other.zeros | other.ones)
            & !(carries_smallest ^ carries_largest);
        KnownBits {
            zeros: !smallest & known,
            ones: smallest & known,
        }
    }

    fn not(self) -> Self {
        KnownBits {
            zeros: self.ones,
            ones: self.zeros,
        }
    }

    /// The result of a binary operation on operands of the type.
    #[must_use]
    pub fn binary(opcode: Opcode, ty: Type, a: Self, b: Self) -> Self {
        let unknown = KnownBits::unknown(ty);
        let result = match opcode {
            Opcode::Iadd => a.add_with_carry(b, 0),
            Opcode::Isub => a.add_with_carry(b.not(), 1),
            Opcode::Imul => multiply(a, b),
            Opcode::Udiv => at_most(a.max()),
            // The dividend comes back for a divisor of zero, and is the largest then.
            Opcode::Urem => match b.as_constant() {
                Some(n) if n.is_power_of_two() => KnownBits {
                    zeros: a.zeros | !(n - 1),
                    ones: a.ones & (n - 1),
                },
                Some(n) if n != 0 => at_most(a.max().min(n - 1)),
                _ => at_most(a.max()),
            },
            Opcode::Band => KnownBits {
                zeros: a.zeros | b.zeros,
                ones: a.ones & b.ones,
            },
            Opcode::Bor => KnownBits {
                zeros: a.zeros & b.zeros,
                ones: a.ones | b.ones,
            },
            Opcode::Bxor => KnownBits {
                zeros: (a.zeros & b.zeros) | (a.ones & b.ones),
                ones: (a.zeros & b.ones) | (a.ones & b.zeros),
            },
            Opcode::Ishl | Opcode::Ushr | Opcode::Sshr => shift(opcode, ty, a, b),
            _ => unknown,
        };
        result.to_type(ty)
    }

    /// The result of a unary operation other than the byte orders of a host.
    #[must_use]
    pub fn unary(opcode: Opcode, ty: Type, arg: Self) -> Self {
        match opcode {
            Opcode::Ineg => Self::binary(Opcode::Isub, ty, Self::constant(ty, 0), arg),
            Opcode::Sext8 => arg.sign_extend(8, ty),
            Opcode::Sext16 => arg.sign_extend(16, ty),
            Opcode::Sext => arg.sign_extend(32, ty),
            Opcode::Zext | Opcode::Trunc => arg.trunc(),
            Opcode::Bswap16 => arg.byte_swap(16),
            Opcode::Bswap32 => arg.byte_swap(32),
            Opcode::Bswap64 => arg.byte_swap(64),
            // Which of the two it is depends on the host; what both agree on is known.
            Opcode::Be16 | Opcode::Le16 => arg.byte_swap(16).join(arg.keep_low(16)),
            Opcode::Be32 | Opcode::Le32 => arg.byte_swap(32).join(arg.keep_low(32)),
            Opcode::Be64 | Opcode::Le64 => arg.byte_swap(64).join(arg),
            _ => Self::unknown(ty),
        }
    }

    /// The lowest `bits` bits, zero-extended.
    #[must_use]
    pub fn keep_low(self, bits: u32) -> Self {
        let above = KnownBits::low_bits(bits).zeros;
        KnownBits {
            zeros: self.zeros | above,
            ones: self.ones & !above,
        }
    }
}

/// A value of no more than `max`.
fn at_most(max: u64) -> KnownBits {
    KnownBits::low_bits(64 - max.leading_zeros())
}

fn multiply(a: KnownBits, b: KnownBits) -> KnownBits {
    if let (Some(a), Some(b)) = (a.as_constant(), b.as_constant()) {
        return KnownBits::constant(Type::I64, a.wrapping_mul(b) as i64);
    }
    let trailing = a.zeros.trailing_ones() + b.zeros.trailing_ones();
    let low = match 1u64.checked_shl(trailing) {
        Some(bit) => bit - 1,
        None => u64::MAX,
    };
    let high = match a.max().checked_mul(b.max()) {
        Some(max) => at_most(max).zeros,
        None => 0,
    };
    KnownBits {
        zeros: low | high,
        ones: 0,
    }
}

fn shift(opcode: Opcode, ty: Type, a: KnownBits, amount: KnownBits) -> KnownBits {
    let width = ty.bits();
    let amount_mask = u64::from(width - 1);
    let known_amount = ((amount.zeros | amount.ones) & amount_mask == amount_mask)
        .then_some((amount.ones & amount_mask) as u32);
    let Some(by) = known_amount else {
        return match opcode {
            Opcode::Ishl => KnownBits {
                zeros: trailing_ones_mask(a.zeros),
                ones: 0,
            },
            Opcode::Ushr => at_most(a.max()),
            _ => {
                let a = a.sign_extend(width, Type::I64);
                KnownBits {
                    zeros: leading_ones_mask(a.zeros),
                    ones: leading_ones_mask(a.ones),
                }
            }
        };
    };
    match opcode {
        Opcode::Ishl => KnownBits {
            zeros: (a.zeros << by) | ((1u64 << by) - 1),
            ones: a.ones << by,
        },
        Opcode::Ushr => KnownBits {
            zeros: (a.zeros >> by) | !(u64::MAX >> by),
            ones: a.ones >> by,
        },
        _ => {
            let a = a.sign_extend(width, Type::I64);
            KnownBits {
                zeros: ((a.zeros as i64) >> by) as u64,
                ones: ((a.ones as i64) >> by) as u64,
            }
        }
    }
}

fn trailing_ones_mask(bits: u64) -> u64 {
    bits & !bits.wrapping_add(1)
}

fn leading_ones_mask(bits: u64) -> u64 {
    trailing_ones_mask(bits.reverse_bits()).reverse_bits()
}

#[cfg(test)]
mod tests;
