//! Branches with one outcome, blocks that only jump, blocks in a line.

use crate::edit;
use crate::pass::PassContext;
use cranelift_entity::EntitySet;
use mir::{Block, BlockCall, Function, Inst, InstData, Value, eval};
use smallvec::SmallVec;

/// Turns branches with one outcome into jumps.
pub(super) fn fold_branches(func: &mut Function, cx: &mut PassContext<'_>) -> bool {
    let blocks: Vec<Block> = func.layout.blocks().collect();
    let mut changed = false;
    for block in blocks {
        let Some(inst) = func.terminator(block) else {
            continue;
        };
        if let Some((target, message)) = only_target(func, inst) {
            cx.applied(func, inst, message);
            edit::branch_to_jump(func, inst, target);
            changed = true;
        }
    }
    changed
}

fn only_target(func: &Function, inst: Inst) -> Option<(BlockCall, &'static str)> {
    let InstData::Branch { cond, ty, args, .. } = *func.dfg.inst(inst) else {
        return None;
    };
    if func.is_patched(inst) {
        return None;
    }
    let successors = func.dfg.successors(inst);
    let [taken, not_taken] = successors[..] else {
        return None;
    };
    if taken.block == not_taken.block
        && func.dfg.call_args(&taken) == func.dfg.call_args(&not_taken)
    {
        return Some((taken, "folded a branch with one destination"));
    }
    let (a, b) = (func.constant(args[0])?, func.constant(args[1])?);
    let target = if eval::compare(cond, ty, a as u64, b as u64) {
        taken
    } else {
        not_taken
    };
    Some((target, "decided a branch on constants"))
}

/// Lets the predecessors of blocks that only jump go to where those jump.
pub(super) fn thread_empty(func: &mut Function, cx: &mut PassContext<'_>) -> bool {
    let cfg = cx.analyses.cfg(func);
    let uses = func.use_counts();
    // Blocks whose jump changed pass other values than those counted: they wait for the next round.
    let mut touched: EntitySet<Block> = EntitySet::new();
    let mut changed = false;
    for &block in cfg.reverse_postorder() {
        if Some(block) == cfg.entry() || touched.contains(block) {
            continue;
        }
        let Some((jump, target)) = empty_block(func, block) else {
            continue;
        };
        // Its parameters may be used in blocks that it dominates; then it has to stay.
        let args: SmallVec<[Value; 8]> = SmallVec::from_slice(func.dfg.call_args(&target));
        let passed_on =
            func.dfg.block_params(block).iter().all(|param| {
                uses[*param] as usize == args.iter().filter(|arg| *arg == param).count()
            });
        if target.block == block || !passed_on {
            continue;
        }
        let mut last = None;
        for edge in cfg.predecessors(block) {
            if last.replace(edge.inst) == Some(edge.inst) || !cfg.is_reachable(edge.block) {
                continue;
            }
            let is_jump = matches!(func.dfg.inst(edge.inst), InstData::Jump { .. });
            // From a branch, an edge with arguments needs a block for its moves: this one.
            if !is_jump && !args.is_empty() {
                continue;
            }
            for (index, call) in func.dfg.successors(edge.inst).into_iter().enumerate() {
                if call.block == block {
                    let new = passed_through(func, block, &call, target.block, &args);
                    func.dfg.set_successor(edge.inst, index, new);
                    touched.insert(edge.block);
                    cx.applied(func, jump, "skipped a block that only jumps");
                    changed = true;
                }
            }
        }
    }
    changed
}

fn empty_block(func: &Function, block: Block) -> Option<(Inst, BlockCall)> {
    let first = func.layout.first_inst(block)?;
    match *func.dfg.inst(first) {
        InstData::Jump { target } => Some((first, target)),
        _ => None,
    }
}

/// The call of `target` that calling `block` with these arguments amounts to.
fn passed_through(
    func: &mut Function,
    block: Block,
    call: &BlockCall,
    target: Block,
    args: &[Value],
) -> BlockCall {
    let params = func.dfg.block_params(block);
    let given = func.dfg.call_args(call);
    let args: SmallVec<[Value; 8]> = args
        .iter()
        .map(|arg| {
            params
                .iter()
                .position(|param| param == arg)
                .and_then(|index| given.get(index))
                .copied()
                .unwrap_or(*arg)
        })
        .collect();
    func.dfg.block_call(target, &args)
}

/// Joins blocks with the one block that jumps to them.
pub(super) fn merge(func: &mut Function, cx: &mut PassContext<'_>) -> bool {
    let cfg = cx.analyses.cfg(func);
    let mut changed = false;
    for &block in cfg.reverse_postorder() {
        if !func.layout.contains_block(block) {
            continue;
        }
        while let Some((jump, target)) = line(func, block) {
            let into = target.block;
            let mergeable = into != block
                && Some(into) != func.layout.entry()
                && cfg.single_predecessor(into).is_some();
            if !mergeable {
                break;
            }
            cx.applied(func, jump, "merged two blocks");
            let params: Vec<Value> = func.dfg.block_params(into).to_vec();
            let args: Vec<Value> = func.dfg.call_args(&target).to_vec();
            for (param, arg) in params.into_iter().zip(args) {
                func.dfg.change_to_alias(param, arg);
            }
            func.remove_inst(jump);
            while let Some(inst) = func.layout.first_inst(into) {
                func.layout.remove_inst(inst);
                func.layout.append_inst(inst, block);
            }
            func.layout.remove_block(into);
            changed = true;
        }
    }
    if changed {
        func.resolve_aliases();
    }
    changed
}

/// The jump at the end of a block.
fn line(func: &Function, block: Block) -> Option<(Inst, BlockCall)> {
    let inst = func.terminator(block)?;
    match *func.dfg.inst(inst) {
        InstData::Jump { target } => Some((inst, target)),
        _ => None,
    }
}
