//! Moves computations to where they are needed.
//!
//! **What.**
//! ```text
//!   block0(v0, v1):                       block0(v0, v1):
//!     v2 = iadd v1, 8                       br eq v0, 0, block1, block2
//!     br eq v0, 0, block1, block2   ──►   block1:
//!   block1:                                 return v0
//!     return v0                           block2:
//!   block2:                                 v2 = iadd v1, 8
//!     return v2                             return v2
//! ```
//!
//! **Why.** A way that does not need a value does not compute it, and the value holds no register on the
//! way to where it is needed. Source code computes at the top, and so does what inlining leaves;
//! where a branch was the last to need an operand, the copy that kept the operand from being
//! overwritten goes too: the corpus is 65 slots shorter by it at `-O 2`, 220 at `-O s`.
//!
//! **Soundness.** Only what computes a value from values alone moves, along dominators, so its operands
//! are the same there; and out of loops but never into one. All uses move with it, since there is one
//! computation as before. For the kernel: comparisons on the way are of other values, so nothing
//! that was learnt of the result is lost, and what was learnt of an operand reaches the result now.
//! A call on the way may invalidate a pointer whose difference with another stays a number, so past a
//! call only what is computed from numbers moves. Instructions that a loader patches, and users of
//! constants that it patches, stay.
//!
//! **Registers.** The operands live on to where the computation goes, in exchange for the result. So at
//! most one of them may end before; past a call, where four registers are left, none.
//!
//! **Cost.** One look at each computation; the look for calls on the way visits at most
//! [`MAX_BLOCKS_BETWEEN`] blocks.
//!
//! **Order.** After `dce`, since unused uses hold computations where they are, and after `gvn`, which
//! wants equal computations where they dominate one another.

mod place;

use mir::analysis::Liveness;
use mir::{Function, Inst, InstData};

use crate::facts::Kinds;
use crate::pass::{Changed, Pass, PassContext};
use place::{Places, Way, variable_operands};

/// Blocks between a computation and its new place to look at for calls. What would go further is
/// held in a register for long whichever of the two it is.
const MAX_BLOCKS_BETWEEN: usize = 24;

/// See the module documentation.
#[derive(Clone, Copy, Debug)]
pub struct Sink;

impl Pass for Sink {
    fn run(&self, func: &mut Function, cx: &mut PassContext<'_>) -> Changed {
        let cfg = cx.analyses.cfg(func);
        let dominators = cx.analyses.dominators(func);
        let loops = cx.analyses.loops(func);
        if loops.has_irreducible_cycle() {
            return Changed::No;
        }
        let liveness = Liveness::compute(func, &cfg);
        let kinds = Kinds::compute(cx.module, func, &cfg, cx.uses_arena());
        let mut changed = false;
        let places = Places::of(func, &cfg, &dominators, &loops);
        // Users before what they use, which then follows them.
        for block in cfg.postorder() {
            let mut previous = func.layout.last_inst(block);
            while let Some(inst) = previous {
                previous = func.layout.prev_inst(inst);
                if !may_move(func, inst) {
                    continue;
                }
                let Some(to) = places.deepest(func, inst, block) else {
                    continue;
                };
                let operands = variable_operands(func, inst);
                let ending = operands
                    .iter()
                    .filter(|&&value| !liveness.is_live_in(value, to))
                    .count();
                if ending > 1 {
                    cx.missed(
                        func,
                        Some(inst),
                        "kept a computation whose operands end before",
                    );
                    continue;
                }
                match places.way(func, inst, to) {
                    Way::Long => continue,
                    Way::Free => {}
                    Way::Calls(call) => {
                        let numbers = operands.iter().all(|&value| kinds.is_number(func, value));
                        if ending > 0 || !numbers {
                            let message = "kept a computation before a call";
                            cx.missed_for(func, inst, message, Some(call));
                            continue;
                        }
                    }
                }
                cx.applied(func, inst, "moved a computation to where it is needed");
                func.layout.remove_inst(inst);
                if let Some(first) = func.layout.first_inst(to) {
                    func.layout.insert_inst_before(inst, first);
                }
                changed = true;
            }
        }
        Changed::instructions_if(changed)
    }
}

/// Whether an instruction computes a value that takes a register from values that do.
fn may_move(func: &Function, inst: Inst) -> bool {
    let computes = matches!(
        func.dfg.inst(inst),
        InstData::Unary { .. } | InstData::Binary { .. }
    );
    computes
        && !func.is_patched(inst)
        && !variable_operands(func, inst).is_empty()
        && !func.dfg.args(inst).into_iter().any(|value| {
            let constant = func.dfg.raw_constant(value);
            constant.is_some() && func.constant(value).is_none()
        })
}
