//! Edits that more than one pass makes, each keeping the function well-formed.

use crate::pass::PassContext;
use mir::analysis::{ControlFlowGraph, Predecessor};
use mir::{Block, BlockCall, Function, Inst, InstData, Value};
use smallvec::SmallVec;

/// Removes blocks that no path from the entry reaches, and says whether there were any. Arguments
/// stand with the jumps that pass them, so nothing else needs to change.
pub(crate) fn remove_unreachable_blocks(
    func: &mut Function,
    cfg: &ControlFlowGraph,
    cx: &mut PassContext<'_>,
) -> bool {
    let unreachable: Vec<Block> = func
        .layout
        .blocks()
        .filter(|&block| !cfg.is_reachable(block))
        .collect();
    for &block in &unreachable {
        cx.applied_to_block(func, block, "removed an unreachable block");
        func.layout.remove_block(block);
    }
    !unreachable.is_empty()
}

/// Removes the parameters of a block for which `keep` is false, with the arguments for them. The
/// values of those parameters are aliases or unused.
pub(crate) fn retain_params(
    func: &mut Function,
    block: Block,
    predecessors: &[Predecessor],
    keep: &[bool],
) {
    let mut last = None;
    for edge in predecessors {
        // The two edges of one branch stand beside each other; both are handled at once.
        if last.replace(edge.inst) == Some(edge.inst) {
            continue;
        }
        for (index, call) in func.dfg.successors(edge.inst).into_iter().enumerate() {
            if call.block == block {
                let args: SmallVec<[Value; 8]> = func
                    .dfg
                    .call_args(&call)
                    .iter()
                    .zip(keep)
                    .filter(|&(_, &keep)| keep)
                    .map(|(&value, _)| value)
                    .collect();
                let call = func.dfg.block_call(block, &args);
                func.dfg.set_successor(edge.inst, index, call);
            }
        }
    }
    for (index, _) in keep.iter().enumerate().rev().filter(|&(_, &keep)| !keep) {
        func.dfg.remove_block_param(block, index);
    }
}

/// Turns a conditional branch into a jump to one of its destinations.
pub(crate) fn branch_to_jump(func: &mut Function, branch: Inst, target: BlockCall) {
    func.dfg.replace_inst(branch, InstData::Jump { target });
}

/// The arguments that an edge passes to a block, for each edge from one terminator.
pub(crate) fn edge_args(
    func: &Function,
    from: Inst,
    to: Block,
) -> impl Iterator<Item = SmallVec<[Value; 8]>> + '_ {
    func.dfg
        .successors(from)
        .into_iter()
        .filter(move |call| call.block == to)
        .map(|call| {
            func.dfg
                .call_args(&call)
                .iter()
                .map(|&value| func.dfg.resolve(value))
                .collect()
        })
}

/// Exchanges the two destinations of a branch.
pub(crate) fn swap_successors(func: &mut Function, branch: Inst) {
    if let [taken, not_taken] = func.dfg.successors(branch)[..] {
        func.dfg.set_successor(branch, 0, not_taken);
        func.dfg.set_successor(branch, 1, taken);
    }
}
