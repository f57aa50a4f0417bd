//! Where maps lie on the card: the nearest memory that has room for what is used most.
//!
//! **What.** A card has several memories, nearer ones smaller and faster. The firmware of today puts
//! all maps into external memory; a capability file that gives maps room elsewhere lets those with the
//! most accesses for their size lie nearer. The loader is told where, and that a map is only read by
//! programs: then its look-ups need no lock against them.
//!
//! **How.** Each access counts once, ten times more in each loop around it. Maps are taken by accesses
//! for a byte, the most first; a map of atomic additions prefers memories whose units add. Each gets the
//! nearest memory with room.
//!
//! **Why sound.** Nothing of a program depends on where its maps are: their addresses come from look-ups,
//! except for arrays whose place the capability file gives, which stay there.
//!
//! **Cost.** A walk over the instructions, and a sort of the maps.

use std::collections::BTreeMap;

use bpf::maps::{MapDef, MapKind};
use mir::analysis::{ControlFlowGraph, DominatorTree, LoopForest};
use mir::{Func, Function, InstData, Module, Symbol, Value};

use crate::capabilities::{Arrays, Capabilities};
use crate::space::{Space, Spaces};

/// How much more an access counts in a loop.
const LOOP_WEIGHT: u64 = 10;
/// Depths of loops that count.
const DEEPEST: u32 = 4;
/// Bytes that keys and values are rounded up to.
const UNIT: u64 = 8;

/// A memory of the card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// Cluster local scratch.
    Cls,
    /// Cluster target memory.
    Ctm,
    /// Internal memory.
    Imem,
    /// External memory.
    Emem,
}

impl Place {
    /// Its name in capability files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Place::Cls => "cls",
            Place::Ctm => "ctm",
            Place::Imem => "imem",
            Place::Emem => "emem",
        }
    }
}

/// How programs use a map: accesses, those in loops counted for more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MapUse {
    /// Look-ups and loads.
    pub reads: u64,
    /// Stores, updates and deletions.
    pub writes: u64,
    /// Atomic additions.
    pub adds: u64,
}

impl MapUse {
    fn all(self) -> u64 {
        self.reads
            .saturating_add(self.writes)
            .saturating_add(self.adds)
    }

    /// Adds what another program does.
    pub fn join(&mut self, other: MapUse) {
        self.reads = self.reads.saturating_add(other.reads);
        self.writes = self.writes.saturating_add(other.writes);
        self.adds = self.adds.saturating_add(other.adds);
    }
}

/// Where a map lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// In which memory.
    pub place: Place,
    /// Bytes that its elements take.
    pub bytes: u64,
    /// Cycles of an access.
    pub latency: u32,
    /// Whether programs only read it.
    pub read_only: bool,
    /// How it is used.
    pub uses: MapUse,
    /// Address of its first value, if that is known, and bytes from one to the next.
    pub array: Option<(u64, u32)>,
}

/// A map for which there is no room.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "map `{map}` takes {needed} bytes, and its memories have {left} left: {fits} elements would fit"
)]
pub struct NoRoom {
    /// Its name.
    pub map: String,
    /// Bytes that it takes.
    pub needed: u64,
    /// The most that a memory has left.
    pub left: u64,
    /// Elements that would fit there.
    pub fits: u64,
}

/// Bytes of an element: key and value, each rounded up.
#[must_use]
pub fn element_bytes(map: &MapDef) -> u64 {
    let round = |bytes: u32| u64::from(bytes).next_multiple_of(UNIT);
    match map.kind {
        // The firmware finds elements of arrays by their number.
        MapKind::Array | MapKind::PercpuArray => round(map.value_size).max(UNIT),
        _ => round(map.key_size) + round(map.value_size),
    }
}

fn is_array(map: &MapDef) -> bool {
    matches!(map.kind, MapKind::Array | MapKind::PercpuArray)
}

/// Addresses of arrays, in order, where the capability file gives them.
#[must_use]
pub fn arrays(maps: &[MapDef], known: Option<Arrays>) -> Vec<Option<(u64, u32)>> {
    let mut next = known.map(|arrays| arrays.base);
    maps.iter()
        .map(|map| {
            let (arrays, address) = (known?, next?);
            if !is_array(map) || map.value_size > arrays.stride {
                return None;
            }
            let bytes = u64::from(arrays.stride).checked_mul(map.max_entries.into());
            next = bytes.and_then(|bytes| address.checked_add(bytes));
            Some((address, arrays.stride))
        })
        .collect()
}

/// Places maps; `uses` says how each is used, and which are not on the card and take no room there.
///
/// # Errors
/// [`NoRoom`] for the first map that fits nowhere.
pub fn place(
    maps: &[MapDef],
    uses: &[Option<MapUse>],
    capabilities: &Capabilities,
) -> Result<Vec<Placement>, NoRoom> {
    let memories = &capabilities.memories;
    let mut left = [
        (Place::Cls, memories.cls),
        (Place::Ctm, memories.ctm),
        (Place::Imem, memories.imem),
        (Place::Emem, memories.emem),
    ];
    let addresses = arrays(maps, capabilities.maps.arrays);
    let size = |map: &MapDef| element_bytes(map).saturating_mul(map.max_entries.into());
    let known = |index: usize| uses.get(index).copied().flatten();
    let used = |index: usize| known(index).unwrap_or_default();
    let mut order: Vec<usize> = (0..maps.len()).collect();
    order.sort_by(|a, b| {
        // By accesses for a byte: a / sa against b / sb, without division.
        let weigh = |one: usize, other: usize| {
            u128::from(used(one).all()) * u128::from(size(&maps[other]).max(1))
        };
        weigh(*b, *a).cmp(&weigh(*a, *b)).then(a.cmp(b))
    });
    let mut placed: BTreeMap<usize, Placement> = BTreeMap::new();
    for index in order {
        let map = &maps[index];
        let bytes = match map.kind {
            // Records go to the host; the map itself holds nothing.
            MapKind::PerfEventArray => 0,
            _ if known(index).is_none() => 0,
            _ => size(map),
        };
        let fixed = addresses.get(index).copied().flatten();
        let found = left.iter_mut().find(|(place, memory)| {
            let fits = memory.capacity >= bytes;
            fits && (fixed.is_none() || *place == Place::Emem)
        });
        let Some((place, memory)) = found else {
            let most = left.iter().map(|(_, memory)| memory.capacity).max();
            let most = most.unwrap_or(0);
            return Err(NoRoom {
                map: map.name.clone(),
                needed: bytes,
                left: most,
                fits: most / element_bytes(map).max(1),
            });
        };
        memory.capacity -= bytes;
        let uses = used(index);
        placed.insert(
            index,
            Placement {
                place: *place,
                bytes,
                latency: memory.latency,
                read_only: uses.writes == 0 && uses.adds == 0,
                uses,
                array: fixed,
            },
        );
    }
    Ok(placed.into_values().collect())
}

/// How functions use maps, by their symbols.
#[must_use]
pub fn uses(module: &Module, functions: &[Func], spaces: &Spaces) -> BTreeMap<Symbol, MapUse> {
    let mut all = BTreeMap::new();
    for &func in functions {
        let function = &module.functions[func];
        let cfg = ControlFlowGraph::compute(function);
        let dominators = DominatorTree::compute(&cfg);
        let loops = LoopForest::compute(&cfg, &dominators);
        for &block in cfg.reverse_postorder() {
            let weight = LOOP_WEIGHT.pow(loops.depth(block).min(DEEPEST));
            for inst in function.layout.insts(block) {
                let named = |value: Value| match spaces.get(func, function, value) {
                    Space::Handle(symbol) => Some(symbol),
                    _ => None,
                };
                let behind = |base: Value| named(looked_up(function, base)?);
                let (symbol, reads, writes, adds) = match *function.dfg.inst(inst) {
                    InstData::CallHelper { id, args } => {
                        let map = args.first(&function.dfg.pool).and_then(named);
                        match id {
                            1 => (map, weight, 0, 0),
                            2 | 3 => (map, 0, weight, 0),
                            _ => continue,
                        }
                    }
                    InstData::Load { base, .. } => (behind(base), weight, 0, 0),
                    InstData::Store { base, .. } => (behind(base), 0, weight, 0),
                    InstData::AtomicRmw { base, .. } => (behind(base), 0, 0, weight),
                    _ => continue,
                };
                if let Some(symbol) = symbol {
                    let entry: &mut MapUse = all.entry(symbol).or_default();
                    entry.join(MapUse {
                        reads,
                        writes,
                        adds,
                    });
                }
            }
        }
    }
    all
}

/// The map argument of the look-up that a pointer comes from, where it plainly does.
fn looked_up(function: &Function, base: Value) -> Option<Value> {
    let mut value = function.dfg.resolve(base);
    loop {
        match *function.dfg.def_inst(value)?.1 {
            InstData::CallHelper { id: 1, args } => return args.first(&function.dfg.pool),
            InstData::Binary { args: [a, _], .. } => value = function.dfg.resolve(a),
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capabilities::Memory;

    fn map(name: &str, entries: u32) -> MapDef {
        MapDef::new(name, MapKind::Hash, 8, 8, entries)
    }

    fn reads(reads: u64) -> Option<MapUse> {
        Some(MapUse {
            reads,
            ..MapUse::default()
        })
    }

    #[test]
    fn what_is_used_most_lies_nearest() {
        let mut capabilities = Capabilities::default();
        capabilities.memories.cls = Memory {
            capacity: 1024,
            latency: 40,
        };
        let maps = [map("cold", 64), map("hot", 64), map("large", 65)];
        let found = place(&maps, &[reads(1), reads(9), reads(90)], &capabilities).unwrap();
        let places: Vec<Place> = found.iter().map(|one| one.place).collect();
        // The largest does not fit, and the hot one leaves no room.
        assert_eq!(places, [Place::Emem, Place::Cls, Place::Emem]);
        assert!(found.iter().all(|one| one.read_only));
    }

    #[test]
    fn what_fits_nowhere_is_named() {
        let mut capabilities = Capabilities::default();
        capabilities.memories.emem.capacity = 1000;
        let error = place(&[map("big", 100)], &[reads(1)], &capabilities).unwrap_err();
        assert_eq!((error.needed, error.left, error.fits), (1600, 1000, 62));
        assert!(place(&[map("big", 100)], &[None], &capabilities).is_ok());
    }

    #[test]
    fn arrays_follow_each_other() {
        let array = |entries| MapDef::new("a", MapKind::Array, 4, 16, entries);
        let known = Arrays {
            base: 0x1000,
            stride: 64,
        };
        let maps = [array(4), map("hash", 1), array(2)];
        let found = arrays(&maps, Some(known));
        assert_eq!(found, [Some((0x1000, 64)), None, Some((0x1100, 64))]);
    }
}
