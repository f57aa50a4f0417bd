//! Sparse conditional constant propagation: what is one constant on every way that can be taken.
//!
//! **What.**
//! ```text
//!     jump block1(0, v1)                     jump block1(v1)
//!   block1(v2, v3):                        block1(v3):
//!     br eq v2, 0, block3, block2            jump block3
//!   block2:                          ──►   block3:
//!     v4 = iadd v2, 1                        …
//!     jump block1(v4, v3)
//! ```
//!
//! **Why.** `simplify` and `simplify-cfg` ask one definition after another, so a constant that a loop
//! carries unchanged past a branch, or that only a way which is never taken would change, looks
//! like a variable to each of them. Compilers find most of those themselves: over the corpus it is
//! worth 4 slots at `-O 2`, in code where other passes made the constants.
//!
//! **Soundness.** A value is replaced when every way to it that can be taken computes the same number,
//! by `mir::eval`, and the branches that decide which ways those are become jumps at once. What
//! nobody wrote (`undef`) counts as the number it meets in a block parameter, since nothing can
//! have read it; as operand it proves nothing. Instructions that a loader patches, and constants that
//! it patches, are taken for variables and stay. For the kernel: it follows each way by itself with the
//! numbers on it, so it knows these constants too and decides these branches, where its own domain
//! computes them; where it forgets (division, byte order), a constant tells it more.
//!
//! **Cost.** Linear in uses and edges, see [`solve`].
//!
//! **Order.** After `promote-stack`, which makes values of slots. `simplify` folds what has one
//! constant operand now, and `simplify-cfg` merges what the removed edges leave.

mod solve;

use mir::{Block, Cursor, Function, Inst, InstData, Value, eval};

use crate::edit;
use crate::pass::{Changed, Pass, PassContext};
use solve::Solution;

/// See the module documentation.
#[derive(Clone, Copy, Debug)]
pub struct Sccp;

impl Pass for Sccp {
    fn run(&self, func: &mut Function, cx: &mut PassContext<'_>) -> Changed {
        let solution = solve::solve(func, cx.endian());
        let blocks: Vec<Block> = func
            .layout
            .blocks()
            .filter(|&block| solution.is_reached(block))
            .collect();
        let mut folded = false;
        let mut decided = false;
        for &block in &blocks {
            folded |= fold_instructions(func, &solution, block, cx);
            decided |= decide(func, &solution, block, cx);
        }
        if decided {
            cx.analyses.invalidate(Changed::ControlFlow);
        }
        // Blocks that are reached no more go first: they may pass anything to what stays.
        let cfg = cx.analyses.cfg(func);
        if edit::remove_unreachable_blocks(func, &cfg, cx) {
            decided = true;
            cx.analyses.invalidate(Changed::ControlFlow);
        }
        for &block in blocks.iter().skip(1) {
            folded |= fold_params(func, &solution, block, cx);
        }
        if folded {
            func.resolve_aliases();
        }
        Changed::instructions_if(folded).and(Changed::control_flow_if(decided))
    }
}

/// Puts constants in the place of the instructions of a block that always compute them.
fn fold_instructions(
    func: &mut Function,
    solution: &Solution,
    block: Block,
    cx: &mut PassContext<'_>,
) -> bool {
    let mut changed = false;
    let mut next = func.layout.first_inst(block);
    while let Some(inst) = next {
        next = func.layout.next_inst(inst);
        let Some(result) = func.dfg.result(inst) else {
            continue;
        };
        if solve::is_spelled_out(func, result) {
            continue;
        }
        let Some(number) = solution.constant(result) else {
            if is_patched_sum(func, solution, inst) {
                cx.missed(func, Some(inst), "kept an operation that a loader patches");
            }
            continue;
        };
        cx.applied(func, inst, "folded an operation on constants");
        let ty = func.dfg.value_type(result);
        let imm = eval::to_imm(ty, number);
        func.dfg.replace_inst(inst, InstData::Const { ty, imm });
        changed = true;
    }
    changed
}

/// Whether a loader alone decides the result of an operation.
fn is_patched_sum(func: &Function, solution: &Solution, inst: Inst) -> bool {
    let constant = |arg: Value| solution.constant(arg).is_some();
    func.is_patched(inst)
        && matches!(
            func.dfg.inst(inst),
            InstData::Unary { .. } | InstData::Binary { .. }
        )
        && func.dfg.args(inst).into_iter().all(constant)
}

/// Makes a jump of a block's branch if it goes one way only.
fn decide(
    func: &mut Function,
    solution: &Solution,
    block: Block,
    cx: &mut PassContext<'_>,
) -> bool {
    let branch: Option<Inst> = func.layout.last_inst(block);
    let Some((branch, way)) = branch.and_then(|inst| Some((inst, solution.only_way(inst)?))) else {
        return false;
    };
    if !matches!(func.dfg.inst(branch), InstData::Branch { .. }) {
        return false;
    }
    cx.applied(func, branch, "decided a branch on constants");
    let target = func.dfg.successors(branch)[way];
    edit::branch_to_jump(func, branch, target);
    true
}

/// Puts constants in the place of the parameters of a block that always are.
fn fold_params(
    func: &mut Function,
    solution: &Solution,
    block: Block,
    cx: &mut PassContext<'_>,
) -> bool {
    let params: Vec<Value> = func.dfg.block_params(block).to_vec();
    let keep: Vec<bool> = params
        .iter()
        .map(|&param| solution.constant(param).is_none())
        .collect();
    if !keep.contains(&false) {
        return false;
    }
    for &param in &params {
        if let Some(number) = solution.constant(param) {
            cx.applied_to_block(
                func,
                block,
                "removed a block parameter that is one constant",
            );
            let ty = func.dfg.value_type(param);
            let imm = eval::to_imm(ty, number);
            let constant = Cursor::at_start(func, block).ins().iconst(ty, imm);
            func.dfg.change_to_alias(param, constant);
        }
    }
    let cfg = cx.analyses.cfg(func);
    edit::retain_params(func, block, cfg.predecessors(block), &keep);
    true
}
