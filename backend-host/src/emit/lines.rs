//! Instructions on their way out: registers are real, branch targets are still blocks.

use bpf::insn::{Insn, RegSet};
use mir::{CoreRelo, External, Func, SourceLoc, Symbol};

/// An instruction with what belongs to it.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub insn: Insn,
    pub target: Target,
    pub location: Option<SourceLoc>,
    pub origin: u32,
    pub core_relo: Option<CoreRelo>,
    /// Registers that a call is given.
    pub arguments: RegSet,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Target {
    None,
    Symbol(Symbol),
    Func(Func),
    External(External),
    /// A block.
    Block(usize),
}

/// How a block ends.
#[derive(Clone, Debug)]
pub(super) enum End {
    Jump(usize),
    Branch(Line, usize, usize),
    Return(Line),
}
