//! Programs for the NFP: those that the Linux driver translated, and comparison of what words do on
//! the simulated card with what the bytecode does in the interpreter, and of text with GNU objdump's.

mod cases;
mod compare;
mod disassembly;
pub mod fuzz;
mod inputs;
pub mod programs;
pub mod random;
pub mod traffic;
pub mod translate;

pub use cases::{Case, CaseMap, cases};
pub use compare::{Report, Seen, compare, compare_with, expectations, fill};
pub use disassembly::{OBJDUMP, Objdump};
pub use inputs::{Input, inputs};
