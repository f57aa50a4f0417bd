//! What the tests of bpfmill share: example programs, packets, and the kernel as an oracle.

pub mod build;
pub mod filetest;
#[cfg(feature = "kernel")]
pub mod kernel;
pub mod objects;
pub mod packets;
