//! The instruction set: cpu v1 to v4 and what newer LLVM adds.
//!
//! [`Slot`] is one 8-byte slot as it lies in a section. [`Insn`] is an instruction that is
//! *understood*: decoding refuses reserved fields that are not zero, because a later kernel may
//! give them a meaning. Code that only copies instructions keeps slots.
//!
//! Encoding is the inverse of decoding: whatever decodes gives back the same slots. The old form
//! of `callx` (compilers before LLVM 19), with its register in the immediate, is refused: no
//! kernel takes it, and its bits are a reserved field today.

mod cpu;
mod decode;
mod display;
mod effects;
mod encode;
mod opcode;
mod slot;
#[cfg(test)]
mod tests;
mod types;

pub use cpu::Cpu;
pub use decode::{DecodeError, Field};
pub use effects::RegSet;
pub use encode::{Encoded, read_slots, write_slots};
pub use slot::{Endian, Slot};
pub use types::{
    AluOp, AtomicOp, CallTarget, Cond, EndianOp, Insn, MemWidth, Operand, Pseudo, Reg, Width,
};
