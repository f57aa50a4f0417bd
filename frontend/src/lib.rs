//! frontend
pub mod asm;
pub mod lift;
