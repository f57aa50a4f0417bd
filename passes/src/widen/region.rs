//! A stretch of a block in which instructions may change places, and merging in it.

use bpf::insn::{Endian, MemWidth};
use mir::opcode::Effect;
use mir::{Block, Function, Inst, InstData, Opcode, Type, Value};
use rustc_hash::FxHashMap;

use super::alias::{self, Space};
use super::{Merge, doubled};
use crate::facts::Kinds;

/// Instructions of a stretch.
pub(super) const MAX_INSTS: usize = 512;
/// Accesses of a stretch.
pub(super) const MAX_ACCESSES: usize = 96;

/// A plain load or store.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Access {
    pub inst: Inst,
    /// Its number in the stretch.
    at: usize,
    pub base: Value,
    pub offset: i32,
    pub width: MemWidth,
    pub store: bool,
    pub(super) space: Space,
    /// Whether it must stay as it is: a loader may patch it, or it extends the sign.
    fixed: bool,
}

impl Access {
    pub(super) fn bytes(&self) -> i64 {
        i64::from(self.width.bytes())
    }
}

/// A stretch of a block without calls, atomics and branches.
#[derive(Clone, Debug)]
pub(crate) struct Region {
    block: Block,
    insts: Vec<Inst>,
    /// What follows it; nothing if it ends the block.
    end: Option<Inst>,
    pub accesses: Vec<Access>,
    /// For each instruction those before it that it depends on.
    needs: Vec<Vec<usize>>,
}

impl Region {
    /// The stretch that begins at an instruction, if that can be in one.
    pub(super) fn from(func: &Function, first: Inst, kinds: &Kinds) -> Option<Region> {
        let block = func.layout.inst_block(first)?;
        let mut insts = Vec::new();
        let mut accesses = 0;
        let mut next = Some(first);
        while let Some(inst) = next {
            if insts.len() >= MAX_INSTS || accesses >= MAX_ACCESSES || !may_move(func, inst) {
                break;
            }
            accesses += usize::from(func.dfg.inst(inst).opcode().effect() != Effect::Pure);
            insts.push(inst);
            next = func.layout.next_inst(inst);
        }
        Region::of(func, block, insts, next, kinds)
    }

    /// The stretch as it is after a merge.
    pub(super) fn again(func: &Function, old: &Region, kinds: &Kinds) -> Option<Region> {
        Region::of(func, old.block, old.insts.clone(), old.end, kinds)
    }

    fn of(
        func: &Function,
        block: Block,
        insts: Vec<Inst>,
        end: Option<Inst>,
        kinds: &Kinds,
    ) -> Option<Region> {
        let numbers: FxHashMap<Inst, usize> = insts.iter().copied().zip(0..).collect();
        let mut accesses: Vec<Access> = Vec::new();
        let mut needs = Vec::with_capacity(insts.len());
        for (at, &inst) in insts.iter().enumerate() {
            let mut before: Vec<usize> = Vec::new();
            func.dfg.for_each_operand(inst, |value| {
                let value = func.dfg.resolve(value);
                if let Some((def, _)) = func.dfg.def_inst(value) {
                    before.extend(numbers.get(&def));
                }
            });
            if let Some(access) = access(func, inst, at, kinds) {
                let earlier = accesses.iter().filter(|other| {
                    (other.store || access.store) && alias::may_overlap(other, &access)
                });
                before.extend(earlier.map(|other| other.at));
                accesses.push(access);
            }
            needs.push(before);
        }
        (!insts.is_empty()).then_some(Region {
            block,
            insts,
            end,
            accesses,
            needs,
        })
    }

    /// What follows the stretch.
    pub(super) fn end(&self) -> Option<Inst> {
        self.end
    }

    /// The load of the stretch that a value is the result of.
    pub(crate) fn load_of(&self, func: &Function, value: Value) -> Option<usize> {
        let (inst, _) = func.dfg.def_inst(value)?;
        let mut loads = (0..self.accesses.len()).filter(|&index| !self.accesses[index].store);
        loads.find(|&index| self.accesses[index].inst == inst)
    }

    /// Whether two accesses lie beside each other, the first one lower, and may be merged.
    pub(crate) fn are_neighbours(&self, low: usize, high: usize) -> bool {
        let (low, high) = (&self.accesses[low], &self.accesses[high]);
        let Some(width) = doubled(low.width) else {
            return false;
        };
        let aligned = i64::from(low.offset) % i64::from(width.bytes()) == 0;
        low.base == high.base
            && low.width == high.width
            && !low.fixed
            && !high.fixed
            && i64::from(low.offset) + low.bytes() == i64::from(high.offset)
            && low.space.takes_wider(aligned)
    }

    /// Merges accesses if an order remains; gives the merged store.
    pub(super) fn apply(&mut self, func: &mut Function, merge: Merge) -> Option<Inst> {
        let (stores, loads) = match merge {
            Merge::Constants { stores, .. } => (stores, None),
            Merge::Copies { stores, loads } => (stores, Some(loads)),
        };
        let number = |index: usize| self.accesses[index].at;
        let mut group: Vec<usize> = (0..self.insts.len()).collect();
        let mut unite = |pair: [usize; 2]| {
            let (a, b) = (number(pair[0]), number(pair[1]));
            group[a.max(b)] = a.min(b);
        };
        unite(stores);
        if let Some(loads) = loads {
            unite(loads);
        }
        let order = self.order(&group)?;
        let low = self.accesses[stores[0]];
        let width = doubled(low.width)?;
        let mut made: Vec<(usize, Inst)> = Vec::new();
        let value = match (merge, loads) {
            (Merge::Constants { value, .. }, _) => {
                let constant = func.dfg.make_inst(InstData::Const {
                    ty: Type::I64,
                    imm: value,
                });
                func.inherit_location(constant, low.inst);
                made.push((group[low.at], constant));
                func.dfg.result(constant)?
            }
            (_, Some(loads)) => {
                let source = self.accesses[loads[0]];
                let load = func.dfg.make_inst(InstData::Load {
                    opcode: Opcode::Load,
                    width,
                    base: source.base,
                    offset: source.offset,
                });
                func.inherit_location(load, source.inst);
                made.push((group[source.at], load));
                func.dfg.result(load)?
            }
            _ => return None,
        };
        let store = func.dfg.make_inst(InstData::Store {
            opcode: Opcode::Store,
            width,
            base: low.base,
            value,
            offset: low.offset,
        });
        func.inherit_location(store, low.inst);
        made.push((group[low.at], store));
        let gone: Vec<usize> = stores
            .into_iter()
            .chain(loads.into_iter().flatten())
            .map(number)
            .collect();
        let mut insts = Vec::with_capacity(self.insts.len());
        for at in order {
            let here = made.iter().filter(|(place, _)| *place == at);
            insts.extend(here.map(|(_, inst)| *inst));
            if !gone.contains(&at) {
                insts.push(self.insts[at]);
            }
        }
        for &inst in &self.insts {
            func.layout.remove_inst(inst);
        }
        for &inst in &insts {
            match self.end {
                Some(end) => func.layout.insert_inst_before(inst, end),
                None => func.layout.append_inst(inst, self.block),
            }
        }
        self.insts = insts;
        Some(store)
    }

    /// An order of the groups in which each comes after what it depends on, as close to the present
    /// one as can be; none if some depend on each other.
    fn order(&self, group: &[usize]) -> Option<Vec<usize>> {
        let count = self.insts.len();
        let mut waits = vec![0usize; count];
        let mut followers: Vec<Vec<usize>> = vec![Vec::new(); count];
        for (at, needs) in self.needs.iter().enumerate() {
            for &need in needs {
                let (from, to) = (group[need], group[at]);
                if from != to {
                    followers[from].push(to);
                    waits[to] += 1;
                }
            }
        }
        let heads = (0..count).filter(|&at| group[at] == at);
        let mut ready: std::collections::BTreeSet<usize> =
            heads.clone().filter(|&at| waits[at] == 0).collect();
        let mut order = Vec::with_capacity(count);
        while let Some(at) = ready.pop_first() {
            order.push(at);
            for &next in &followers[at] {
                waits[next] -= 1;
                if waits[next] == 0 {
                    ready.insert(next);
                }
            }
        }
        (order.len() == heads.count()).then_some(order)
    }

    /// Two constants as the one that stores both, the one at the lower address first.
    pub(crate) fn joined(low: i64, high: i64, width: MemWidth, endian: Endian) -> i64 {
        let bits = u32::from(width.bytes()) * 8;
        let mask = u64::MAX >> (64 - bits);
        let (low, high) = (low.cast_unsigned() & mask, high.cast_unsigned() & mask);
        let joined = match endian {
            Endian::Little => low | high << bits,
            Endian::Big => high | low << bits,
        };
        // As an immediate of a store would be extended.
        let spare = 64 - 2 * bits;
        (joined << spare).cast_signed() >> spare
    }
}

/// Whether an instruction may be in a stretch.
fn may_move(func: &Function, inst: Inst) -> bool {
    match func.dfg.inst(inst) {
        InstData::Load { opcode, .. } => *opcode != Opcode::LoadAcquire,
        InstData::Store { opcode, .. } => *opcode == Opcode::Store,
        data => data.opcode().effect() == Effect::Pure,
    }
}

fn access(func: &Function, inst: Inst, at: usize, kinds: &Kinds) -> Option<Access> {
    let (base, offset, width, store, signed) = match *func.dfg.inst(inst) {
        InstData::Load {
            opcode,
            width,
            base,
            offset,
        } => (base, offset, width, false, opcode == Opcode::Sload),
        InstData::Store {
            width,
            base,
            offset,
            ..
        } => (base, offset, width, true, false),
        _ => return None,
    };
    let base = func.dfg.resolve(base);
    Some(Access {
        inst,
        at,
        base,
        offset,
        width,
        store,
        space: alias::space(func, kinds, base),
        fixed: signed || func.is_patched(inst),
    })
}
