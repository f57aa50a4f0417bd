//! Cached analyses of the function that passes run on.
//!
//! A pass asks here instead of computing. After each pass the manager drops what the pass's
//! [`Changed`] made stale: edits to instructions leave the control-flow graph and the dominators
//! true, edits to blocks leave nothing. A pass that edits and then asks again drops by itself.
//!
//! Results are handed out as [`Rc`], so that a pass can hold one while it edits the function.

use crate::pass::Changed;
use mir::Function;
use mir::analysis::{ControlFlowGraph, DemandedBits, DominatorTree, LoopForest};
use std::rc::Rc;

/// The cache.
#[derive(Debug, Default)]
pub struct Analyses {
    cfg: Option<Rc<ControlFlowGraph>>,
    dominators: Option<Rc<DominatorTree>>,
    loops: Option<Rc<LoopForest>>,
    demanded: Option<Rc<DemandedBits>>,
}

impl Analyses {
    /// Predecessors, successors and visiting order.
    pub fn cfg(&mut self, func: &Function) -> Rc<ControlFlowGraph> {
        self.cfg
            .get_or_insert_with(|| Rc::new(ControlFlowGraph::compute(func)))
            .clone()
    }

    /// Dominators.
    pub fn dominators(&mut self, func: &Function) -> Rc<DominatorTree> {
        let cfg = self.cfg(func);
        self.dominators
            .get_or_insert_with(|| Rc::new(DominatorTree::compute(&cfg)))
            .clone()
    }

    /// Loops.
    pub fn loops(&mut self, func: &Function) -> Rc<LoopForest> {
        let cfg = self.cfg(func);
        let dominators = self.dominators(func);
        self.loops
            .get_or_insert_with(|| Rc::new(LoopForest::compute(&cfg, &dominators)))
            .clone()
    }

    /// Bits of values that can affect anything.
    pub fn demanded_bits(&mut self, func: &Function) -> Rc<DemandedBits> {
        let cfg = self.cfg(func);
        self.demanded
            .get_or_insert_with(|| Rc::new(DemandedBits::compute(func, &cfg)))
            .clone()
    }

    /// Drops what a change made stale.
    pub fn invalidate(&mut self, changed: Changed) {
        match changed {
            Changed::No => {}
            Changed::Instructions => self.demanded = None,
            Changed::ControlFlow => *self = Analyses::default(),
        }
    }
}
