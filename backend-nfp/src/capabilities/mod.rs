//! What a card's firmware offers to programs: addresses, limits, helpers, memories, and how fast
//! they are.
//!
//! Everything that differs between firmwares, or that nobody has measured on a card, is a value
//! here and no constant elsewhere. [`Capabilities::default`] is the open firmware. A file overrides
//! it field by field, so that it says only what is different ([`read()`]).
//!
//! Facts: the defaults are the values that the open firmware (Netronome/nic-firmware) writes into
//! its capability records, and the fields are those that `drivers/net/ethernet/netronome/nfp/bpf`
//! reads from them. Latencies are taken from public talks and are to be set by whoever measured.
//! Addresses of helpers are the loader's to know: the default is a placeholder.

mod document;
mod read;

pub use read::read;

use std::collections::{BTreeMap, BTreeSet};

use bpf::maps::MapKind;

/// Instruction addresses have 14 bits.
pub const CODE_STORE: u32 = 1 << 14;
/// Bytes of a core's local memory.
pub const LOCAL_MEMORY: u32 = 4096;
/// Bytes of local memory are given to stacks in units of this size.
pub const STACK_UNIT: u32 = 64;

/// What a firmware offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Where programs lie.
    pub code: Code,
    /// Bytes of stack for a program with all that it calls.
    pub stack: u32,
    /// Bytes at the packet's beginning that a program can access.
    pub inline_bytes: u32,
    /// The largest packet that the port receives.
    pub mtu: u32,
    /// Version of the interface between program and firmware.
    pub abi: u32,
    /// Addresses of the firmware's functions, by the helper's number.
    pub helpers: BTreeMap<u32, u32>,
    /// Whether a program can move the packet's beginning, and how far.
    pub adjust_head: Option<AdjustHead>,
    /// Whether a program can cut off the packet's end.
    pub adjust_tail: bool,
    /// Whether there are random numbers.
    pub random: bool,
    /// Whether a program can choose the receive queue.
    pub queue_select: bool,
    /// Whether programs may look for metadata before the packet, of which there is none yet.
    pub metadata: bool,
    /// Whether a tail call can go on at the host.
    pub tail_call: bool,
    /// Whether the host takes a packet that the card passes for accepted by TC, with no filter after.
    pub tc_accept: bool,
    /// Limits of maps.
    pub maps: Maps,
    /// Memories, nearest first.
    pub memories: Memories,
    /// Cycles of a core in a second, in millions.
    pub clock: u32,
    /// Cores that run the program.
    pub cores: u32,
    /// Contexts that take turns on a core.
    pub contexts: u32,
}

/// The part of the code store that a program gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// Address of its first instruction.
    pub start: u32,
    /// Address that it ends at.
    pub done: u32,
    /// Instructions that fit.
    pub size: u32,
}

/// How far the packet's beginning moves, as offsets in its buffer and distances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdjustHead {
    /// Lowest offset.
    pub min: u32,
    /// Highest offset.
    pub max: u32,
    /// Bytes that can always be put before the packet.
    pub guaranteed_sub: u32,
    /// Bytes that can always be taken off.
    pub guaranteed_add: u32,
}

impl AdjustHead {
    /// The farthest move that can succeed.
    #[must_use]
    pub fn reach(&self) -> u32 {
        self.max.saturating_sub(self.min)
    }
}

/// Limits of maps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maps {
    /// Types.
    pub kinds: BTreeSet<MapKind>,
    /// Maps at once.
    pub count: u32,
    /// Elements of all maps together.
    pub elements: u64,
    /// Bytes of a key.
    pub key: u32,
    /// Bytes of a value.
    pub value: u32,
    /// Bytes of key and value together, each rounded up to 8.
    pub element: u32,
    /// Whether programs may store to values, other than by atomic addition.
    pub stores: bool,
    /// Where values of array maps lie, if that is known before the program is compiled.
    pub arrays: Option<Arrays>,
}

/// Where values of array maps lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrays {
    /// Address of the first value of the first array.
    pub base: u64,
    /// Bytes from one value to the next.
    pub stride: u32,
}

/// A memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Bytes of it that maps may have.
    pub capacity: u64,
    /// Cycles that an access takes.
    pub latency: u32,
}

/// The memories that a core reaches, nearest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memories {
    /// Cluster local scratch.
    pub cls: Memory,
    /// Cluster target memory, where packets begin.
    pub ctm: Memory,
    /// Internal memory.
    pub imem: Memory,
    /// External memory.
    pub emem: Memory,
}

impl Default for Capabilities {
    fn default() -> Capabilities {
        let memory = |capacity, latency| Memory { capacity, latency };
        Capabilities {
            code: Code {
                start: 3072,
                done: 1,
                size: 2560,
            },
            stack: 512,
            inline_bytes: 1888,
            mtu: 1500,
            abi: 2,
            helpers: BTreeMap::from([(1, 256)]),
            adjust_head: Some(AdjustHead {
                min: 44,
                max: 248,
                guaranteed_sub: 84,
                guaranteed_add: 112,
            }),
            adjust_tail: true,
            random: true,
            queue_select: true,
            metadata: false,
            tail_call: false,
            tc_accept: false,
            maps: Maps {
                kinds: BTreeSet::from([MapKind::Hash, MapKind::Array]),
                count: 128,
                elements: 2_048_000,
                key: 56,
                value: 56,
                element: 64,
                stores: false,
                arrays: None,
            },
            memories: Memories {
                cls: memory(0, 40),
                ctm: memory(0, 75),
                imem: memory(0, 180),
                emem: memory(262_144_000, 300),
            },
            clock: 800,
            cores: 50,
            contexts: 4,
        }
    }
}
