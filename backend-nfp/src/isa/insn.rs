//! Instructions with typed fields.

use super::operand::{Bank, Operand};

/// Where a result goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Destination {
    /// The place.
    pub operand: Operand,
    /// Bank of a general register.
    pub bank: Bank,
    /// Whether the register of the same number in the other bank gets it too.
    pub both: bool,
}

/// Bits that the classes which compute have in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Mode {
    /// Condition codes stay as they are.
    pub keep_conditions: bool,
    /// The instruction depends on the condition codes.
    pub predicated: bool,
}

/// What an [`Insn::Alu`] computes, of a left and a right operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum AluOp {
    /// The right one.
    Move = 0x00,
    /// Sum.
    Add = 0x01,
    /// Complement of the right one.
    Not = 0x04,
    /// Sum with the right one's low 16 bits.
    Add16 = 0x05,
    /// Both.
    And = 0x08,
    /// Sum with the right one's low byte.
    Add8 = 0x09,
    /// The right one where the left one is clear.
    NotAnd = 0x0c,
    /// Difference less what was borrowed.
    SubCarry = 0x0d,
    /// The left one where the right one is clear.
    AndNot = 0x10,
    /// Sum with carry.
    AddCarry = 0x11,
    /// Either.
    Or = 0x14,
    /// Difference.
    Sub = 0x15,
    /// One of the two.
    Xor = 0x18,
    /// Right less left.
    SubReverse = 0x19,
}

/// What an [`Insn::AluShift`] computes, of a left operand and a shifted right one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ShiftOp {
    /// The right one.
    Move = 0,
    /// Complement of the right one.
    Not = 1,
    /// Both.
    And = 2,
    /// The right one where the left one is clear.
    NotAnd = 3,
    /// The left one where the right one is clear.
    AndNot = 4,
    /// Either.
    Or = 5,
    /// Right shift that fills with the sign of the *previous* result.
    Arithmetic = 6,
    /// Bytes of both, by the byte index.
    ByteAlign = 7,
}

/// What is done to a right operand first. Amounts are 1 to 31; the *indirect* forms take the low five
/// bits of the previous instruction's left operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shift {
    /// Nothing.
    None,
    /// Rotated right.
    RotateRight(u8),
    /// Moved right.
    Right(u8),
    /// Moved left.
    Left(u8),
    /// Low word of left and right operand together, moved right.
    Double(u8),
    /// Moved right by an indirect amount.
    RightIndirect,
    /// Moved left by an indirect amount.
    LeftIndirect,
    /// As [`Shift::Double`], by an indirect amount.
    DoubleIndirect,
}

/// How much of its destination an [`Insn::Immed`] writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Width {
    /// All of it: the rest becomes zero.
    Whole = 0,
    /// One byte.
    Byte = 1,
    /// Two bytes.
    Half = 2,
}

/// What a branch waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[expect(missing_docs, reason = "usual names of conditions")]
pub enum Condition {
    Equal = 0,
    NotEqual = 1,
    Negative = 2,
    Positive = 3,
    /// Carry set: no borrow, so unsigned greater or equal.
    CarrySet = 4,
    /// Carry clear: unsigned less.
    CarryClear = 5,
    Overflow = 6,
    NoOverflow = 7,
    GreaterOrEqual = 8,
    Less = 9,
    LessOrEqual = 10,
    Greater = 11,
    Always = 24,
}

/// How wide the factors of a product are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum MultiplySize {
    /// 24 by 8 bits: one step.
    By8 = 1,
    /// 16 by 16 bits: two steps.
    By16 = 2,
    /// 32 by 32 bits: four steps.
    By32 = 3,
}

impl MultiplySize {
    /// Steps between start and result.
    #[must_use]
    pub fn steps(self) -> u8 {
        match self {
            MultiplySize::By8 => 1,
            MultiplySize::By16 => 2,
            MultiplySize::By32 => 4,
        }
    }
}

/// An instruction of a multiplication.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MultiplyPhase {
    /// Begins.
    Start,
    /// A step, from 0.
    Step(MultiplySize, u8),
    /// Gives the low word.
    Low(MultiplySize),
    /// Gives the high word.
    High(MultiplySize),
}

/// How a command's operands give an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum CommandMode {
    /// A shifted left by eight, plus B: 40 bits.
    WideA = 0,
    /// B shifted left by eight, plus A: 40 bits.
    WideB = 1,
    /// A plus B: 32 bits.
    Short = 4,
}

/// What a command asks the memory unit for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CommandAction {
    /// Bytes into transfer registers, first byte highest.
    Read8,
    /// Words into transfer registers, first byte highest.
    Read32,
    /// Words into transfer registers, first byte lowest.
    Read32Swap,
    /// Bytes from transfer registers, lowest first.
    Write8Swap,
    /// Words from transfer registers, lowest byte first.
    Write32Swap,
    /// Adds transfer registers to memory words.
    Add,
    /// Adds a number to memory words.
    AddImmediate,
}

impl CommandAction {
    pub(super) const ALL: [(CommandAction, u64, u64); 7] = [
        (CommandAction::Read8, 0x43, 1),
        (CommandAction::Read32, 0x5c, 0),
        (CommandAction::Read32Swap, 0x5c, 2),
        (CommandAction::Write8Swap, 0x42, 2),
        (CommandAction::Write32Swap, 0x5f, 2),
        (CommandAction::Add, 0x47, 0),
        (CommandAction::AddImmediate, 0x47, 2),
    ];
}

/// A command to a memory unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Command {
    /// What to do.
    pub action: CommandAction,
    /// How `a` and `b` give the address.
    pub mode: CommandMode,
    /// Address operand of bank A.
    pub a: Operand,
    /// Address operand of bank B, or a number up to 127.
    pub b: Operand,
    /// First transfer register.
    pub transfer: u8,
    /// Bytes or words less one, up to 7; for additions, 4 says that they have 64 bits.
    pub length: u8,
    /// Signal that the command raises, 0 for none.
    pub signal: u8,
    /// `Some(n)`: the context waits, after n more instructions.
    pub swap: Option<u8>,
    /// The previous result overrides fields.
    pub indirect: bool,
}

/// An instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    missing_docs,
    reason = "fields that recur are explained at their types"
)]
pub enum Insn {
    /// Arithmetic or logic. `swapped`: the left operand is `b`.
    Alu {
        op: AluOp,
        swapped: bool,
        a: Operand,
        b: Operand,
        destination: Destination,
        mode: Mode,
    },
    /// Logic with a shift.
    AluShift {
        op: ShiftOp,
        swapped: bool,
        a: Operand,
        b: Operand,
        shift: Shift,
        destination: Destination,
        mode: Mode,
    },
    /// Bytes of the shifted source into the destination, which is `a`, or `b` when `swapped`.
    LoadField {
        swapped: bool,
        a: Operand,
        b: Operand,
        shift: Shift,
        /// Bytes to write, lowest first.
        mask: u8,
        /// Whether the other bytes become zero.
        clear: bool,
        /// Whether condition codes follow the result.
        load_conditions: bool,
        both: bool,
        mode: Mode,
    },
    /// A number. The bank is that of the field that holds the destination.
    Immed {
        destination: Destination,
        value: u16,
        width: Width,
        /// Bytes that the value is moved up by, 0 to 2.
        byte_shift: u8,
        invert: bool,
        mode: Mode,
    },
    /// Asks for a control and status register; the next instruction receives it.
    CsrRead { address: u16 },
    /// Writes a control and status register.
    CsrWrite {
        address: u16,
        source: Operand,
        bank: Bank,
    },
    /// Branch on condition codes.
    Branch {
        condition: Condition,
        target: u16,
        defer: u8,
    },
    /// Branch on a bit.
    BranchBit {
        operand: Operand,
        bank: Bank,
        bit: u8,
        set: bool,
        target: u16,
        defer: u8,
    },
    /// Branch on a byte, counted from the lowest.
    BranchByte {
        operand: Operand,
        bank: Bank,
        byte: u8,
        value: u8,
        equal: bool,
        target: u16,
        defer: u8,
    },
    /// Branch to a register's value plus a number.
    Jump {
        operand: Operand,
        bank: Bank,
        offset: u32,
        defer: u8,
    },
    /// Start or step of a multiplication.
    MultiplyStep {
        phase: MultiplyPhase,
        swapped: bool,
        a: Operand,
        b: Operand,
    },
    /// Result of a multiplication.
    MultiplyResult {
        phase: MultiplyPhase,
        destination: Destination,
    },
    /// Command to a memory unit.
    Command(Command),
    /// Waits for signals: all of them, or any.
    ContextSwap { signals: u16, any: bool, defer: u8 },
}
