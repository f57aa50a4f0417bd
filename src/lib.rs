//! bpfmill, a compiler toolchain for BPF: what its command line does, as a library.
//!
//! The crates beside this one know one thing each (the instruction set and its container, the
//! language MIR, the front end, the passes, the back ends); this one joins them.
//!
//! ```text
//!   main ─► cli ─► commands ─┬─► input (text, MIR, objects) ─► compile ─► output
//!                            └─► terminal ─► render (diagnostics)
//! ```
//!
//! [`compile`] is the main job, and it neither prints nor exits; only [`terminal`], [`output`] and
//! `main.rs` touch the outside.

pub mod advice;
pub mod card;
pub mod cli;
pub mod commands;
pub mod compile;
pub mod config;
pub mod conformance;
pub mod definitions;
pub mod explain;
pub mod failure;
pub mod filetest;
pub mod input;
pub mod linked;
pub mod listing;
pub mod map_file;
pub mod offload;
pub mod output;
pub mod packet_file;
pub mod packets;
pub mod render;
pub mod report;
pub mod simulate;
pub mod terminal;
pub mod validate;
pub mod verdict;
pub mod warnings;
