//! The arithmetic of the instruction set (RFC 9669 section 4), once for every interpreter.
//!
//! All of it is total: division by zero gives zero, modulo zero leaves the dividend, the most
//! negative number divided by minus one wraps, shift counts are taken modulo the width.

use crate::insn::{AluOp, Cond, Endian, EndianOp, Width};

/// The low half of a register.
fn low(value: u64) -> u32 {
    (value & 0xffff_ffff) as u32
}

/// `dst op src`; 32-bit results are zero-extended.
#[must_use]
pub fn binary(width: Width, op: AluOp, dst: u64, src: u64) -> u64 {
    match width {
        Width::W64 => binary64(op, dst, src),
        Width::W32 => u64::from(binary32(op, low(dst), low(src))),
    }
}

fn binary64(op: AluOp, dst: u64, src: u64) -> u64 {
    let (signed, divisor) = (dst.cast_signed(), src.cast_signed());
    let count = (src & 63) as u32;
    match op {
        AluOp::Add => dst.wrapping_add(src),
        AluOp::Sub => dst.wrapping_sub(src),
        AluOp::Mul => dst.wrapping_mul(src),
        AluOp::Div => dst.checked_div(src).unwrap_or(0),
        AluOp::Sdiv if divisor == 0 => 0,
        AluOp::Sdiv => signed.wrapping_div(divisor).cast_unsigned(),
        AluOp::Or => dst | src,
        AluOp::And => dst & src,
        AluOp::Lsh => dst.wrapping_shl(count),
        AluOp::Rsh => dst.wrapping_shr(count),
        AluOp::Mod => dst.checked_rem(src).unwrap_or(dst),
        AluOp::Smod if divisor == 0 => dst,
        AluOp::Smod => signed.wrapping_rem(divisor).cast_unsigned(),
        AluOp::Xor => dst ^ src,
        AluOp::Mov => src,
        AluOp::Arsh => signed.wrapping_shr(count).cast_unsigned(),
    }
}

fn binary32(op: AluOp, dst: u32, src: u32) -> u32 {
    let (signed, divisor) = (dst.cast_signed(), src.cast_signed());
    let count = src & 31;
    match op {
        AluOp::Add => dst.wrapping_add(src),
        AluOp::Sub => dst.wrapping_sub(src),
        AluOp::Mul => dst.wrapping_mul(src),
        AluOp::Div => dst.checked_div(src).unwrap_or(0),
        AluOp::Sdiv if divisor == 0 => 0,
        AluOp::Sdiv => signed.wrapping_div(divisor).cast_unsigned(),
        AluOp::Or => dst | src,
        AluOp::And => dst & src,
        AluOp::Lsh => dst.wrapping_shl(count),
        AluOp::Rsh => dst.wrapping_shr(count),
        AluOp::Mod => dst.checked_rem(src).unwrap_or(dst),
        AluOp::Smod if divisor == 0 => dst,
        AluOp::Smod => signed.wrapping_rem(divisor).cast_unsigned(),
        AluOp::Xor => dst ^ src,
        AluOp::Mov => src,
        AluOp::Arsh => signed.wrapping_shr(count).cast_unsigned(),
    }
}

/// Whether a branch is taken.
#[must_use]
pub fn condition(width: Width, cond: Cond, left: u64, right: u64) -> bool {
    let (left, right, signed_left, signed_right) = match width {
        Width::W64 => (left, right, left.cast_signed(), right.cast_signed()),
        Width::W32 => {
            let (a, b) = (low(left), low(right));
            (
                u64::from(a),
                u64::from(b),
                i64::from(a.cast_signed()),
                i64::from(b.cast_signed()),
            )
        }
    };
    match cond {
        Cond::Eq => left == right,
        Cond::Ne => left != right,
        Cond::Gt => left > right,
        Cond::Ge => left >= right,
        Cond::Lt => left < right,
        Cond::Le => left <= right,
        Cond::Set => left & right != 0,
        Cond::Sgt => signed_left > signed_right,
        Cond::Sge => signed_left >= signed_right,
        Cond::Slt => signed_left < signed_right,
        Cond::Sle => signed_left <= signed_right,
    }
}

/// The low `bits` (1 to 64) of a value as a signed number, in all 64 bits.
#[must_use]
pub fn sign_extend(value: u64, bits: u8) -> u64 {
    let unused = u32::from(64 - bits.clamp(1, 64));
    (value << unused)
        .cast_signed()
        .wrapping_shr(unused)
        .cast_unsigned()
}

/// A byte-order instruction on a machine of the order `endian`: the low `bits` swapped or not,
/// zero-extended.
#[must_use]
pub fn byte_order(op: EndianOp, bits: u8, value: u64, endian: Endian) -> u64 {
    let unused = u32::from(64 - bits.clamp(16, 64));
    let kept = value << unused >> unused;
    let swap = match op {
        EndianOp::Bswap => true,
        EndianOp::Be => endian == Endian::Little,
        EndianOp::Le => endian == Endian::Big,
    };
    if swap {
        kept.swap_bytes() >> unused
    } else {
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::{binary, byte_order, condition, sign_extend};
    use crate::insn::{AluOp, Cond, Endian, EndianOp, Width};

    #[test]
    fn division_is_total() {
        let minimum = i64::MIN.cast_unsigned();
        let minus_one = u64::MAX;
        assert_eq!(binary(Width::W64, AluOp::Div, 7, 0), 0);
        assert_eq!(binary(Width::W64, AluOp::Mod, 7, 0), 7);
        assert_eq!(binary(Width::W64, AluOp::Sdiv, minimum, minus_one), minimum);
        assert_eq!(binary(Width::W64, AluOp::Smod, minimum, minus_one), 0);
        assert_eq!(
            binary(Width::W32, AluOp::Sdiv, 0x8000_0000, minus_one),
            0x8000_0000
        );
        assert_eq!(
            binary(Width::W32, AluOp::Mod, 0xffff_ffff_0000_0007, 1 << 32),
            7
        );
    }

    #[test]
    fn shifts_take_the_count_modulo_the_width() {
        assert_eq!(binary(Width::W64, AluOp::Lsh, 1, 65), 2);
        assert_eq!(
            binary(Width::W32, AluOp::Arsh, 0x8000_0000, 33),
            0xc000_0000
        );
    }

    #[test]
    fn narrow_views() {
        assert!(condition(Width::W32, Cond::Slt, 0xffff_ffff, 0));
        assert!(!condition(Width::W64, Cond::Slt, 0xffff_ffff, 0));
        assert_eq!(sign_extend(0x80, 8), (-128i64).cast_unsigned());
        assert_eq!(
            byte_order(EndianOp::Be, 16, 0xffff_1234, Endian::Little),
            0x3412
        );
        assert_eq!(
            byte_order(EndianOp::Be, 16, 0xffff_1234, Endian::Big),
            0x1234
        );
        assert_eq!(byte_order(EndianOp::Bswap, 64, 1, Endian::Big), 1 << 56);
    }
}
