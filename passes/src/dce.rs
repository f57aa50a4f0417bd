//! Removes unused instructions, block parameters and unreachable blocks.
//!
//! **What.**
//! ```text
//!   block1(v1, v2):            block1(v1):
//!     v3 = iadd v2, 1     ──►    jump block1(v1)
//!     jump block1(v1, v3)
//! ```
//!
//! **Why.** Other passes disconnect instructions and leave them. Lifted code passes every register
//! that might be live around loops; what only feeds itself goes here.
//!
//! **Soundness.** What stays is what a call, store, atomic, return, branch or `may_goto` needs,
//! found by marking backward from those; so a cycle of parameters that only feed one another is
//! unused. Unused loads go: a load from valid memory has no effect, and a refused program is not
//! ours to keep refused. An instruction that a loader patches may go too when it is unused. Stores
//! stay, since a helper may read the stack that they initialise. Parameters of the entry are the
//! function's.
//!
//! **Cost.** Linear in instructions and arguments.
//!
//! **Order.** After any pass that disconnects; before one that asks whether a value has one use.

use crate::edit;
use crate::pass::{Changed, Pass, PassContext};
use cranelift_entity::EntitySet;
use mir::analysis::ControlFlowGraph;
use mir::{Block, Function, Inst, Value, ValueDef};

/// See the module documentation.
#[derive(Clone, Copy, Debug)]
pub struct Dce;

impl Pass for Dce {
    fn run(&self, func: &mut Function, cx: &mut PassContext<'_>) -> Changed {
        let mut changed = Changed::No;
        let cfg = cx.analyses.cfg(func);
        if edit::remove_unreachable_blocks(func, &cfg, cx) {
            changed = Changed::ControlFlow;
            cx.analyses.invalidate(changed);
        }
        let cfg = cx.analyses.cfg(func);
        let used = find_used(func, &cfg);
        let dead: Vec<Inst> = dead_insts(func, &used);
        for &inst in &dead {
            cx.applied(func, inst, "removed an unused instruction");
            func.remove_inst(inst);
        }
        changed.and(Changed::instructions_if(
            !dead.is_empty() | remove_params(func, &cfg, &used, cx),
        ))
    }
}

/// Values that something with an effect needs.
fn find_used(func: &Function, cfg: &ControlFlowGraph) -> EntitySet<Value> {
    let mut used = EntitySet::with_capacity(func.dfg.value_count());
    let mut work: Vec<Value> = Vec::new();
    for block in func.layout.blocks() {
        for inst in func.layout.insts(block) {
            if !func.dfg.inst(inst).opcode().is_removable_when_unused() {
                work.extend(func.dfg.args(inst));
            }
        }
    }
    while let Some(value) = work.pop() {
        let value = func.dfg.resolve(value);
        if !used.insert(value) {
            continue;
        }
        match func.dfg.value_def(value) {
            ValueDef::Result(inst) => work.extend(func.dfg.args(inst)),
            ValueDef::Param(block, index) => {
                for edge in cfg.predecessors(block) {
                    for args in edit::edge_args(func, edge.inst, block) {
                        work.extend(args.get(index as usize));
                    }
                }
            }
            ValueDef::Alias(_) => {}
        }
    }
    used
}

fn dead_insts(func: &Function, used: &EntitySet<Value>) -> Vec<Inst> {
    func.layout
        .blocks()
        .flat_map(|block| func.layout.insts(block))
        .filter(|&inst| {
            func.dfg.inst(inst).opcode().is_removable_when_unused()
                && func
                    .dfg
                    .result(inst)
                    .is_none_or(|result| !used.contains(result))
        })
        .collect()
}

fn remove_params(
    func: &mut Function,
    cfg: &ControlFlowGraph,
    used: &EntitySet<Value>,
    cx: &mut PassContext<'_>,
) -> bool {
    let mut removed = false;
    let blocks: Vec<Block> = func.layout.blocks().skip(1).collect();
    for block in blocks {
        let keep: Vec<bool> = func
            .dfg
            .block_params(block)
            .iter()
            .map(|&param| used.contains(param))
            .collect();
        if keep.contains(&false) {
            cx.applied_to_block(func, block, "removed unused block parameters");
            edit::retain_params(func, block, cfg.predecessors(block), &keep);
            removed = true;
        }
    }
    removed
}
