//! backend-nfp: the Netronome Flow Processor, whose micro-engines run BPF programs on the card.
//!
//! - [`isa`]: the instruction set as data, words in and out, error code, relocations.
//! - [`sim`]: a micro-engine context that runs words.
//! - [`firmware`]: what is around a program on the card: entry, exit, helpers, maps, the packet.

pub mod firmware;
pub mod isa;
pub mod sim;
