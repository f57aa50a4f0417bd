//! The Netronome Flow Processor as a target.
//!
//! - [`capabilities`]: what one firmware offers, from a file

pub mod capabilities;
