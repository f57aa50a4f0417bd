//! What the kernel's verifier knows of values, as far as passes must keep it so.
//!
//! Two questions decide whether a rewrite keeps a program loadable: may this value be a pointer,
//! on which most arithmetic is refused ([`Kinds`]); and which upper bits does the kernel itself
//! know to be zero ([`Widths`]), so that a mask may go without taking a bound away from it.

pub(crate) mod between;
pub(crate) mod compared;
pub(crate) mod equal;
mod frame;
mod kinds;
pub(crate) mod memory;
mod passed;
pub(crate) mod reach;
mod starts;
mod users;
mod width;

pub(crate) use frame::{FRAME_BYTES, frame_offset};
pub(crate) use kinds::{Kind, Kinds};
pub(crate) use passed::for_each_passed;
pub(crate) use width::{Widths, width};
