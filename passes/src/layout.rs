//! Orders blocks so that the fewest jumps are left.
//!
//! **What.** Code as it is written, with a jump that goes since its destination follows:
//! ```text
//!     if r1 == 0 goto b            if r1 != 0 goto c
//!   a:                           b:
//!     goto c               ──►     r0 = 1
//!   b:                           c:
//!     r0 = 1                       exit
//!   c: exit
//! ```
//!
//! **Why.** A block that ends in a jump or branch saves a slot when the right one follows.
//!
//! **Soundness.** The order of blocks changes no path through a function, and the verifier walks paths.
//!
//! **Cost.** That of the back end, which does it: which blocks there are to order shows only when
//! registers are assigned, copies on edges are placed and equal ends are shared. So in MIR there is
//! nothing to do, and this is its name, its switches and its count. What is written without it has the
//! blocks in the order of MIR.
//!
//! **Order.** Last, as it is.

use crate::pass::{Changed, Pass, PassContext};
use mir::Function;

/// See the module documentation.
#[derive(Clone, Copy, Debug)]
pub struct Layout;

impl Layout {
    /// Its name, for who asks the back end.
    pub const NAME: &'static str = "layout";
    /// What is counted for each function that it reorders.
    pub const APPLIED: &'static str = "ordered blocks for fewer jumps";
}

impl Pass for Layout {
    fn run(&self, _: &mut Function, _: &mut PassContext<'_>) -> Changed {
        Changed::No
    }
}
