//! Natural loops and how deep they nest.
//!
//! A loop is a header with the blocks that reach one of its back edges without passing the header;
//! a back edge goes to a block that dominates its source. Headers are taken inner first; walking
//! backward from the back edges, a block that already lies in a loop stands for the outermost loop
//! found around it so far, so that every block is entered once for each loop header at most.
//!
//! A cycle that can be entered at two places has no header; [`LoopForest::has_irreducible_cycle`]
//! says that there is one, and its blocks count for no loop on its account.

use crate::analysis::cfg::ControlFlowGraph;
use crate::analysis::dominators::DominatorTree;
use crate::entity::Block;
use cranelift_entity::packed_option::PackedOption;
use cranelift_entity::{PrimaryMap, SecondaryMap, entity_impl};

/// A natural loop.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Loop(u32);
entity_impl!(Loop, "loop");

#[derive(Clone, Debug)]
struct LoopData {
    header: Block,
    parent: PackedOption<Loop>,
    depth: u32,
}

/// The loops of a function.
#[derive(Clone, Debug, Default)]
pub struct LoopForest {
    loops: PrimaryMap<Loop, LoopData>,
    innermost: SecondaryMap<Block, PackedOption<Loop>>,
    irreducible: bool,
}

impl LoopForest {
    /// The loops of a graph. They are numbered so that an outer loop comes after its inner ones.
    #[must_use]
    pub fn compute(cfg: &ControlFlowGraph, dominators: &DominatorTree) -> Self {
        let mut forest = LoopForest::default();
        // The outermost loop known to contain a loop, shortened as it is asked for.
        let mut outermost: SecondaryMap<Loop, PackedOption<Loop>> = SecondaryMap::new();
        let mut work = Vec::new();
        for header in cfg.postorder() {
            for edge in cfg.predecessors(header) {
                if !cfg.is_reachable(edge.block) {
                    continue;
                }
                if dominators.dominates(header, edge.block) {
                    work.push(edge.block);
                } else if cfg.is_retreating(edge.block, header) {
                    forest.irreducible = true;
                }
            }
            if work.is_empty() {
                continue;
            }
            let this = forest.loops.push(LoopData {
                header,
                parent: None.into(),
                depth: 0,
            });
            while let Some(block) = work.pop() {
                let entered = match forest.innermost[block].expand() {
                    None => {
                        forest.innermost[block] = this.into();
                        block
                    }
                    Some(inner) => {
                        let outer = find_outermost(&mut outermost, inner);
                        if outer == this {
                            continue;
                        }
                        forest.loops[outer].parent = this.into();
                        outermost[outer] = this.into();
                        forest.loops[outer].header
                    }
                };
                if entered != header {
                    let outside = cfg.predecessors(entered).iter().map(|edge| edge.block);
                    work.extend(outside.filter(|&block| {
                        // Of an inner loop's header only the edges from outside are new; the
                        // others end at once, since their sources are in this loop by now.
                        cfg.is_reachable(block)
                    }));
                }
            }
        }
        let order: Vec<Loop> = forest.loops.keys().rev().collect();
        for id in order {
            forest.loops[id].depth = match forest.loops[id].parent.expand() {
                Some(parent) => forest.loops[parent].depth + 1,
                None => 1,
            };
        }
        forest
    }

    /// All loops, inner ones before those around them.
    pub fn loops(&self) -> impl DoubleEndedIterator<Item = Loop> + use<> {
        self.loops.keys()
    }

    /// The block through which a loop is entered.
    #[must_use]
    pub fn header(&self, id: Loop) -> Block {
        self.loops[id].header
    }

    /// The loop directly around a loop.
    #[must_use]
    pub fn parent(&self, id: Loop) -> Option<Loop> {
        self.loops[id].parent.expand()
    }

    /// The innermost loop that contains a block.
    #[must_use]
    pub fn innermost(&self, block: Block) -> Option<Loop> {
        self.innermost[block].expand()
    }

    /// Number of loops around a block.
    #[must_use]
    pub fn depth(&self, block: Block) -> u32 {
        self.innermost(block).map_or(0, |id| self.loops[id].depth)
    }

    /// Whether a loop contains a block.
    #[must_use]
    pub fn contains(&self, id: Loop, block: Block) -> bool {
        std::iter::successors(self.innermost(block), |&inner| self.parent(inner))
            .any(|inner| inner == id)
    }

    /// Whether a block is the header of a loop.
    #[must_use]
    pub fn is_header(&self, block: Block) -> bool {
        self.innermost(block)
            .is_some_and(|id| self.loops[id].header == block)
    }

    /// Whether there is a cycle with two entries.
    #[must_use]
    pub fn has_irreducible_cycle(&self) -> bool {
        self.irreducible
    }
}

fn find_outermost(outermost: &mut SecondaryMap<Loop, PackedOption<Loop>>, start: Loop) -> Loop {
    let mut root = start;
    while let Some(next) = outermost[root].expand() {
        root = next;
    }
    let mut step = start;
    while let Some(next) = outermost[step].expand() {
        if next != root {
            outermost[step] = root.into();
        }
        step = next;
    }
    root
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::graph::tests::graph;

    fn forest(blocks: usize, edges: &[(usize, &[usize])]) -> (LoopForest, Vec<Block>) {
        let (func, b) = graph(blocks, edges);
        let cfg = ControlFlowGraph::compute(&func);
        let dominators = DominatorTree::compute(&cfg);
        (LoopForest::compute(&cfg, &dominators), b)
    }

    #[test]
    fn nested_loops_count_their_depth() {
        // 1 is the outer header, 2 the inner; 3 closes the inner loop, 4 the outer one.
        let (forest, b) = forest(
            6,
            &[(0, &[1]), (1, &[2]), (2, &[3, 4]), (3, &[2]), (4, &[1, 5])],
        );
        let depths: Vec<u32> = b.iter().map(|&block| forest.depth(block)).collect();
        assert_eq!(depths, [0, 1, 2, 2, 1, 0]);
        let inner = forest.innermost(b[3]).unwrap();
        let outer = forest.innermost(b[4]).unwrap();
        assert_eq!(forest.parent(inner), Some(outer));
        assert_eq!(forest.header(inner), b[2]);
        assert!(forest.contains(outer, b[3]));
        assert!(!forest.contains(inner, b[4]));
        assert!(forest.is_header(b[1]) && forest.is_header(b[2]) && !forest.is_header(b[3]));
        assert!(!forest.has_irreducible_cycle());
    }

    #[test]
    fn a_block_that_jumps_to_itself_is_a_loop() {
        let (forest, b) = forest(3, &[(0, &[1]), (1, &[1, 2])]);
        assert_eq!(forest.depth(b[1]), 1);
        assert_eq!(forest.loops().count(), 1);
    }

    #[test]
    fn two_back_edges_to_one_header_are_one_loop() {
        let (forest, b) = forest(5, &[(0, &[1]), (1, &[2, 3]), (2, &[1]), (3, &[1, 4])]);
        assert_eq!(forest.loops().count(), 1);
        assert!([1, 2, 3].iter().all(|&i| forest.depth(b[i]) == 1));
    }

    #[test]
    fn a_cycle_with_two_entries_is_reported() {
        let (forest, b) = forest(3, &[(0, &[1, 2]), (1, &[2]), (2, &[1])]);
        assert!(forest.has_irreducible_cycle());
        assert_eq!(forest.depth(b[1]), 0);
    }
}
