//! How a state came to be: what each instruction of a path changed, for messages and for people
//! who ask.
//!
//! The walk itself needs none of this, so it is recorded only on request, by walking once more:
//! the walk is deterministic, and so the second one ends where the first one did. An event is
//! written for each instruction that changed a register, a spilled register, a call's frame or
//! something held, and for each conditional jump; events of one path are linked from newest to
//! oldest, and paths share what they have in common. From the newest event of a path [`mod@slice`]
//! goes backward and keeps what the registers in question depend on.
//!
//! Memory is bounded: when there are too many events, those that no waiting path needs are dropped,
//! and of the others all but the newest of each path.

mod event;
mod recorder;
mod slice;

pub(crate) use event::NO_EVENT;
pub(crate) use recorder::{Before, Recorder};
pub(crate) use slice::slice;
