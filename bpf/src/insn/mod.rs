//! The instruction set: cpu v1 to v4 and what newer LLVM adds.
//!
//! [`Slot`] is one 8-byte slot as it lies in a section. [`Insn`] is an instruction that is
//! *understood*: decoding refuses reserved fields that are not zero, because a later kernel may
//! give them a meaning. Code that only copies instructions keeps slots.

mod slot;
mod types;

pub use slot::{Endian, Slot};
pub use types::{
    AluOp, AtomicOp, CallTarget, Cond, EndianOp, Insn, MemWidth, Operand, Pseudo, Reg, Width,
};
