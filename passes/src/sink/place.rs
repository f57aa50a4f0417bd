//! Where a computation may go, and what lies on the way.

use cranelift_entity::EntitySet;
use mir::analysis::{ControlFlowGraph, DominatorTree, LoopForest};
use mir::opcode::Effect;
use mir::{Block, Function, Inst, InstData, Opcode, Value};
use smallvec::SmallVec;

use super::MAX_BLOCKS_BETWEEN;
use crate::facts::memory::Users;

/// What lies between a computation and its new place.
pub(super) enum Way {
    /// No call.
    Free,
    /// This call, perhaps among others.
    Calls(Inst),
    /// More than is looked at.
    Long,
}

/// What is asked to find places. Blocks stay as they are while instructions move.
pub(super) struct Places<'a> {
    cfg: &'a ControlFlowGraph,
    dominators: &'a DominatorTree,
    loops: &'a LoopForest,
    users: Users,
}

impl<'a> Places<'a> {
    pub(super) fn of(
        func: &Function,
        cfg: &'a ControlFlowGraph,
        dominators: &'a DominatorTree,
        loops: &'a LoopForest,
    ) -> Places<'a> {
        Places {
            cfg,
            dominators,
            loops,
            users: Users::find(func),
        }
    }

    /// The deepest block in which a computation reaches all its users, that some way from where it
    /// stands avoids, and that is in no loop which it is not in already.
    pub(super) fn deepest(&self, func: &Function, inst: Inst, from: Block) -> Option<Block> {
        let result = func.dfg.result(inst)?;
        let mut common: Option<Block> = None;
        for user in self.users.of(func, result) {
            // The argument of a block call is used at the end of the block that calls.
            let block = func.layout.inst_block(user)?;
            common = Some(match common {
                None => block,
                Some(common) => self.dominators.common_dominator(common, block)?,
            });
            if common == Some(from) {
                return None;
            }
        }
        let mut block = common?;
        while block != from {
            // With one way into it, it is one side of a branch, and the other side does without.
            let side = self.cfg.predecessors(block).len() == 1;
            if side && !self.enters_loop(from, block) {
                return Some(block);
            }
            block = self.dominators.idom(block)?;
        }
        None
    }

    /// Whether a block is in a loop that another one is not in.
    fn enters_loop(&self, from: Block, to: Block) -> bool {
        self.loops
            .innermost(to)
            .is_some_and(|inner| !self.loops.contains(inner, from))
    }

    /// What lies between an instruction and the start of a block that it dominates.
    pub(super) fn way(&self, func: &Function, inst: Inst, to: Block) -> Way {
        let Some(from) = func.layout.inst_block(inst) else {
            return Way::Long;
        };
        let mut seen: EntitySet<Block> = EntitySet::new();
        let mut visited = 0;
        let mut work: Vec<Block> = self.before(to).collect();
        let mut call = None;
        while let Some(block) = work.pop() {
            if !seen.insert(block) {
                continue;
            }
            visited += 1;
            if visited > MAX_BLOCKS_BETWEEN {
                return Way::Long;
            }
            let mut next = func.layout.last_inst(block);
            while let Some(one) = next
                && one != inst
            {
                if func.dfg.inst(one).opcode().effect() == Effect::Calls {
                    call = Some(one);
                }
                next = func.layout.prev_inst(one);
            }
            if block != from {
                work.extend(self.before(block));
            }
        }
        call.map_or(Way::Free, Way::Calls)
    }

    fn before(&self, block: Block) -> impl Iterator<Item = Block> {
        let edges = self.cfg.predecessors(block).iter();
        edges
            .map(|edge| edge.block)
            .filter(|&block| self.cfg.is_reachable(block))
    }
}

/// The operands that need a register, each once: the back end makes the others at each use.
pub(super) fn variable_operands(func: &Function, inst: Inst) -> SmallVec<[Value; 2]> {
    let mut variables = SmallVec::new();
    for value in func.dfg.args(inst) {
        let value = func.dfg.resolve(value);
        let made_at_use = matches!(
            func.dfg.def_inst(value),
            Some((
                _,
                InstData::Const { .. }
                    | InstData::SymbolAddr { .. }
                    | InstData::Nullary {
                        opcode: Opcode::Frame | Opcode::Undef,
                        ..
                    }
            ))
        );
        if !made_at_use && !variables.contains(&value) {
            variables.push(value);
        }
    }
    variables
}
