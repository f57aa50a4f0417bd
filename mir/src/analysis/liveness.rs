//! Which values a block needs from before it and hands to what follows it.
//!
//! For each value, from each block that uses it, walk backward to its definition and note the
//! blocks on the way. Values are taken one after another, so that "already noted" is a look at the
//! end of a block's list, and each list is sorted without sorting.
//!
//! The argument of a block call is used at the end of the block that calls; a block parameter is
//! defined by its block and is not live into it. Cost: the size of the result, which for lifted
//! code is at most eleven registers and the promoted stack slots for each block.

use crate::analysis::cfg::ControlFlowGraph;
use crate::dfg::ValueDef;
use crate::entity::{Block, Value};
use crate::function::Function;
use cranelift_entity::{EntityRef, SecondaryMap};

/// Live-in and live-out values of each block.
#[derive(Clone, Debug, Default)]
pub struct Liveness {
    live_in: SecondaryMap<Block, Vec<Value>>,
    live_out: SecondaryMap<Block, Vec<Value>>,
}

impl Liveness {
    /// The liveness of a function.
    #[must_use]
    pub fn compute(func: &Function, cfg: &ControlFlowGraph) -> Self {
        let mut liveness = Liveness::default();
        let mut work = Vec::new();
        for (value, block) in uses_outside(func) {
            let home = defining_block(func, value);
            work.push(block);
            while let Some(block) = work.pop() {
                if Some(block) == home || liveness.live_in[block].last() == Some(&value) {
                    continue;
                }
                liveness.live_in[block].push(value);
                for edge in cfg.predecessors(block) {
                    let out = &mut liveness.live_out[edge.block];
                    if out.last() != Some(&value) {
                        out.push(value);
                    }
                    work.push(edge.block);
                }
            }
        }
        liveness
    }

    /// Values defined elsewhere that are needed at the start of a block, sorted.
    #[must_use]
    pub fn live_in(&self, block: Block) -> &[Value] {
        &self.live_in[block]
    }

    /// Values that some successor has live in, sorted.
    #[must_use]
    pub fn live_out(&self, block: Block) -> &[Value] {
        &self.live_out[block]
    }

    /// Whether a value is live into a block.
    #[must_use]
    pub fn is_live_in(&self, value: Value, block: Block) -> bool {
        self.live_in[block].binary_search(&value).is_ok()
    }

    /// Whether a value is live out of a block.
    #[must_use]
    pub fn is_live_out(&self, value: Value, block: Block) -> bool {
        self.live_out[block].binary_search(&value).is_ok()
    }
}

fn defining_block(func: &Function, value: Value) -> Option<Block> {
    match func.dfg.value_def(value) {
        ValueDef::Result(inst) => func.layout.inst_block(inst),
        ValueDef::Param(block, _) => Some(block),
        ValueDef::Alias(_) => None,
    }
}

/// Uses in another block than the definition's, grouped by value in rising order.
fn uses_outside(func: &Function) -> Vec<(Value, Block)> {
    let mut uses: Vec<(Value, Block)> = Vec::new();
    for block in func.layout.blocks() {
        for inst in func.layout.insts(block) {
            func.dfg.for_each_operand(inst, |value| {
                if defining_block(func, value) != Some(block) {
                    uses.push((value, block));
                }
            });
        }
    }
    // Counting, not comparing: values are dense.
    let mut starts = vec![0usize; func.dfg.value_count() + 1];
    for (value, _) in &uses {
        starts[value.index() + 1] += 1;
    }
    for index in 1..starts.len() {
        starts[index] += starts[index - 1];
    }
    let mut sorted = uses.clone();
    for item in uses {
        let place = &mut starts[item.0.index()];
        sorted[*place] = item;
        *place += 1;
    }
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cursor::Cursor;
    use crate::opcode::Opcode;
    use crate::types::Type;
    use bpf::insn::Cond;

    #[test]
    fn a_value_is_live_through_the_loop_that_uses_it() {
        let mut func = Function::new("f");
        let entry = func.append_new_block();
        let head = func.append_new_block();
        let exit = func.append_new_block();
        let limit = func.dfg.append_block_param(entry, Type::I64);
        let counter = func.dfg.append_block_param(head, Type::I64);
        let mut cursor = Cursor::at_end(&mut func, entry);
        let zero = cursor.ins().iconst(Type::I64, 0);
        let one = cursor.ins().iconst(Type::I64, 1);
        cursor.ins().jump(head, &[zero]);
        let mut cursor = Cursor::at_end(&mut func, head);
        let next = cursor.ins().binary(Opcode::Iadd, Type::I64, counter, one);
        cursor.ins().branch(
            Cond::Lt,
            Type::I64,
            [next, limit],
            (head, &[next]),
            (exit, &[]),
        );
        Cursor::at_end(&mut func, exit).ins().return_(next);
        let cfg = ControlFlowGraph::compute(&func);
        let live = Liveness::compute(&func, &cfg);
        assert_eq!(live.live_in(entry), []);
        assert_eq!(live.live_out(entry), [limit, one]);
        assert_eq!(live.live_in(head), [limit, one]);
        assert_eq!(live.live_out(head), [limit, one, next]);
        assert_eq!(live.live_in(exit), [next]);
        assert!(live.is_live_in(next, exit) && !live.is_live_in(counter, head));
        assert!(live.is_live_out(one, head) && !live.is_live_out(zero, entry));
    }
}
