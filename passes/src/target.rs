//! For whom we compile: what the passes need to know of it.

use bpf::insn::Cpu;

/// A Linux version, major and minor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KernelVersion {
    /// 6 of 6.18.
    pub major: u16,
    /// 18 of 6.18.
    pub minor: u16,
}

impl KernelVersion {
    /// The newest version whose verifier we know.
    pub const NEWEST: KernelVersion = KernelVersion {
        major: 6,
        minor: 18,
    };

    /// The first version whose verifier tracks bounds of 32-bit views by themselves.
    pub const TRACKS_32_BIT_BOUNDS: KernelVersion = KernelVersion { major: 5, minor: 8 };

    /// The first version whose verifier knows that a look-up in an array by a constant key below its
    /// length succeeds.
    pub const KNOWS_ARRAY_LOOKUPS: KernelVersion = KernelVersion {
        major: 6,
        minor: 14,
    };

    /// Reads `6.18`.
    #[must_use]
    pub fn from_text(text: &str) -> Option<KernelVersion> {
        let (major, minor) = text.split_once('.')?;
        Some(KernelVersion {
            major: major.parse().ok()?,
            minor: minor.parse().ok()?,
        })
    }
}

impl std::fmt::Display for KernelVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// For whom we compile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// The newest instruction set that output may use.
    pub cpu: Cpu,
    /// The oldest kernel whose verifier must accept the output.
    pub kernel: KernelVersion,
    /// Whether accesses to packets must be naturally aligned, as on machines that cannot do others.
    pub strict_align: bool,
}

impl Default for Target {
    fn default() -> Self {
        Target {
            cpu: Cpu::V3,
            kernel: KernelVersion::NEWEST,
            strict_align: false,
        }
    }
}
