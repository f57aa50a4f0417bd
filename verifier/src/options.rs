//! What is asked of the verifier.

use bpf::program_type::{AttachType, ProgramType};

use crate::version::Kernel;

/// What is asked of the verifier. The rules are those for privileged users; what the kernel
/// forbids others on top of that is not checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Whose verifier.
    pub kernel: Kernel,
    /// Type of the program, where its section does not say or says something else.
    pub program_type: Option<ProgramType>,
    /// Where it attaches, likewise.
    pub attach_type: Option<AttachType>,
    /// Whether the program may sleep although its section does not say so.
    pub sleepable: bool,
    /// Whether unaligned accesses are refused (`BPF_F_STRICT_ALIGNMENT`, or machines without them).
    pub strict_alignment: bool,
    /// Whether stack that nothing wrote may not be read, whatever the kernel says of that.
    pub written_stack: bool,
    /// Whether every place where paths can meet keeps a state (`BPF_F_TEST_STATE_FREQ`).
    pub keep_all_states: bool,
    /// Number of processors that the kernel can have; 0 for as many as any kernel.
    pub processors: u32,
    /// Whether to say what led to a refusal: costs a second walk of programs that are refused.
    pub causes: bool,
    /// Whether what a loader may still set is taken as unknown: read-only data, and constants that
    /// it relocates (CO-RE). What is found then holds however the object is loaded.
    pub loader_decides: bool,
    /// Whether contradictory ranges are an error (`BPF_F_TEST_REG_INVARIANTS`).
    pub strict_ranges: bool,
    /// Whether a driver takes the program to a device (`prog_ifindex`), where more may be written.
    pub offloaded: bool,
}

impl Options {
    /// Whether programs may read stack that nothing wrote.
    pub(crate) fn reads_unwritten_stack(&self) -> bool {
        self.kernel.reads_unwritten_stack() && !self.written_stack
    }
}
