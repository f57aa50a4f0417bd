//! The order of blocks and of the instructions in them, and nothing else.
//!
//! Both orders are doubly linked lists threaded through side tables, so that inserting, removing
//! and splitting cost a constant and never touch operands.

use crate::entity::{Block, Inst};
use cranelift_entity::SecondaryMap;
use cranelift_entity::packed_option::PackedOption;

#[derive(Clone, Debug, Default)]
struct BlockNode {
    prev: PackedOption<Block>,
    next: PackedOption<Block>,
    first: PackedOption<Inst>,
    last: PackedOption<Inst>,
    inserted: bool,
}

#[derive(Clone, Debug, Default)]
struct InstNode {
    block: PackedOption<Block>,
    prev: PackedOption<Inst>,
    next: PackedOption<Inst>,
}

/// Which block and which instruction follows which.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    blocks: SecondaryMap<Block, BlockNode>,
    insts: SecondaryMap<Inst, InstNode>,
    first: PackedOption<Block>,
    last: PackedOption<Block>,
}

impl Layout {
    /// An empty layout.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The entry block.
    #[must_use]
    pub fn entry(&self) -> Option<Block> {
        self.first.expand()
    }

    /// The last block.
    #[must_use]
    pub fn last_block(&self) -> Option<Block> {
        self.last.expand()
    }

    /// Whether a block is in the layout.
    #[must_use]
    pub fn contains_block(&self, block: Block) -> bool {
        self.blocks[block].inserted
    }

    /// The block after this one.
    #[must_use]
    pub fn next_block(&self, block: Block) -> Option<Block> {
        self.blocks[block].next.expand()
    }

    /// The block before this one.
    #[must_use]
    pub fn prev_block(&self, block: Block) -> Option<Block> {
        self.blocks[block].prev.expand()
    }

    /// Adds a block at the end.
    pub fn append_block(&mut self, block: Block) {
        debug_assert!(!self.blocks[block].inserted);
        let last = self.last;
        self.blocks[block].inserted = true;
        self.blocks[block].prev = last;
        match last.expand() {
            Some(last) => self.blocks[last].next = block.into(),
            None => self.first = block.into(),
        }
        self.last = block.into();
    }

    /// Adds a block right after another.
    pub fn insert_block_after(&mut self, block: Block, after: Block) {
        debug_assert!(!self.blocks[block].inserted);
        let next = self.blocks[after].next;
        self.blocks[block].inserted = true;
        self.blocks[block].prev = after.into();
        self.blocks[block].next = next;
        self.blocks[after].next = block.into();
        match next.expand() {
            Some(next) => self.blocks[next].prev = block.into(),
            None => self.last = block.into(),
        }
    }

    /// Removes a block with all its instructions.
    pub fn remove_block(&mut self, block: Block) {
        while let Some(inst) = self.first_inst(block) {
            self.remove_inst(inst);
        }
        let BlockNode { prev, next, .. } = self.blocks[block].clone();
        match prev.expand() {
            Some(prev) => self.blocks[prev].next = next,
            None => self.first = next,
        }
        match next.expand() {
            Some(next) => self.blocks[next].prev = prev,
            None => self.last = prev,
        }
        self.blocks[block] = BlockNode::default();
    }

    /// The block that an instruction is in.
    #[must_use]
    pub fn inst_block(&self, inst: Inst) -> Option<Block> {
        self.insts[inst].block.expand()
    }

    /// First instruction of a block.
    #[must_use]
    pub fn first_inst(&self, block: Block) -> Option<Inst> {
        self.blocks[block].first.expand()
    }

    /// Last instruction of a block: its terminator once it is complete.
    #[must_use]
    pub fn last_inst(&self, block: Block) -> Option<Inst> {
        self.blocks[block].last.expand()
    }

    /// The instruction after this one in its block.
    #[must_use]
    pub fn next_inst(&self, inst: Inst) -> Option<Inst> {
        self.insts[inst].next.expand()
    }

    /// The instruction before this one in its block.
    #[must_use]
    pub fn prev_inst(&self, inst: Inst) -> Option<Inst> {
        self.insts[inst].prev.expand()
    }

    /// Adds an instruction at the end of a block.
    pub fn append_inst(&mut self, inst: Inst, block: Block) {
        debug_assert!(self.insts[inst].block.is_none());
        let last = self.blocks[block].last;
        self.insts[inst] = InstNode {
            block: block.into(),
            prev: last,
            next: None.into(),
        };
        match last.expand() {
            Some(last) => self.insts[last].next = inst.into(),
            None => self.blocks[block].first = inst.into(),
        }
        self.blocks[block].last = inst.into();
    }

    /// Adds an instruction before another.
    pub fn insert_inst_before(&mut self, inst: Inst, before: Inst) {
        debug_assert!(self.insts[inst].block.is_none());
        let InstNode { block, prev, .. } = self.insts[before].clone();
        self.insts[inst] = InstNode {
            block,
            prev,
            next: before.into(),
        };
        self.insts[before].prev = inst.into();
        match (prev.expand(), block.expand()) {
            (Some(prev), _) => self.insts[prev].next = inst.into(),
            (None, Some(block)) => self.blocks[block].first = inst.into(),
            (None, None) => debug_assert!(false, "{before} is in no block"),
        }
    }

    /// Adds an instruction at the start of a block.
    pub fn prepend_inst(&mut self, inst: Inst, block: Block) {
        match self.first_inst(block) {
            Some(first) => self.insert_inst_before(inst, first),
            None => self.append_inst(inst, block),
        }
    }

    /// Removes an instruction from its block.
    pub fn remove_inst(&mut self, inst: Inst) {
        let InstNode { block, prev, next } = std::mem::take(&mut self.insts[inst]);
        let Some(block) = block.expand() else { return };
        match prev.expand() {
            Some(prev) => self.insts[prev].next = next,
            None => self.blocks[block].first = next,
        }
        match next.expand() {
            Some(next) => self.insts[next].prev = prev,
            None => self.blocks[block].last = prev,
        }
    }

    /// Blocks in order.
    pub fn blocks(&self) -> impl Iterator<Item = Block> + '_ {
        std::iter::successors(self.entry(), |&block| self.next_block(block))
    }

    /// Instructions of a block in order.
    pub fn insts(&self, block: Block) -> impl Iterator<Item = Inst> + '_ {
        std::iter::successors(self.first_inst(block), |&inst| self.next_inst(inst))
    }
}
