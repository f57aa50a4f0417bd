//! What lies between two places of a function, and what was compared there.
//!
//! A comparison may teach the kernel bounds of a number, and what is computed of the number before it
//! has none of them. Whoever moves a computation, or takes an earlier one for a later, asks here.

use cranelift_entity::EntitySet;
use mir::analysis::{ControlFlowGraph, DominatorTree};
use mir::opcode::Effect;
use mir::{Block, Function, Inst, InstData, Opcode, Value};
use smallvec::SmallVec;

/// Blocks between two equal computations to look at. Equal computations in compiled code are
/// close; those further apart would hold a register for long.
pub(crate) const MAX_BLOCKS: usize = 24;

/// Definitions to look through for the source of a value.
const MAX_SOURCE_DEPTH: usize = 8;

/// What lies on the paths from one instruction to another.
#[derive(Debug, Default)]
pub(crate) struct Between {
    /// A call is made.
    pub(crate) has_call: bool,
    /// What compared values are computed from.
    pub(crate) compared: SmallVec<[Value; 8]>,
}

/// Values through which memory is accessed, at a constant distance or none. What a comparison
/// teaches the kernel of a pointer it teaches it of every copy at a constant distance.
pub(crate) fn find_pointers(func: &Function) -> EntitySet<Value> {
    let mut pointers = EntitySet::with_capacity(func.dfg.value_count());
    for block in func.layout.blocks() {
        for inst in func.layout.insts(block) {
            let (InstData::Load { base, .. } | InstData::Store { base, .. }) = *func.dfg.inst(inst)
            else {
                continue;
            };
            pointers.insert(base);
            if let Some((
                _,
                InstData::Binary {
                    opcode: Opcode::Iadd,
                    args: [inner, constant],
                    ..
                },
            )) = func.dfg.def_inst(base)
                && func.constant(*constant).is_some()
            {
                pointers.insert(*inner);
            }
        }
    }
    pointers
}

impl Between {
    /// Walks backward from an instruction to one in a dominating block, or to the start of that block;
    /// `None` when that takes too long.
    pub(crate) fn look(
        func: &Function,
        cfg: &ControlFlowGraph,
        dominators: &DominatorTree,
        (from, leader): (Block, Option<Inst>),
        inst: Inst,
    ) -> Option<Between> {
        let to = func.layout.inst_block(inst)?;
        let mut between = Between::default();
        let mut before = func.layout.prev_inst(inst);
        while let Some(inst) = before
            && Some(inst) != leader
        {
            between.add(func, inst);
            before = func.layout.prev_inst(inst);
        }
        if from == to {
            return Some(between);
        }
        let mut seen: EntitySet<Block> = EntitySet::new();
        let mut visited = 0;
        let mut work: Vec<Block> = cfg.predecessors(to).iter().map(|edge| edge.block).collect();
        while let Some(block) = work.pop() {
            if !cfg.is_reachable(block) || !seen.insert(block) {
                continue;
            }
            visited += 1;
            if visited > MAX_BLOCKS || !dominators.dominates(from, block) {
                return None;
            }
            let mut next = func.layout.last_inst(block);
            while let Some(inst) = next
                && Some(inst) != leader
            {
                between.add(func, inst);
                next = func.layout.prev_inst(inst);
            }
            if block != from {
                work.extend(cfg.predecessors(block).iter().map(|edge| edge.block));
            }
        }
        Some(between)
    }

    fn add(&mut self, func: &Function, inst: Inst) {
        let data = func.dfg.inst(inst);
        self.has_call |= data.opcode().effect() == Effect::Calls;
        if let InstData::Branch { args, .. } = data {
            for &arg in args {
                add_sources(func, arg, &mut self.compared);
            }
        }
    }
}

/// Adds what a value is computed from, through operations that carry bounds from operand to result.
pub(crate) fn add_sources(func: &Function, value: Value, sources: &mut SmallVec<[Value; 8]>) {
    let mut work: SmallVec<[(Value, usize); 8]> = SmallVec::new();
    work.push((func.dfg.resolve(value), 0));
    while let Some((value, depth)) = work.pop() {
        match func.dfg.def_inst(value) {
            Some((
                _,
                InstData::Const { .. } | InstData::SymbolAddr { .. } | InstData::Nullary { .. },
            )) => {}
            Some((inst, InstData::Unary { .. } | InstData::Binary { .. }))
                if depth < MAX_SOURCE_DEPTH =>
            {
                let operands = func.dfg.args(inst);
                work.extend(
                    operands
                        .into_iter()
                        .map(|operand| (func.dfg.resolve(operand), depth + 1)),
                );
            }
            _ if sources.contains(&value) => {}
            _ => sources.push(value),
        }
    }
}
