//! Local memory and its index registers.
//!
//! A write of an index register holds only some instructions later ([`super::Latencies::lm_index`]);
//! until then, what a use of it reaches is undefined. The simulator then gives unknown bits for a
//! read, spoils the word for a write, and reports a hazard. Offsets replace low bits of the index
//! (an *or*), as NFP.md, section 2.3, says.

use super::value::Value;
use crate::isa::LmemAccess;

/// Words of local memory.
pub const LMEM_WORDS: usize = 1024;

/// An index register.
#[derive(Clone, Copy, Debug, Default)]
struct Index {
    /// Byte address.
    address: Value,
    /// When it holds.
    ready: u64,
}

/// Local memory of a micro-engine, with one context's index registers.
#[derive(Clone, Debug)]
pub struct LocalMemory {
    words: Vec<Value>,
    indices: [Index; 4],
}

/// Where an operand points, and whether that is certain.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    word: usize,
    pub(super) ready: bool,
    pub(super) known: bool,
}

impl LocalMemory {
    /// Local memory of which nothing is known.
    #[must_use]
    pub fn new(pattern: u32) -> LocalMemory {
        LocalMemory {
            words: vec![Value::unknown(pattern); LMEM_WORDS],
            indices: [Index::default(); 4],
        }
    }

    /// The word at a byte address; addresses wrap at the end of local memory.
    #[must_use]
    pub fn word(&self, address: u32) -> Value {
        let word = address as usize / 4 % LMEM_WORDS;
        self.words.get(word).copied().unwrap_or_default()
    }

    /// Changes the word at a byte address.
    pub fn set_word(&mut self, address: u32, value: Value) {
        let word = address as usize / 4 % LMEM_WORDS;
        if let Some(place) = self.words.get_mut(word) {
            *place = value;
        }
    }

    /// Byte address that an index register holds, or will hold.
    #[must_use]
    pub fn index(&self, index: u8) -> Value {
        self.indices[usize::from(index & 3)].address
    }

    /// Whether an index register holds its value at a time.
    #[must_use]
    pub fn is_ready(&self, index: u8, now: u64) -> bool {
        self.indices[usize::from(index & 3)].ready <= now
    }

    /// Changes an index register; the value holds from `ready` on.
    pub fn set_index(&mut self, index: u8, address: Value, ready: u64) {
        // Only bits 11:2 exist.
        let address = address.masked(0xffc);
        self.indices[usize::from(index & 3)] = Index { address, ready };
    }

    pub(super) fn place(&self, index: u8, access: LmemAccess, now: u64) -> Place {
        let register = self.indices[usize::from(index & 3)];
        let offset = match access {
            LmemAccess::Offset(words) => usize::from(words),
            LmemAccess::PostIncrement | LmemAccess::PostDecrement => 0,
        };
        Place {
            word: ((register.address.bits as usize / 4) | offset) % LMEM_WORDS,
            ready: register.ready <= now,
            known: register.address.is_known(),
        }
    }

    pub(super) fn read(&self, place: Place) -> Value {
        let value = self.words.get(place.word).copied().unwrap_or_default();
        value.unless(!place.ready || !place.known)
    }

    pub(super) fn write(&mut self, place: Place, value: Value) {
        let value = value.unless(!place.ready || !place.known);
        if let Some(word) = self.words.get_mut(place.word) {
            *word = value;
        }
    }

    /// Moves an index register by a word, as post-modification does: at once.
    pub(super) fn step(&mut self, index: u8, up: bool) {
        let register = &mut self.indices[usize::from(index & 3)];
        let by = if up { 4 } else { 4u32.wrapping_neg() };
        register.address.bits = register.address.bits.wrapping_add(by) & 0xffc;
    }
}
