//! Instructions to words. Every field is checked: what does not fit is an error, never truncated.

use super::TARGETS;
use super::bits::{flag, put_target};
use super::error::EncodeError;
use super::insn::{Command, CommandAction, Destination, Insn, Mode, MultiplyPhase, Shift, ShiftOp};
use super::operand::{Bank, Field, Operand};

/// Base words of the classes (`nfp_asm.h`).
pub(super) mod base {
    pub(in super::super) const ALU_SHIFT: u64 = 0x80_0000_0000;
    pub(in super::super) const ALU: u64 = 0xa0_0000_0000;
    pub(in super::super) const LOAD_FIELD: u64 = 0xc0_0000_0000;
    pub(in super::super) const BRANCH_BYTE: u64 = 0xc8_0000_0000;
    pub(in super::super) const BRANCH_BIT: u64 = 0xd0_0000_0000;
    pub(in super::super) const BRANCH: u64 = 0xd8_0000_0020;
    pub(in super::super) const CONTEXT_SWAP: u64 = 0xe0_0000_0000;
    pub(in super::super) const JUMP: u64 = 0xe8_0000_0000;
    pub(in super::super) const IMMED: u64 = 0xf0_0000_0000;
    pub(in super::super) const MULTIPLY: u64 = 0xf8_0000_0000;
    pub(in super::super) const CSR: u64 = 0xfc_0000_0000;
}

/// What the driver puts into the field `css` of a branch on condition codes.
const CSS: u64 = 2 << 14;
/// The unrestricted form of no operand in a field that a class does not use.
const UNUSED: u64 = 0x300;

impl Mode {
    fn bits(self) -> u64 {
        flag(self.keep_conditions, 40) | flag(self.predicated, 44)
    }
}

impl Insn {
    /// The instruction's word, without error code.
    ///
    /// # Errors
    /// [`EncodeError`] when a field cannot hold what it should.
    pub fn encode(&self) -> Result<u64, EncodeError> {
        match *self {
            Insn::Alu {
                op,
                swapped,
                a,
                b,
                destination,
                mode,
            } => {
                let (left, right) = (a.unrestricted("A source")?, b.unrestricted("B source")?);
                let place = destination.operand.unrestricted("destination")?;
                not_immediate(destination.operand)?;
                Ok(base::ALU
                    | left.bits
                    | right.bits << 10
                    | place.bits << 20
                    | flag(swapped, 30)
                    | (op as u64) << 31
                    | destination_bits(destination, place, 36)
                    | sources(left, right)?
                    | mode.bits())
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
                let (left, right) = (a.restricted("A source")?, b.restricted("B source")?);
                let place = destination.operand.restricted("destination")?;
                not_immediate(destination.operand)?;
                Ok(base::ALU_SHIFT
                    | left.bits
                    | right.bits << 10
                    | bit7(left, right)
                    | flag(swapped, 19)
                    | place.bits << 20
                    | shift_bits(shift, op == ShiftOp::Arithmetic)?
                    | (op as u64) << 33
                    | destination_bits(destination, place, 36)
                    | sources(left, right)?
                    | mode.bits())
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
                let (left, right) = (a.restricted("A source")?, b.restricted("B source")?);
                not_immediate(if swapped { b } else { a })?;
                let place = if swapped { right } else { left };
                Ok(base::LOAD_FIELD
                    | left.bits
                    | right.bits << 10
                    | bit7(left, right)
                    | flag(swapped, 19)
                    | flag(clear, 20)
                    | limited("byte mask", mask.into(), 16)? << 24
                    | shift_bits(shift, false)?
                    | flag(load_conditions, 34)
                    | flag(both, 41)
                    | flag(place.extended == Some(true), 43)
                    | sources(left, right)?
                    | mode.bits())
            }
            Insn::Immed {
                destination,
                value,
                width,
                byte_shift,
                invert,
                mode,
            } => {
                let place = destination.operand.unrestricted("destination")?;
                not_immediate(destination.operand)?;
                let low = UNUSED | u64::from(value & 0xff);
                let (a, b) = match destination.bank {
                    Bank::A => (place.bits, low),
                    Bank::B => (low, place.bits),
                };
                Ok(base::IMMED
                    | a
                    | b << 10
                    | u64::from(value >> 8) << 20
                    | (width as u64) << 29
                    | flag(invert, 31)
                    | limited("byte shift", byte_shift.into(), 3)? << 33
                    | flag(destination.both, 41)
                    | flag(place.extended == Some(true), 43)
                    | mode.bits())
            }
            Insn::CsrRead { address } => Ok(base::CSR | csr_bits(address)?),
            Insn::CsrWrite {
                address,
                source,
                bank,
            } => {
                let field = source.unrestricted("source")?;
                let other = match source {
                    Operand::Immediate(_) => field.bits,
                    _ => UNUSED,
                };
                Ok(base::CSR
                    | in_bank(field.bits, other, bank, 10)
                    | flag(true, 21)
                    | csr_bits(address)?
                    | flag(field.extended == Some(true), 42))
            }
            Insn::Branch {
                condition,
                target,
                defer,
            } => Ok(base::BRANCH
                | condition as u64
                | flag(condition != super::Condition::Always, 8)
                | CSS
                | branch_bits(target, defer)?),
            _ => self.encode_rest(),
        }
    }

    fn encode_rest(&self) -> Result<u64, EncodeError> {
        match *self {
            Insn::BranchBit {
                operand,
                bank,
                bit,
                set,
                target,
                defer,
            } => {
                let field = operand.restricted("operand")?;
                not_immediate(operand)?;
                let amount = 1 + limited("bit", bit.into(), 32)?;
                let amount = Operand::Immediate(amount as u8).restricted("bit")?;
                Ok(base::BRANCH_BIT
                    | in_bank(field.bits, amount.bits, bank, 10)
                    | flag(set, 18)
                    | branch_bits(target, defer)?
                    | flag(field.extended == Some(true), 42))
            }
            Insn::BranchByte {
                operand,
                bank,
                byte,
                value,
                equal,
                target,
                defer,
            } => {
                let field = operand.restricted("operand")?;
                not_immediate(operand)?;
                let value = Operand::Immediate(value).restricted("value")?;
                Ok(base::BRANCH_BYTE
                    | in_bank(field.bits, value.bits, bank, 10)
                    | limited("byte", byte.into(), 4)? << 8
                    | flag(value.bit7 == Some(true), 18)
                    | flag(equal, 19)
                    | branch_bits(target, defer)?
                    | flag(field.extended == Some(true), 42))
            }
            Insn::Jump {
                operand,
                bank,
                offset,
                defer,
            } => {
                let field = operand.unrestricted("operand")?;
                not_immediate(operand)?;
                let offset = limited("offset", offset.into(), 1 << 17)?;
                let low = UNUSED | offset & 0xff;
                Ok(base::JUMP
                    | in_bank(field.bits, low, bank, 10)
                    | limited("defer count", defer.into(), 4)? << 20
                    | (offset >> 8) << 22
                    | flag(field.extended == Some(true), 42))
            }
            Insn::MultiplyStep {
                phase,
                swapped,
                a,
                b,
            } => {
                let (left, right) = (a.unrestricted("A source")?, b.unrestricted("B source")?);
                Ok(base::MULTIPLY
                    | left.bits
                    | right.bits << 10
                    | flag(swapped, 30)
                    | phase_bits(phase)?
                    | sources(left, right)?)
            }
            Insn::MultiplyResult { phase, destination } => {
                let place = destination.operand.unrestricted("destination")?;
                not_immediate(destination.operand)?;
                Ok(base::MULTIPLY
                    | place.bits
                    | phase_bits(phase)?
                    | destination_bits(destination, place, 23))
            }
            Insn::Command(command) => command.encode(),
            Insn::ContextSwap {
                signals,
                any,
                defer,
            } => Ok(base::CONTEXT_SWAP
                | u64::from(signals)
                | flag(any, 16)
                | limited("defer count", defer.into(), 4)? << 20),
            // `encode` has the others.
            _ => Ok(super::NOP),
        }
    }
}

impl Command {
    fn encode(&self) -> Result<u64, EncodeError> {
        let field = "address";
        // Sources cannot change places, so a number can only be in the second; there is no bit for
        // a number's eighth bit, nor for the higher index registers.
        match (self.a, self.b) {
            (operand @ (Operand::Immediate(_) | Operand::Lmem { index: 2.., .. }), _)
            | (_, operand @ (Operand::Immediate(0x80..) | Operand::Lmem { index: 2.., .. })) => {
                return Err(EncodeError::Operand { field, operand });
            }
            _ => {}
        }
        let (a, b) = (self.a.restricted(field)?, self.b.restricted(field)?);
        let swap = match self.swap {
            Some(slots) => limited("defer count", slots.into(), 3)?,
            None => 3,
        };
        let transfer = limited("transfer register", self.transfer.into(), 64)?;
        let (_, target, token) = CommandAction::ALL
            .into_iter()
            .find(|(action, ..)| *action == self.action)
            .unwrap_or((self.action, 0, 0));
        Ok(a.bits
            | swap << 8
            | b.bits << 10
            | token << 18
            | (transfer & 31) << 20
            | limited("length", self.length.into(), 8)? << 25
            | limited("signal", self.signal.into(), 16)? << 28
            | target << 32
            | (transfer >> 5) << 40
            | flag(self.indirect, 41)
            | (self.mode as u64) << 42)
    }
}

fn limited(field: &'static str, value: u64, limit: u64) -> Result<u64, EncodeError> {
    if value < limit {
        Ok(value)
    } else {
        Err(EncodeError::Range { field, value })
    }
}

fn not_immediate(operand: Operand) -> Result<(), EncodeError> {
    let field = "destination";
    match operand {
        Operand::Immediate(_) => Err(EncodeError::Operand { field, operand }),
        _ => Ok(()),
    }
}

/// The operand in its bank's field, the number in the other.
fn in_bank(operand: u64, number: u64, bank: Bank, width: u32) -> u64 {
    match bank {
        Bank::A => operand | number << width,
        Bank::B => number | operand << width,
    }
}

fn destination_bits(destination: Destination, place: Field, bank: u32) -> u64 {
    flag(destination.bank == Bank::B, bank)
        | flag(destination.both, 41)
        | flag(place.extended == Some(true), 43)
}

fn bit7(left: Field, right: Field) -> u64 {
    flag(
        [left, right].iter().any(|field| field.bit7 == Some(true)),
        18,
    )
}

/// The extension bit that both sources share.
fn sources(left: Field, right: Field) -> Result<u64, EncodeError> {
    match (left.extended, right.extended) {
        (Some(left), Some(right)) if left != right => Err(EncodeError::Extension),
        (left, right) => Ok(flag(left.or(right) == Some(true), 42)),
    }
}

fn branch_bits(target: u16, defer: u8) -> Result<u64, EncodeError> {
    limited("target", target.into(), TARGETS.into())?;
    Ok(put_target(target) | limited("defer count", defer.into(), 4)? << 20)
}

fn csr_bits(address: u16) -> Result<u64, EncodeError> {
    let value = u64::from(address);
    if value & 3 != 0 {
        let field = "register address";
        return Err(EncodeError::Range { field, value });
    }
    Ok(limited("register address", value >> 2, 1 << 11)? << 22)
}

fn phase_bits(phase: MultiplyPhase) -> Result<u64, EncodeError> {
    let (size, step) = match phase {
        MultiplyPhase::Start => return Ok(0),
        MultiplyPhase::Step(size, step) => (
            size,
            limited("multiply step", step.into(), size.steps().into())?,
        ),
        MultiplyPhase::Low(size) => (size, 4),
        MultiplyPhase::High(size) => (size, 5),
    };
    Ok(step << 20 | (size as u64) << 31)
}

/// A left shift is kept as 32 less its amount, an indirect one as amount 0; an arithmetic shift is a
/// right one.
fn shift_bits(shift: Shift, arithmetic: bool) -> Result<u64, EncodeError> {
    let amount = |amount: u8| {
        let value = u64::from(amount);
        let field = "shift amount";
        (1..32)
            .contains(&value)
            .then_some(value)
            .ok_or(EncodeError::Range { field, value })
    };
    let (control, amount) = match shift {
        Shift::None => (0, 0),
        Shift::RotateRight(by) => (0, amount(by)?),
        Shift::Right(by) => (1, amount(by)?),
        Shift::Left(by) => (2, 32 - amount(by)?),
        Shift::Double(by) => (3, amount(by)?),
        Shift::RightIndirect => (1, 0),
        Shift::LeftIndirect => (2, 0),
        Shift::DoubleIndirect => (3, 0),
    };
    if arithmetic && control != 1 {
        let field = "shift of an arithmetic operation";
        return Err(EncodeError::Range {
            field,
            value: control,
        });
    }
    Ok(control << 8 | amount << 28)
}
