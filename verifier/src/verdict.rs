//! What the verifier says.

use std::fmt;

use crate::program::SourceLine;

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The kernel would take the program.
    Accepted,
    /// The kernel would refuse it.
    Rejected(Box<Finding>),
    /// This crate cannot tell, because the program uses something that it does not model.
    Undecided(Gap),
}

/// Something that is not modelled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// What it is.
    pub construct: String,
    /// The instruction that uses it, if it is one.
    pub insn: Option<usize>,
}

/// Why a program is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which rule is broken.
    pub rule: Rule,
    /// The one line that the kernel would print.
    pub kernel_text: String,
    /// The instruction, if it is one.
    pub insn: Option<usize>,
    /// Registers that the rule is about.
    pub registers: Vec<u8>,
    /// What those registers hold there, where it was recorded.
    pub values: Vec<String>,
    /// What led to it, oldest first, where that was recorded: how the registers came to hold what
    /// they hold, and the last decisions that led this way.
    pub path: Vec<Step>,
}

/// Something on the way to a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The instruction.
    pub insn: usize,
    /// What it did.
    pub kind: StepKind,
    /// The values in question that it changed.
    pub changes: Vec<Change>,
}

/// What a step did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// It changed values.
    Update,
    /// A conditional jump.
    Branch {
        /// Where control went.
        to: usize,
        /// Whether that is the jump's target.
        taken: bool,
        /// Whether it tested a value in question, or one that was made from it.
        about: bool,
        /// The place that it tested, if what is there was made from the same value as what is in
        /// question: what was learned of the one is not known of the other.
        relative: Option<String>,
    },
    /// A call of one of the program's functions.
    Call,
    /// The return from one.
    Return,
    /// Something that must be given back was taken, or given back.
    Held {
        /// What.
        what: String,
        /// Whether it was taken.
        taken: bool,
    },
}

/// A change of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Register or stack slot.
    pub place: String,
    /// Whether it was written; otherwise more became known of it.
    pub written: bool,
    /// Whether what it held plays no part in what it holds.
    pub anew: bool,
    /// What it held.
    pub before: String,
    /// What it holds.
    pub after: String,
}

/// Work done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Instructions walked, the same ones on different paths counted each time.
    pub processed: u32,
    /// States kept for comparison.
    pub states: u32,
    /// The most states waiting or kept at once.
    pub peak_states: u32,
    /// Bytes of stack of the main function.
    pub stack_depth: u32,
}

/// Which ways a conditional jump went on the walk.
///
/// If the program is accepted, then it goes no other way when it runs: what decides a jump is kept
/// when states are compared (precision), which is also why the kernel may replace such jumps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sides {
    /// To its target.
    pub taken: bool,
    /// To the next instruction.
    pub next: bool,
}

/// The answer for one program.
#[derive(Clone, Debug)]
pub struct Report {
    /// The answer.
    pub verdict: Verdict,
    /// What was taken for granted, if something was: values that the loading kernel decides. Then
    /// acceptance depends on it, and what would be a refusal is undecided.
    pub assumption: Option<&'static str>,
    /// Work done.
    pub stats: Stats,
    /// Whether read-only data was read: then what was found depends on its not being changed before
    /// it is loaded.
    pub reads_constants: bool,
    /// How often each instruction was walked.
    pub visits: Vec<u32>,
    /// Which ways each conditional jump went.
    pub sides: Vec<Sides>,
    /// Bytes of stack of each function, by its place among the program's functions.
    pub depths: Vec<u32>,
    /// Source line of the instruction that the verdict is about.
    pub line: Option<SourceLine>,
}

/// What sort of safety a rule protects: the categories under which Linux 7.3 reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Category {
    /// A register holds the wrong kind of value.
    RegisterType,
    /// An access outside of what may be accessed.
    Memory,
    /// A reference or object is not given back, or used after.
    ResourceLifetime,
    /// An argument is not what the callee takes.
    CallType,
    /// Not in this place: locks, sleeping, callbacks.
    ExecutionContext,
    /// The program's shape.
    ProgramStructure,
    /// Not for this type of program or this licence.
    Policy,
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Category::RegisterType => "Register Type Safety",
            Category::Memory => "Memory Safety",
            Category::ResourceLifetime => "Resource Lifetime Safety",
            Category::CallType => "Call Type Safety",
            Category::ExecutionContext => "Execution Context Safety",
            Category::ProgramStructure => "Program Structure",
            Category::Policy => "Policy",
        })
    }
}

macro_rules! rules {
    ($($variant:ident = $code:literal in $category:ident),* $(,)?) => {
        /// A rule of the verifier, with a stable code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "the codes say it")]
        pub enum Rule { $($variant),* }

        impl Rule {
            /// Every rule.
            pub const ALL: &'static [Rule] = &[$(Rule::$variant),*];

            /// The stable code.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Rule::$variant => $code),* }
            }

            /// What the rule protects.
            #[must_use]
            pub fn category(self) -> Category {
                match self { $(Rule::$variant => Category::$category),* }
            }
        }
    };
}

rules! {
    UninitialisedRegister = "uninitialised-register" in RegisterType,
    FramePointerWrite = "frame-pointer-write" in RegisterType,
    PointerArithmetic = "pointer-arithmetic" in RegisterType,
    PointerOffset = "pointer-offset" in RegisterType,
    NullPointerArithmetic = "null-pointer-arithmetic" in RegisterType,
    NotAPointer = "not-a-pointer" in RegisterType,
    MixedPointers = "mixed-pointers" in RegisterType,
    RangeInvariant = "range-invariant" in RegisterType,
    NullDereference = "null-dereference" in Memory,
    StackBounds = "stack-bounds" in Memory,
    StackUninitialised = "stack-uninitialised" in Memory,
    SpillSize = "spill-size" in Memory,
    FillSize = "fill-size" in Memory,
    SpillToCaller = "spill-to-caller" in Memory,
    PacketBounds = "packet-bounds" in Memory,
    PacketWrite = "packet-write" in Memory,
    MapValueBounds = "map-value-bounds" in Memory,
    MapKeyWrite = "map-key-write" in Memory,
    MapPermission = "map-permission" in Memory,
    SpecialField = "special-field" in Memory,
    MemoryBounds = "memory-bounds" in Memory,
    ReadOnlyMemory = "read-only-memory" in Memory,
    NegativeOffset = "negative-offset" in Memory,
    UnboundedOffset = "unbounded-offset" in Memory,
    VariableOffset = "variable-offset" in Memory,
    ContextAccess = "context-access" in Memory,
    ModifiedContext = "modified-context" in Memory,
    SocketAccess = "socket-access" in Memory,
    FlowKeysAccess = "flow-keys-access" in Memory,
    BufferAccess = "buffer-access" in Memory,
    MapPointerAccess = "map-pointer-access" in Memory,
    Misaligned = "misaligned" in Memory,
    AtomicTarget = "atomic-target" in Memory,
    ReferenceLeak = "reference-leak" in ResourceLifetime,
    NotAcquired = "not-acquired" in ResourceLifetime,
    LockHeld = "lock-held" in ResourceLifetime,
    LockMissing = "lock-missing" in ResourceLifetime,
    ArgumentType = "argument-type" in CallType,
    ArgumentSize = "argument-size" in CallType,
    ArgumentNotConstant = "argument-not-constant" in CallType,
    ArgumentValue = "argument-value" in CallType,
    MapKind = "map-kind" in CallType,
    FunctionArgument = "function-argument" in CallType,
    FunctionType = "function-type" in CallType,
    ReturnValue = "return-value" in CallType,
    ReturnsPointer = "returns-pointer" in CallType,
    CallbackContext = "callback-context" in ExecutionContext,
    CallWhileLocked = "call-while-locked" in ExecutionContext,
    MaySleep = "may-sleep" in ExecutionContext,
    PacketReadContext = "packet-read-context" in ExecutionContext,
    UnknownInstruction = "unknown-instruction" in ProgramStructure,
    ReservedField = "reserved-field" in ProgramStructure,
    BadConstant = "bad-constant" in ProgramStructure,
    Unreachable = "unreachable" in ProgramStructure,
    JumpOutOfRange = "jump-out-of-range" in ProgramStructure,
    FallsOff = "falls-off" in ProgramStructure,
    InfiniteLoop = "infinite-loop" in ProgramStructure,
    TooComplex = "too-complex" in ProgramStructure,
    StackDepth = "stack-depth" in ProgramStructure,
    CallDepth = "call-depth" in ProgramStructure,
    TailCallInSubprogram = "tail-call-in-subprogram" in ProgramStructure,
    HelperNotAllowed = "helper-not-allowed" in Policy,
    HelperUnknown = "helper-unknown" in Policy,
    GplOnly = "gpl-only" in Policy,
    MapNotAllowed = "map-not-allowed" in Policy,
    InstructionNotAllowed = "instruction-not-allowed" in Policy,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Rule;

    #[test]
    fn codes_are_distinct() {
        let codes: BTreeSet<&str> = Rule::ALL.iter().map(|rule| rule.code()).collect();
        assert_eq!(codes.len(), Rule::ALL.len());
    }
}
