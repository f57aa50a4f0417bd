//! bpfmill, a compiler toolchain for BPF: what its command line does, as a library.
//!
//! The crates beside this one know one thing each (the instruction set and its container, the
//! language MIR, the front end, the passes, the back ends); this one joins them. [`compile`] is the
//! main job. Nothing here prints or exits, that is for `main.rs` and the commands that it runs.

pub mod compile;
