//! Turns stack slots whose address does not escape into values.
//!
//! **What.**
//! ```text
//!   v1 = frame
//!   store.u64 v1-8, v2
//!   …                      ──►   v3 = iadd v2, 1
//!   v4 = load.u64 v1-8
//!   v3 = iadd v4, 1
//! ```
//!
//! **Why.** Seven to ten percent of the slots of compiled programs are spills and reloads, made by
//! a compiler that allocated registers before it knew what we learn; and every pass after this one
//! sees through values and not through memory.
//!
//! **Soundness.** A slot is a range of frame bytes that plain loads and stores of one width cover
//! exactly. Where slots of different widths share bytes, no load of one may find what a store of another
//! left ([`paths`]); else all of them stay. A slot must not be reachable otherwise: an address that is
//! handed to a helper reaches the bytes from there upward (as many as the size beside it says, or
//! all); one that is handed to a subprogram, a callback or an unknown function, stored, compared,
//! merged, returned, or moved by a variable reaches all. Every load must be preceded by a store on
//! every path, since newer kernels let programs read what nobody wrote.
//! A narrow slot's value is masked at the store, so that loads see what memory would have held;
//! the mask never meets a pointer, because the kernel refuses narrow stores of those.
//!
//! **When it pays.** A slot that is live across calls where four other values are already is spilled
//! again, which costs as much as it did; what was known of its value in between is worth more. Where
//! the frame has no room for that, the function is compiled without this pass.
//!
//! **Cost.** Finding accesses is linear. Two bit vectors of slots a block for the paths, and one
//! value a slot and block for renaming; at most [`access::MAX_SLOTS`] slots.
//!
//! **Order.** After `simplify-cfg`, which removes unreachable code; before everything that computes
//! with values. Leaves redundant block parameters to `simplify-cfg`.

mod access;
mod escape;
mod paths;
mod rename;

use crate::edit;
use crate::pass::{Changed, Pass, PassContext};
use mir::Function;

/// See the module documentation.
#[derive(Clone, Copy, Debug)]
pub struct PromoteStack;

impl Pass for PromoteStack {
    fn run(&self, func: &mut Function, cx: &mut PassContext<'_>) -> Changed {
        let mut changed = Changed::No;
        let cfg = cx.analyses.cfg(func);
        if edit::remove_unreachable_blocks(func, &cfg, cx) {
            changed = Changed::ControlFlow;
            cx.analyses.invalidate(changed);
        }
        let cfg = cx.analyses.cfg(func);
        let Some(frame) = access::Frame::find(func, &cfg) else {
            return changed;
        };
        let slots = frame.promotable(func, &cfg, cx);
        if slots.is_empty() {
            return changed;
        }
        for &slot in &slots {
            if let Some(access) = frame.first_access(slot) {
                cx.applied(func, access, "turned a stack slot into a value");
            }
        }
        let dominators = cx.analyses.dominators(func);
        rename::promote(func, &cfg, &dominators, &slots, &frame);
        changed.and(Changed::Instructions)
    }
}
