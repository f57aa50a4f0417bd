//! The instruction set of a micro-engine (ME v2.8) in four-context mode, as data.
//!
//! [`Insn`] has one variant a class of instructions, with typed fields. [`Insn::encode`] makes the
//! 45-bit word, [`Insn::decode`] takes one apart. Above the word lie seven bits of error code
//! ([`ecc`]); in code that is not yet loaded, the top byte says what a loader patches
//! ([`relocation`]).
//!
//! An instruction displays as GNU objdump would show it.
//!
//! Why one pair of functions: everything that makes or reads words (emitter, checker, simulator,
//! listing) goes through them, so the layout of fields is written once.
//!
//! Soundness: `decode` encodes what it found and compares. A word that has bits outside of the
//! fields, or a field that no instruction uses that way, is refused, and `decode` then `encode` is
//! the identity on every word that is accepted.
//!
//! Cost: constant for each word.
//!
//! Layouts are those of NFP.md, sections 2 and 3, which has them from `nfp_asm.h` of the Linux
//! driver and from `nfp-dis.c` of GNU binutils.

mod bits;
pub mod csr;
mod decode;
pub mod ecc;
mod encode;
mod error;
mod insn;
mod operand;
mod print;
pub mod relocation;
#[cfg(test)]
mod tests;

pub use error::{DecodeError, EncodeError};
pub use insn::{
    AluOp, Command, CommandAction, CommandMode, Condition, Destination, Insn, Mode, MultiplyPhase,
    MultiplySize, Shift, ShiftOp, Width,
};
pub use operand::{Bank, LmemAccess, Operand};

/// Bits in an instruction, without error code.
pub const WORD_BITS: u32 = 45;
/// The bits of an instruction.
pub const WORD_MASK: u64 = (1 << WORD_BITS) - 1;
/// The instruction that does nothing: an `immed` of zero with no destination.
pub const NOP: u64 = 0xf0_000c_0300;
/// How many [`NOP`]s follow a program: the instruction store is fetched ahead.
pub const TRAILER: usize = 8;
/// Instructions in a code store, and one more than the largest branch target.
pub const TARGETS: u16 = 1 << 14;
