//! Parts of instructions as compilers print them, each recognised in one look at eight bytes.
//!
//! [`shapes`](super::shapes) reads the same parts byte by byte, with any blanks between; what is not
//! printed in the usual way is left to it.

use bpf::insn::{MemWidth, Reg, Width};

use super::super::ast::{Register, UnaryOp};

/// Those bits of a pattern's bytes that have to be there.
const fn pattern(text: [u8; 8], mask: [u8; 8]) -> (u64, u64) {
    let mask = u64::from_le_bytes(mask);
    (u64::from_le_bytes(text) & mask, mask)
}

/// The digit of a register.
#[inline]
fn digit(byte: u8) -> Option<Reg> {
    let number = byte.wrapping_sub(b'0');
    (number <= 9).then_some(Reg(number))
}

/// `r1 = ` and `w1 = `: the register. They have five bytes.
#[inline]
pub fn assigned(bytes: [u8; 8]) -> Option<Register> {
    const MASK: [u8; 8] = [0xff, 0xf0, 0xff, 0xff, 0xff, 0, 0, 0];
    const WHOLE: (u64, u64) = pattern(*b"r0 = \0\0\0", MASK);
    const LOWER: (u64, u64) = pattern(*b"w0 = \0\0\0", MASK);
    let found = u64::from_le_bytes(bytes) & WHOLE.1;
    let width = match () {
        () if found == WHOLE.0 => Width::W64,
        () if found == LOWER.0 => Width::W32,
        () => return None,
    };
    let reg = digit(bytes[1])?;
    Some(Register { width, reg })
}

/// `(r1 + ` and `(r1 - `: the register and the sign. They have six bytes.
#[inline]
pub fn base(bytes: [u8; 8]) -> Option<(Reg, UnaryOp)> {
    const MASK: [u8; 8] = [0xff, 0xff, 0xf0, 0xff, 0, 0xff, 0, 0];
    const BASE: (u64, u64) = pattern(*b"(r0 + \0\0", MASK);
    if u64::from_le_bytes(bytes) & BASE.1 != BASE.0 {
        return None;
    }
    let sign = match bytes[4] {
        b'+' => UnaryOp::Plus,
        b'-' => UnaryOp::Negate,
        _ => return None,
    };
    Some((digit(bytes[2])?, sign))
}

/// `(u64 *)`, `(u32 *)`, `(u16 *)` and `(u8 *)`: the width, and how many bytes that has.
#[inline]
pub fn pointer(bytes: [u8; 8]) -> Option<(MemWidth, usize)> {
    /// By the lowest bits of the third byte.
    const USUAL: [([u8; 8], MemWidth, usize); 8] = {
        let mut usual = [([0xff; 8], MemWidth::B8, 8); 8];
        usual[b'6' as usize % 8] = (*b"(u64 *)\0", MemWidth::B64, 7);
        usual[b'3' as usize % 8] = (*b"(u32 *)\0", MemWidth::B32, 7);
        usual[b'1' as usize % 8] = (*b"(u16 *)\0", MemWidth::B16, 7);
        usual[b'8' as usize % 8] = (*b"(u8 *)\0\0", MemWidth::B8, 6);
        usual
    };
    let (wanted, width, length) = USUAL[usize::from(bytes[2] % 8)];
    let kept = u64::MAX >> (8 * (8 - length));
    let found = u64::from_le_bytes(bytes) & kept == u64::from_le_bytes(wanted);
    found.then_some((width, length))
}

/// A decimal number of one to seven digits in front of something else, and how many it has. All digits
/// at once: how many there are is what processors cannot guess.
#[inline]
pub fn number(bytes: [u8; 8]) -> Option<(u64, usize)> {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let digits = u64::from_le_bytes(bytes) ^ (EACH * b'0' as u64);
    // The highest bit of each byte that is above 9; what is carried goes to bytes behind it.
    let others = (digits.wrapping_add(EACH * (0x80 - 10)) | digits) & (EACH * 0x80);
    let length = others.trailing_zeros() as usize / 8;
    if !(1..8).contains(&length) {
        return None;
    }
    // The last digit comes to lie in the last byte, with zeros before the first.
    let digits = digits << (64 - 8 * length);
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_ffff_0000_ffff;
    let value = fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xffff_ffff;
    Some((value, length))
}

#[cfg(test)]
mod tests {
    use super::{MemWidth, Reg, UnaryOp, Width};

    /// The first eight bytes of a text.
    fn bytes(text: &str) -> [u8; 8] {
        *format!("{text}        ").as_bytes().first_chunk().unwrap()
    }

    #[test]
    fn numbers() {
        for number in (0..20_000).chain((0..10_000_000).step_by(977)) {
            for after in [" ", ")", "\n", "/", ":", "\u{ff}", "x"] {
                let text = format!("{number}{after}");
                let read = super::number(bytes(&text));
                assert_eq!(read, Some((number, number.to_string().len())), "{text}");
            }
        }
        for text in [
            "12345678",
            " 1234567",
            "/1234567",
            ":1234567",
            "\u{ff}12345",
        ] {
            assert_eq!(super::number(bytes(text)), None, "{text}");
        }
    }

    #[test]
    fn assigned_registers() {
        for (text, width, reg) in [
            ("r0 = r1", Width::W64, 0),
            ("w9 = 5", Width::W32, 9),
            ("r7 =  *", Width::W64, 7),
        ] {
            let found = super::assigned(bytes(text)).unwrap();
            assert_eq!((found.width, found.reg), (width, Reg(reg)), "{text}");
        }
        for text in [
            "r: = 1", "s1 = 1", "r1  = 1", "r1 =1", "r1 == 1", "r10 = 1", "r1 += 1",
        ] {
            assert!(super::assigned(bytes(text)).is_none(), "{text}");
        }
    }

    #[test]
    fn bases() {
        assert_eq!(
            super::base(bytes("(r9 + 8)")),
            Some((Reg(9), UnaryOp::Plus))
        );
        assert_eq!(
            super::base(bytes("(r0 - x)")),
            Some((Reg(0), UnaryOp::Negate))
        );
        for text in [
            "(r1 * 8)", "(w1 + 8)", "(r: + 8)", "(r1 +8)", "(r10 + 8", "r1 + 8",
        ] {
            assert_eq!(super::base(bytes(text)), None, "{text}");
        }
    }

    #[test]
    fn pointers() {
        for (text, width, length) in [
            ("(u64 *)x", MemWidth::B64, 7),
            ("(u32 *)(", MemWidth::B32, 7),
            ("(u16 *)\n", MemWidth::B16, 7),
            ("(u8 *)(r", MemWidth::B8, 6),
        ] {
            assert_eq!(super::pointer(bytes(text)), Some((width, length)), "{text}");
        }
        let others = [
            "(u64*)", "(s64 *)", "(u24 *)", "(u8  *)", "(u18 *)", "(u0 *)", "\u{ff}",
        ];
        for text in others {
            assert_eq!(super::pointer(bytes(text)), None, "{text}");
        }
    }
}
