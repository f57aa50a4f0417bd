//! What is around a program on the card: the open firmware as NFP.md, sections 5 and 6, describe it.
//!
//! A [`Card`] holds memory, maps and what programs reported; [`Card::run`] puts a packet where the
//! firmware would, enters the program, plays the helpers that it branches to, and reads the verdict
//! where it leaves.
//!
//! Why a model and not firmware code: the code is not ours, and only what it promises matters. What
//! a helper may destroy is destroyed, and what a program must leave alone is compared afterwards
//! ([`Outcome::clobbered`], [`Outcome::stray`]).
//!
//! Where things are, which helpers there are and which registers stay is [`Abi`], data that comes
//! from a capability file; its defaults are the open firmware's.
//!
//! Cost: a run's steps are bounded by [`crate::sim::Limits`]; maps make elements when they are touched,
//! at most [`Abi::map_bytes`] of them.

mod abi;
mod card;
mod helpers;
mod maps;
#[cfg(test)]
mod tests;
mod verdict;

pub use abi::Abi;
pub use card::{Card, Outcome, Record, Watch};
pub use maps::{DeviceMap, DeviceMapKind};
pub use verdict::{Action, Counter, Verdict};
