//! Immediate dominators by Lengauer and Tarjan's algorithm, with path compression alone.
//!
//! Iterating to a fixpoint is shorter and fast on code that compilers make, but a file can hold a
//! graph on which it takes quadratic time. This one is O(edges × log blocks) on every graph, and
//! keeps its own stacks, since the depth of the graph is the input's choice too.
//!
//! Vertices are numbered in depth-first preorder. The *semidominator* of `w` is the smallest vertex
//! from which a path leads to `w` over vertices larger than `w` alone. Vertices are taken from the
//! largest down and linked into a forest; `label` of a forest vertex is the one with the smallest
//! semidominator on the path to its root (the root not counted), and reading it shortens the path.

use crate::analysis::cfg::ControlFlowGraph;
use crate::entity::Block;
use cranelift_entity::SecondaryMap;

const NONE: u32 = u32::MAX;

/// Each reachable block but the entry with its immediate dominator.
pub(super) fn immediate_dominators(cfg: &ControlFlowGraph) -> Vec<(Block, Block)> {
    let Some(entry) = cfg.entry() else {
        return Vec::new();
    };
    let tree = SpanningTree::new(cfg, entry);
    let count = tree.vertices.len();
    let mut forest = Forest {
        ancestor: vec![NONE; count],
        label: (0..count as u32).collect(),
        semi: (0..count as u32).collect(),
        path: Vec::new(),
    };
    let mut idom = vec![0u32; count];
    // Vertices by semidominator, as linked lists.
    let mut bucket = vec![NONE; count];
    let mut next_in_bucket = vec![NONE; count];

    for w in (1..count as u32).rev() {
        for edge in cfg.predecessors(tree.vertices[w as usize]) {
            let Some(v) = tree.number(edge.block) else {
                continue;
            };
            let u = forest.eval(v);
            let candidate = forest.semi[u as usize];
            let semi = &mut forest.semi[w as usize];
            *semi = candidate.min(*semi);
        }
        let semi = forest.semi[w as usize] as usize;
        next_in_bucket[w as usize] = std::mem::replace(&mut bucket[semi], w);
        let parent = tree.parents[w as usize];
        forest.ancestor[w as usize] = parent;
        let mut v = std::mem::replace(&mut bucket[parent as usize], NONE);
        while v != NONE {
            let u = forest.eval(v);
            let smaller = forest.semi[u as usize] < forest.semi[v as usize];
            idom[v as usize] = if smaller { u } else { parent };
            v = next_in_bucket[v as usize];
        }
    }
    for w in 1..count {
        if idom[w] != forest.semi[w] {
            idom[w] = idom[idom[w] as usize];
        }
    }
    let block = |number: u32| tree.vertices[number as usize];
    (1..count)
        .map(|w| (tree.vertices[w], block(idom[w])))
        .collect()
}

/// A depth-first spanning tree.
struct SpanningTree {
    vertices: Vec<Block>,
    parents: Vec<u32>,
    /// Number plus one; 0 for unreachable blocks.
    numbers: SecondaryMap<Block, u32>,
}

impl SpanningTree {
    fn new(cfg: &ControlFlowGraph, entry: Block) -> SpanningTree {
        let mut tree = SpanningTree {
            vertices: Vec::with_capacity(cfg.reverse_postorder().len()),
            parents: Vec::new(),
            numbers: SecondaryMap::with_capacity(cfg.block_bound()),
        };
        let mut stack = vec![(tree.add(entry, 0), 0)];
        while let Some((number, done)) = stack.last_mut() {
            let successors = cfg.successors(tree.vertices[*number as usize]);
            let Some(&next) = successors.get(*done) else {
                stack.pop();
                continue;
            };
            *done += 1;
            let parent = *number;
            if tree.number(next).is_none() {
                stack.push((tree.add(next, parent), 0));
            }
        }
        tree
    }

    fn add(&mut self, block: Block, parent: u32) -> u32 {
        let number = self.vertices.len() as u32;
        self.vertices.push(block);
        self.parents.push(parent);
        self.numbers[block] = number + 1;
        number
    }

    fn number(&self, block: Block) -> Option<u32> {
        self.numbers[block].checked_sub(1)
    }
}

struct Forest {
    ancestor: Vec<u32>,
    label: Vec<u32>,
    semi: Vec<u32>,
    path: Vec<u32>,
}

impl Forest {
    /// The vertex with the smallest semidominator between `v` and its root.
    fn eval(&mut self, v: u32) -> u32 {
        if self.ancestor[v as usize] == NONE {
            return v;
        }
        // From `v` up to the child of the root; then each takes over from the one above it.
        let mut at = v;
        loop {
            let above = self.ancestor[at as usize];
            if self.ancestor[above as usize] == NONE {
                break;
            }
            self.path.push(at);
            at = above;
        }
        while let Some(lower) = self.path.pop() {
            let upper = self.ancestor[lower as usize] as usize;
            let (above, own) = (self.label[upper], self.label[lower as usize]);
            if self.semi[above as usize] < self.semi[own as usize] {
                self.label[lower as usize] = above;
            }
            self.ancestor[lower as usize] = self.ancestor[upper];
        }
        self.label[v as usize]
    }
}
