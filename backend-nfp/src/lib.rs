//! The Netronome Flow Processor as a target: its micro-engines run BPF programs on the card.
//!
//! - [`capabilities`]: what one firmware offers, from a file.
//! - [`placement`]: in which memory maps lie.
//! - [`offload`]: what keeps a program from running on the card.
//! - [`isa`]: the instruction set as data, words in and out, error code, relocations.
//! - [`compile`]: a program of MIR to words, through [`lir`] and [`machine`].
//! - [`machine`]: machine code before addresses.
//! - [`assemble`]: machine code to words.
//! - [`elf`]: words as a file that GNU objdump reads.
//! - [`sim`]: a micro-engine context that runs words.
//! - [`check`]: words against every rule of machine and firmware, on every path.
//! - [`firmware`]: what is around a program on the card: entry, exit, helpers, maps, the packet.

mod allocate;
pub mod assemble;
mod banks;
pub mod capabilities;
pub mod check;
pub mod compile;
mod depth;
pub mod elf;
mod emit;
pub mod firmware;
pub mod isa;
pub mod legalize;
pub mod lir;
pub mod machine;
pub mod offload;
pub mod placement;
mod select;
pub mod sim;
pub mod space;
pub mod tail_call;
mod transfers;
mod window;
