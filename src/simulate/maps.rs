//! An object's maps on the simulated card.
//!
//! They are made before the program runs, with the numbers that [`crate::card`] put into its code, where
//! the placement of maps puts them: an array whose place the program knows lies there. Which of their
//! words lie with the highest byte first, because the program adds to them, the examination of the
//! program knows; nothing is learnt from what runs, which could not see what no packet reached. Maps of other types than the card has stay on the host, and are empty here.
//!
//! Cost: elements are made when they are touched, up to the memory of the firmware.

use std::collections::{BTreeMap, BTreeSet};

use backend_nfp::firmware::{Card, DeviceMap, DeviceMapKind};
use backend_nfp::placement::Placement;
use bpf::maps::{MapDef, MapKind};
use serde_json::Value;

use crate::card::FIRST_MAP;
use crate::failure::Failure;
use crate::map_file::{self, Entry};

/// The maps of a card.
#[derive(Debug, Default)]
pub(super) struct OnCard {
    maps: Vec<MapDef>,
    /// Events so far, by the map's number.
    events: Vec<(u32, Vec<u8>)>,
}

impl OnCard {
    /// Makes the maps where they are placed; `counters` are words that are added to, by the maps'
    /// numbers.
    pub(super) fn create(
        card: &mut Card,
        maps: &[MapDef],
        placed: &[Placement],
        counters: &BTreeMap<u32, BTreeSet<usize>>,
    ) -> OnCard {
        for (index, (id, def)) in (FIRST_MAP..).zip(maps).enumerate() {
            let kind = match def.kind {
                MapKind::Array | MapKind::PercpuArray => DeviceMapKind::Array,
                MapKind::Hash | MapKind::LruHash | MapKind::PercpuHash | MapKind::LruPercpuHash => {
                    DeviceMapKind::Hash
                }
                MapKind::PerfEventArray => DeviceMapKind::PerfEvents,
                _ => continue,
            };
            let (key, value) = (def.key_size as usize, def.value_size as usize);
            let mut map = DeviceMap::new(id, kind, key, value, def.max_entries);
            map.atomic = counters.get(&id).cloned().unwrap_or_default();
            if let Some(placement) = placed.get(index) {
                map.latency = Some(placement.latency.into());
                map.array = placement.array;
            }
            card.add_map(map);
        }
        OnCard {
            maps: maps.to_vec(),
            events: Vec::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.maps.is_empty()
    }

    fn names(&self) -> Vec<&str> {
        self.maps.iter().map(|map| map.name.as_str()).collect()
    }

    /// Fills a map from `NAME=FILE`.
    ///
    /// # Errors
    /// As [`map_file::read`], and for what the map does not take.
    pub(super) fn fill(&self, card: &mut Card, argument: &str) -> Result<(), Failure> {
        let (number, entries) = map_file::read(argument, &self.names())?;
        let Some((id, def)) = (FIRST_MAP..).zip(&self.maps).nth(number) else {
            return Ok(());
        };
        let sizes = (def.key_size as usize, def.value_size as usize);
        for (index, (key, value)) in entries.iter().enumerate() {
            let fits = (key.len(), value.len()) == sizes;
            if !fits || card.map_update(id, key, value) != 0 {
                return Err(map_file::refuses(argument, index));
            }
        }
        Ok(())
    }

    /// Events that came since they were last taken, each with its map's name.
    pub(super) fn take_events(&mut self, card: &mut Card) -> Vec<(String, Vec<u8>)> {
        let mut new = Vec::new();
        for record in card.take_records() {
            let index = record.map.checked_sub(FIRST_MAP);
            let map = index.and_then(|index| self.maps.get(index as usize));
            let name = map.map_or_else(|| record.map.to_string(), |map| map.name.clone());
            self.events.push((record.map, record.bytes.clone()));
            new.push((name, record.bytes));
        }
        new
    }

    /// What the maps hold, events without keys.
    pub(super) fn contents(&self, card: &mut Card) -> Value {
        let maps = (FIRST_MAP..).zip(&self.maps);
        let contents = maps.map(|(id, def)| {
            let events = self.events.iter().filter(|(map, _)| *map == id);
            let events = events.map(|(_, bytes)| (Vec::new(), bytes.clone()));
            let mut entries: Vec<Entry> = card.map_contents(id);
            entries.extend(events);
            (def.name.as_str(), entries)
        });
        map_file::json(contents)
    }
}
