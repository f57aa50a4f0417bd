//! A position in a function at which instructions are inserted.
//!
//! Passes walk with a cursor and insert with [`Cursor::ins`]; none does index arithmetic.

use crate::builder::InstBuilder;
use crate::entity::{Block, Inst};
use crate::function::Function;
use crate::inst::InstData;

/// Where the next instruction goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Position {
    End(Block),
    Before(Inst),
}

/// A position in a function.
#[derive(Debug)]
pub struct Cursor<'f> {
    /// The function.
    pub func: &'f mut Function,
    position: Position,
    cause: Option<Inst>,
}

impl<'f> Cursor<'f> {
    /// At the end of a block.
    pub fn at_end(func: &'f mut Function, block: Block) -> Self {
        Cursor {
            func,
            position: Position::End(block),
            cause: None,
        }
    }

    /// Before an instruction, from which inserted ones inherit source position and origin.
    pub fn before(func: &'f mut Function, inst: Inst) -> Self {
        Cursor {
            func,
            position: Position::Before(inst),
            cause: Some(inst),
        }
    }

    /// At the start of a block.
    pub fn at_start(func: &'f mut Function, block: Block) -> Self {
        match func.layout.first_inst(block) {
            Some(inst) => Cursor {
                func,
                position: Position::Before(inst),
                cause: Some(inst),
            },
            None => Cursor::at_end(func, block),
        }
    }

    /// Lets inserted instructions inherit from this one.
    #[must_use]
    pub fn with_cause(mut self, cause: Inst) -> Self {
        self.cause = Some(cause);
        self
    }

    /// Inserts an instruction.
    pub fn insert(&mut self, data: InstData) -> Inst {
        let inst = self.func.dfg.make_inst(data);
        match self.position {
            Position::End(block) => self.func.layout.append_inst(inst, block),
            Position::Before(before) => self.func.layout.insert_inst_before(inst, before),
        }
        if let Some(cause) = self.cause {
            self.func.inherit_location(inst, cause);
        }
        inst
    }

    /// One method for each operation.
    pub fn ins(&mut self) -> InstBuilder<'_, 'f> {
        InstBuilder::new(self)
    }
}
