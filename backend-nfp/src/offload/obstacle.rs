//! What can be in the way, as data: how it is said is the command line's business.

use bpf::insn::AtomicOp;
use bpf::maps::MapKind;
use bpf::program_type::ProgramType;

/// One reason, with all the instructions that it holds for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// The reason.
    pub reason: Reason,
    /// The instructions, by slot, in order; none if it is about the program as a whole.
    pub insns: Vec<usize>,
}

/// Why a program cannot run on the card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Linux would not load it, on the host either.
    Refused,
    /// The verifier does not model what it does.
    Undecided(String),
    /// The card runs no programs of this type.
    ProgramType(ProgramType),
    /// It is made for hosts with the other byte order.
    ByteOrder,
    /// The card has nothing like this helper.
    Helper(i32),
    /// There is firmware with this helper, and this one does not offer it.
    NotOffered(u32),
    /// It calls a function of the kernel.
    KernelFunction(String),
    /// It uses a variable of the kernel.
    KernelSymbol(String),
    /// It takes the address of a function.
    FunctionAddress,
    /// It jumps or calls by register.
    IndirectJump,
    /// A loop that a budget of the kernel ends.
    MayGoto,
    /// It converts addresses of an arena.
    Arena,
    /// An atomic operation other than addition without result.
    Atomic {
        /// Which.
        op: AtomicOp,
        /// Whether it gives the old value.
        fetch: bool,
    },
    /// An access with acquire or release semantics.
    Ordered,
    /// An atomic addition elsewhere than in a map.
    AtomicMemory(&'static str),
    /// A field of the context that the card does not have.
    ContextField {
        /// Byte offset.
        offset: i64,
        /// Whether it is written.
        writes: bool,
    },
    /// Metadata before the packet, which this firmware does not pass on.
    Metadata,
    /// One instruction accesses different memories on different ways.
    MixedMemory(Vec<&'static str>),
    /// Memory of the kernel.
    KernelMemory(String),
    /// A store into a map's value.
    MapStore(String),
    /// A global variable.
    GlobalData(String),
    /// A type of map that the firmware does not have.
    MapType {
        /// Map.
        map: String,
        /// Type.
        kind: MapKind,
    },
    /// Something of a map is larger than the firmware takes.
    MapSize {
        /// Map.
        map: String,
        /// What is too large.
        part: MapPart,
        /// How large it is.
        has: u64,
        /// How large it may be.
        limit: u64,
    },
    /// More maps than the firmware has.
    MapCount {
        /// Maps of the program.
        has: u64,
        /// Maps of the firmware.
        limit: u64,
    },
    /// All maps together have more elements than the firmware.
    MapElements {
        /// Elements of the program's maps.
        has: u64,
        /// Elements of the firmware.
        limit: u64,
    },
    /// All maps together need more memory than the card has for them.
    MapMemory {
        /// Bytes needed.
        has: u64,
        /// Bytes there.
        limit: u64,
    },
    /// A word of a map's value is used atomically and plainly.
    MixedWord {
        /// Map.
        map: String,
        /// Byte offset in the value.
        offset: i64,
    },
    /// A word that is added to atomically may begin with another number than zero.
    CounterStart(String),
    /// A key or value that a helper takes is not on the stack.
    Argument {
        /// Which argument, from 1.
        number: u8,
        /// Where it is.
        memory: &'static str,
    },
    /// A key or value on the stack does not begin at a word.
    ArgumentAlignment(u8),
    /// The packet's beginning is moved farther than there is room.
    HeadDistance {
        /// The farthest move.
        reach: u32,
    },
    /// The packet's end is moved away.
    TailGrows,
    /// An event may be sent to another processor than the one at hand.
    EventProcessor,
    /// A verdict that the host cannot be told.
    Verdict,
    /// More stack than the firmware has for a program.
    Stack {
        /// Bytes needed.
        has: u32,
        /// Bytes there.
        limit: u32,
    },
    /// More code than the firmware has room for.
    CodeSize {
        /// Instructions expected.
        has: u32,
        /// Instructions that fit.
        limit: u32,
        /// Whether it was compiled, and takes so many.
        is_exact: bool,
    },
    /// The back end cannot compile it, and this is why.
    NotCompiled(String),
    /// A function other than the program's main one makes a tail call.
    TailCallInFunction,
    /// Bytes of the packet that are not at hand.
    PacketBytes {
        /// How far the program reaches.
        reach: u32,
        /// How far it can.
        limit: u32,
    },
}

/// What of a map is too large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapPart {
    /// Bytes of the key.
    Key,
    /// Bytes of the value.
    Value,
    /// Bytes of both, each rounded up to 8.
    Element,
}

impl Reason {
    /// A short name that scripts can depend on.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Reason::Refused => "nfp-refused",
            Reason::Undecided(_) => "nfp-undecided",
            Reason::ProgramType(_) => "nfp-program-type",
            Reason::ByteOrder => "nfp-byte-order",
            Reason::Helper(_) => "nfp-helper",
            Reason::NotOffered(_) => "nfp-helper-not-offered",
            Reason::KernelFunction(_) => "nfp-kernel-function",
            Reason::KernelSymbol(_) => "nfp-kernel-symbol",
            Reason::FunctionAddress => "nfp-function-address",
            Reason::IndirectJump => "nfp-indirect-jump",
            Reason::MayGoto => "nfp-may-goto",
            Reason::Arena => "nfp-arena",
            Reason::Atomic { .. } => "nfp-atomic",
            Reason::Ordered => "nfp-ordered",
            Reason::AtomicMemory(_) => "nfp-atomic-memory",
            Reason::ContextField { .. } => "nfp-context-field",
            Reason::Metadata => "nfp-metadata",
            Reason::MixedMemory(_) => "nfp-mixed-memory",
            Reason::KernelMemory(_) => "nfp-kernel-memory",
            Reason::MapStore(_) => "nfp-map-store",
            Reason::GlobalData(_) => "nfp-global-data",
            Reason::MapType { .. } => "nfp-map-type",
            Reason::MapSize { .. } => "nfp-map-size",
            Reason::MapCount { .. } => "nfp-map-count",
            Reason::MapElements { .. } => "nfp-map-elements",
            Reason::MapMemory { .. } => "nfp-map-memory",
            Reason::MixedWord { .. } => "nfp-mixed-word",
            Reason::CounterStart(_) => "nfp-counter-start",
            Reason::Argument { .. } => "nfp-argument",
            Reason::ArgumentAlignment(_) => "nfp-argument-alignment",
            Reason::HeadDistance { .. } => "nfp-head-distance",
            Reason::TailGrows => "nfp-tail-grows",
            Reason::EventProcessor => "nfp-event-processor",
            Reason::Verdict => "nfp-verdict",
            Reason::Stack { .. } => "nfp-stack",
            Reason::CodeSize { .. } => "nfp-code-size",
            Reason::NotCompiled(_) => "nfp-not-compiled",
            Reason::TailCallInFunction => "nfp-tail-call",
            Reason::PacketBytes { .. } => "nfp-packet-bytes",
        }
    }
}
