//! Maps while a program runs.
//!
//! Values are regions, made when first touched, so an array of a million elements costs what is
//! used of it. Keyed maps are ordered by key: nothing depends on hash order. An element that is
//! deleted or replaced leaves its region behind, as pointers to it stay readable in the kernel
//! until the program ends. There is one CPU, so per-CPU maps hold one value an element.

use std::collections::{BTreeMap, VecDeque};

use crate::insn::Endian;
use crate::maps::{MapDef, MapKind, READ_ONLY_PROG};

use super::errno::{E2BIG, EAGAIN, EEXIST, EINVAL, ENOENT, ENOMEM};
use super::fault::Fault;
use super::memory::{Memory, RegionId, RegionKind, number};

/// Update only what is not there.
const NOEXIST: u64 = 1;
/// Update only what is there.
const EXIST: u64 = 2;
/// Hold the value's spin lock meanwhile.
const LOCK: u64 = 4;

/// An element of a keyed map.
#[derive(Clone, Copy, Debug)]
struct Element {
    value: RegionId,
    /// When it was last written or looked up, for eviction.
    used: u64,
}

/// What kind of contents a map has.
#[derive(Clone, Debug)]
enum Store {
    /// Elements by index, all of them present.
    Array(BTreeMap<u32, RegionId>),
    /// Elements by key.
    Keyed(BTreeMap<Vec<u8>, Element>),
    /// Numbers of maps or programs by key.
    Links(BTreeMap<Vec<u8>, u32>),
    /// Values in a line.
    Line(VecDeque<Vec<u8>>),
    /// Records for user space, in order, and the bytes that they take in the ring.
    Records(Vec<Vec<u8>>, usize),
}

/// A map.
#[derive(Clone, Debug)]
pub struct Map {
    /// Its definition.
    pub def: MapDef,
    index: u32,
    store: Store,
    clock: u64,
}

impl Map {
    /// An empty map; arrays are all zero, apart from the contents of data sections.
    ///
    /// # Errors
    /// When memory runs out.
    pub fn new(def: MapDef, index: u32, memory: &mut Memory) -> Result<Map, Fault> {
        let mut store = match def.kind {
            MapKind::Array | MapKind::PercpuArray => Store::Array(BTreeMap::new()),
            MapKind::ProgArray | MapKind::ArrayOfMaps | MapKind::HashOfMaps => {
                Store::Links(BTreeMap::new())
            }
            MapKind::Queue | MapKind::Stack | MapKind::BloomFilter => Store::Line(VecDeque::new()),
            MapKind::Ringbuf | MapKind::UserRingbuf | MapKind::PerfEventArray => {
                Store::Records(Vec::new(), 0)
            }
            _ => Store::Keyed(BTreeMap::new()),
        };
        if let (Store::Array(elements), Some(data)) = (&mut store, &def.data) {
            memory.check_room(u64::from(def.value_size))?;
            let mut bytes = data.clone();
            bytes.resize(usize::try_from(def.value_size).unwrap_or(bytes.len()), 0);
            let writable = def.flags & READ_ONLY_PROG == 0;
            elements.insert(0, memory.add(RegionKind::MapValue(index), writable, bytes)?);
        }
        Ok(Map {
            def,
            index,
            store,
            clock: 0,
        })
    }

    fn new_value(&self, memory: &mut Memory, bytes: &[u8]) -> Result<RegionId, Fault> {
        memory.check_room(u64::from(self.def.value_size))?;
        let mut value = vec![0; usize::try_from(self.def.value_size).unwrap_or(0)];
        let length = value.len().min(bytes.len());
        value[..length].copy_from_slice(&bytes[..length]);
        let writable = self.def.flags & READ_ONLY_PROG == 0;
        memory.add(RegionKind::MapValue(self.index), writable, value)
    }

    /// The index that an array's key spells.
    fn array_index(&self, key: &[u8], endian: Endian) -> Option<u32> {
        let index = u32::try_from(number(key.get(..4)?, endian)).ok()?;
        (index < self.def.max_entries).then_some(index)
    }

    /// Address of the value with this key, 0 when there is none. For maps of maps, the inner
    /// map's address.
    ///
    /// # Errors
    /// When memory runs out.
    pub fn lookup(&mut self, memory: &mut Memory, key: &[u8]) -> Result<u64, Fault> {
        if matches!(self.store, Store::Array(_)) {
            let Some(index) = self.array_index(key, memory.endian()) else {
                return Ok(0);
            };
            return self.array_value(memory, index);
        }
        self.clock += 1;
        let clock = self.clock;
        Ok(match &mut self.store {
            Store::Keyed(elements) if self.def.kind == MapKind::LpmTrie => {
                longest_match(elements, key, memory.endian())
                    .map_or(0, |element| element.value.address())
            }
            Store::Keyed(elements) => match elements.get_mut(key) {
                Some(element) => {
                    element.used = clock;
                    element.value.address()
                }
                None => 0,
            },
            Store::Links(links) => links
                .get(key)
                .map_or(0, |inner| Memory::map_address(*inner)),
            _ => 0,
        })
    }

    /// Address of an array's element.
    ///
    /// # Errors
    /// When memory runs out.
    pub fn array_value(&mut self, memory: &mut Memory, index: u32) -> Result<u64, Fault> {
        if let Store::Array(elements) = &self.store
            && let Some(value) = elements.get(&index)
        {
            return Ok(value.address());
        }
        let value = self.new_value(memory, &[])?;
        if let Store::Array(elements) = &mut self.store {
            elements.insert(index, value);
        }
        Ok(value.address())
    }

    /// Whether a key's element was stored, or made when something looked at it.
    pub(super) fn has_element(&self, key: &[u8], endian: Endian) -> bool {
        match &self.store {
            Store::Array(elements) => self
                .array_index(key, endian)
                .is_none_or(|index| elements.contains_key(&index)),
            Store::Keyed(elements) => elements.contains_key(key),
            _ => true,
        }
    }

    /// Whether a key has an element.
    #[must_use]
    pub fn contains(&self, key: &[u8], endian: Endian) -> bool {
        match &self.store {
            Store::Array(_) => self.array_index(key, endian).is_some(),
            Store::Keyed(elements) => elements.contains_key(key),
            Store::Links(links) => links.contains_key(key),
            _ => false,
        }
    }

    /// Writes an element; gives what the kernel's helper returns.
    ///
    /// # Errors
    /// When memory runs out.
    pub fn update(
        &mut self,
        memory: &mut Memory,
        key: &[u8],
        value: &[u8],
        flags: u64,
    ) -> Result<u64, Fault> {
        let flags = flags & !LOCK;
        if flags > EXIST {
            return Ok(EINVAL);
        }
        let endian = memory.endian();
        if matches!(self.store, Store::Array(_)) {
            let Some(index) = self.array_index(key, endian) else {
                return Ok(E2BIG);
            };
            if flags == NOEXIST {
                return Ok(EEXIST);
            }
            let address = self.array_value(memory, index)?;
            self.overwrite(memory, address, value);
            return Ok(0);
        }
        if self.def.kind == MapKind::LpmTrie && prefix_bits(key, endian) > trie_bits(key) {
            return Ok(EINVAL);
        }
        let key = &canonical_key(self.def.kind, key, endian);
        match &self.store {
            Store::Keyed(elements) => {
                let old = elements.get(key).copied();
                let full = elements.len() as u64 >= u64::from(self.def.max_entries);
                match (old, flags) {
                    (Some(_), NOEXIST) => return Ok(EEXIST),
                    (None, EXIST) => return Ok(ENOENT),
                    _ => {}
                }
                if let (Some(old), true) = (old, self.def.kind.is_per_cpu()) {
                    self.overwrite(memory, old.value.address(), value);
                    return Ok(0);
                }
                if old.is_none() && full && !self.evict() {
                    return Ok(E2BIG);
                }
                self.insert(memory, key, value)
            }
            _ => Ok(EINVAL),
        }
    }

    fn insert(&mut self, memory: &mut Memory, key: &[u8], value: &[u8]) -> Result<u64, Fault> {
        let Ok(value) = self.new_value(memory, value) else {
            return Ok(ENOMEM);
        };
        self.clock += 1;
        if let Store::Keyed(elements) = &mut self.store {
            elements.insert(
                key.to_vec(),
                Element {
                    value,
                    used: self.clock,
                },
            );
        }
        Ok(0)
    }

    fn overwrite(&self, memory: &mut Memory, address: u64, value: &[u8]) {
        if let super::memory::Meaning::Region(id, _) = memory.meaning(address)
            && let Some(region) = memory.region_mut(id)
        {
            let length = region.bytes.len().min(value.len());
            region.bytes[..length].copy_from_slice(&value[..length]);
        }
    }

    /// Makes room in a map that forgets; says whether it did.
    fn evict(&mut self) -> bool {
        if !matches!(self.def.kind, MapKind::LruHash | MapKind::LruPercpuHash) {
            return false;
        }
        let Store::Keyed(elements) = &mut self.store else {
            return false;
        };
        let oldest = elements.iter().min_by_key(|(_, element)| element.used);
        let Some(key) = oldest.map(|(key, _)| key.clone()) else {
            return false;
        };
        elements.remove(&key).is_some()
    }

    /// Deletes an element; gives what the kernel's helper returns.
    pub fn delete(&mut self, key: &[u8], endian: Endian) -> u64 {
        let key = canonical_key(self.def.kind, key, endian);
        match &mut self.store {
            Store::Keyed(elements) => match elements.remove(&key) {
                Some(_) => 0,
                None => ENOENT,
            },
            _ => EINVAL,
        }
    }

    /// Puts a map or program under a key.
    pub fn link(&mut self, key: &[u8], target: u32) {
        if let Store::Links(links) = &mut self.store {
            links.insert(key.to_vec(), target);
        }
    }

    /// The map or program under a key.
    #[must_use]
    pub fn linked(&self, key: &[u8]) -> Option<u32> {
        match &self.store {
            Store::Links(links) => links.get(key).copied(),
            _ => None,
        }
    }

    /// Adds a value to a queue, stack or filter; gives what the kernel's helper returns.
    pub fn push(&mut self, value: &[u8], flags: u64) -> u64 {
        let Store::Line(line) = &mut self.store else {
            return EINVAL;
        };
        if flags > EXIST || flags == NOEXIST {
            return EINVAL;
        }
        if line.len() as u64 >= u64::from(self.def.max_entries) {
            if flags != EXIST {
                return E2BIG;
            }
            line.pop_front();
        }
        line.push_back(value.to_vec());
        0
    }

    /// The next value of a queue or stack, or whether a filter has `probe`.
    pub fn take(&mut self, remove: bool, probe: &[u8]) -> Option<Vec<u8>> {
        let Store::Line(line) = &mut self.store else {
            return None;
        };
        match self.def.kind {
            MapKind::BloomFilter => line.iter().find(|value| *value == probe).cloned(),
            MapKind::Stack if remove => line.pop_back(),
            MapKind::Stack => line.back().cloned(),
            _ if remove => line.pop_front(),
            _ => line.front().cloned(),
        }
    }

    /// Whether a ring buffer has room for a record; takes the room.
    pub fn reserve(&mut self, size: u64) -> bool {
        let Store::Records(_, used) = &mut self.store else {
            return false;
        };
        let capacity = u64::from(self.def.max_entries);
        let wanted = size.saturating_add(8).saturating_add(7) & !7;
        let total = (*used as u64).saturating_add(wanted);
        if self.def.kind == MapKind::Ringbuf && total > capacity {
            return false;
        }
        *used = usize::try_from(total).unwrap_or(usize::MAX);
        true
    }

    /// Hands a record to user space.
    pub fn record(&mut self, bytes: Vec<u8>) -> u64 {
        match &mut self.store {
            Store::Records(records, _) => {
                records.push(bytes);
                0
            }
            _ => EAGAIN,
        }
    }

    /// Keys in order; of arrays those of all elements that were touched.
    #[must_use]
    pub fn keys(&self, endian: Endian) -> Vec<Vec<u8>> {
        match &self.store {
            Store::Array(elements) => elements
                .keys()
                .map(|index| match endian {
                    Endian::Little => index.to_le_bytes().to_vec(),
                    Endian::Big => index.to_be_bytes().to_vec(),
                })
                .collect(),
            Store::Keyed(elements) => elements.keys().cloned().collect(),
            Store::Links(links) => links.keys().cloned().collect(),
            Store::Line(_) | Store::Records(..) => Vec::new(),
        }
    }

    /// Contents in a form to compare: keys and values in key order (array elements only where
    /// not all zero), or values and records with empty keys in their order.
    #[must_use]
    pub fn contents(&self, memory: &Memory) -> Vec<(Vec<u8>, Vec<u8>)> {
        let value = |id: RegionId| memory.bytes(id).to_vec();
        match &self.store {
            Store::Array(elements) => self
                .keys(memory.endian())
                .into_iter()
                .zip(elements.values().map(|id| value(*id)))
                .filter(|(_, bytes)| bytes.iter().any(|byte| *byte != 0))
                .collect(),
            Store::Keyed(elements) => elements
                .iter()
                .map(|(key, e)| (key.clone(), value(e.value)))
                .collect(),
            Store::Links(links) => links
                .iter()
                .map(|(key, to)| (key.clone(), to.to_le_bytes().to_vec()))
                .collect(),
            Store::Line(line) => line
                .iter()
                .map(|bytes| (Vec::new(), bytes.clone()))
                .collect(),
            Store::Records(records, _) => records
                .iter()
                .map(|bytes| (Vec::new(), bytes.clone()))
                .collect(),
        }
    }
}

/// Length of the prefix that a trie key asks for.
fn prefix_bits(key: &[u8], endian: Endian) -> u64 {
    key.get(..4).map_or(u64::MAX, |bytes| number(bytes, endian))
}

/// Length of a trie's longest prefix.
fn trie_bits(key: &[u8]) -> u64 {
    key.len().saturating_sub(4) as u64 * 8
}

fn same_prefix(left: &[u8], right: &[u8], bits: u64) -> bool {
    let whole = usize::try_from(bits / 8).unwrap_or(usize::MAX);
    let rest = bits % 8;
    match (left.get(..whole), right.get(..whole)) {
        (Some(a), Some(b)) if a == b => {}
        _ => return false,
    }
    if rest == 0 {
        return true;
    }
    let mask = !(0xffu8 >> rest);
    match (left.get(whole), right.get(whole)) {
        (Some(a), Some(b)) => a & mask == b & mask,
        _ => false,
    }
}

fn longest_match(
    elements: &BTreeMap<Vec<u8>, Element>,
    key: &[u8],
    endian: Endian,
) -> Option<Element> {
    let limit = prefix_bits(key, endian).min(trie_bits(key));
    elements
        .iter()
        .filter(|(other, _)| {
            let bits = prefix_bits(other, endian);
            bits <= limit && same_prefix(key.get(4..).unwrap_or(&[]), &other[4..], bits)
        })
        .max_by_key(|(other, _)| prefix_bits(other, endian))
        .map(|(_, element)| *element)
}

/// Trie keys that differ only behind their prefix are the same element.
fn canonical_key(kind: MapKind, key: &[u8], endian: Endian) -> Vec<u8> {
    let mut key = key.to_vec();
    if kind == MapKind::LpmTrie {
        let bits = prefix_bits(&key, endian);
        for (place, byte) in key.iter_mut().enumerate().skip(4) {
            let before = (place - 4) as u64 * 8;
            let kept = bits.saturating_sub(before).min(8);
            *byte &= !(0xffu16 >> kept) as u8;
        }
    }
    key
}
