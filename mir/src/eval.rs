//! The meaning of operations that compute a value from values alone.
//!
//! One function for each format, total and without panics, used by the interpreter and by every
//! pass that folds constants, so that the two cannot disagree. Values of type `i32` go in and come
//! out zero-extended to 64 bits; upper halves of `i32` operands are ignored.

use crate::opcode::Opcode;
use crate::types::Type;
use bpf::insn::{Cond, Endian};

/// The result of a [`crate::Format::Binary`] operation; `None` for another operation.
///
/// ```
/// use mir::{Opcode, Type, eval};
/// assert_eq!(eval::binary(Opcode::Udiv, Type::I64, 7, 0), Some(0));
/// assert_eq!(eval::binary(Opcode::Iadd, Type::I32, 0xffff_ffff, 2), Some(1));
/// ```
#[must_use]
pub fn binary(opcode: Opcode, ty: Type, a: u64, b: u64) -> Option<u64> {
    match ty {
        Type::I64 => binary64(opcode, a, b),
        Type::I32 => binary32(opcode, a as u32, b as u32).map(u64::from),
    }
}

fn binary64(opcode: Opcode, a: u64, b: u64) -> Option<u64> {
    let (signed_a, signed_b) = (a as i64, b as i64);
    Some(match opcode {
        Opcode::Iadd => a.wrapping_add(b),
        Opcode::Isub => a.wrapping_sub(b),
        Opcode::Imul => a.wrapping_mul(b),
        Opcode::Udiv => a.checked_div(b).unwrap_or(0),
        Opcode::Urem => a.checked_rem(b).unwrap_or(a),
        Opcode::Sdiv if b == 0 => 0,
        Opcode::Sdiv => signed_a.wrapping_div(signed_b) as u64,
        Opcode::Srem if b == 0 => a,
        Opcode::Srem => signed_a.wrapping_rem(signed_b) as u64,
        Opcode::Band => a & b,
        Opcode::Bor => a | b,
        Opcode::Bxor => a ^ b,
        Opcode::Ishl => a.wrapping_shl(b as u32),
        Opcode::Ushr => a.wrapping_shr(b as u32),
        Opcode::Sshr => signed_a.wrapping_shr(b as u32) as u64,
        _ => return None,
    })
}

fn binary32(opcode: Opcode, a: u32, b: u32) -> Option<u32> {
    let (signed_a, signed_b) = (a as i32, b as i32);
    Some(match opcode {
        Opcode::Iadd => a.wrapping_add(b),
        Opcode::Isub => a.wrapping_sub(b),
        Opcode::Imul => a.wrapping_mul(b),
        Opcode::Udiv => a.checked_div(b).unwrap_or(0),
        Opcode::Urem => a.checked_rem(b).unwrap_or(a),
        Opcode::Sdiv if b == 0 => 0,
        Opcode::Sdiv => signed_a.wrapping_div(signed_b) as u32,
        Opcode::Srem if b == 0 => a,
        Opcode::Srem => signed_a.wrapping_rem(signed_b) as u32,
        Opcode::Band => a & b,
        Opcode::Bor => a | b,
        Opcode::Bxor => a ^ b,
        Opcode::Ishl => a.wrapping_shl(b),
        Opcode::Ushr => a.wrapping_shr(b),
        Opcode::Sshr => signed_a.wrapping_shr(b) as u32,
        _ => return None,
    })
}

/// The result of a [`crate::Format::Unary`] operation with a result of type `ty`; `None` for
/// another operation.
#[must_use]
pub fn unary(opcode: Opcode, ty: Type, arg: u64, endian: Endian) -> Option<u64> {
    let big = endian == Endian::Big;
    let result = match opcode {
        Opcode::Ineg => arg.wrapping_neg(),
        Opcode::Sext8 => arg as i8 as u64,
        Opcode::Sext16 => arg as i16 as u64,
        Opcode::Sext => arg as i32 as u64,
        Opcode::Zext | Opcode::Trunc => u64::from(arg as u32),
        Opcode::Be16 => swap(arg, 16, !big),
        Opcode::Be32 => swap(arg, 32, !big),
        Opcode::Be64 => swap(arg, 64, !big),
        Opcode::Le16 => swap(arg, 16, big),
        Opcode::Le32 => swap(arg, 32, big),
        Opcode::Le64 => swap(arg, 64, big),
        Opcode::Bswap16 => swap(arg, 16, true),
        Opcode::Bswap32 => swap(arg, 32, true),
        Opcode::Bswap64 => swap(arg, 64, true),
        _ => return None,
    };
    Some(to_type(ty, result))
}

fn swap(value: u64, bits: u32, swapped: bool) -> u64 {
    let shift = 64 - bits;
    if swapped {
        value.swap_bytes() >> shift
    } else {
        value << shift >> shift
    }
}

/// Whether a comparison of operands of type `ty` holds.
#[must_use]
pub fn compare(cond: Cond, ty: Type, a: u64, b: u64) -> bool {
    let (a, b) = (to_type(ty, a), to_type(ty, b));
    let (signed_a, signed_b) = match ty {
        Type::I32 => (i64::from(a as i32), i64::from(b as i32)),
        Type::I64 => (a as i64, b as i64),
    };
    match cond {
        Cond::Eq => a == b,
        Cond::Ne => a != b,
        Cond::Gt => a > b,
        Cond::Ge => a >= b,
        Cond::Lt => a < b,
        Cond::Le => a <= b,
        Cond::Set => a & b != 0,
        Cond::Sgt => signed_a > signed_b,
        Cond::Sge => signed_a >= signed_b,
        Cond::Slt => signed_a < signed_b,
        Cond::Sle => signed_a <= signed_b,
    }
}

/// A value as the interpreter keeps one of this type: `i32` zero-extended.
#[must_use]
pub fn to_type(ty: Type, value: u64) -> u64 {
    match ty {
        Type::I32 => u64::from(value as u32),
        Type::I64 => value,
    }
}

/// A value as an `iconst` of this type spells it: `i32` sign-extended.
#[must_use]
pub fn to_imm(ty: Type, value: u64) -> i64 {
    match ty {
        Type::I32 => i64::from(value as i32),
        Type::I64 => value as i64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::opcode::Format;

    #[test]
    fn every_operation_on_values_has_a_meaning_and_no_other() {
        for &opcode in Opcode::ALL {
            let is_binary = opcode.format() == Format::Binary;
            let is_unary = opcode.format() == Format::Unary;
            for ty in [Type::I32, Type::I64] {
                assert_eq!(binary(opcode, ty, 9, 4).is_some(), is_binary, "{opcode}");
                let result = unary(opcode, ty, 9, Endian::Little);
                assert_eq!(result.is_some(), is_unary, "{opcode}");
            }
        }
    }

    #[test]
    fn division_never_faults() {
        let min32 = u64::from(i32::MIN as u32);
        let minus_one = u64::from(u32::MAX);
        assert_eq!(
            binary(Opcode::Sdiv, Type::I32, min32, minus_one),
            Some(min32)
        );
        assert_eq!(binary(Opcode::Srem, Type::I32, min32, minus_one), Some(0));
        let min = i64::MIN as u64;
        assert_eq!(binary(Opcode::Sdiv, Type::I64, min, u64::MAX), Some(min));
        assert_eq!(binary(Opcode::Srem, Type::I64, min, u64::MAX), Some(0));
        assert_eq!(binary(Opcode::Sdiv, Type::I64, 5, 0), Some(0));
        assert_eq!(binary(Opcode::Srem, Type::I64, 5, 0), Some(5));
        assert_eq!(binary(Opcode::Urem, Type::I32, 1 << 32 | 5, 0), Some(5));
    }

    #[test]
    fn shifts_take_the_amount_modulo_the_width() {
        assert_eq!(binary(Opcode::Ishl, Type::I32, 1, 33), Some(2));
        assert_eq!(binary(Opcode::Ishl, Type::I64, 1, 65), Some(2));
        assert_eq!(binary(Opcode::Ishl, Type::I64, 1, 1 << 32), Some(1));
        assert_eq!(
            binary(Opcode::Sshr, Type::I32, 0x8000_0000, 4),
            Some(0xf800_0000)
        );
    }

    #[test]
    fn byte_orders_depend_on_the_target() {
        let value = 0x1122_3344_5566_7788;
        assert_eq!(
            unary(Opcode::Be16, Type::I64, value, Endian::Little),
            Some(0x8877)
        );
        assert_eq!(
            unary(Opcode::Be16, Type::I64, value, Endian::Big),
            Some(0x7788)
        );
        assert_eq!(
            unary(Opcode::Le32, Type::I64, value, Endian::Big),
            Some(0x8877_6655)
        );
        assert_eq!(
            unary(Opcode::Bswap64, Type::I64, value, Endian::Big),
            Some(0x8877_6655_4433_2211)
        );
    }

    #[test]
    fn comparisons_know_their_width_and_sign() {
        assert!(compare(Cond::Eq, Type::I32, 1 << 32, 0));
        assert!(compare(Cond::Slt, Type::I32, 0xffff_ffff, 0));
        assert!(!compare(Cond::Slt, Type::I64, 0xffff_ffff, 0));
        assert!(compare(Cond::Gt, Type::I32, 0xffff_ffff, 0));
        assert!(compare(Cond::Set, Type::I64, 6, 2) && !compare(Cond::Set, Type::I64, 6, 1));
    }
}
