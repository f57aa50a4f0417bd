//! Is every load of a slot preceded by a store on every path?

use super::access::{Frame, Slot};
use cranelift_entity::SecondaryMap;
use mir::analysis::ControlFlowGraph;
use mir::{Block, Function, InstData};

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

    pub(super) fn contains(&self, index: usize) -> bool {
        self.0
            .get(index / 64)
            .is_some_and(|word| word >> (index % 64) & 1 != 0)
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

/// For each slot, whether all its loads come after a store on every path.
pub(super) fn assigned_at_loads(
    func: &Function,
    cfg: &ControlFlowGraph,
    frame: &Frame,
    slots: &[Slot],
) -> Vec<bool> {
    let count = slots.len();
    let mut stored: SecondaryMap<Block, SlotSet> = SecondaryMap::with_capacity(cfg.block_bound());
    for &block in cfg.reverse_postorder() {
        let mut set = SlotSet::empty(count);
        for inst in func.layout.insts(block) {
            if matches!(func.dfg.inst(inst), InstData::Store { .. })
                && let Some(index) = frame.slot_of(func, inst).and_then(|s| index_of(slots, s))
            {
                set.insert(index);
            }
        }
        stored[block] = set;
    }
    // Assigned at the end of each block; everything, until a path says otherwise. Sets only
    // shrink, so the rounds end; without nested irreducible cycles two are enough.
    let mut at_end: SecondaryMap<Block, SlotSet> = SecondaryMap::with_default(SlotSet::full(count));
    loop {
        let mut changed = false;
        for &block in cfg.reverse_postorder() {
            let mut set = at_start(cfg, &at_end, block, count);
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
                InstData::Store { .. } => set.insert(index),
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
