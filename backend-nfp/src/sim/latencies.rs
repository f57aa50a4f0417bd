//! How long things take.
//!
//! Not one of these numbers was measured: those of instructions are from the driver and the open
//! firmware's comments, those of memories are from the vendor's slides (NFP.md, section 4). So they
//! are data, and results are a model.

/// Cycles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latencies {
    /// Instructions after a write of a local-memory index before it holds.
    pub lm_index: u64,
    /// Lost after a taken unconditional branch, less filled defer slots.
    pub branch: u64,
    /// Lost after a taken conditional branch, less filled defer slots.
    pub conditional: u64,
    /// Lost after a jump to a register, less filled defer slots.
    pub jump: u64,
    /// A command to the packet's memory, from issue to signal.
    pub packet: u64,
    /// A command to external memory, from issue to signal.
    pub external: u64,
    /// For each word that a command moves beyond the first.
    pub word: u64,
    /// A helper of the firmware, from branch to return.
    pub helper: u64,
    /// Of those, cycles in which the helper's own instructions issue.
    pub helper_issue: u64,
}

impl Default for Latencies {
    fn default() -> Latencies {
        Latencies {
            lm_index: 3,
            branch: 2,
            conditional: 3,
            jump: 3,
            packet: 50,
            external: 250,
            word: 1,
            helper: 300,
            helper_issue: 60,
        }
    }
}
