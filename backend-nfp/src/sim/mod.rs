//! A micro-engine context that runs encoded words.
//!
//! No card is at hand, so this stands in for one: [`Program::load`] takes the words that a loader
//! would put into the instruction store and refuses what the hardware would (error codes, reserved
//! encodings, a missing trailer), and [`Core`] runs them as NFP.md, sections 2 to 4 and 10,
//! describe the machine.
//!
//! Why values carry unknown bits: hardware gives *something* for a register that nobody wrote, for
//! local memory through an index that is not yet ready, for carry after a logical operation. A
//! simulator that picks one thing makes wrong programs look right. Here each bit that the machine
//! does not define is marked ([`Value`]), marks follow data, and a run reports a [`Hazard`] where
//! something that matters (a branch, an address, memory, the verdict) depends on one.
//!
//! Soundness: the simulator shares with what makes code only the layout of words. It was checked
//! against the Linux driver's code for two hundred programs, whose meaning the bytecode interpreter
//! gives (`testsuite/tests/nfp_simulator.rs`); the silicon itself may differ where NFP.md marks a
//! fact as unproved.
//!
//! Cost: a run ends after [`Limits::steps`] instructions; memory is what the caller put there.
//! Nothing that words can say makes it panic.

mod alu;
mod command;
mod control;
mod core;
mod fault;
mod latencies;
mod local_memory;
mod memory;
mod multiply;
mod operands;
mod profile;
mod program;
#[cfg(test)]
mod tests;
mod value;

pub use self::core::{Core, Cycles, Limits};
pub use fault::{Fault, FaultKind, Hazard, HazardKind};
pub use latencies::Latencies;
pub use local_memory::{LMEM_WORDS, LocalMemory};
pub use memory::{Memory, Region, RegionKind};
pub use profile::{Count, Profile};
pub use program::{LoadError, Program};
pub use value::Value;
