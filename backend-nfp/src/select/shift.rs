//! Shifts of both halves, by numbers and by registers.
//!
//! The machine shifts 32 bits, or takes 32 of 64. By a register it shifts by the low five bits of
//! the previous instruction's operand. What it does for a double shift by a register of amount 0
//! nobody has proved, so none is made: the bits that cross are shifted once by a number and once by
//! what is left.

use mir::{Opcode, Type};

use super::half::{Half, Pair, ZERO};
use super::{Select, SelectError};
use crate::isa::{AluOp, Shift, ShiftOp};
use crate::lir::{Branch, Edge, End, Op, Reg, Source};

impl Select<'_> {
    pub(super) fn shift(
        &mut self,
        opcode: Opcode,
        ty: Type,
        value: Pair,
        amount: Half,
        most: u64,
    ) -> Result<Pair, SelectError> {
        if let Half::Const(amount) = amount {
            return Ok(match ty {
                Type::I32 => Pair::of(self.shift32(opcode, value.low, amount & 31)),
                Type::I64 => self.shift64(opcode, value, amount & 63),
            });
        }
        if ty == Type::I32 {
            let low = self.shift_by(opcode, value.low, amount, None);
            return Ok(Pair::of(low));
        }
        let below = self.shift64_below(opcode, value, amount);
        if most < 32 {
            return Ok(below);
        }
        // Bit 5 of the amount: the other half moves in.
        let low = self.register(below.low);
        let high = self.register(below.high);
        let (far_low, far_high) = match opcode {
            Opcode::Ishl => (ZERO, below.low),
            Opcode::Ushr => (below.high, ZERO),
            // The sign fills the upper half, as that of the shifted half does.
            _ => (below.high, value.high),
        };
        let source = self.bit_source(amount)?;
        let (far, join) = (self.new_block(), self.new_block());
        let near = self.new_block();
        let results = [self.lir.new_reg(), self.lir.new_reg()];
        self.end(End::Branch(
            Branch::Bit(source, 5, true),
            Edge::to(far),
            Edge::to(near),
        ));
        self.arms += 1;
        self.start(near);
        self.end(End::Jump(Edge::with(join, [low, high])));
        self.start(far);
        let far_low = self.register(far_low);
        let far_high = match opcode {
            Opcode::Sshr => {
                let sign = self.arithmetic(far_high, 31);
                self.register(sign)
            }
            _ => self.register(far_high),
        };
        self.end(End::Jump(Edge::with(join, [far_low, far_high])));
        self.arms -= 1;
        self.start(join);
        self.lir.blocks[join.index()].params = results.to_vec();
        Ok(Pair {
            low: results[0].into(),
            high: results[1].into(),
        })
    }

    /// A source that a branch on a bit can read.
    pub(super) fn bit_source(&mut self, half: Half) -> Result<Source, SelectError> {
        match self.short_source(half) {
            Source::Immediate(_) => Ok(Source::Reg(self.register(half))),
            source => Ok(source),
        }
    }

    fn shift32(&mut self, opcode: Opcode, value: Half, by: u32) -> Half {
        match opcode {
            _ if by == 0 => value,
            Opcode::Ishl => value.left(by),
            Opcode::Ushr => value.right(by),
            _ => self.arithmetic(value, by),
        }
    }

    fn arithmetic(&mut self, value: Half, by: u32) -> Half {
        match value {
            Half::Const(value) => Half::Const((value.cast_signed() >> by).cast_unsigned()),
            _ if by == 0 => value,
            _ if value.possible() >> 31 == 0 => value.right(by),
            _ => {
                let source = self.short_source(value);
                self.emit(Op::ArithmeticShift(source, by as u8)).into()
            }
        }
    }

    fn shift64(&mut self, opcode: Opcode, value: Pair, by: u32) -> Pair {
        if by == 0 {
            return value;
        }
        if let Some(value) = value.as_constant() {
            return Pair::constant(match opcode {
                Opcode::Ishl => value << by,
                Opcode::Ushr => value >> by,
                _ => (value.cast_signed() >> by).cast_unsigned(),
            });
        }
        match (opcode, by) {
            (Opcode::Ishl, 32..) => Pair {
                low: ZERO,
                high: value.low.left(by - 32),
            },
            (Opcode::Ishl, _) => Pair {
                low: value.low.left(by),
                high: self.double(value.high, value.low, 32 - by),
            },
            (Opcode::Ushr, 32..) => Pair::of(value.high.right(by - 32)),
            (Opcode::Ushr, _) => Pair {
                low: self.double(value.high, value.low, by),
                high: value.high.right(by),
            },
            (_, 32..) => {
                let low = self.arithmetic(value.high, by - 32);
                let high = self.arithmetic(value.high, 31);
                Pair { low, high }
            }
            _ => {
                let low = self.double(value.high, value.low, by);
                let high = self.arithmetic(value.high, by);
                Pair { low, high }
            }
        }
    }

    /// The low word of two words together, moved right by 1 to 31.
    fn double(&mut self, high: Half, low: Half, by: u32) -> Half {
        if high.left(32 - by) == ZERO {
            return low.right(by);
        }
        if low.right(by) == ZERO {
            return high.left(32 - by);
        }
        let (left, right) = self.sources(high, low, true);
        let op = Op::Shift(ShiftOp::Move, left, right, Shift::Double(by as u8));
        self.emit(op).into()
    }

    /// A half shifted by the low five bits of another, with another half or-ed in.
    fn shift_by(&mut self, opcode: Opcode, value: Half, amount: Half, or: Option<Reg>) -> Half {
        if value == ZERO && or.is_none() {
            return ZERO;
        }
        let amount = self.source(amount);
        if opcode == Opcode::Sshr {
            let value = match self.short_source(value) {
                Source::Immediate(_) => Source::Reg(self.register(value)),
                source => source,
            };
            // Both are read by one instruction.
            let amount = match (amount, value) {
                (Source::Transfer(..), Source::Transfer(..))
                | (Source::Local(..), Source::Local(..)) => {
                    Source::Reg(self.emit(Op::Alu(AluOp::Move, Source::Nothing, amount)))
                }
                _ => amount,
            };
            return self.emit(Op::ArithmeticShiftBy(value, amount)).into();
        }
        let right = match self.short_source(value) {
            Source::Immediate(_) => Source::Reg(self.register(value)),
            source => source,
        };
        let (op, left) = match or {
            None => (ShiftOp::Move, Source::Nothing),
            Some(reg) => (ShiftOp::Or, Source::Reg(reg)),
        };
        let op = Op::IndirectShift {
            amount,
            op,
            left,
            right,
            to_left: opcode == Opcode::Ishl,
        };
        self.emit(op).into()
    }

    /// A shift of both halves by the low five bits of an amount.
    fn shift64_below(&mut self, opcode: Opcode, value: Pair, amount: Half) -> Pair {
        let (near, far) = match opcode {
            Opcode::Ishl => (value.low, value.high),
            _ => (value.high, value.low),
        };
        let back = match opcode {
            Opcode::Ishl => Opcode::Ushr,
            _ => Opcode::Ishl,
        };
        let near_shifted = self.shift_by(opcode, near, amount, None);
        // What crosses has to move by 32 less the amount: by one, then by 31 less the amount.
        let crossing = match opcode {
            Opcode::Ishl => near.right(1),
            _ => near.left(1),
        };
        let logical = match opcode {
            Opcode::Sshr => Opcode::Ushr,
            other => other,
        };
        let far_shifted = self.shift_by(logical, far, amount, None);
        let far_shifted = if crossing == ZERO {
            far_shifted
        } else {
            let rest = self.alu(AluOp::Xor, amount, Half::Const(31));
            let or = match far_shifted {
                ZERO => None,
                half => Some(self.register(half)),
            };
            self.shift_by(back, crossing, rest, or)
        };
        match opcode {
            Opcode::Ishl => Pair {
                low: near_shifted,
                high: far_shifted,
            },
            _ => Pair {
                low: far_shifted,
                high: near_shifted,
            },
        }
    }
}
