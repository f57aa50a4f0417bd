//! Merges and removes blocks, folds decided branches, drops redundant block parameters.
//!
//! **What.**
//! ```text
//!   block0:                      block0:
//!     br eq 0, 0, block1, block2   v2 = iadd v1, 4
//!   block1:                 ──►    return v2
//!     jump block3(4)
//!   block3(v3):
//!     v2 = iadd v1, v3 …
//! ```
//!
//! **Why.** Jumps cost slots, and every analysis that works within blocks sees further when blocks
//! are longer. A parameter that is always the same value costs moves.
//!
//! **Soundness.** Nothing is duplicated or moved past anything else. A branch is folded when both
//! destinations and their arguments are the same, or when it compares constants, which the kernel
//! decides too. A parameter becomes the one value that all edges pass; that value dominates the
//! block because it reaches all its predecessors. `undef` on some edges counts as "whatever the
//! others pass" only when that value dominates the block: nothing can have read the parameter on
//! those edges.
//!
//! **Cost.** Rounds until nothing changes, at most [`MAX_ROUNDS`]; each is linear in blocks, edges
//! and arguments, parameters included, which get their own bound.
//!
//! **Order.** First and last. `promote-stack` wants reachable code only; `simplify` decides
//! branches that this pass then cleans up.

mod blocks;
mod params;

use crate::edit;
use crate::pass::{Changed, Pass, PassContext};
use mir::Function;

/// Rounds over the function. A folded branch can empty a block, which can merge two others; longer
/// chains than this are left to the next time the pass runs.
const MAX_ROUNDS: usize = 6;

/// See the module documentation.
#[derive(Clone, Copy, Debug)]
pub struct SimplifyCfg;

impl Pass for SimplifyCfg {
    fn run(&self, func: &mut Function, cx: &mut PassContext<'_>) -> Changed {
        let mut changed = Changed::No;
        for _ in 0..MAX_ROUNDS {
            let round = round(func, cx);
            if !round.any() {
                break;
            }
            changed = changed.and(round);
        }
        changed
    }
}

fn round(func: &mut Function, cx: &mut PassContext<'_>) -> Changed {
    let folded = Changed::control_flow_if(blocks::fold_branches(func, cx));
    cx.analyses.invalidate(folded);
    let cfg = cx.analyses.cfg(func);
    let removed = Changed::control_flow_if(edit::remove_unreachable_blocks(func, &cfg, cx));
    cx.analyses.invalidate(removed);
    let params = Changed::instructions_if(params::remove_redundant(func, cx));
    cx.analyses.invalidate(params);
    let threaded = Changed::control_flow_if(blocks::thread_empty(func, cx));
    cx.analyses.invalidate(threaded);
    let merged = Changed::control_flow_if(blocks::merge(func, cx));
    cx.analyses.invalidate(merged);
    folded.and(removed).and(params).and(threaded).and(merged)
}
