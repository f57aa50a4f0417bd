//! Programs for the NFP: those that the Linux driver translated, and comparison of what words do on
//! the simulated card with what the bytecode does in the interpreter.

mod cases;
mod compare;
mod inputs;

pub use cases::{Case, CaseMap, cases};
pub use compare::{Report, compare};
pub use inputs::{Input, inputs};
