//! Random programs for the card: bytecode that the verifier accepts and that the card can run.
//!
//! Why: cases and real programs use few combinations of what the back end has: of widths, places,
//! values that live over calls and branches, memories. A program is made of statements that mean
//! something together (a comparison with the packet's end and accesses, a look-up with its check, a
//! counted loop), and at its end everything that it computed goes into its result, so that a wrong
//! bit anywhere shows. What the verifier or the card refuses all the same is thrown away by who asks.
//!
//! What the interpreter and a card do differently by right is not made: packets that grow, moves of
//! the beginning beyond what every card guarantees.
//!
//! Cost: statements are bounded by [`MOST_SLOTS`], loops count to a constant.

mod control;
mod maker;
mod maps;
mod numbers;
mod packet;
mod stack;

use backend_nfp::firmware::DeviceMapKind;
use bpf::maps::{MapDef, MapKind};
use bpf::program_type::ProgramType;

use super::{Case, CaseMap};
use crate::packets::Random;
use maker::Maker;

/// Slots after which no statement begins.
const MOST_SLOTS: usize = 420;

/// The program with this number; the same everywhere.
#[must_use]
pub fn random_case(seed: u64, number: u64) -> Case {
    let mixed = Random::new(seed).next_u64() ^ number.wrapping_mul(0xd6e8_feb8_6659_fd93);
    let mut random = Random::new(mixed);
    let program_type = match random.below(4) {
        0 => ProgramType::SchedCls,
        _ => ProgramType::Xdp,
    };
    let slots = Maker::new(random, program_type).program();
    Case {
        name: format!("random {seed} {number}"),
        program_type,
        maps: case_maps(),
        slots,
        unrelocated: Vec::new(),
        words: Vec::new(),
    }
}

/// A map that programs may use: bytes of key and value, and whether its words are only added to.
#[derive(Clone, Copy, Debug)]
struct MapSort {
    kind: MapKind,
    key: i32,
    value: i32,
    entries: u32,
    counts: bool,
}

const fn map(kind: MapKind, key: i32, value: i32, entries: u32, counts: bool) -> MapSort {
    MapSort {
        kind,
        key,
        value,
        entries,
        counts,
    }
}

/// The maps, by their places; the last takes events.
const MAPS: [MapSort; 7] = [
    map(MapKind::Hash, 4, 16, 100, false),
    map(MapKind::Array, 4, 64, 8, false),
    map(MapKind::Hash, 12, 40, 100, false),
    map(MapKind::Array, 4, 32, 4, true),
    map(MapKind::Hash, 8, 16, 100, true),
    map(MapKind::Hash, 40, 12, 80, false),
    map(MapKind::PerfEventArray, 4, 4, 4, false),
];
const EVENTS: usize = MAPS.len() - 1;

/// The maps of random programs, as a case has them.
#[must_use]
pub fn case_maps() -> Vec<CaseMap> {
    let maps = MAPS.iter().zip(0u8..);
    maps.map(|(sort, index)| CaseMap {
        file: 0,
        id: 1 + u32::from(index),
        def: MapDef::new(
            &format!("map{index}"),
            sort.kind,
            sort.key.cast_unsigned(),
            sort.value.cast_unsigned(),
            sort.entries,
        ),
        kind: match sort.kind {
            MapKind::Array => DeviceMapKind::Array,
            MapKind::PerfEventArray => DeviceMapKind::PerfEvents,
            _ => DeviceMapKind::Hash,
        },
    })
    .collect()
}
