//! What is known of a 64-bit number: the abstract domain of the kernel's verifier.
//!
//! A [`Value`] holds five views of one set of numbers: known bits ([`Tnum`]), and a range for each
//! reading of the bits (unsigned and signed, whole and lower half). Each view over-approximates the
//! set, so their intersection does; [`Value::sync`] lets the views learn from each other.
//! Every operation is constant time.
//!
//! The views are kept exactly as precise as the kernel's: a more precise domain would accept
//! programs that the kernel refuses, and a less precise one would refuse programs that it accepts.

mod arithmetic;
mod branch;
mod extend;
mod refine;
mod shift;
#[cfg(test)]
mod tests;
mod tnum;
mod value;

pub use branch::{Comparison, Decision};
pub use refine::{refine, refine_with_itself};
pub use tnum::Tnum;
pub use value::Value;
