//! Words to instructions.
//!
//! Classes are told apart by the masks that the disassembler of GNU binutils uses, in its order.

use super::bits::{bit, field, target};
use super::encode::base;
use super::error::DecodeError;
use super::insn::{
    AluOp, Command, CommandAction, CommandMode, Condition, Destination, Insn, Mode, MultiplyPhase,
    MultiplySize, Shift, ShiftOp, Width,
};
use super::operand::{Bank, Operand};
use super::{WORD_MASK, insn};

/// What takes an instruction of a class apart; the error names the reserved field.
type Reader = fn(u64) -> Result<Insn, &'static str>;

/// Masks, values and readers of the classes.
const CLASSES: [(u64, u64, Reader); 12] = [
    (0x80_0000_0000, 0, command),
    (0xe0_0000_0000, base::ALU_SHIFT, alu_shift),
    (0xe0_0000_0000, base::ALU, alu),
    (0x1f9_0000_0000, base::IMMED, immed),
    (0x1fa_00e0_0000, base::LOAD_FIELD, load_field),
    (0xf8_0000_0000, base::CONTEXT_SWAP, context_swap),
    (0x1fe_0010_0000, base::CSR, control_register),
    (0xf8_000c_3ce0, base::BRANCH, branch),
    (0xf8_0000_0000, base::BRANCH_BYTE, branch_byte),
    (0xf8_0008_0300, base::BRANCH_BIT, branch_bit),
    (0xff_8000_0000, base::JUMP, jump),
    (0xfe_3f00_0000, base::MULTIPLY, multiply),
];

impl Insn {
    /// The instruction that a word without error code is.
    ///
    /// # Errors
    /// [`DecodeError`] when it is none, or uses a reserved encoding.
    pub fn decode(word: u64) -> Result<Insn, DecodeError> {
        if word & !WORD_MASK != 0 {
            return Err(DecodeError::TooLong(word));
        }
        let class = CLASSES
            .iter()
            .find(|(mask, value, _)| word & mask == *value)
            .ok_or(DecodeError::Class(word))?;
        let insn = class.2(word).map_err(|field| DecodeError::Reserved { word, field })?;
        if insn.encode() != Ok(word) {
            return Err(DecodeError::Reserved {
                word,
                field: "bits outside of its fields",
            });
        }
        Ok(insn)
    }
}

fn mode(word: u64) -> Mode {
    Mode {
        keep_conditions: bit(word, 40),
        predicated: bit(word, 44),
    }
}

fn bank(b: bool) -> Bank {
    if b { Bank::B } else { Bank::A }
}

fn wide(word: u64, low: u32, extended: u32) -> Result<Operand, &'static str> {
    let bits = field(word, low, 10);
    Operand::from_unrestricted(bits, bit(word, extended)).ok_or("operand")
}

fn narrow(word: u64, low: u32, extended: u32, bit7: bool) -> Result<Operand, &'static str> {
    let bits = field(word, low, 8);
    Operand::from_restricted(bits, bit(word, extended), bit7).ok_or("operand")
}

/// A field as the destination; a source-only form there is reserved.
fn destination(operand: Operand, in_b: bool, word: u64) -> Result<Destination, &'static str> {
    Ok(Destination {
        operand: operand.as_destination().ok_or("destination")?,
        bank: bank(in_b),
        both: bit(word, 41),
    })
}

fn shift(word: u64) -> Shift {
    let amount = field(word, 28, 5) as u8;
    match (field(word, 8, 2), amount) {
        (0, 0) => Shift::None,
        (0, by) => Shift::RotateRight(by),
        (1, 0) => Shift::RightIndirect,
        (1, by) => Shift::Right(by),
        (2, 0) => Shift::LeftIndirect,
        (2, by) => Shift::Left(32 - by),
        (_, 0) => Shift::DoubleIndirect,
        (_, by) => Shift::Double(by),
    }
}

fn alu(word: u64) -> Result<Insn, &'static str> {
    let op = match field(word, 31, 5) {
        0x00 => AluOp::Move,
        0x01 => AluOp::Add,
        0x04 => AluOp::Not,
        0x05 => AluOp::Add16,
        0x08 => AluOp::And,
        0x09 => AluOp::Add8,
        0x0c => AluOp::NotAnd,
        0x0d => AluOp::SubCarry,
        0x10 => AluOp::AndNot,
        0x11 => AluOp::AddCarry,
        0x14 => AluOp::Or,
        0x15 => AluOp::Sub,
        0x18 => AluOp::Xor,
        0x19 => AluOp::SubReverse,
        _ => return Err("operation"),
    };
    Ok(Insn::Alu {
        op,
        swapped: bit(word, 30),
        a: wide(word, 0, 42)?,
        b: wide(word, 10, 42)?,
        destination: destination(wide(word, 20, 43)?, bit(word, 36), word)?,
        mode: mode(word),
    })
}

fn alu_shift(word: u64) -> Result<Insn, &'static str> {
    let op = match field(word, 33, 3) {
        0 => ShiftOp::Move,
        1 => ShiftOp::Not,
        2 => ShiftOp::And,
        3 => ShiftOp::NotAnd,
        4 => ShiftOp::AndNot,
        5 => ShiftOp::Or,
        6 => ShiftOp::Arithmetic,
        _ => ShiftOp::ByteAlign,
    };
    let bit7 = bit(word, 18);
    Ok(Insn::AluShift {
        op,
        swapped: bit(word, 19),
        a: narrow(word, 0, 42, bit7)?,
        b: narrow(word, 10, 42, bit7)?,
        shift: shift(word),
        destination: destination(narrow(word, 20, 43, false)?, bit(word, 36), word)?,
        mode: mode(word),
    })
}

fn load_field(word: u64) -> Result<Insn, &'static str> {
    let (swapped, bit7) = (bit(word, 19), bit(word, 18));
    let mut a = narrow(word, 0, 42, bit7)?;
    let mut b = narrow(word, 10, 42, bit7)?;
    let place = if swapped { &mut b } else { &mut a };
    *place = place.as_destination().ok_or("destination")?;
    Ok(Insn::LoadField {
        swapped,
        a,
        b,
        shift: shift(word),
        mask: field(word, 24, 4) as u8,
        clear: bit(word, 20),
        load_conditions: bit(word, 34),
        both: bit(word, 41),
        mode: mode(word),
    })
}

fn immed(word: u64) -> Result<Insn, &'static str> {
    // The sources' extension bit is not used here: the destination has its own.
    let (a, b) = (wide(word, 0, 43)?, wide(word, 10, 43)?);
    let (place, low, in_b) = match (a, b) {
        (place, Operand::Immediate(low)) => (place, low, false),
        (Operand::Immediate(low), place) => (place, low, true),
        _ => return Err("operands: one must be a number"),
    };
    Ok(Insn::Immed {
        destination: destination(place, in_b, word)?,
        value: u16::from(low) | (field(word, 20, 8) as u16) << 8,
        width: match field(word, 29, 2) {
            0 => Width::Whole,
            1 => Width::Byte,
            2 => Width::Half,
            _ => return Err("width"),
        },
        byte_shift: field(word, 33, 2) as u8,
        invert: bit(word, 31),
        mode: mode(word),
    })
}

/// The operand and the number of a class that has one of each.
fn one_operand(a: Operand, b: Operand) -> Result<(Operand, Bank, u8), &'static str> {
    match (a, b) {
        (Operand::Immediate(_), Operand::Immediate(_)) => Err("operands: both are numbers"),
        (operand, Operand::Immediate(number)) => Ok((operand, Bank::A, number)),
        (Operand::Immediate(number), operand) => Ok((operand, Bank::B, number)),
        _ => Err("operands: one must be a number"),
    }
}

fn control_register(word: u64) -> Result<Insn, &'static str> {
    let address = (field(word, 22, 11) as u16) << 2;
    if !bit(word, 21) {
        return Ok(Insn::CsrRead { address });
    }
    let (a, b) = (wide(word, 0, 42)?, wide(word, 10, 42)?);
    let (source, bank) = if a == b {
        (a, Bank::A)
    } else {
        let (source, bank, _) = one_operand(a, b)?;
        (source, bank)
    };
    Ok(Insn::CsrWrite {
        address,
        source,
        bank,
    })
}

fn branch(word: u64) -> Result<Insn, &'static str> {
    let condition = match field(word, 0, 5) {
        0 => Condition::Equal,
        1 => Condition::NotEqual,
        2 => Condition::Negative,
        3 => Condition::Positive,
        4 => Condition::CarrySet,
        5 => Condition::CarryClear,
        6 => Condition::Overflow,
        7 => Condition::NoOverflow,
        8 => Condition::GreaterOrEqual,
        9 => Condition::Less,
        10 => Condition::LessOrEqual,
        11 => Condition::Greater,
        24 => Condition::Always,
        _ => return Err("condition"),
    };
    Ok(Insn::Branch {
        condition,
        target: target(word),
        defer: defer(word),
    })
}

fn defer(word: u64) -> u8 {
    field(word, 20, 2) as u8
}

fn branch_bit(word: u64) -> Result<Insn, &'static str> {
    let (a, b) = (narrow(word, 0, 42, false)?, narrow(word, 10, 42, false)?);
    let (operand, bank, amount) = one_operand(a, b)?;
    Ok(Insn::BranchBit {
        operand,
        bank,
        bit: amount.checked_sub(1).ok_or("bit")?,
        set: bit(word, 18),
        target: target(word),
        defer: defer(word),
    })
}

fn branch_byte(word: u64) -> Result<Insn, &'static str> {
    let bit7 = bit(word, 18);
    let (a, b) = (narrow(word, 0, 42, bit7)?, narrow(word, 10, 42, bit7)?);
    let (operand, bank, value) = one_operand(a, b)?;
    Ok(Insn::BranchByte {
        operand,
        bank,
        byte: field(word, 8, 2) as u8,
        value,
        equal: bit(word, 19),
        target: target(word),
        defer: defer(word),
    })
}

fn jump(word: u64) -> Result<Insn, &'static str> {
    let (operand, bank, low) = one_operand(wide(word, 0, 42)?, wide(word, 10, 42)?)?;
    Ok(Insn::Jump {
        operand,
        bank,
        offset: u32::from(low) | (field(word, 22, 9) as u32) << 8,
        defer: defer(word),
    })
}

fn multiply(word: u64) -> Result<Insn, &'static str> {
    let size = match field(word, 31, 2) {
        1 => Some(MultiplySize::By8),
        2 => Some(MultiplySize::By16),
        3 => Some(MultiplySize::By32),
        _ => None,
    };
    let phase = match (size, field(word, 20, 3) as u8) {
        (None, 0) => MultiplyPhase::Start,
        (Some(size), step @ 0..4) => MultiplyPhase::Step(size, step),
        (Some(size), 4) => MultiplyPhase::Low(size),
        (Some(size), 5) => MultiplyPhase::High(size),
        _ => return Err("multiply step"),
    };
    Ok(match phase {
        MultiplyPhase::Start | MultiplyPhase::Step(..) => Insn::MultiplyStep {
            phase,
            swapped: bit(word, 30),
            a: wide(word, 0, 42)?,
            b: wide(word, 10, 42)?,
        },
        MultiplyPhase::Low(_) | MultiplyPhase::High(_) => Insn::MultiplyResult {
            phase,
            destination: destination(wide(word, 0, 43)?, bit(word, 23), word)?,
        },
    })
}

fn command(word: u64) -> Result<Insn, &'static str> {
    let (target, token) = (field(word, 32, 7), field(word, 18, 2));
    let (action, ..) = CommandAction::ALL
        .into_iter()
        .find(|(_, target_of, token_of)| (*target_of, *token_of) == (target, token))
        .ok_or("command")?;
    Ok(Insn::Command(Command {
        action,
        mode: match field(word, 42, 3) {
            0 => CommandMode::WideA,
            1 => CommandMode::WideB,
            4 => CommandMode::Short,
            _ => return Err("address mode"),
        },
        // Commands have no extension bits.
        a: narrow(word, 0, u64::BITS - 1, false)?,
        b: narrow(word, 10, u64::BITS - 1, false)?,
        transfer: (field(word, 20, 5) | field(word, 40, 1) << 5) as u8,
        length: field(word, 25, 3) as u8,
        signal: field(word, 28, 4) as u8,
        swap: match field(word, 8, 2) as u8 {
            3 => None,
            slots => Some(slots),
        },
        indirect: bit(word, 41),
    }))
}

fn context_swap(word: u64) -> Result<Insn, &'static str> {
    Ok(insn::Insn::ContextSwap {
        signals: field(word, 0, 16) as u16,
        any: bit(word, 16),
        defer: defer(word),
    })
}
