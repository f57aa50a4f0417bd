//! Dominator tree: which blocks lie on every path from the entry to a block.
//!
//! On top of the immediate dominators this file numbers the tree in preorder, so that "does a
//! dominate b" is two comparisons. Cost: O(edges × log blocks), on every graph.

use crate::analysis::cfg::ControlFlowGraph;
use crate::analysis::lengauer_tarjan::immediate_dominators;
use crate::entity::Block;
use cranelift_entity::SecondaryMap;
use cranelift_entity::packed_option::PackedOption;

#[derive(Clone, Copy, Debug, Default)]
struct Node {
    idom: PackedOption<Block>,
    first_child: PackedOption<Block>,
    next_sibling: PackedOption<Block>,
    /// Preorder number plus one; 0 for unreachable blocks.
    number: u32,
    /// The largest number in the subtree.
    last: u32,
    depth: u32,
}

/// Immediate dominators with preorder numbers.
#[derive(Clone, Debug, Default)]
pub struct DominatorTree {
    nodes: SecondaryMap<Block, Node>,
    preorder: Vec<Block>,
}

impl DominatorTree {
    /// The tree of a graph; empty for a declaration.
    #[must_use]
    pub fn compute(cfg: &ControlFlowGraph) -> Self {
        let Some(entry) = cfg.entry() else {
            return DominatorTree::default();
        };
        let mut nodes: SecondaryMap<Block, Node> = SecondaryMap::with_capacity(cfg.block_bound());
        for (block, idom) in immediate_dominators(cfg) {
            nodes[block].idom = idom.into();
        }
        // Pushing to the front in postorder leaves each block's children in reverse postorder.
        for block in cfg.postorder() {
            if let Some(idom) = nodes[block].idom.expand() {
                nodes[block].next_sibling = nodes[idom].first_child;
                nodes[idom].first_child = block.into();
            }
        }
        let mut tree = DominatorTree {
            nodes,
            preorder: Vec::with_capacity(cfg.reverse_postorder().len()),
        };
        tree.number(entry);
        tree
    }

    /// Numbers the tree, with an explicit stack because its depth is the input's choice.
    fn number(&mut self, entry: Block) {
        let mut stack = vec![entry];
        while let Some(block) = stack.pop() {
            self.preorder.push(block);
            let number = self.preorder.len() as u32;
            let depth = match self.nodes[block].idom.expand() {
                Some(idom) => self.nodes[idom].depth + 1,
                None => 0,
            };
            let node = &mut self.nodes[block];
            node.number = number;
            node.last = number;
            node.depth = depth;
            let start = stack.len();
            let mut child = node.first_child;
            while let Some(next) = child.expand() {
                stack.push(next);
                child = self.nodes[next].next_sibling;
            }
            stack[start..].reverse();
        }
        for &block in self.preorder.iter().rev() {
            let last = self.nodes[block].last;
            if let Some(idom) = self.nodes[block].idom.expand() {
                let parent = &mut self.nodes[idom];
                parent.last = parent.last.max(last);
            }
        }
    }

    /// The closest block, other than itself, on every path to a block; `None` for the entry and
    /// for unreachable blocks.
    #[must_use]
    pub fn idom(&self, block: Block) -> Option<Block> {
        self.nodes[block].idom.expand()
    }

    /// Whether every path from the entry to `b` passes `a`. A block dominates itself; otherwise
    /// unreachable blocks neither dominate nor are dominated.
    #[must_use]
    pub fn dominates(&self, a: Block, b: Block) -> bool {
        let (outer, inner) = (&self.nodes[a], &self.nodes[b]);
        a == b || (outer.number != 0 && outer.number <= inner.number && inner.number <= outer.last)
    }

    /// Whether `a` dominates `b` and is not `b`.
    #[must_use]
    pub fn strictly_dominates(&self, a: Block, b: Block) -> bool {
        a != b && self.dominates(a, b)
    }

    /// The blocks that a block immediately dominates, in reverse postorder.
    pub fn children(&self, block: Block) -> impl Iterator<Item = Block> + '_ {
        std::iter::successors(self.nodes[block].first_child.expand(), |&child| {
            self.nodes[child].next_sibling.expand()
        })
    }

    /// Reachable blocks, each after its immediate dominator and before those it doesn't dominate:
    /// the order in which a scoped table may walk.
    #[must_use]
    pub fn preorder(&self) -> &[Block] {
        &self.preorder
    }

    /// Position in [`Self::preorder`]; `None` for unreachable blocks.
    #[must_use]
    pub fn order(&self, block: Block) -> Option<u32> {
        self.nodes[block].number.checked_sub(1)
    }

    /// Number of strict dominators.
    #[must_use]
    pub fn depth(&self, block: Block) -> u32 {
        self.nodes[block].depth
    }

    /// The closest block that dominates both; `None` when one is unreachable.
    #[must_use]
    pub fn common_dominator(&self, mut a: Block, b: Block) -> Option<Block> {
        self.order(a)?;
        self.order(b)?;
        while !self.dominates(a, b) {
            a = self.idom(a)?;
        }
        Some(a)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::graph::tests::{diamond_with_loop, graph};

    #[test]
    fn the_join_is_dominated_by_the_fork_only() {
        let (func, b) = diamond_with_loop();
        let tree = DominatorTree::compute(&ControlFlowGraph::compute(&func));
        assert_eq!(tree.idom(b[3]), Some(b[0]));
        assert_eq!(tree.idom(b[4]), Some(b[3]));
        assert_eq!(tree.idom(b[0]), None);
        assert!(tree.dominates(b[0], b[4]));
        assert!(tree.dominates(b[3], b[3]));
        assert!(!tree.dominates(b[1], b[3]));
        assert!(!tree.strictly_dominates(b[3], b[3]));
        assert_eq!(tree.children(b[0]).collect::<Vec<_>>(), [b[1], b[2], b[3]]);
        assert_eq!(tree.preorder(), [b[0], b[1], b[2], b[3], b[4]]);
        assert_eq!(tree.common_dominator(b[1], b[4]), Some(b[0]));
        assert_eq!(tree.depth(b[4]), 2);
    }

    #[test]
    fn unreachable_blocks_stand_apart() {
        let (func, b) = graph(3, &[(0, &[1]), (2, &[1])]);
        let tree = DominatorTree::compute(&ControlFlowGraph::compute(&func));
        assert_eq!(tree.idom(b[1]), Some(b[0]));
        assert!(!tree.dominates(b[0], b[2]));
        assert!(!tree.dominates(b[2], b[1]));
        assert!(tree.dominates(b[2], b[2]));
        assert_eq!(tree.common_dominator(b[2], b[1]), None);
    }

    #[test]
    fn agrees_with_the_definition_and_petgraph_on_random_graphs() {
        let mut state = 0x9e37_79b9_7f4a_7c15u64;
        let mut next = move |bound: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % bound as u64) as usize
        };
        for _ in 0..1000 {
            let size = 2 + next(12);
            let edges: Vec<(usize, Vec<usize>)> = (0..size)
                .filter_map(|from| {
                    let count = next(3);
                    // The entry has no predecessors.
                    let to = (0..count).map(|_| 1 + next(size - 1)).collect();
                    (count > 0).then_some((from, to))
                })
                .collect();
            let edges: Vec<(usize, &[usize])> =
                edges.iter().map(|(from, to)| (*from, &to[..])).collect();
            let (func, b) = graph(size, &edges);
            let cfg = ControlFlowGraph::compute(&func);
            let tree = DominatorTree::compute(&cfg);
            let theirs = petgraph::algo::dominators::simple_fast(&cfg, b[0]);
            for &block in &b {
                assert_eq!(tree.idom(block), theirs.immediate_dominator(block));
            }
            for &removed in &b {
                let mut seen = vec![b[0]];
                let mut work = vec![b[0]];
                while let Some(block) = work.pop() {
                    if block == removed {
                        continue;
                    }
                    for &next in cfg.successors(block) {
                        if !seen.contains(&next) {
                            seen.push(next);
                            work.push(next);
                        }
                    }
                }
                for &block in cfg.reverse_postorder() {
                    let avoidable = seen.contains(&block) && block != removed;
                    assert_eq!(
                        tree.dominates(removed, block),
                        !avoidable && cfg.is_reachable(removed),
                        "{removed} {block} {edges:?}"
                    );
                }
            }
        }
    }
}
