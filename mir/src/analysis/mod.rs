//! Facts about a function that are computed from it and never stored in it.
//!
//! Each analysis is a plain function of a [`crate::Function`] (and of other analyses) that returns
//! tables indexed by entities. None keeps a reference to the function, so that a pass can edit
//! while it reads; which edits leave which tables true is for the pass manager to know.
//!
//! | analysis | direction | answers |
//! |---|---|---|
//! | [`mod@cfg`] | – | who comes before and after a block, in which order to visit |
//! | [`dominators`] | – | which blocks are on every path to a block |
//! | [`loops`] | – | which blocks repeat, how deeply nested |
//! | [`liveness`] | backward | which values a block needs from outside |
//! | [`demanded`] | backward | which bits of a value can change anything |
//! | [`known`] | forward | which bits of a value are the same in every run |
//!
//! Aliases must be resolved before any of them runs.

pub mod cfg;
pub mod demanded;
pub mod dominators;
mod graph;
pub mod known;
pub mod known_bits;
mod lengauer_tarjan;
pub mod liveness;
pub mod loops;

pub use cfg::{ControlFlowGraph, Predecessor};
pub use demanded::DemandedBits;
pub use dominators::DominatorTree;
pub use known::KnownValues;
pub use known_bits::KnownBits;
pub use liveness::Liveness;
pub use loops::{Loop, LoopForest};
