//! Maps: types, sizes, number, and the memory that they need.
//!
//! Maps that stand for something on the host (programs of tail calls, buffers of events) stay there:
//! the card has only their number, and what uses them is judged where it is used. Data sections are
//! judged as global variables.

use std::collections::BTreeMap;

use bpf::maps::MapKind;
use verifier::program::{MapId, Meaning};

use super::obstacle::MapPart;
use super::{Examiner, Reason};

/// Elements lie in records of this size, behind the map's number.
const RECORD: u64 = 128;
const MAP_NUMBER: u64 = 8;

impl Examiner<'_> {
    pub(super) fn maps(&mut self) {
        let used = self.maps_used();
        let limits = &self.capabilities.maps;
        let (mut elements, mut bytes) = (0u64, 0u64);
        for (id, slot) in &used {
            let def = &self.program.map(*id).def;
            let name = def.name.clone();
            if !limits.kinds.contains(&def.kind) {
                let kind = def.kind;
                self.add(
                    Reason::MapType {
                        map: name.clone(),
                        kind,
                    },
                    *slot,
                );
            }
            let (key, value) = (u64::from(def.key_size), u64::from(def.value_size));
            let element = key.next_multiple_of(8) + value.next_multiple_of(8);
            elements = elements.saturating_add(def.max_entries.into());
            let each = (element + MAP_NUMBER).next_multiple_of(RECORD);
            bytes = bytes.saturating_add(each.saturating_mul(def.max_entries.into()));
            for (part, has, limit) in [
                (MapPart::Key, key, limits.key),
                (MapPart::Value, value, limits.value),
                (MapPart::Element, element, limits.element),
            ] {
                let limit = u64::from(limit);
                if has > limit {
                    let map = name.clone();
                    self.add(
                        Reason::MapSize {
                            map,
                            part,
                            has,
                            limit,
                        },
                        *slot,
                    );
                    // A key or value that is too large makes the element so, too.
                    break;
                }
            }
        }
        let count = used.len() as u64;
        let last = used.values().max().copied();
        if count > limits.count.into() {
            let limit = limits.count.into();
            self.add(Reason::MapCount { has: count, limit }, last);
        }
        if elements > limits.elements {
            let limit = limits.elements;
            self.add(
                Reason::MapElements {
                    has: elements,
                    limit,
                },
                last,
            );
        }
        let memories = &self.capabilities.memories;
        let there = [memories.cls, memories.ctm, memories.imem, memories.emem];
        let limit = there
            .iter()
            .fold(0u64, |sum, memory| sum.saturating_add(memory.capacity));
        if bytes > limit {
            self.add(Reason::MapMemory { has: bytes, limit }, last);
        }
    }

    /// The maps that live on the card, each with the first instruction that names it.
    fn maps_used(&self) -> BTreeMap<MapId, usize> {
        let mut used = BTreeMap::new();
        for (slot, op) in self.program.ops.iter().enumerate() {
            let Meaning::Map(id) = op.meaning else {
                continue;
            };
            let kind = self.program.map(id).def.kind;
            let of_host = matches!(kind, MapKind::PerfEventArray | MapKind::ProgArray);
            if self.is_reached(slot) && !of_host {
                used.entry(id).or_insert(slot);
            }
        }
        used
    }
}
