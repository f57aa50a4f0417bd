//! The control-flow graph seen by petgraph's algorithms.
//!
//! `&ControlFlowGraph` implements the traits that dominators, traversals and strongly connected
//! components ask for. Of the two algorithms for components take `kosaraju_scc`: `tarjan_scc`
//! recurses as deep as the graph, and the depth is the input's choice.

use crate::analysis::cfg::ControlFlowGraph;
use crate::entity::Block;
use cranelift_entity::{EntityRef, EntitySet};
use petgraph::Direction;
use petgraph::visit::{
    GraphBase, IntoNeighbors, IntoNeighborsDirected, IntoNodeIdentifiers, NodeCount, NodeIndexable,
    VisitMap, Visitable,
};

/// Which blocks a traversal has seen.
#[derive(Clone, Debug, Default)]
pub struct VisitedBlocks(EntitySet<Block>);

impl VisitMap<Block> for VisitedBlocks {
    fn visit(&mut self, block: Block) -> bool {
        self.0.insert(block)
    }

    fn is_visited(&self, block: &Block) -> bool {
        self.0.contains(*block)
    }

    fn unvisit(&mut self, block: Block) -> bool {
        self.0.remove(block)
    }
}

impl GraphBase for ControlFlowGraph {
    type NodeId = Block;
    type EdgeId = (Block, usize);
}

impl Visitable for ControlFlowGraph {
    type Map = VisitedBlocks;

    fn visit_map(&self) -> VisitedBlocks {
        VisitedBlocks(EntitySet::with_capacity(self.block_bound()))
    }

    fn reset_map(&self, map: &mut VisitedBlocks) {
        map.0.clear();
    }
}

impl NodeCount for ControlFlowGraph {
    fn node_count(&self) -> usize {
        self.reverse_postorder().len()
    }
}

impl NodeIndexable for ControlFlowGraph {
    fn node_bound(&self) -> usize {
        self.block_bound()
    }

    fn to_index(&self, block: Block) -> usize {
        block.index()
    }

    fn from_index(&self, index: usize) -> Block {
        Block::new(index)
    }
}

impl<'a> IntoNeighbors for &'a ControlFlowGraph {
    type Neighbors = Neighbors<'a>;

    fn neighbors(self, block: Block) -> Neighbors<'a> {
        Neighbors::Successors(self.successors(block).iter())
    }
}

impl<'a> IntoNeighborsDirected for &'a ControlFlowGraph {
    type NeighborsDirected = Neighbors<'a>;

    fn neighbors_directed(self, block: Block, direction: Direction) -> Neighbors<'a> {
        match direction {
            Direction::Outgoing => Neighbors::Successors(self.successors(block).iter()),
            Direction::Incoming => Neighbors::Predecessors(self.predecessors(block).iter()),
        }
    }
}

impl<'a> IntoNodeIdentifiers for &'a ControlFlowGraph {
    type NodeIdentifiers = std::iter::Copied<std::slice::Iter<'a, Block>>;

    fn node_identifiers(self) -> Self::NodeIdentifiers {
        self.reverse_postorder().iter().copied()
    }
}

/// The blocks on the other side of a block's edges.
#[derive(Clone, Debug)]
pub enum Neighbors<'a> {
    /// Of edges that leave it.
    Successors(std::slice::Iter<'a, Block>),
    /// Of edges that enter it.
    Predecessors(std::slice::Iter<'a, crate::analysis::Predecessor>),
}

impl Iterator for Neighbors<'_> {
    type Item = Block;

    fn next(&mut self) -> Option<Block> {
        match self {
            Neighbors::Successors(blocks) => blocks.next().copied(),
            Neighbors::Predecessors(edges) => edges.next().map(|edge| edge.block),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::cursor::Cursor;
    use crate::function::Function;
    use crate::types::Type;
    use bpf::insn::Cond;

    /// A function with this many blocks and these edges; blocks without successors return.
    pub(crate) fn graph(blocks: usize, edges: &[(usize, &[usize])]) -> (Function, Vec<Block>) {
        let mut func = Function::new("graph");
        let b: Vec<Block> = (0..blocks).map(|_| func.append_new_block()).collect();
        let zero = Cursor::at_end(&mut func, b[0]).ins().iconst(Type::I64, 0);
        let mut done = vec![false; blocks];
        for &(from, to) in edges {
            done[from] = true;
            let mut cursor = Cursor::at_end(&mut func, b[from]);
            match *to {
                [to] => cursor.ins().jump(b[to], &[]),
                [taken, other] => cursor.ins().branch(
                    Cond::Eq,
                    Type::I64,
                    [zero, zero],
                    (b[taken], &[]),
                    (b[other], &[]),
                ),
                _ => panic!("one or two successors"),
            };
        }
        for (index, done) in done.into_iter().enumerate() {
            if !done {
                Cursor::at_end(&mut func, b[index]).ins().return_(zero);
            }
        }
        (func, b)
    }

    /// 0 → {1, 2} → 3 ⟲ → 4
    pub(crate) fn diamond_with_loop() -> (Function, Vec<Block>) {
        graph(5, &[(0, &[1, 2]), (1, &[3]), (2, &[3]), (3, &[3, 4])])
    }

    #[test]
    fn petgraph_finds_the_loop_as_a_component() {
        let (func, b) = graph(5, &[(0, &[1]), (1, &[2]), (2, &[3, 4]), (3, &[1])]);
        let cfg = ControlFlowGraph::compute(&func);
        let mut components = petgraph::algo::kosaraju_scc(&cfg);
        components.iter_mut().for_each(|c| c.sort());
        assert!(components.contains(&vec![b[1], b[2], b[3]]));
        assert_eq!(components.len(), 3);
        assert_eq!(petgraph::algo::tarjan_scc(&cfg).len(), 3);
    }

    #[test]
    fn petgraph_walks_against_the_edges() {
        let (func, b) = diamond_with_loop();
        let cfg = ControlFlowGraph::compute(&func);
        let back: Vec<_> = cfg.neighbors_directed(b[1], Direction::Incoming).collect();
        assert_eq!(back, [b[0]]);
    }
}
