//! The control-flow graph: predecessors, successors, visiting order.
//!
//! Edges come from the last instruction of each block of the layout. An edge to a block outside the
//! layout is left out, so that the graph of an ill-formed function can be asked for too (the
//! well-formedness checker does). A branch with both destinations the same makes two edges.
//!
//! Edges are kept in two flat arrays with one index range for each block. Cost: linear in blocks
//! and edges.

use crate::entity::{Block, Inst};
use crate::function::Function;
use cranelift_entity::SecondaryMap;

/// An edge into a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Predecessor {
    /// Where it comes from.
    pub block: Block,
    /// The terminator there.
    pub inst: Inst,
}

/// Predecessors, successors and reverse postorder of a function.
#[derive(Clone, Debug)]
pub struct ControlFlowGraph {
    entry: Option<Block>,
    block_count: usize,
    successors: Rows<Block>,
    predecessors: Rows<Predecessor>,
    reverse_postorder: Vec<Block>,
    /// Position in `reverse_postorder` plus one; 0 for unreachable blocks.
    position: SecondaryMap<Block, u32>,
}

/// A list of items for each block, all in one array.
#[derive(Clone, Debug)]
struct Rows<T> {
    starts: Vec<u32>,
    items: Vec<T>,
}

impl<T> Rows<T> {
    fn get(&self, block: Block) -> &[T] {
        let index = block.as_u32() as usize;
        match (self.starts.get(index), self.starts.get(index + 1)) {
            (Some(&start), Some(&end)) => &self.items[start as usize..end as usize],
            _ => &[],
        }
    }
}

impl ControlFlowGraph {
    /// The graph of a function's layout; empty for a declaration.
    #[must_use]
    pub fn compute(func: &Function) -> Self {
        let block_count = func.dfg.block_count();
        let mut edges: Vec<(Block, Predecessor)> = Vec::new();
        for block in func.layout.blocks() {
            let Some(inst) = func.layout.last_inst(block) else {
                continue;
            };
            for call in func.dfg.successors(inst) {
                if func.layout.contains_block(call.block) {
                    edges.push((call.block, Predecessor { block, inst }));
                }
            }
        }
        let successors = rows(
            block_count,
            edges.iter().map(|(to, from)| (from.block, *to)),
        );
        let predecessors = rows(block_count, edges.iter().copied());
        let entry = func.layout.entry();
        let reverse_postorder = reverse_postorder(entry, block_count, &successors);
        let mut position = SecondaryMap::with_capacity(block_count);
        for (index, &block) in (1u32..).zip(&reverse_postorder) {
            position[block] = index;
        }
        ControlFlowGraph {
            entry,
            block_count,
            successors,
            predecessors,
            reverse_postorder,
            position,
        }
    }

    /// The entry block.
    #[must_use]
    pub fn entry(&self) -> Option<Block> {
        self.entry
    }

    /// Number of blocks that the function ever made: a bound of block indices.
    #[must_use]
    pub fn block_bound(&self) -> usize {
        self.block_count
    }

    /// Edges into a block, in layout order of where they come from.
    #[must_use]
    pub fn predecessors(&self, block: Block) -> &[Predecessor] {
        self.predecessors.get(block)
    }

    /// Blocks that a block's terminator may go to; for a branch taken, then not taken.
    #[must_use]
    pub fn successors(&self, block: Block) -> &[Block] {
        self.successors.get(block)
    }

    /// The one block that precedes this one, if there is exactly one edge.
    #[must_use]
    pub fn single_predecessor(&self, block: Block) -> Option<Predecessor> {
        match self.predecessors(block) {
            [only] => Some(*only),
            _ => None,
        }
    }

    /// Reachable blocks such that all but loop-closing edges go forward.
    #[must_use]
    pub fn reverse_postorder(&self) -> &[Block] {
        &self.reverse_postorder
    }

    /// Reachable blocks such that all but loop-closing edges go backward.
    pub fn postorder(&self) -> impl DoubleEndedIterator<Item = Block> + '_ {
        self.reverse_postorder.iter().rev().copied()
    }

    /// Whether there is a path from the entry.
    #[must_use]
    pub fn is_reachable(&self, block: Block) -> bool {
        self.position[block] != 0
    }

    /// Position in reverse postorder; `None` for unreachable blocks.
    #[must_use]
    pub fn order(&self, block: Block) -> Option<u32> {
        self.position[block].checked_sub(1)
    }

    /// Whether the edge goes against reverse postorder: every cycle has at least one such edge.
    #[must_use]
    pub fn is_retreating(&self, from: Block, to: Block) -> bool {
        self.position[from] >= self.position[to]
    }
}

/// Sorts keyed items into rows by counting, keeping their order within a row.
fn rows<T: Copy>(
    block_count: usize,
    items: impl ExactSizeIterator<Item = (Block, T)> + Clone,
) -> Rows<T> {
    let mut starts = vec![0u32; block_count + 1];
    for (block, _) in items.clone() {
        starts[block.as_u32() as usize + 1] += 1;
    }
    for index in 0..block_count {
        starts[index + 1] += starts[index];
    }
    let mut next = starts.clone();
    let mut sorted: Vec<Option<T>> = vec![None; items.len()];
    for (block, item) in items {
        let place = &mut next[block.as_u32() as usize];
        sorted[*place as usize] = Some(item);
        *place += 1;
    }
    Rows {
        starts,
        items: sorted.into_iter().flatten().collect(),
    }
}

/// Depth-first with an explicit stack: the depth of the graph is the input's choice.
fn reverse_postorder(
    entry: Option<Block>,
    block_count: usize,
    successors: &Rows<Block>,
) -> Vec<Block> {
    let Some(entry) = entry else {
        return Vec::new();
    };
    let mut order = Vec::with_capacity(block_count);
    let mut seen: SecondaryMap<Block, bool> = SecondaryMap::with_capacity(block_count);
    // Successors are visited last to first, so that in the result a branch's taken side comes
    // before its other side, as in the source.
    let mut stack = vec![(entry, successors.get(entry).len())];
    seen[entry] = true;
    while let Some((block, left)) = stack.last_mut() {
        match left.checked_sub(1) {
            Some(index) => {
                *left = index;
                let next = successors.get(*block)[index];
                if !std::mem::replace(&mut seen[next], true) {
                    stack.push((next, successors.get(next).len()));
                }
            }
            None => {
                order.push(*block);
                stack.pop();
            }
        }
    }
    order.reverse();
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::graph::tests::{diamond_with_loop, graph};

    #[test]
    fn edges_and_order_of_a_diamond_with_a_loop() {
        let (func, b) = diamond_with_loop();
        let cfg = ControlFlowGraph::compute(&func);
        assert_eq!(cfg.successors(b[0]), [b[1], b[2]]);
        let into_join: Vec<_> = cfg.predecessors(b[3]).iter().map(|p| p.block).collect();
        assert_eq!(into_join, [b[1], b[2], b[3]]);
        assert_eq!(cfg.reverse_postorder(), [b[0], b[1], b[2], b[3], b[4]]);
        assert!(cfg.is_retreating(b[3], b[3]));
        assert!(!cfg.is_retreating(b[0], b[1]));
        assert_eq!(cfg.single_predecessor(b[4]).map(|p| p.block), Some(b[3]));
    }

    #[test]
    fn unreachable_blocks_have_edges_and_no_order() {
        let (func, b) = graph(3, &[(0, &[1]), (2, &[1])]);
        let cfg = ControlFlowGraph::compute(&func);
        assert!(!cfg.is_reachable(b[2]));
        assert_eq!(cfg.order(b[2]), None);
        assert_eq!(cfg.predecessors(b[1]).len(), 2);
    }

    #[test]
    fn a_declaration_has_an_empty_graph() {
        let cfg = ControlFlowGraph::compute(&Function::new("f"));
        assert_eq!(cfg.entry(), None);
        assert!(cfg.reverse_postorder().is_empty());
    }

    #[test]
    fn a_deep_graph_does_not_exhaust_the_stack() {
        let edges: Vec<(usize, [usize; 1])> = (0..200_000).map(|i| (i, [i + 1])).collect();
        let edges: Vec<(usize, &[usize])> = edges.iter().map(|(i, to)| (*i, &to[..])).collect();
        let (func, _) = graph(200_001, &edges);
        let cfg = ControlFlowGraph::compute(&func);
        assert_eq!(cfg.reverse_postorder().len(), 200_001);
    }
}
