//! Sums, logic, products and conversions.
//!
//! Soundness: sums of 64 bits are two instructions that pass the carry through the condition codes;
//! all operands are made before the first of them, so nothing comes between. Pointers have one
//! half that moves: packets and the stack have addresses of 32 bits, and a pointer into a map is a
//! base and an offset whose sum the memory unit makes.

use mir::{Opcode, Type, Value};

use super::half::{Byte, Half, Pair, ZERO};
use super::immediate::operand_cost;
use super::{Select, SelectError};
use crate::isa::{AluOp, MultiplySize, Shift, ShiftOp};
use crate::lir::{Op, Source};
use crate::space::Space;

impl Select<'_> {
    /// Bits that may be set in a half, by what is known of the value.
    fn possible(&self, value: Value) -> (u32, u32) {
        let zeros = self.known.get(self.function, value).zeros;
        (!(zeros as u32), !((zeros >> 32) as u32))
    }

    /// The low 8 or 16 bits of a half with their sign.
    pub(super) fn sign_extended_from(&mut self, half: Half, bits: u8) -> Half {
        let (mask, rest) = ((1 << bits) - 1, 32 - u32::from(bits));
        match half {
            Half::Const(value) => {
                let extended = (value << rest).cast_signed() >> rest;
                Half::Const(extended.cast_unsigned())
            }
            _ if half.possible() & (mask ^ mask >> 1) == 0 => half.and(mask),
            _ => {
                let source = self.short_source(half);
                self.emit(Op::SignExtend(source, bits)).into()
            }
        }
    }

    pub(super) fn unary(
        &mut self,
        opcode: Opcode,
        ty: Type,
        arg: Value,
    ) -> Result<Pair, SelectError> {
        let pair = self.pair(arg)?;
        Ok(match opcode {
            Opcode::Trunc | Opcode::Zext => Pair::of(pair.low),
            Opcode::Sext => self.sign_extended(pair.low),
            Opcode::Sext8 | Opcode::Sext16 => {
                let bits = if opcode == Opcode::Sext8 { 8 } else { 16 };
                let low = self.sign_extended_from(pair.low, bits);
                match ty {
                    Type::I32 => Pair::of(low),
                    Type::I64 => self.sign_extended(low),
                }
            }
            Opcode::Ineg => self.sum(AluOp::Sub, Pair::constant(0), pair, ty),
            Opcode::Be16 | Opcode::Bswap16 => {
                let bytes = self.bytes_of(pair);
                Pair::of(self.compose([bytes[1], bytes[0], Byte::Const(0), Byte::Const(0)]))
            }
            Opcode::Be32 | Opcode::Bswap32 => {
                let bytes = self.bytes_of(pair);
                Pair::of(self.compose([bytes[3], bytes[2], bytes[1], bytes[0]]))
            }
            Opcode::Be64 | Opcode::Bswap64 => {
                let bytes = self.bytes_of(pair);
                Pair {
                    low: self.compose([bytes[7], bytes[6], bytes[5], bytes[4]]),
                    high: self.compose([bytes[3], bytes[2], bytes[1], bytes[0]]),
                }
            }
            Opcode::Le16 => Pair::of(pair.low.and(0xffff)),
            Opcode::Le32 => Pair::of(pair.low),
            Opcode::Le64 => pair,
            _ => return Err(self.unsupported("this operation")),
        })
    }

    pub(super) fn sign_extended(&mut self, low: Half) -> Pair {
        if low.possible() >> 31 == 0 {
            return Pair::of(low);
        }
        if let Half::Const(value) = low {
            return Pair::constant(i64::from(value as i32).cast_unsigned());
        }
        let source = self.short_source(low);
        let high = self.emit(Op::ArithmeticShift(source, 31)).into();
        Pair { low, high }
    }

    pub(super) fn binary(
        &mut self,
        opcode: Opcode,
        ty: Type,
        args: [Value; 2],
        result: Value,
    ) -> Result<Pair, SelectError> {
        let (a, b) = (self.pair(args[0])?, self.pair(args[1])?);
        Ok(match opcode {
            Opcode::Iadd | Opcode::Isub => {
                let op = match opcode {
                    Opcode::Iadd => AluOp::Add,
                    _ => AluOp::Sub,
                };
                match self.space(result) {
                    Space::Packet | Space::Stack => Pair::of(self.sum32(op, a.low, b.low)),
                    Space::Map => {
                        let base = if self.space(args[0]) == Space::Map {
                            a
                        } else {
                            b
                        };
                        let low = self.sum32(op, a.low, b.low);
                        Pair {
                            low,
                            high: base.high,
                        }
                    }
                    Space::Unknown => {
                        return Err(self.unsupported("a sum that may be one of several pointers"));
                    }
                    _ => self.sum(op, a, b, ty),
                }
            }
            Opcode::Band | Opcode::Bor | Opcode::Bxor => {
                let (ka, kb) = (self.possible(args[0]), self.possible(args[1]));
                let low = self.logic(opcode, (a.low, ka.0), (b.low, kb.0));
                let high = match ty {
                    Type::I32 => ZERO,
                    Type::I64 => self.logic(opcode, (a.high, ka.1), (b.high, kb.1)),
                };
                Pair { low, high }
            }
            Opcode::Imul => {
                let (ka, kb) = (self.possible(args[0]), self.possible(args[1]));
                self.product(ty, (a, ka), (b, kb), result)
            }
            Opcode::Ishl | Opcode::Ushr | Opcode::Sshr => {
                let most = self.known.get(self.function, args[1]).max();
                self.shift(opcode, ty, a, b.low, most)?
            }
            _ => return Err(self.unsupported("this division")),
        })
    }

    pub(super) fn sum32(&mut self, op: AluOp, a: Half, b: Half) -> Half {
        let (op, b) = nearer(op, b);
        match (op, a, b) {
            (_, Half::Const(a), Half::Const(b)) => Half::Const(match op {
                AluOp::Add => a.wrapping_add(b),
                _ => a.wrapping_sub(b),
            }),
            (_, a, ZERO) => a,
            (AluOp::Add, ZERO, b) => b,
            // A small number from the left is subtracted better.
            (AluOp::Add, Half::Const(_), _) => {
                let (op, a) = nearer(op, a);
                match op {
                    AluOp::Add => self.alu(op, b, a),
                    _ => self.alu(AluOp::Sub, b, a),
                }
            }
            _ => self.alu(op, a, b),
        }
    }

    /// A sum or difference of both halves.
    pub(super) fn sum(&mut self, op: AluOp, a: Pair, b: Pair, ty: Type) -> Pair {
        if ty == Type::I32 {
            return Pair::of(self.sum32(op, a.low, b.low));
        }
        if let (Some(a), Some(b)) = (a.as_constant(), b.as_constant()) {
            return Pair::constant(match op {
                AluOp::Add => a.wrapping_add(b),
                _ => a.wrapping_sub(b),
            });
        }
        let (a, b) = if op == AluOp::Add && a.as_constant().is_some() {
            (b, a)
        } else {
            (a, b)
        };
        let (mut op, mut b) = (op, b);
        if let Some(value) = b.as_constant() {
            let cost = |value: u64| operand_cost(value as u32) + operand_cost((value >> 32) as u32);
            let negative = value.wrapping_neg();
            if cost(negative) < cost(value) {
                op = if op == AluOp::Add {
                    AluOp::Sub
                } else {
                    AluOp::Add
                };
                b = Pair::constant(negative);
            }
        }
        if b.low == ZERO {
            let low = a.low;
            let high = self.sum32(op, a.high, b.high);
            return Pair { low, high };
        }
        let low = self.sources(a.low, b.low, false);
        let high = self.sources(a.high, b.high, false);
        let carry = if op == AluOp::Add {
            AluOp::AddCarry
        } else {
            AluOp::SubCarry
        };
        let low = self.emit(Op::Alu(op, low.0, low.1)).into();
        let high = self.emit(Op::Alu(carry, high.0, high.1)).into();
        Pair { low, high }
    }

    /// Logic of two halves, with the bits that may be set in each.
    fn logic(&mut self, opcode: Opcode, a: (Half, u32), b: (Half, u32)) -> Half {
        let (a, b) = match (a.0, b.0) {
            (Half::Const(_), Half::Bits(_)) => (b, a),
            _ => (a, b),
        };
        let ((a, a_bits), (b, b_bits)) = ((a.0, a.1 & a.0.possible()), (b.0, b.1 & b.0.possible()));
        match (opcode, a, b) {
            (_, Half::Const(a), Half::Const(b)) => Half::Const(match opcode {
                Opcode::Band => a & b,
                Opcode::Bor => a | b,
                _ => a ^ b,
            }),
            (Opcode::Band, a, Half::Const(mask)) => self.masked(a, a_bits, mask),
            (Opcode::Bor, _, Half::Const(u32::MAX)) => Half::Const(u32::MAX),
            (Opcode::Bor | Opcode::Bxor, a, ZERO) => a,
            (Opcode::Bxor, a, Half::Const(u32::MAX)) => {
                let source = self.source(a);
                self.emit(Op::Alu(AluOp::Not, Source::Nothing, source))
                    .into()
            }
            // Parts of one word that lie where they belong: a rotation, mostly.
            (Opcode::Bor | Opcode::Bxor, Half::Bits(one), Half::Bits(other))
                if (one.word, one.rotate) == (other.word, other.rotate)
                    && one.mask & other.mask == 0 =>
            {
                let mask = one.mask | other.mask;
                Half::Bits(super::half::Bits { mask, ..one })
            }
            (Opcode::Bor | Opcode::Bxor, a, b) if a_bits & b_bits == 0 => {
                self.joined(a, a_bits, b, b_bits)
            }
            _ => self.fused(opcode, a, b),
        }
    }

    fn masked(&mut self, a: Half, a_bits: u32, mask: u32) -> Half {
        if mask & a_bits == a_bits {
            return a;
        }
        if mask & a_bits == 0 {
            return ZERO;
        }
        let described = a.and(mask);
        // A complement of eight bits is one instruction, where a mask would be a number first.
        if let (Half::Bits(bits), Ok(clear)) = (a, u8::try_from(!mask))
            && bits.mask == u32::MAX
            && bits.rotate == 0
            && super::half::Bits::byte_mask(mask).is_none()
        {
            return self.alu(AluOp::AndNot, a, Half::Const(clear.into()));
        }
        described
    }

    /// Two halves whose bits do not meet.
    fn joined(&mut self, a: Half, a_bits: u32, b: Half, b_bits: u32) -> Half {
        let bytes = |half: Half, bits: u32| {
            let mask = (0..4).fold(0u32, |all, byte| {
                let byte = 0xff << (8 * byte);
                if bits & byte == 0 { all } else { all | byte }
            });
            // Whole bytes, where the rest of the byte is known to be zero anyway.
            match half {
                Half::Const(value) => Half::Const(value),
                Half::Bits(found) => Half::Bits(super::half::Bits { mask, ..found }),
            }
        };
        let fits = |half: Half, bits: u32| match half {
            Half::Const(_) => true,
            Half::Bits(found) => {
                // Bits that the mask hides must not come back with whole bytes.
                let Half::Bits(wide) = bytes(half, bits) else {
                    return true;
                };
                wide.mask & !found.mask == 0 && found.rotate % 8 == 0
            }
        };
        let byte_mask = |bits: u32| {
            (0..4).fold(0u8, |all, byte| {
                all | u8::from(bits >> (8 * byte) & 0xff != 0) << byte
            })
        };
        if fits(a, a_bits) && fits(b, b_bits) && byte_mask(a_bits) & byte_mask(b_bits) == 0 {
            let (a, b) = (bytes(a, a_bits), bytes(b, b_bits));
            let composed: [Byte; 4] = std::array::from_fn(|index| {
                let index = index as u32;
                match a.byte(index) {
                    Byte::Const(0) => b.byte(index),
                    byte => byte,
                }
            });
            if !composed.contains(&Byte::Bits) {
                return self.compose(composed);
            }
        }
        self.fused(Opcode::Bor, a, b)
    }

    /// Logic with a shift of one of the operands in the same instruction.
    fn fused(&mut self, opcode: Opcode, a: Half, b: Half) -> Half {
        let (alu, shift) = match opcode {
            Opcode::Band => (AluOp::And, Some(ShiftOp::And)),
            Opcode::Bor => (AluOp::Or, Some(ShiftOp::Or)),
            _ => (AluOp::Xor, None),
        };
        let shifted = |half: Half| match half {
            Half::Bits(bits) if bits.rotate != 0 => {
                let by = u32::from(bits.rotate);
                match bits.mask {
                    u32::MAX => Some((bits.word, Shift::RotateRight(bits.rotate))),
                    mask if mask == u32::MAX >> by => Some((bits.word, Shift::Right(bits.rotate))),
                    mask if mask == u32::MAX << (32 - by) => {
                        Some((bits.word, Shift::Left(32 - bits.rotate)))
                    }
                    _ => None,
                }
            }
            _ => None,
        };
        if let Some(op) = shift {
            for (half, other) in [(b, a), (a, b)] {
                let Some((word, by)) = shifted(half) else {
                    continue;
                };
                let (left, right) = self.sources(other, word.into(), true);
                return self.emit(Op::Shift(op, left, right, by)).into();
            }
        }
        self.alu(alu, a, b)
    }

    fn product(
        &mut self,
        ty: Type,
        (a, a_bits): (Pair, (u32, u32)),
        (b, b_bits): (Pair, (u32, u32)),
        result: Value,
    ) -> Pair {
        if let (Some(a), Some(b)) = (a.as_constant(), b.as_constant()) {
            return Pair::constant(a.wrapping_mul(b));
        }
        let narrow = ty == Type::I32 || self.demanded.upper_half_is_unused(result);
        let (a, a_bits, b, b_bits) = match a.as_constant() {
            Some(_) => (b, b_bits, a, a_bits),
            None => (a, a_bits, b, b_bits),
        };
        if narrow
            && let Half::Const(factor) = b.low
            && let Some(half) = self.small_product(a.low, factor)
        {
            return Pair::of(half);
        }
        let (low_a, low_b) = (a_bits.0 & a.low.possible(), b_bits.0 & b.low.possible());
        let size = if low_a | low_b <= 0xffff {
            MultiplySize::By16
        } else {
            MultiplySize::By32
        };
        let (x, y) = self.sources(a.low, b.low, false);
        let wide = !narrow && size == MultiplySize::By32;
        let high = wide.then(|| self.lir.new_reg());
        let op = Op::Multiply {
            a: x,
            b: y,
            size,
            high,
        };
        let low = Half::from(self.emit(op));
        let mut high = high.map_or(ZERO, Half::from);
        if !narrow {
            for (one, other) in [(a.high, b.low), (b.high, a.low)] {
                if one == ZERO || other == ZERO {
                    continue;
                }
                let part = match one.as_const().or(other.as_const()) {
                    Some(1) if one == Half::Const(1) => other,
                    _ => {
                        let (x, y) = self.sources(one, other, false);
                        let op = Op::Multiply {
                            a: x,
                            b: y,
                            size: MultiplySize::By32,
                            high: None,
                        };
                        self.emit(op).into()
                    }
                };
                high = self.sum32(AluOp::Add, high, part);
            }
        }
        Pair { low, high }
    }

    /// Products by numbers that are a power of two, or the sum or difference of two.
    pub(super) fn small_product(&mut self, a: Half, factor: u32) -> Option<Half> {
        let shifted = |by: u32| if by == 0 { a } else { a.left(by) };
        let low = factor.trailing_zeros();
        Some(match factor.count_ones() {
            0 => ZERO,
            1 => shifted(low),
            2 => {
                let high = 31 - factor.leading_zeros();
                self.sum32(AluOp::Add, shifted(high), shifted(low))
            }
            ones if factor >> low == u32::MAX >> (32 - ones) && ones + low < 32 => {
                self.sum32(AluOp::Sub, shifted(low + ones), shifted(low))
            }
            _ => return None,
        })
    }
}

/// The same sum with the number that is cheaper: a small negative one is subtracted.
fn nearer(op: AluOp, b: Half) -> (AluOp, Half) {
    let Half::Const(value) = b else {
        return (op, b);
    };
    let negative = value.wrapping_neg();
    if operand_cost(negative) >= operand_cost(value) {
        return (op, b);
    }
    match op {
        AluOp::Add => (AluOp::Sub, Half::Const(negative)),
        AluOp::Sub => (AluOp::Add, Half::Const(negative)),
        _ => (op, b),
    }
}
