//! What is known at one point of one path: registers and stack of each frame, references, locks.

mod describe;
mod frame;
mod register;
mod slot_set;
mod stack;
#[expect(clippy::module_inception, reason = "the state of the states module")]
mod state;

pub use frame::{Frame, ReturnRange};
pub use register::{
    ADDED, ADDED32, ADDED64, DynptrKind, Kind, MapRef, Range, Register, SocketKind,
};
pub use slot_set::SlotSet;
pub use stack::{Byte, SLOT_BYTES, Slot};
pub use state::{Lock, LockHolder, NO_INSN, Reference, State};
