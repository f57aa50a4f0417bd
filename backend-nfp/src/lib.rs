//! The Netronome Flow Processor as a target.
//!
//! - [`capabilities`]: what one firmware offers, from a file
//! - [`offload`]: what keeps a program from running on the card

pub mod capabilities;
pub mod offload;
