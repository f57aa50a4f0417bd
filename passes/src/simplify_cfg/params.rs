//! Block parameters that are always the same value.

use crate::edit;
use crate::pass::{Changed, PassContext};
use mir::analysis::{ControlFlowGraph, DominatorTree};
use mir::{Block, Cursor, Function, InstData, Opcode, Value, ValueDef};

/// Rounds over all blocks. One round in reverse postorder settles everything but parameters that
/// loops pass to one another.
const MAX_ROUNDS: usize = 4;

/// What all edges pass for a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Common {
    Value(Value),
    /// Different values that are computed equally from nothing: made anew in the block.
    Again(Again),
}

/// The parts of [`InstData`] that can be made again anywhere, comparable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Again {
    Const(mir::Type, i64),
    Symbol(mir::Symbol),
    Frame,
    Undef(mir::Type),
}

impl Again {
    fn of(func: &Function, value: Value) -> Option<Again> {
        let (inst, data) = func.dfg.def_inst(value)?;
        if func.is_patched(inst) {
            return None;
        }
        match *data {
            InstData::Const { ty, imm } => Some(Again::Const(ty, imm)),
            InstData::SymbolAddr { symbol } => Some(Again::Symbol(symbol)),
            InstData::Nullary { opcode, ty } => match opcode {
                Opcode::Frame => Some(Again::Frame),
                _ => Some(Again::Undef(ty)),
            },
            _ => None,
        }
    }
}

/// Replaces parameters that are always the same value by it, and says whether there was one.
pub(super) fn remove_redundant(func: &mut Function, cx: &mut PassContext<'_>) -> bool {
    let cfg = cx.analyses.cfg(func);
    let dominators = cx.analyses.dominators(func);
    let mut changed = false;
    for _ in 0..MAX_ROUNDS {
        let mut again = false;
        for &block in cfg.reverse_postorder() {
            if Some(block) != cfg.entry() {
                again |= visit(func, &cfg, &dominators, block, cx);
            }
        }
        if !again {
            break;
        }
        changed = true;
    }
    if changed {
        func.resolve_aliases();
        cx.analyses.invalidate(Changed::Instructions);
    }
    changed
}

fn visit(
    func: &mut Function,
    cfg: &ControlFlowGraph,
    dominators: &DominatorTree,
    block: Block,
    cx: &mut PassContext<'_>,
) -> bool {
    let params: Vec<Value> = func.dfg.block_params(block).to_vec();
    let mut keep = vec![true; params.len()];
    for (index, &param) in params.iter().enumerate() {
        let Some(common) = common(func, cfg, dominators, block, index, param) else {
            continue;
        };
        let value = match common {
            Common::Value(value) => value,
            Common::Again(data) => {
                let mut cursor = Cursor::at_start(func, block);
                match data {
                    Again::Const(ty, imm) => cursor.ins().iconst(ty, imm),
                    Again::Symbol(symbol) => cursor.ins().symbol(symbol),
                    Again::Frame => cursor.ins().frame(),
                    Again::Undef(ty) => cursor.ins().undef(ty),
                }
            }
        };
        cx.applied_to_block(
            func,
            block,
            "removed a block parameter that is always the same",
        );
        func.dfg.change_to_alias(param, value);
        keep[index] = false;
    }
    if !keep.contains(&false) {
        return false;
    }
    edit::retain_params(func, block, cfg.predecessors(block), &keep);
    true
}

fn common(
    func: &Function,
    cfg: &ControlFlowGraph,
    dominators: &DominatorTree,
    block: Block,
    index: usize,
    param: Value,
) -> Option<Common> {
    let mut found: Option<Value> = None;
    let mut same_value = true;
    let mut saw_undef = false;
    let mut undef = None;
    let mut last = None;
    for edge in cfg.predecessors(block) {
        if last.replace(edge.inst) == Some(edge.inst) {
            continue;
        }
        for args in edit::edge_args(func, edge.inst, block) {
            let arg = *args.get(index)?;
            if arg == param {
                continue;
            }
            if let Some(Again::Undef(_)) = Again::of(func, arg) {
                saw_undef = true;
                undef = Some(arg);
                continue;
            }
            match found {
                None => found = Some(arg),
                Some(value) if value == arg => {}
                Some(value) => {
                    same_value = false;
                    let again = Again::of(func, value)?;
                    if Some(again) != Again::of(func, arg) {
                        return None;
                    }
                }
            }
        }
    }
    let Some(value) = found else {
        // Nobody ever wrote it.
        return Again::of(func, undef?).map(Common::Again);
    };
    match Again::of(func, value) {
        Some(again) => Some(Common::Again(again)),
        None if !same_value => None,
        None if saw_undef && !is_available(func, dominators, value, block) => None,
        None => Some(Common::Value(value)),
    }
}

/// Whether a value is defined on every path to the start of a block.
fn is_available(func: &Function, dominators: &DominatorTree, value: Value, block: Block) -> bool {
    match func.dfg.value_def(value) {
        ValueDef::Result(inst) => func
            .layout
            .inst_block(inst)
            .is_some_and(|def| dominators.strictly_dominates(def, block)),
        ValueDef::Param(def, _) => dominators.dominates(def, block),
        ValueDef::Alias(_) => false,
    }
}
