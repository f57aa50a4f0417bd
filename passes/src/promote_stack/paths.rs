//! Is every load of a slot preceded by a store of just that slot on every path?
//!
//! Compilers use bytes of the frame for one value here and for another there. Slots of different widths that
//! overlap are different values as long as no load meets what a store of another slot left.

use super::access::{Frame, Slot};
use cranelift_entity::SecondaryMap;
use mir::analysis::ControlFlowGraph;
use mir::{Block, Function, InstData};
use smallvec::SmallVec;

/// A set of slots by index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SlotSet(Vec<u64>);

impl SlotSet {
    pub(super) fn empty(count: usize) -> SlotSet {
        SlotSet(vec![0; count.div_ceil(64)])
    }

    fn full(count: usize) -> SlotSet {
        SlotSet(vec![u64::MAX; count.div_ceil(64)])
    }

    pub(super) fn insert(&mut self, index: usize) {
        self.0[index / 64] |= 1 << (index % 64);
    }

    fn remove(&mut self, index: usize) {
        self.0[index / 64] &= !(1 << (index % 64));
    }

    pub(super) fn contains(&self, index: usize) -> bool {
        self.0
            .get(index / 64)
            .is_some_and(|word| word >> (index % 64) & 1 != 0)
    }

    fn subtract(&mut self, other: &SlotSet) {
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            *word &= !other;
        }
    }

    fn intersect(&mut self, other: &SlotSet) {
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            *word &= other;
        }
    }

    pub(super) fn unite(&mut self, other: &SlotSet) {
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            *word |= other;
        }
    }

    /// Adds what is in `other` and not in `but`; says whether that was anything new.
    fn unite_without(&mut self, other: &SlotSet, but: &SlotSet) -> bool {
        let mut changed = false;
        for ((word, other), but) in self.0.iter_mut().zip(&other.0).zip(&but.0) {
            let new = *word | other & !but;
            changed |= new != *word;
            *word = new;
        }
        changed
    }
}

/// The index of the slot that an access covers, in a sorted list.
pub(super) fn index_of(slots: &[Slot], slot: Slot) -> Option<usize> {
    slots.binary_search(&slot).ok()
}

/// The numbers of the slots in a list that have bytes in common with a slot, but for itself.
pub(super) fn overlapping(slots: impl Iterator<Item = Slot>, slot: Slot) -> SmallVec<[usize; 4]> {
    let meets = |other: &Slot| other.start < slot.end() && slot.start < other.end();
    let numbered = slots.enumerate();
    numbered
        .filter(|(_, other)| *other != slot && meets(other))
        .map(|(number, _)| number)
        .collect()
}

/// For each slot, whether all its loads come after a store of it on every path, with none to the same
/// bytes by another slot in between.
pub(super) fn assigned_at_loads(
    func: &Function,
    cfg: &ControlFlowGraph,
    frame: &Frame,
    slots: &[Slot],
) -> Vec<bool> {
    let count = slots.len();
    let others: Vec<SmallVec<[usize; 4]>> = slots
        .iter()
        .map(|&slot| overlapping(slots.iter().copied(), slot))
        .collect();
    let store = |set: &mut SlotSet, index: usize| {
        others[index].iter().for_each(|&other| set.remove(other));
        set.insert(index);
    };
    // What a block leaves assigned, and what it overwrites.
    let mut stored: SecondaryMap<Block, SlotSet> = SecondaryMap::with_capacity(cfg.block_bound());
    let mut lost: SecondaryMap<Block, SlotSet> = SecondaryMap::with_capacity(cfg.block_bound());
    for &block in cfg.reverse_postorder() {
        let (mut set, mut over) = (SlotSet::empty(count), SlotSet::empty(count));
        for inst in func.layout.insts(block) {
            if matches!(func.dfg.inst(inst), InstData::Store { .. })
                && let Some(index) = frame.slot_of(func, inst).and_then(|s| index_of(slots, s))
            {
                store(&mut set, index);
                others[index].iter().for_each(|&other| over.insert(other));
            }
        }
        stored[block] = set;
        lost[block] = over;
    }
    // Assigned at the end of each block; everything, until a path says otherwise. Sets only
    // shrink, so the rounds end; without nested irreducible cycles two are enough.
    let mut at_end: SecondaryMap<Block, SlotSet> = SecondaryMap::with_default(SlotSet::full(count));
    loop {
        let mut changed = false;
        for &block in cfg.reverse_postorder() {
            let mut set = at_start(cfg, &at_end, block, count);
            set.subtract(&lost[block]);
            set.unite(&stored[block]);
            if at_end[block] != set {
                at_end[block] = set;
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    let mut all = vec![true; count];
    for &block in cfg.reverse_postorder() {
        let mut set = at_start(cfg, &at_end, block, count);
        for inst in func.layout.insts(block) {
            let Some(index) = frame.slot_of(func, inst).and_then(|s| index_of(slots, s)) else {
                continue;
            };
            match func.dfg.inst(inst) {
                InstData::Store { .. } => store(&mut set, index),
                _ => all[index] &= set.contains(index),
            }
        }
    }
    all
}

fn at_start(
    cfg: &ControlFlowGraph,
    at_end: &SecondaryMap<Block, SlotSet>,
    block: Block,
    count: usize,
) -> SlotSet {
    if Some(block) == cfg.entry() {
        return SlotSet::empty(count);
    }
    let mut set = SlotSet::full(count);
    for edge in cfg.predecessors(block) {
        set.intersect(&at_end[edge.block]);
    }
    set
}

/// For each block, the slots that something loads from there on before it is stored.
pub(super) fn live_at_start(
    func: &Function,
    cfg: &ControlFlowGraph,
    frame: &Frame,
    slots: &[Slot],
) -> SecondaryMap<Block, SlotSet> {
    let count = slots.len();
    let mut stored: SecondaryMap<Block, SlotSet> = SecondaryMap::with_capacity(cfg.block_bound());
    let mut live: SecondaryMap<Block, SlotSet> = SecondaryMap::with_capacity(cfg.block_bound());
    for &block in cfg.reverse_postorder() {
        let (mut kill, mut need) = (SlotSet::empty(count), SlotSet::empty(count));
        for inst in func.layout.insts(block) {
            let Some(index) = frame.slot_of(func, inst).and_then(|s| index_of(slots, s)) else {
                continue;
            };
            match func.dfg.inst(inst) {
                InstData::Store { .. } => kill.insert(index),
                _ if !kill.contains(index) => need.insert(index),
                _ => {}
            }
        }
        stored[block] = kill;
        live[block] = need;
    }
    loop {
        let mut changed = false;
        for block in cfg.postorder() {
            let mut set = std::mem::take(&mut live[block]);
            for &next in cfg.successors(block) {
                if next == block {
                    continue;
                }
                changed |= set.unite_without(&live[next], &stored[block]);
            }
            live[block] = set;
        }
        if !changed {
            return live;
        }
    }
}
