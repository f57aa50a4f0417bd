//! Facts about the firmware that programs depend on.

use crate::isa::Bank;
use crate::sim::Latencies;

/// Numbers of helpers (`enum bpf_func_id`).
pub(super) mod function {
    pub(in super::super) const LOOKUP: u32 = 1;
    pub(in super::super) const UPDATE: u32 = 2;
    pub(in super::super) const DELETE: u32 = 3;
    pub(in super::super) const PERF_EVENT: u32 = 25;
}

/// The firmware's side of the contract. Each number is one that NFP.md marks as the open firmware's
/// or as chosen here; none was measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Abi {
    /// Address of the program.
    pub start: u16,
    /// Where a program goes when it is done.
    pub done: u16,
    /// Helpers by number, with their addresses.
    pub helpers: Vec<(u32, u16)>,
    /// Byte address in local memory of this context's stack.
    pub stack: u32,
    /// Bytes of it.
    pub stack_size: u32,
    /// Byte address in local memory of the packet vector, of eight words.
    pub packet_vector: u32,
    /// Byte address in local memory of the metadata that the third index points to.
    pub metadata: u32,
    /// Where in its buffer a packet starts.
    pub packet_offset: u16,
    /// Number of the packet's buffer.
    pub packet_number: u16,
    /// Bytes behind a packet that reads may reach: bulk reads take whole windows.
    pub packet_slack: usize,
    /// General registers, in both banks, that helpers leave alone.
    pub preserved: std::ops::RangeInclusive<u8>,
    /// General registers that are the firmware's: programs leave them alone, and so do helpers.
    pub live: Vec<(Bank, u8)>,
    /// Bytes that the maps' values may take.
    pub map_bytes: u64,
    /// How long things take.
    pub latencies: Latencies,
}

impl Default for Abi {
    fn default() -> Abi {
        Abi {
            start: 3072,
            done: 1,
            // The open firmware offers only look-ups; addresses are those of the driver's cases.
            helpers: vec![(function::LOOKUP, 200)],
            stack: 512,
            stack_size: 512,
            packet_vector: 2048,
            metadata: 2112,
            packet_offset: 128,
            packet_number: 5,
            packet_slack: 128,
            preserved: 12..=22,
            live: vec![
                (Bank::A, 27),
                (Bank::A, 28),
                (Bank::A, 29),
                (Bank::B, 28),
                (Bank::B, 29),
            ],
            map_bytes: 64 << 20,
            latencies: Latencies::default(),
        }
    }
}
