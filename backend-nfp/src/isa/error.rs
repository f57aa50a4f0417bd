//! What can be wrong with an instruction, in either direction.

use super::operand::Operand;

/// Why an instruction has no word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// The field cannot hold such an operand, or not that number.
    #[error("{operand:?} cannot be the {field}")]
    Operand {
        /// Which field.
        field: &'static str,
        /// What was to go there.
        operand: Operand,
    },
    /// A number is too large for its field.
    #[error("{value} is too large for the {field}")]
    Range {
        /// Which field.
        field: &'static str,
        /// The number.
        value: u64,
    },
    /// Two local-memory sources, of which one needs the extension bit and the other must not have it.
    #[error("local-memory sources share one extension bit, and need it to differ")]
    Extension,
}

/// Why a word is no instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Bits above the instruction are set where there should be none.
    #[error("{0:#x} has bits above an instruction")]
    TooLong(u64),
    /// No class of instructions has these bits.
    #[error("{0:#x} is of no class of instructions")]
    Class(u64),
    /// The class is known; a field, or bits outside of the fields, are reserved.
    #[error("{word:#x}: reserved {field}")]
    Reserved {
        /// The word.
        word: u64,
        /// Which field.
        field: &'static str,
    },
    /// The error code does not fit the instruction.
    #[error("{0:#x} has a wrong error code")]
    ErrorCode(u64),
}
