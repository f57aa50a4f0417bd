//! ELF files to [`crate::object::Object`] and back.
//!
//! [`read()`] takes a 64-bit relocatable object of either byte order apart, [`write()`] puts it
//! together again ([`image()`] without copying the sections); an unchanged object comes out byte for byte equal wherever the file held nothing
//! but zeroes between its sections. Only the raw structures of the `object` crate are used: its
//! high-level writer chooses section order and string tables itself, and stores addends into the
//! bytes at the relocation's offset, which in BPF is the operation code.
//!
//! Sections may not overlap in the file and the sum of all names is bounded, so what is read is
//! never larger than a small multiple of the file. Time is linear but for sorts.

mod error;
mod image;
mod read;
mod strings;
mod tables;
mod write;

pub use error::{ReadError, ReadErrorKind, WriteError};
pub use image::Image;
pub use read::read;
pub use write::{image, write};
