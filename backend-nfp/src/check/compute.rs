//! Instructions that compute: which bits of the result are defined, what is known of it, and which
//! condition codes it leaves.

use super::shape::{shift_takes_left, takes_left};
use super::state::Flags;
use super::step::Step;
use super::value::Value;
use super::violation::{Rule, Use};
use crate::isa::{AluOp, Bank, Destination, Insn, Mode, Operand, Shift, ShiftOp, Width};

impl Step<'_> {
    /// An ALU instruction, one with a shift, or one on a field. `fresh`: the instruction right before
    /// gave the previous result; `amount`: its left operand.
    pub(super) fn compute(&mut self, insn: Insn, fresh: bool, amount: Option<Value>) {
        match insn {
            Insn::Alu {
                op,
                swapped,
                a,
                b,
                destination,
                mode,
            } => {
                let copies = op == AluOp::Move;
                let (left, right) = self.sources(a, b, swapped, takes_left(op), !copies);
                let (result, flags) = self.arithmetic(op, left, right);
                self.finish(result, mode, flags);
                self.state.amount = Some(left);
                self.write(destination, result);
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
                let uses_left = shift_takes_left(op, shift);
                let (left, right) = self.sources(a, b, swapped, uses_left, true);
                let result = if op == ShiftOp::Arithmetic {
                    self.arithmetic_shift(right, shift, fresh, amount)
                } else {
                    let shifted = self.shifted(left, right, shift, amount);
                    match op {
                        ShiftOp::Not => shifted.not(),
                        ShiftOp::And => left.and(shifted),
                        ShiftOp::NotAnd => left.not().and(shifted),
                        ShiftOp::AndNot => left.and(shifted.not()),
                        ShiftOp::Or => left.or(shifted),
                        ShiftOp::Move | ShiftOp::Arithmetic | ShiftOp::ByteAlign => shifted,
                    }
                };
                self.finish(result, mode, logical(result));
                self.state.amount = Some(left);
                self.write(destination, result);
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
                let (old, source) = self.sources(a, b, swapped, false, true);
                let shifted = self.shifted(old, source, shift, amount);
                let base = if clear { Value::number(0) } else { old };
                let result = shifted.over(base, bytes(mask));
                let keeps = Mode {
                    keep_conditions: mode.keep_conditions || !load_conditions,
                    ..mode
                };
                self.finish(result, keeps, logical(result));
                let destination = Destination {
                    operand: if swapped { b } else { a },
                    bank: if swapped { Bank::B } else { Bank::A },
                    both,
                };
                self.write(destination, result);
            }
            _ => {}
        }
    }

    /// A number, a part of one, or the result of a register read.
    pub(super) fn immediate(&mut self, insn: Insn, read: Option<Value>) {
        let Insn::Immed {
            destination,
            value,
            width,
            byte_shift,
            invert,
            ..
        } = insn
        else {
            return;
        };
        let up = 8 * u32::from(byte_shift);
        let (field, reach) = match width {
            Width::Whole => (u32::from(value), u32::MAX),
            Width::Byte => (u32::from(value) & 0xff, 0xffu32.wrapping_shl(up)),
            Width::Half => (u32::from(value), 0xffffu32.wrapping_shl(up)),
        };
        let field = field.wrapping_shl(up);
        let number = Value::number(if invert { !field } else { field });
        let result = match read {
            Some(read) if value == 0 => read,
            _ if reach == u32::MAX => number,
            _ => number.over(self.old(destination), reach),
        };
        self.state.previous = result;
        self.state.fresh = true;
        self.write(destination, result);
    }

    /// What a destination holds before a write of a part.
    fn old(&mut self, destination: Destination) -> Value {
        match destination.operand {
            Operand::Transfer(register) => self.state.transfer_out[usize::from(register & 63)],
            Operand::Gpr(register) if destination.both => {
                let banks = [Bank::A, Bank::B].map(|bank| self.state.gpr(bank, register));
                banks[0].meet(banks[1])
            }
            Operand::Lmem { index, access } => self.local_peek(index, access),
            operand => self.read(operand, destination.bank),
        }
    }

    /// Left and right operand.
    fn sources(
        &mut self,
        a: Operand,
        b: Operand,
        swapped: bool,
        uses_left: bool,
        uses_right: bool,
    ) -> (Value, Value) {
        let mut one = |operand: Operand, bank: Bank, used: bool| {
            if used {
                self.source(operand, bank)
            } else {
                self.read(operand, bank)
            }
        };
        let (uses_a, uses_b) = if swapped {
            (uses_right, uses_left)
        } else {
            (uses_left, uses_right)
        };
        let (a, b) = (one(a, Bank::A, uses_a), one(b, Bank::B, uses_b));
        if swapped { (b, a) } else { (a, b) }
    }

    fn finish(&mut self, result: Value, mode: Mode, flags: Flags) {
        if !mode.keep_conditions {
            self.state.flags = flags;
        }
        self.state.previous = result;
        self.state.fresh = true;
    }

    fn arithmetic(&mut self, op: AluOp, left: Value, right: Value) -> (Value, Flags) {
        let result = match op {
            AluOp::Move => right,
            AluOp::Not => right.not(),
            AluOp::And => left.and(right),
            AluOp::NotAnd => left.not().and(right),
            AluOp::AndNot => left.and(right.not()),
            AluOp::Or => left.or(right),
            AluOp::Xor => left.xor(right),
            _ => {
                let sum = match op {
                    AluOp::Add16 => left.plus(right.and(Value::number(0xffff))),
                    AluOp::Add8 => left.plus(right.and(Value::number(0xff))),
                    AluOp::Sub => left.minus(right),
                    AluOp::SubReverse => right.minus(left),
                    AluOp::AddCarry | AluOp::SubCarry => self.with_carry(left, right),
                    _ => left.plus(right),
                };
                let all = Flags::CARRY | Flags::OVERFLOW;
                let flags = logical(sum);
                let known = if sum.is_defined() { all } else { 0 };
                let flags = Flags {
                    set: flags.set | all,
                    known: flags.known | known,
                };
                return (sum, flags);
            }
        };
        (result, logical(result))
    }

    fn with_carry(&mut self, left: Value, right: Value) -> Value {
        let flags = self.state.flags;
        if flags.set & Flags::CARRY == 0 {
            self.broken(Rule::Undefined(Use::Carry));
        }
        if flags.known & Flags::CARRY == 0 {
            return Value::UNDEFINED;
        }
        left.sum_of(right)
    }

    /// The amount of an indirect shift; whether it is defined.
    fn amount(&mut self, amount: Option<Value>) -> Option<Value> {
        match amount {
            None => self.broken(Rule::ShiftAmount),
            Some(amount) => self.used(amount, 31, Use::Amount),
        }
        amount
    }

    fn shifted(&mut self, left: Value, right: Value, shift: Shift, amount: Option<Value>) -> Value {
        let double = |by: u32| match by {
            0 => right,
            by => right.right(by).or(left.left(32 - by)),
        };
        match shift {
            Shift::None => right,
            Shift::RotateRight(by) => right.rotated(by.into()),
            Shift::Right(by) => right.right(by.into()),
            Shift::Left(by) => right.left(by.into()),
            Shift::Double(by) => double(by.into()),
            Shift::RightIndirect | Shift::LeftIndirect | Shift::DoubleIndirect => {
                let amount = self.amount(amount).and_then(|amount| amount.low_bits(5));
                match (shift, amount) {
                    (Shift::RightIndirect, Some(by)) => right.right(by),
                    (Shift::LeftIndirect, Some(by)) => right.left(by),
                    (Shift::DoubleIndirect, Some(by)) => double(by),
                    (Shift::DoubleIndirect, None) => right.somehow().meet(left.somehow()).somehow(),
                    _ => right.somehow(),
                }
            }
        }
    }

    /// A right shift that fills with the sign of the previous result.
    fn arithmetic_shift(
        &mut self,
        right: Value,
        shift: Shift,
        fresh: bool,
        amount: Option<Value>,
    ) -> Value {
        if fresh {
            let previous = self.state.previous;
            self.used(previous, 1 << 31, Use::Sign);
        } else {
            self.broken(Rule::NoPrevious);
        }
        match shift {
            Shift::Right(by) => right.right(by.into()).forgotten(),
            _ => {
                self.amount(amount);
                right.somehow()
            }
        }
    }
}

/// Condition codes of a logical result: carry and overflow are not to be relied upon.
fn logical(result: Value) -> Flags {
    let negative = if result.undefined >> 31 == 0 {
        Flags::NEGATIVE
    } else {
        0
    };
    let zero = if result.is_defined() || result.is_certainly_nonzero() {
        Flags::ZERO
    } else {
        0
    };
    Flags {
        set: Flags::NEGATIVE | Flags::ZERO,
        known: negative | zero,
    }
}

/// The bits of the bytes that a mask names.
fn bytes(mask: u8) -> u32 {
    (0..4)
        .filter(|byte| mask >> byte & 1 != 0)
        .fold(0, |all, byte| all | 0xff << (8 * byte))
}
