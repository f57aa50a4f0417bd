//! The bytecode interpreter, and the world that any interpreter of such programs needs.
//!
//! [`Machine`] is the world: memory, maps, the packet, helpers. [`bytecode`] steps through an
//! [`Image`]'s slots on it. It is an oracle, not a fast path: what it cannot do right it refuses
//! with a typed [`Fault`] that names the place, and every loop is bounded by
//! [`Options::step_limit`] and [`Options::memory_limit`].

pub mod alu;
pub mod bytecode;
pub mod conformance;
mod errno;
mod event;
mod fault;
mod helpers;
mod image;
mod invent;
mod load;
mod machine;
mod map;
mod memory;
mod packet;

pub use bytecode::{Interpreter, Run};
pub use event::Event;
pub use fault::{AccessKind, Fault, FaultKind, Place};
pub use image::{Image, Program, pseudo};
pub use load::{LoadError, LoadErrorKind, load};
pub use machine::{Callback, FRAME_SIZE, Machine, Options, Outcome};
pub use map::Map;
pub use memory::{Meaning, Memory, Region, RegionId, RegionKind};
pub use packet::{ContextKind, Packet};
