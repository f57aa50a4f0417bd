//! Folds branches that the verifier found to go one way only.
//!
//! **What.**
//! ```text
//!   branch ugt v1, v2, block1, block2    ──►    jump block2
//! ```
//! where on every path that the verifier walked `v1` was not above `v2`.
//!
//! **Why.** The walk follows numbers through the stack, through functions and along paths, which no
//! other pass does: checks that inlined functions repeat, and errors that cannot be.
//!
//! **Soundness.** The kernel does the same with jumps of which it never saw one side: what decides
//! a jump is part of what is compared before a path is left out of the walk. The verifier learns
//! nothing from a jump that it finds decided, so what it knows after it is what it knew before.
//! What a loader may still set is not used, and what was found is of the input: once another pass
//! has changed the function, nothing is folded.
//!
//! **Cost.** A look-up for each block.
//!
//! **Order.** First; `simplify-cfg` removes what is no longer reached.

use crate::edit;
use crate::pass::{Changed, Pass, PassContext, Taken};
use mir::{Function, Inst};

/// See the module documentation.
#[derive(Clone, Copy, Debug)]
pub struct DecidedBranch;

impl Pass for DecidedBranch {
    fn run(&self, func: &mut Function, cx: &mut PassContext<'_>) -> Changed {
        let Some(directions) = cx.directions else {
            return Changed::No;
        };
        let last = func
            .layout
            .blocks()
            .filter_map(|block| func.layout.last_inst(block));
        let decided: Vec<(Inst, Taken)> = last
            .filter_map(|inst| Some((inst, *directions.get(&inst)?)))
            .collect();
        let mut changed = false;
        for (branch, taken) in decided {
            let targets = func.dfg.successors(branch);
            let Some(&target) = targets.get(taken as usize) else {
                continue;
            };
            cx.applied(func, branch, "folded a branch that goes one way only");
            edit::branch_to_jump(func, branch, target);
            changed = true;
        }
        Changed::control_flow_if(changed)
    }
}
