//! The optimisation passes over MIR, their registry and their manager.
//!
//! ```text
//!   PipelineOptions ──build──► Pipeline ──run_function──► FunctionStats
//!     (level, switches)           │  ▲
//!                      each step: │  │ Changed
//!                                 ▼  │
//!                             Pass::run(&mut Function, &mut PassContext)
//!                                                       ├─ Analyses (cached)
//!                                                       ├─ Target (cpu, kernel)
//!                                                       └─ remarks and counts
//! ```
//!
//! A pass is one file, one unit type and one line in the list below. What every pass keeps is that
//! a program which the kernel's verifier accepts stays accepted; how, each says under *Soundness*.

mod analyses;
mod change;
mod edit;
mod facts;
mod manager;
mod pass;
mod pipeline;
mod registry;
mod remarks;
mod rewrite;
mod session;
mod target;
mod window;

pub use analyses::Analyses;
pub use change::Change;
pub use manager::{Event, FunctionStats, PassFailure, PassStats};
pub use pass::{Changed, Directions, Maps, Pass, PassContext, PassInfo, PassKind, Taken};
pub use pipeline::{OptLevel, Pipeline, PipelineOptions};
pub use registry::{UnknownPass, find as find_pass, names as pass_names};
pub use remarks::{Place, Remark, RemarkKey, RemarkKind, Remarks};
pub use session::{Session, SessionSeed, SessionSeeds};
pub use target::{KernelVersion, Target};

registry::declare_passes! {
    /// Fold branches that the verifier found to go one way only
    mod decided_branch: DecidedBranch = "decided-branch" Optional;
    /// Merge and remove blocks, fold decided branches, drop redundant block parameters
    mod simplify_cfg: SimplifyCfg = "simplify-cfg" Optional;
    /// Lead edges past branches that they decide
    mod jump_thread: JumpThread = "jump-thread" Optional;
    /// Fold branches that have one answer, whichever way control came
    mod same_answer: SameAnswer = "same-answer" Optional;
    /// Turn stack slots whose address does not escape into values
    mod promote_stack: PromoteStack = "promote-stack" Optional;
    /// Algebra, constants, canonical comparisons, offsets folded into memory accesses
    mod simplify: Simplify = "simplify" Optional;
    /// Find constants through loops and along the ways that can be taken
    mod sccp: Sccp = "sccp" Optional;
    /// Replace a computation by an equal earlier one
    mod gvn: Gvn = "gvn" Optional;
    /// Compute once, before paths part, what several of them compute
    mod hoist: Hoist = "hoist" Optional;
    /// Turn 64-bit operations whose upper half is unused or zero into 32-bit ones
    mod narrow32: Narrow32 = "narrow32" Optional;
    /// Merge repeated map look-ups, and remove the checks of those that succeed
    mod inline_lookup: InlineLookup = "inline-lookup" Optional;
    /// Use what memory is known to hold in place of loads, and leave out stores of it
    mod forward_memory: ForwardMemory = "forward-memory" Optional;
    /// Make one load of adjacent loads joined by shifts and ors
    mod load_combine: LoadCombine = "load-combine" Optional;
    /// Merge stores of constants to adjacent bytes
    mod store_combine: StoreCombine = "store-combine" Optional;
    /// Turn copies of adjacent bytes into wider ones
    mod memcpy: Memcpy = "memcpy" Optional;
    /// Move computations to where they are needed
    mod sink: Sink = "sink" Optional;
    /// Remove stores to the stack that nothing reads
    mod dead_store: DeadStore = "dead-store" Optional;
    /// Make additions in memory atomic, which takes fewer slots and more time
    mod atomic_add: AtomicAdd = "atomic-add" Optional;
    /// Remove unused instructions, block parameters and unreachable blocks
    mod dce: Dce = "dce" Optional;
    /// Order blocks so that the fewest jumps are left
    mod layout: Layout = "layout" BackEnd;
    /// Read bytes of packets and maps once for several loads, on a network card
    mod packet_cache: PacketCache = "packet-cache" BackEnd;
}
