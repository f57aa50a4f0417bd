//! What goes wrong in a run: faults end it, hazards are reported beside its result.

use crate::isa::DecodeError;

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultKind {
    /// Too many instructions.
    #[error("more than {0} instructions executed")]
    StepLimit(u64),
    /// A branch, or a wait, where the instructions of another one's defer slots are.
    #[error("branch or wait in a defer slot")]
    BranchInSlot,
    /// A command outside of the memory that there is.
    #[error("{size} bytes at {address:#x}: no memory there")]
    Memory {
        /// The address.
        address: u64,
        /// Bytes.
        size: usize,
    },
    /// A write to memory that programs only read.
    #[error("write of {size} bytes at {address:#x}, which is read-only")]
    ReadOnly {
        /// The address.
        address: u64,
        /// Bytes.
        size: usize,
    },
    /// A command that moves more than the transfer registers hold.
    #[error("transfer registers {first} to {last} do not exist")]
    Transfer {
        /// First.
        first: usize,
        /// Last.
        last: usize,
    },
    /// What the simulator does not model.
    #[error("{0} is not modelled")]
    Unsupported(&'static str),
    /// A context that waits for a signal that nothing raises.
    #[error("wait for signals {0:#x}, which nothing raises")]
    Deadlock(u16),
    /// Control went to an address where nothing is.
    #[error("jump to {0}, where neither the program nor the firmware is")]
    Target(u32),
    /// A helper's argument is nothing that the firmware accepts.
    #[error("helper {helper}: {what}")]
    Helper {
        /// The helper's number.
        helper: u32,
        /// What is wrong.
        what: &'static str,
    },
    /// A word that is not an instruction.
    #[error("{0}")]
    Decode(#[from] DecodeError),
}

/// Why a run ended, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at {at}: {kind}")]
pub struct Fault {
    /// Address of the instruction.
    pub at: u32,
    /// Why.
    pub kind: FaultKind,
}

/// Something that the machine leaves undefined and the program depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HazardKind {
    /// Local memory is used through an index register that is still being written.
    LmIndexNotReady(u8),
    /// An index register moves by itself while it is still being written, or twice in one instruction.
    LmIndexMoved(u8),
    /// Both sources are transfer registers, words of local memory, or numbers: the driver never does that,
    /// and whether hardware can is unknown.
    SameKind,
    /// A branch depends on condition codes or a bit that nobody defined.
    UnknownBranch,
    /// An address depends on bits that nobody defined.
    UnknownAddress,
    /// Undefined bits are written to memory.
    UnknownData,
    /// An undefined number is written to a control register.
    UnknownControl,
    /// The verdict has undefined bits.
    UnknownVerdict,
    /// A helper's argument has undefined bits.
    UnknownArgument,
    /// An indirect shift without an ALU instruction right before it.
    ShiftAmount,
    /// The result of a register read is not taken by the next instruction.
    CsrResultLost,
    /// Steps of a multiplication are missing or change their operands.
    Multiply,
    /// A transfer register is written while a command may still read it.
    TransferInFlight(u8),
}

/// A hazard, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hazard {
    /// Address of the instruction.
    pub at: u32,
    /// What.
    pub kind: HazardKind,
}
