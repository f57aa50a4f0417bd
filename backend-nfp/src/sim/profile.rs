//! What each word of a program costs: how often it ran, the cycles that went by because of it, and
//! its accesses to memory.
//!
//! Time belongs to the instruction that causes it, not to the one after which it passes: what is
//! lost after a branch, and the wait for a command, are theirs even where defer slots come between;
//! a helper's time is that of the branch to it. So all counts together are a run's whole time.
//!
//! Cost: without a profile, a comparison for each change of the clock; with one, an index into a
//! list as long as the program.

use super::program::Program;

/// What one word cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// How often it ran.
    pub runs: u64,
    /// Cycles that went by.
    pub latency: u64,
    /// Of those, cycles that no other context could use.
    pub issue: u64,
    /// Commands to the packet's and to external memory.
    pub accesses: u64,
}

/// What the words of a program cost, over any number of packets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    start: u32,
    counts: Vec<Count>,
}

impl Profile {
    /// A profile of a program that did not run yet.
    #[must_use]
    pub fn of(program: &Program) -> Profile {
        Profile {
            start: program.start(),
            counts: vec![Count::default(); program.len()],
        }
    }

    /// What each word cost, in their order.
    #[must_use]
    pub fn counts(&self) -> &[Count] {
        &self.counts
    }

    /// The count of an address; none outside of the program.
    pub(super) fn at(&mut self, address: u32) -> Option<&mut Count> {
        let index = address.checked_sub(self.start)?;
        self.counts.get_mut(index as usize)
    }
}
