//! What can be wrong with words.

use crate::isa::{Bank, DecodeError};

/// What is used though nobody defined it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Use {
    /// A source of an instruction that computes.
    Source(Bank, u8),
    /// A transfer register as a source of an instruction that computes.
    Transfer(u8),
    /// Condition codes that a branch waits for.
    Conditions,
    /// Carry of a sum or difference.
    Carry,
    /// A bit or byte that a branch waits for.
    Branch,
    /// Amount of an indirect shift.
    Amount,
    /// Sign that an arithmetic shift fills with.
    Sign,
    /// Address of a command.
    Address,
    /// What overrides a command's fields.
    Override,
    /// Data of a command, in this transfer register.
    Data(u8),
    /// What is written to a control register.
    Control,
    /// Index register of local memory.
    Index(u8),
    /// Argument of a helper.
    Argument(Bank, u8),
    /// A0 at the program's end.
    Verdict,
}

/// A rule that is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rule {
    /// The word is no instruction, or has a wrong error code.
    #[error(transparent)]
    Word(#[from] DecodeError),
    /// Too many words.
    #[error("{words} words, where {most} fit")]
    Size {
        /// Words.
        words: usize,
        /// How many fit.
        most: usize,
    },
    /// The words that follow every program are missing.
    #[error("the program does not end with the instructions that do nothing")]
    Trailer,
    /// Control goes where nothing is.
    #[error("control goes to {0}, which is neither the program nor the firmware's")]
    Target(u32),
    /// Control runs past the last instruction.
    #[error("control runs past the end")]
    End,
    /// Too many defer slots.
    #[error("{slots} defer slots, of at most {most}")]
    Slots {
        /// Slots.
        slots: usize,
        /// At most.
        most: usize,
    },
    /// A branch or wait in a defer slot.
    #[error("branch or wait in a defer slot")]
    TransferInSlot,
    /// A register read and the instruction that receives the result are not together.
    #[error("no `immed` of 0 right behind a register read")]
    SplitRead,
    /// Both sources are transfer registers, local memory, or numbers.
    #[error("both sources are of one kind")]
    SameKind,
    /// Something that no program may use, or whose meaning is not known.
    #[error("{0} is not for programs")]
    Unsupported(&'static str),
    /// A field has more than the instruction uses.
    #[error("{0} is out of range")]
    Range(&'static str),
    /// One instruction moves an index register twice.
    #[error("local-memory index {0} is moved twice")]
    MovedTwice(u8),
    /// An index register is used too soon after it was written.
    #[error("local-memory index {0} is used too soon after it was written")]
    IndexNotReady(u8),
    /// An offset meets bits of the index that are set.
    #[error("offset {offset} replaces bits that are set in local-memory index {index}")]
    IndexAlignment {
        /// Index register.
        index: u8,
        /// Words.
        offset: u8,
    },
    /// Local memory that is not the program's.
    #[error("local memory at {0:#x} is not the program's")]
    LocalMemory(u32),
    /// A word of the packet vector that programs do not write.
    #[error("word {0} of the packet vector is not written by programs")]
    VectorWord(u32),
    /// The index register of the packet vector.
    #[error("local-memory index {0} is the firmware's")]
    FirmwareIndex(u8),
    /// A general register that is the firmware's.
    #[error("register {0:?}{1} is the firmware's")]
    LiveRegister(Bank, u8),
    /// Transfer registers that do not exist or are the firmware's.
    #[error("transfer registers {first} to {last} are not the program's")]
    Transfers {
        /// First.
        first: usize,
        /// Last.
        last: usize,
    },
    /// An indirect shift that does not follow the instruction that gives its amount.
    #[error("no ALU instruction right before gives the amount of an indirect shift")]
    ShiftAmount,
    /// Something takes the previous result and does not follow an instruction that has one.
    #[error("no instruction right before gives the result that this one takes")]
    NoPrevious,
    /// What overrides a command is not known, or not understood.
    #[error("override of a command: {0}")]
    Override(&'static str),
    /// Steps of a multiplication that are not complete, in order, together and of the same sources.
    #[error("multiplication whose steps are not complete, in order, together and alike")]
    Multiplication,
    /// Something depends on what nobody defined.
    #[error("{0:?} is not defined on every path")]
    Undefined(Use),
    /// A jump to a register whose value does not follow from the words.
    #[error("where this jump goes does not follow from the words")]
    UnknownJump,
    /// The return address of a helper does not follow from the words.
    #[error("B0 holds no return address")]
    ReturnAddress,
    /// A transfer register is written while a command may still read it.
    #[error("transfer register {0} is written while a command may still read it")]
    InFlight(u8),
    /// A signal that is raised twice, that nothing waits for, or that is waited for in vain.
    #[error("signal {0} is not raised once and waited for once")]
    Signal(u8),
    /// Calls that nest deeper than stacks can.
    #[error("calls nest deeper than {0}")]
    Depth(usize),
    /// The check was given up.
    #[error("the check takes too long")]
    Effort,
}

/// A broken rule, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at {at}: {rule}")]
pub struct Violation {
    /// Address of the instruction.
    pub at: u32,
    /// The rule.
    pub rule: Rule,
}
