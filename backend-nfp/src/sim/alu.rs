//! Instructions that compute: ALU, shifts, fields, numbers.
//!
//! Flags as NFP.md, section 4: subtraction leaves carry set when nothing was borrowed, logic leaves
//! carry and overflow undefined, an `immed` leaves all flags alone, and a field operation does so
//! unless it says otherwise.

use super::core::Core;
use super::fault::{FaultKind, HazardKind};
use super::operands::Moves;
use super::value::{Conditions, Value, sum};
use crate::isa::{AluOp, Bank, Destination, Insn, Mode, Shift, ShiftOp, Width};

impl Core {
    /// An [`Insn::Alu`], [`Insn::AluShift`] or [`Insn::LoadField`]; `amount` is what an indirect
    /// shift moves by.
    pub(super) fn compute(&mut self, insn: Insn, amount: Option<Value>) -> Result<(), FaultKind> {
        let mut moves = Moves::default();
        match insn {
            Insn::Alu {
                op,
                swapped,
                a,
                b,
                destination,
                mode,
            } => {
                refuse_predicate(mode)?;
                let (left, right) = self.read_pair(a, b, swapped, &mut moves)?;
                let (result, conditions) = arithmetic(op, left, right, self.conditions.carry);
                if !mode.keep_conditions {
                    self.conditions = conditions;
                }
                self.amount = Some(left);
                self.previous = result;
                self.write(destination, result, &mut moves)?;
            }
            Insn::AluShift {
                op,
                swapped,
                a,
                b,
                shift,
                destination,
                mode,
            } => {
                refuse_predicate(mode)?;
                let (left, right) = self.read_pair(a, b, swapped, &mut moves)?;
                let result = if op == ShiftOp::Arithmetic {
                    self.arithmetic_shift(right, shift, amount)
                } else {
                    let shifted = self.shifted(left, right, shift, amount);
                    logic(op, left, shifted)?
                };
                if !mode.keep_conditions {
                    self.conditions = Conditions::logical(result);
                }
                self.amount = Some(left);
                self.previous = result;
                self.write(destination, result, &mut moves)?;
            }
            Insn::LoadField {
                swapped,
                a,
                b,
                shift,
                mask,
                clear,
                load_conditions,
                both,
                mode,
            } => {
                refuse_predicate(mode)?;
                let (old, source) = self.read_pair(a, b, swapped, &mut moves)?;
                // The destination is the left operand; an index that it moves has moved once.
                let shifted = self.shifted(old, source, shift, amount);
                let base = if clear { Value::default() } else { old };
                let result = shifted.over(base, byte_mask(mask));
                if load_conditions && !mode.keep_conditions {
                    self.conditions = Conditions::logical(result);
                }
                self.previous = result;
                let destination = Destination {
                    operand: if swapped { b } else { a },
                    bank: if swapped { Bank::B } else { Bank::A },
                    both,
                };
                self.write(destination, result, &mut moves)?;
            }
            _ => return Err(FaultKind::Unsupported("this instruction")),
        }
        self.finish(moves);
        Ok(())
    }

    /// An [`Insn::Immed`]; right after a register read, it delivers that register.
    pub(super) fn immediate(
        &mut self,
        insn: Insn,
        csr_result: Option<Value>,
    ) -> Result<(), FaultKind> {
        let Insn::Immed {
            destination,
            value,
            width,
            byte_shift,
            invert,
            mode,
        } = insn
        else {
            return Err(FaultKind::Unsupported("this instruction"));
        };
        refuse_predicate(mode)?;
        let mut moves = Moves::default();
        let up = u32::from(byte_shift) * 8;
        let (field, reach) = match width {
            Width::Whole => (u32::from(value), u32::MAX),
            Width::Byte => (u32::from(value) & 0xff, 0xffu32 << up),
            Width::Half => (u32::from(value), 0xffffu32 << up),
        };
        let number = field << up;
        let number = Value::from(if invert { !number } else { number });
        let result = match csr_result.filter(|_| value == 0) {
            Some(read) => read,
            None if reach == u32::MAX => number,
            None => {
                // Both copies of a register are equal where both are written.
                let mut unmoved = Moves::default();
                let old = self.old(destination, &mut unmoved)?;
                number.over(old, reach)
            }
        };
        self.previous = result;
        self.write(destination, result, &mut moves)?;
        self.finish(moves);
        Ok(())
    }

    /// What a destination holds before a partial write.
    fn old(&mut self, destination: Destination, moves: &mut Moves) -> Result<Value, FaultKind> {
        match destination.operand {
            crate::isa::Operand::Transfer(number) => {
                Ok(self.transfer_out[usize::from(number & 63)])
            }
            // Nothing says what is merged with where nothing is written.
            crate::isa::Operand::Nothing => Ok(Value::unknown(0)),
            operand => self.read(operand, destination.bank, moves),
        }
    }

    /// The amount of an indirect shift.
    fn indirect(&mut self, amount: Option<Value>) -> (u32, bool) {
        let Some(amount) = amount else {
            self.hazard(HazardKind::ShiftAmount);
            return (0, false);
        };
        let amount = amount.masked(31);
        (amount.bits, !amount.is_known())
    }

    fn shifted(&mut self, left: Value, right: Value, shift: Shift, amount: Option<Value>) -> Value {
        match shift {
            Shift::None => right,
            Shift::RotateRight(by) => right.rotated(by.into()),
            Shift::Right(by) => right.right(by.into()),
            Shift::Left(by) => right.left(by.into()),
            Shift::Double(by) => double(left, right, by.into()),
            Shift::RightIndirect => {
                let (by, unknown) = self.indirect(amount);
                right.right(by).unless(unknown)
            }
            Shift::LeftIndirect => {
                let (by, unknown) = self.indirect(amount);
                right.left(by).unless(unknown)
            }
            Shift::DoubleIndirect => {
                let (by, unknown) = self.indirect(amount);
                double(left, right, by).unless(unknown)
            }
        }
    }

    /// Fills with the highest bit of the previous result, whatever that was.
    fn arithmetic_shift(&mut self, value: Value, shift: Shift, amount: Option<Value>) -> Value {
        let (by, unknown) = match shift {
            Shift::Right(by) => (u32::from(by), false),
            _ => self.indirect(amount),
        };
        let filled = !u32::MAX.wrapping_shr(by);
        let sign = self.previous.masked(1 << 31);
        let fill = Value {
            bits: if sign.bits != 0 { filled } else { 0 },
            unknown: if sign.unknown != 0 { filled } else { 0 },
        };
        value.right(by).or(fill).unless(unknown)
    }
}

/// Nothing here emits instructions that depend on flags, and what they do is not known.
fn refuse_predicate(mode: Mode) -> Result<(), FaultKind> {
    if mode.predicated {
        return Err(FaultKind::Unsupported("predication"));
    }
    Ok(())
}

fn byte_mask(mask: u8) -> u32 {
    (0..4)
        .filter(|byte| mask >> byte & 1 != 0)
        .fold(0, |all, byte| all | 0xff << (8 * byte))
}

/// Low word of both words moved right.
fn double(left: Value, right: Value, by: u32) -> Value {
    if by == 0 {
        return right;
    }
    right.right(by).or(left.left(32 - by))
}

fn arithmetic(op: AluOp, left: Value, right: Value, carry: Option<bool>) -> (Value, Conditions) {
    let result = match op {
        AluOp::Add => return sum(left, right, Some(false)),
        AluOp::Add16 => return sum(left, right.masked(0xffff), Some(false)),
        AluOp::Add8 => return sum(left, right.masked(0xff), Some(false)),
        AluOp::AddCarry => return sum(left, right, carry),
        AluOp::Sub => return sum(left, right.not(), Some(true)),
        AluOp::SubCarry => return sum(left, right.not(), carry),
        AluOp::SubReverse => return sum(right, left.not(), Some(true)),
        AluOp::Move => right,
        AluOp::Not => right.not(),
        AluOp::And => left.and(right),
        AluOp::NotAnd => left.not().and(right),
        AluOp::AndNot => left.and(right.not()),
        AluOp::Or => left.or(right),
        AluOp::Xor => left.xor(right),
    };
    (result, Conditions::logical(result))
}

fn logic(op: ShiftOp, left: Value, shifted: Value) -> Result<Value, FaultKind> {
    Ok(match op {
        ShiftOp::Move => shifted,
        ShiftOp::Not => shifted.not(),
        ShiftOp::And => left.and(shifted),
        ShiftOp::NotAnd => left.not().and(shifted),
        ShiftOp::AndNot => left.and(shifted.not()),
        ShiftOp::Or => left.or(shifted),
        ShiftOp::Arithmetic | ShiftOp::ByteAlign => {
            return Err(FaultKind::Unsupported("byte alignment"));
        }
    })
}
