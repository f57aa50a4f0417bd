//! Facts about the firmware that programs depend on.

use crate::capabilities::{Capabilities, LOCAL_MEMORY, STACK_UNIT};
use crate::isa::relocation::Places;
use crate::isa::{Bank, TARGETS};
use crate::sim::Latencies;

/// Numbers of helpers (`enum bpf_func_id`).
pub(super) mod function {
    pub(in super::super) const LOOKUP: u32 = 1;
    pub(in super::super) const UPDATE: u32 = 2;
    pub(in super::super) const DELETE: u32 = 3;
    pub(in super::super) const TIME: u32 = 5;
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

impl Abi {
    /// Where a loader of our words puts them: they have no shared routines to be told of.
    #[must_use]
    pub fn places(&self) -> Places<'_> {
        Places {
            start: self.start,
            done: self.done,
            exit: 0,
            abort: 0,
            push: 0,
            pop: 0,
            helpers: &self.helpers,
        }
    }
}

/// Bytes of local memory for the packet vector and for metadata, each.
const VECTOR: u32 = 64;

/// Addresses, stack and latencies as a firmware says that they are; where in local memory things lie,
/// which it does not say, is as by default if they fit there.
impl From<&Capabilities> for Abi {
    fn from(capabilities: &Capabilities) -> Abi {
        let usual = Abi::default();
        let address = |value: u32| value.min(u32::from(TARGETS) - 1) as u16;
        let stack_size = capabilities
            .stack
            .min(LOCAL_MEMORY - 2 * VECTOR)
            .next_multiple_of(STACK_UNIT);
        let last = LOCAL_MEMORY - 2 * VECTOR;
        let stack = usual.stack.min(last - stack_size);
        let packet_vector = usual.packet_vector.max(stack + stack_size);
        let helpers = capabilities.helpers.iter();
        let memories = &capabilities.memories;
        Abi {
            start: address(capabilities.code.start),
            done: address(capabilities.code.done),
            helpers: helpers
                .map(|(number, at)| (*number, address(*at)))
                .collect(),
            stack,
            stack_size,
            packet_vector,
            metadata: packet_vector + VECTOR,
            map_bytes: memories.emem.capacity,
            latencies: Latencies {
                packet: memories.ctm.latency.into(),
                external: memories.emem.latency.into(),
                // A helper waits once for the memory of its map.
                helper: (usual.latencies.helper - usual.latencies.external)
                    .saturating_add(memories.emem.latency.into()),
                ..usual.latencies
            },
            ..usual
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_say_where_things_are() {
        let mut capabilities = Capabilities::default();
        capabilities.code.start = 4096;
        capabilities.memories.ctm.latency = 99;
        for stack in [64, 512, 2048, 3968, u32::MAX] {
            capabilities.stack = stack;
            let abi = Abi::from(&capabilities);
            assert_eq!((abi.start, abi.latencies.packet), (4096, 99));
            assert_eq!(abi.helpers, [(function::LOOKUP, 256)]);
            assert!(abi.stack.is_multiple_of(STACK_UNIT));
            assert!(abi.stack + abi.stack_size <= abi.packet_vector, "{stack}");
            assert!(abi.metadata + VECTOR <= LOCAL_MEMORY, "{stack}");
        }
        let usual = Abi::from(&Capabilities::default());
        assert_eq!(usual.packet_vector, Abi::default().packet_vector);
    }
}
