//! Edges and uses of a function while edges are led elsewhere.
//!
//! Uses are kept as the instructions that have a value among their operands; those that no longer
//! have it are found out when they are asked.

use cranelift_entity::SecondaryMap;
use mir::analysis::ControlFlowGraph;
use mir::{Block, Function, Inst, Value};
use smallvec::SmallVec;

/// An edge: which successor of which instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edge {
    pub(super) inst: Inst,
    pub(super) index: usize,
}

/// Edges between reachable blocks, and uses of values.
pub(super) struct Graph {
    edges: SecondaryMap<Block, SmallVec<[Edge; 4]>>,
    users: SecondaryMap<Value, SmallVec<[Inst; 2]>>,
}

impl Graph {
    pub(super) fn of(func: &Function, cfg: &ControlFlowGraph) -> Graph {
        let mut graph = Graph {
            edges: SecondaryMap::new(),
            users: SecondaryMap::new(),
        };
        for &block in cfg.reverse_postorder() {
            for inst in func.layout.insts(block) {
                graph.note_uses(func, inst);
            }
            let Some(inst) = func.layout.last_inst(block) else {
                continue;
            };
            for (index, call) in func.dfg.successors(inst).iter().enumerate() {
                graph.edges[call.block].push(Edge { inst, index });
            }
        }
        graph
    }

    /// The edges to a block, as they are now.
    pub(super) fn edges_to(&self, block: Block) -> SmallVec<[Edge; 4]> {
        self.edges[block].clone()
    }

    /// The only edge to a block.
    pub(super) fn only_edge(&self, block: Block) -> Option<Edge> {
        match self.edges[block].as_slice() {
            [edge] => Some(*edge),
            _ => None,
        }
    }

    /// An edge to `from` goes to `way`, from where `jump` leads to `to`.
    pub(super) fn lead(&mut self, edge: Edge, from: Block, way: Block, jump: Inst, to: Block) {
        self.edges[from].retain(|one| *one != edge);
        self.edges[way].push(edge);
        self.edges[to].push(Edge {
            inst: jump,
            index: 0,
        });
    }

    /// Remembers what an instruction uses.
    pub(super) fn note_uses(&mut self, func: &Function, inst: Inst) {
        func.dfg.for_each_operand(inst, |value| {
            let users = &mut self.users[func.dfg.resolve(value)];
            if users.last() != Some(&inst) {
                users.push(inst);
            }
        });
    }

    /// Instructions outside of a block that use a value.
    pub(super) fn users_beyond(
        &self,
        func: &Function,
        value: Value,
        block: Block,
    ) -> SmallVec<[Inst; 4]> {
        let users = self.users[value].iter().copied();
        let mut found: SmallVec<[Inst; 4]> = users
            .filter(|&inst| {
                let at = func.layout.inst_block(inst);
                let mut uses = false;
                func.dfg
                    .for_each_operand(inst, |one| uses |= func.dfg.resolve(one) == value);
                uses && at.is_some_and(|at| at != block && func.layout.contains_block(at))
            })
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Whether an instruction outside of a block uses a value.
    pub(super) fn is_used_beyond(&self, func: &Function, value: Value, block: Block) -> bool {
        !self.users_beyond(func, value, block).is_empty()
    }

    /// Removes a block if no edge leads to it any more, and what is no longer reached without it.
    pub(super) fn remove_unreachable(
        &mut self,
        func: &mut Function,
        cfg: &ControlFlowGraph,
        block: Block,
    ) {
        let mut work = vec![block];
        let mut may_be_loop = false;
        while let Some(block) = work.pop() {
            if !func.layout.contains_block(block) {
                continue;
            }
            let edges = &self.edges[block];
            if !edges.is_empty() {
                let from = edges
                    .iter()
                    .filter_map(|edge| func.layout.inst_block(edge.inst));
                // Of blocks that were made here the graph does not know which way they lead.
                may_be_loop |= from
                    .into_iter()
                    .any(|from| !cfg.is_reachable(from) || cfg.is_retreating(from, block));
                continue;
            }
            self.remove(func, block, &mut work);
        }
        if may_be_loop {
            // A loop keeps its header's edge though nothing enters it.
            let reachable = ControlFlowGraph::compute(func);
            let blocks = func.layout.blocks();
            let gone: Vec<Block> = blocks
                .filter(|&block| !reachable.is_reachable(block))
                .collect();
            for block in gone {
                self.remove(func, block, &mut work);
            }
        }
    }

    fn remove(&mut self, func: &mut Function, block: Block, left: &mut Vec<Block>) {
        if let Some(inst) = func.layout.last_inst(block) {
            for call in func.dfg.successors(inst) {
                self.edges[call.block].retain(|one| one.inst != inst);
                left.push(call.block);
            }
        }
        func.layout.remove_block(block);
    }
}
