//! Kernel releases whose verifier can be asked for.
//!
//! What differs by release here is what may be used at all (helpers and instructions) and whether
//! stack may be read that nothing wrote. The abstract domain is that of the newest; an older kernel
//! can know less of a number.

use std::fmt;

/// A kernel release, long-term support ones and the newest known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kernel {
    /// 5.10
    V5_10,
    /// 5.15
    V5_15,
    /// 6.1
    V6_1,
    /// 6.6
    V6_6,
    /// 6.12
    V6_12,
    /// 6.18
    #[default]
    V6_18,
}

impl Kernel {
    /// All, oldest first.
    pub const ALL: [Kernel; 6] = [
        Kernel::V5_10,
        Kernel::V5_15,
        Kernel::V6_1,
        Kernel::V6_6,
        Kernel::V6_12,
        Kernel::V6_18,
    ];

    /// The number, such as `6.12`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Kernel::V5_10 => "5.10",
            Kernel::V5_15 => "5.15",
            Kernel::V6_1 => "6.1",
            Kernel::V6_6 => "6.6",
            Kernel::V6_12 => "6.12",
            Kernel::V6_18 => "6.18",
        }
    }

    /// The release with this number.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Kernel> {
        Kernel::ALL.into_iter().find(|kernel| kernel.name() == name)
    }

    /// The helper with the greatest number.
    #[must_use]
    pub fn last_helper(self) -> u32 {
        match self {
            Kernel::V5_10 => 155,
            Kernel::V5_15 => 175,
            Kernel::V6_1 => 209,
            Kernel::V6_6 | Kernel::V6_12 | Kernel::V6_18 => 211,
        }
    }

    /// Whether cpu v4 instructions are known (6.6).
    #[must_use]
    pub fn knows_v4(self) -> bool {
        self >= Kernel::V6_6
    }

    /// Whether programs may read stack that nothing wrote (6.3).
    #[must_use]
    pub fn reads_unwritten_stack(self) -> bool {
        self >= Kernel::V6_6
    }

    /// Whether `may_goto` and `addr_space_cast` are known (6.9).
    #[must_use]
    pub fn knows_may_goto(self) -> bool {
        self >= Kernel::V6_12
    }

    /// Whether `may_goto` may lead to the next instruction (6.14).
    #[must_use]
    pub fn knows_may_goto_nowhere(self) -> bool {
        self >= Kernel::V6_18
    }

    /// Whether load-acquire and store-release are known (6.15).
    #[must_use]
    pub fn knows_acquire_release(self) -> bool {
        self >= Kernel::V6_18
    }

    /// Whether numbers are followed through changes of their byte order (late 6.18).
    #[must_use]
    pub fn knows_byte_order(self) -> bool {
        self >= Kernel::V6_18
    }

    /// Whether stack that a helper only reads is known afterwards as before (6.14).
    #[must_use]
    pub fn keeps_stack_that_helpers_read(self) -> bool {
        self >= Kernel::V6_18
    }

    /// Whether messages tell accesses of the stack by helpers from those of instructions (until 6.13).
    #[must_use]
    pub(crate) fn tells_indirect_accesses(self) -> bool {
        self < Kernel::V6_18
    }

    /// Whether looking up a constant key below the length of an array is known to succeed (6.14).
    #[must_use]
    pub fn knows_array_lookups_succeed(self) -> bool {
        self >= Kernel::V6_18
    }
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::Kernel;

    #[test]
    fn names_are_read_back() {
        for kernel in Kernel::ALL {
            assert_eq!(Kernel::from_name(kernel.name()), Some(kernel));
        }
        assert_eq!(Kernel::from_name("2.6"), None);
        assert!(Kernel::default().knows_acquire_release());
    }
}
