//! Maps on the card (NFP.md, section 6): values in external memory, found by the firmware.
//!
//! A word that programs add to is kept with its highest byte first, and the host driver turns it
//! around whenever it reads or writes it. Which words those are, the driver knows from the program;
//! here they are told ([`DeviceMap::atomic`]).

use std::collections::{BTreeMap, BTreeSet};

use crate::sim::{Memory, Region, RegionKind};

/// Negative error numbers that helpers return.
const ENOENT: i64 = -2;
const TOO_BIG: i64 = -7;
const EXISTS: i64 = -17;
const INVALID: i64 = -22;
/// Flags of an update.
const NOEXIST: u64 = 1;
const EXIST: u64 = 2;
/// Values are aligned to so many bytes.
const ALIGN: u64 = 8;
/// Bytes behind a value that may be read, and what they hold.
const BEHIND: usize = 3;
const FOREIGN: u8 = 0x5a;

/// What a map is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeviceMapKind {
    /// All elements are there; keys are indices.
    Array,
    /// Elements by key.
    Hash,
    /// Records go to the host.
    PerfEvents,
}

/// A map.
#[derive(Clone, Debug)]
pub struct DeviceMap {
    /// Number that programs name it by.
    pub id: u32,
    /// What it is.
    pub kind: DeviceMapKind,
    /// Bytes in a key.
    pub key_size: usize,
    /// Bytes in a value.
    pub value_size: usize,
    /// Elements that it has room for.
    pub max_entries: u32,
    /// Offsets in a value of the words that programs add to.
    pub atomic: BTreeSet<usize>,
    /// Cycles of an access to a value, where they are not those of external memory.
    pub latency: Option<u64>,
    /// Address of the first value and bytes from one to the next, where programs know them.
    pub array: Option<(u64, u32)>,
    elements: BTreeMap<Vec<u8>, u64>,
}

/// Where external memory is free.
#[derive(Clone, Debug)]
pub(super) struct Allocator {
    pub(super) next: u64,
    pub(super) left: u64,
}

impl Allocator {
    /// Address of a new value of so many bytes, which starts with these; values do not meet.
    fn take(
        &mut self,
        memory: &mut Memory,
        length: usize,
        value: &[u8],
        latency: Option<u64>,
    ) -> Option<u64> {
        let size = (length as u64).max(1).checked_next_multiple_of(ALIGN)?;
        self.left = self.left.checked_sub(size)?;
        let mut bytes = vec![0; length];
        bytes.resize(length + BEHIND, FOREIGN);
        for (place, byte) in bytes.iter_mut().take(length).zip(value) {
            *place = *byte;
        }
        let address = self.next;
        // A gap, so that what goes beyond a value reaches no other.
        self.next += size + 64 * ALIGN;
        let region = Region {
            writable: true,
            bytes,
            latency,
            behind: BEHIND,
        };
        memory.insert(RegionKind::External, address, region);
        Some(address)
    }
}

impl DeviceMap {
    /// An empty map.
    #[must_use]
    pub fn new(
        id: u32,
        kind: DeviceMapKind,
        key_size: usize,
        value_size: usize,
        max_entries: u32,
    ) -> DeviceMap {
        DeviceMap {
            id,
            kind,
            key_size,
            value_size,
            max_entries,
            atomic: BTreeSet::new(),
            latency: None,
            array: None,
            elements: BTreeMap::new(),
        }
    }

    /// Puts an array whose place programs know into memory, all of it, if there is room.
    pub(super) fn put(&mut self, memory: &mut Memory, free: &mut Allocator) {
        let Some((first, stride)) = self.array else {
            return;
        };
        let bytes = u64::from(stride).saturating_mul(self.max_entries.into());
        let (Some(left), Ok(size)) = (free.left.checked_sub(bytes), usize::try_from(bytes)) else {
            return;
        };
        free.left = left;
        let region = Region {
            writable: true,
            bytes: vec![0; size + BEHIND],
            latency: self.latency,
            behind: BEHIND,
        };
        memory.insert(RegionKind::External, first, region);
        for index in 0..self.max_entries {
            let mut key = index.to_le_bytes().to_vec();
            key.resize(self.key_size, 0);
            let address = first + u64::from(stride) * u64::from(index);
            self.elements.insert(key, address);
        }
    }

    fn has_index(&self, key: &[u8]) -> bool {
        let index = key
            .iter()
            .rev()
            .fold(0u64, |all, byte| all << 8 | u64::from(*byte));
        index < u64::from(self.max_entries)
    }

    /// Address of a key's value.
    pub(super) fn lookup(
        &mut self,
        memory: &mut Memory,
        free: &mut Allocator,
        key: &[u8],
    ) -> Option<u64> {
        match self.kind {
            DeviceMapKind::PerfEvents => None,
            DeviceMapKind::Hash => self.elements.get(key).copied(),
            DeviceMapKind::Array if !self.has_index(key) => None,
            DeviceMapKind::Array => match self.elements.get(key) {
                Some(address) => Some(*address),
                None => {
                    let address = free.take(memory, self.value_size, &[], self.latency)?;
                    self.elements.insert(key.to_vec(), address);
                    Some(address)
                }
            },
        }
    }

    /// Writes an element; gives what the helper returns.
    pub(super) fn update(
        &mut self,
        memory: &mut Memory,
        free: &mut Allocator,
        key: &[u8],
        value: &[u8],
        flags: u64,
    ) -> i64 {
        if flags > EXIST || self.kind == DeviceMapKind::PerfEvents {
            return INVALID;
        }
        let found = self.lookup(memory, free, key);
        match (found, self.kind) {
            (None, DeviceMapKind::Array) => return TOO_BIG,
            (Some(_), _) if flags == NOEXIST => return EXISTS,
            (None, _) if flags == EXIST => return ENOENT,
            _ => {}
        }
        let Some(address) = found else {
            if self.elements.len() as u64 >= u64::from(self.max_entries) {
                return TOO_BIG;
            }
            let Some(address) = free.take(memory, self.value_size, value, self.latency) else {
                return TOO_BIG;
            };
            self.elements.insert(key.to_vec(), address);
            return 0;
        };
        match memory.patch(RegionKind::External, address, value.len()) {
            Ok(place) => place.copy_from_slice(value),
            Err(_) => return INVALID,
        }
        0
    }

    /// Removes an element; gives what the helper returns.
    ///
    /// The memory stays: a program may hold a pointer to it.
    pub(super) fn delete(&mut self, key: &[u8]) -> i64 {
        if self.kind != DeviceMapKind::Hash {
            return INVALID;
        }
        match self.elements.remove(key) {
            Some(_) => 0,
            None => ENOENT,
        }
    }

    /// Turns around the words of a value that programs add to.
    pub(super) fn turned(&self, value: &[u8]) -> Vec<u8> {
        let mut value = value.to_vec();
        for offset in &self.atomic {
            if let Some(word) = value.get_mut(*offset..offset.saturating_add(4)) {
                word.reverse();
            }
        }
        value
    }

    /// Keys and values as the host sees them, in key order; array elements only where not all zero.
    pub(super) fn contents(&self, memory: &mut Memory) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut all = Vec::new();
        for (key, address) in &self.elements {
            let bytes = memory.read(RegionKind::External, *address, self.value_size);
            let value = self.turned(bytes.unwrap_or(&[]));
            if self.kind != DeviceMapKind::Array || value.iter().any(|byte| *byte != 0) {
                all.push((key.clone(), value));
            }
        }
        all
    }

    /// Learns which words were added to.
    pub(super) fn learn(&mut self, memory: &Memory) {
        for address in self.elements.values() {
            let end = address + self.value_size as u64;
            let offsets = memory
                .added()
                .range(*address..end)
                .map(|word| word - address);
            self.atomic.extend(offsets.map(|offset| offset as usize));
        }
    }
}
