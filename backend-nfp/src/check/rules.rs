//! What code has to keep to that depends on firmware, or that nobody has measured: data.

use crate::capabilities::Capabilities;
use crate::firmware::Abi;
use crate::isa::{Bank, TARGETS};
use crate::machine::Timing;

/// A helper of the firmware, as a caller sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HelperRules {
    /// Its address.
    pub address: u16,
    /// Registers that it reads, besides the return address in B0.
    pub reads: Vec<(Bank, u8)>,
    /// Index registers of local memory that it reads.
    pub indices: Vec<u8>,
}

/// The rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Words that fit the program's part of the code store.
    pub size: usize,
    /// Where a program goes when it is done.
    pub done: u16,
    /// Helpers.
    pub helpers: Vec<HelperRules>,
    /// General registers, in both banks, that helpers leave alone.
    pub preserved: std::ops::RangeInclusive<u8>,
    /// General registers that are the firmware's: never written.
    pub live: Vec<(Bank, u8)>,
    /// Index registers that hold after a helper what they held before.
    pub indices_preserved: [bool; 4],
    /// Bytes of stack.
    pub stack_size: u32,
    /// Words of the packet vector that programs may write.
    pub vector_written: Vec<u32>,
    /// Transfer registers from this one on are not filled by commands.
    pub transfers_in: u8,
    /// Transfer registers from this one on are not written: they hold the firmware's constants.
    pub transfers_out: u8,
    /// Delays and defer slots.
    pub timing: Timing,
    /// Whether an instruction that computes may have a source of which no bit is defined, as long as
    /// nothing comes to depend on it.
    pub undefined_sources: bool,
}

/// What a helper reads, by its number.
fn helper(number: u32, address: u16) -> HelperRules {
    let (reads, indices): (&[(Bank, u8)], &[u8]) = match number {
        // Look-up and deletion: the map, the key.
        1 | 3 => (&[(Bank::A, 0)], &[0]),
        // Update: also the value, and flags.
        2 => (&[(Bank::A, 0), (Bank::A, 8), (Bank::A, 9)], &[0, 2]),
        // Events: kind of pointer, map, flags, size. What the data pointer is depends on the kind.
        25 => (
            &[(Bank::A, 1), (Bank::A, 4), (Bank::A, 7), (Bank::A, 10)],
            &[],
        ),
        _ => (&[], &[]),
    };
    HelperRules {
        address,
        reads: reads.to_vec(),
        indices: indices.to_vec(),
    }
}

impl From<&Abi> for Rules {
    fn from(abi: &Abi) -> Rules {
        let helpers = abi
            .helpers
            .iter()
            .map(|(number, address)| helper(*number, *address));
        Rules {
            size: usize::from(TARGETS.saturating_sub(abi.start)),
            done: abi.done,
            helpers: helpers.collect(),
            preserved: abi.preserved.clone(),
            live: abi.live.clone(),
            // Helpers read the key through the first and move it back; the second is the firmware's.
            indices_preserved: [true, true, false, false],
            stack_size: abi.stack_size,
            vector_written: vec![0, 2, 4, 6],
            transfers_in: 32,
            transfers_out: 48,
            timing: Timing::default(),
            undefined_sources: false,
        }
    }
}

impl From<&Capabilities> for Rules {
    fn from(capabilities: &Capabilities) -> Rules {
        Rules {
            size: capabilities.code.size as usize,
            ..Rules::from(&Abi::from(capabilities))
        }
    }
}

impl Default for Rules {
    fn default() -> Rules {
        Rules::from(&Capabilities::default())
    }
}
