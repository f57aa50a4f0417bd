//! Memory accesses beside each other become one of twice the width: what `store-combine` and
//! `memcpy` share.
//!
//! A block is looked at in stretches without calls, atomics and branches ([`region`]). In a stretch
//! instructions may change places as long as each comes after those that it depends on: whose
//! results it takes, and whose memory it may share if one of the two writes. Two stores are merged
//! if that leaves an order, and the loads that feed them likewise. Widths double, and what was
//! merged can be merged again.
//!
//! **Soundness.** Bytes are written and read as before, each once. Dependences are kept, where two
//! accesses may share bytes unless [`alias`] says no. Within a stretch nothing is learned of a
//! pointer, so a merged access is within bounds where its halves were, as it covers them exactly.
//! The kernel wants accesses to the stack aligned, so there only aligned ones are made; to memory
//! that others may look at too, likewise, so that each half stays as whole as it was. The context
//! is accessed field by field: it is left alone, as is memory whose kind is not known.
//!
//! **Cost.** A stretch has at most [`region::MAX_INSTS`] instructions and [`region::MAX_ACCESSES`]
//! accesses; longer ones are cut. A merge looks at the pairs of accesses once and at the order of
//! the stretch once for each candidate, and each merge leaves an access less.

mod alias;
mod region;

use bpf::insn::MemWidth;
use cranelift_entity::SecondaryMap;
use mir::{Function, InstData, Opcode, Value};

use crate::pass::{Changed, PassContext};
pub(crate) use region::{Access, Region};

/// Two accesses to be merged, and what the merged one stores.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Merge {
    /// Two stores of constants, the lower one first.
    Constants { stores: [usize; 2], value: i64 },
    /// Two stores of what two loads yield; lower ones first.
    Copies {
        stores: [usize; 2],
        loads: [usize; 2],
    },
}

/// How often values are used; counted when somebody asks, and anew after a change.
#[derive(Debug, Default)]
pub(crate) struct UseCounts(Option<SecondaryMap<Value, u32>>);

impl UseCounts {
    pub(crate) fn of(&mut self, func: &Function, value: Value) -> u32 {
        self.0.get_or_insert_with(|| func.use_counts())[value]
    }
}

/// Merges in every block what `find` finds, as long as it finds something. `find` gets a stretch
/// and gives candidates, the best first.
pub(crate) fn run(
    func: &mut Function,
    cx: &mut PassContext<'_>,
    message: &'static str,
    find: impl Fn(&Function, &Region, &mut UseCounts) -> Vec<Merge>,
) -> Changed {
    let cfg = cx.analyses.cfg(func);
    let kinds = crate::facts::Kinds::compute(cx.module, func, &cfg, cx.uses_arena());
    let mut changed = false;
    let mut uses = UseCounts::default();
    let blocks: Vec<_> = func.layout.blocks().collect();
    for block in blocks {
        let mut start = func.layout.first_inst(block);
        while let Some(first) = start {
            let Some(mut region) = Region::from(func, first, &kinds) else {
                start = func.layout.next_inst(first);
                continue;
            };
            start = region.end();
            loop {
                let candidates = find(func, &region, &mut uses);
                let merged = candidates
                    .into_iter()
                    .find_map(|merge| region.apply(func, merge));
                let Some(place) = merged else { break };
                cx.applied(func, place, message);
                uses = UseCounts::default();
                changed = true;
                match Region::again(func, &region, &kinds) {
                    Some(next) => region = next,
                    None => break,
                }
            }
        }
    }
    Changed::instructions_if(changed)
}

/// Whether an access to memory that so far is accessed in parts may be of this width.
pub(crate) fn may_be_wider(
    func: &Function,
    kinds: &crate::facts::Kinds,
    base: Value,
    offset: i32,
    width: MemWidth,
) -> bool {
    let aligned = i64::from(offset) % i64::from(width.bytes()) == 0;
    alias::space(func, kinds, base).takes_wider(aligned)
}

/// Whether an address may lie in the function's own frame.
pub(crate) fn may_be_in_frame(func: &Function, kinds: &crate::facts::Kinds, base: Value) -> bool {
    let space = alias::space(func, kinds, func.dfg.resolve(base));
    matches!(space, alias::Space::Frame | alias::Space::Unknown)
}

/// The width twice as large.
pub(crate) fn doubled(width: MemWidth) -> Option<MemWidth> {
    match width {
        MemWidth::B8 => Some(MemWidth::B16),
        MemWidth::B16 => Some(MemWidth::B32),
        MemWidth::B32 => Some(MemWidth::B64),
        MemWidth::B64 => None,
    }
}

/// Pairs of stores that lie beside each other and may be merged, the lower one first.
pub(crate) fn neighbours(region: &Region) -> Vec<[usize; 2]> {
    let mut stores: Vec<usize> = (0..region.accesses.len())
        .filter(|&index| region.accesses[index].store)
        .collect();
    stores.sort_by_key(|&index| {
        let access = &region.accesses[index];
        (access.base, access.offset, index)
    });
    let pairs = stores.windows(2).filter_map(|pair| {
        let [low, high] = [pair[0], pair[1]];
        region.are_neighbours(low, high).then_some([low, high])
    });
    pairs.collect()
}

/// Whether an access is to the function's own frame, at its offset from the frame pointer.
pub(crate) fn is_in_frame(access: &Access) -> bool {
    access.space == alias::Space::Frame
}

/// The value that an access stores.
pub(crate) fn stored(func: &Function, access: &Access) -> Option<Value> {
    match *func.dfg.inst(access.inst) {
        InstData::Store {
            opcode: Opcode::Store,
            value,
            ..
        } => Some(func.dfg.resolve(value)),
        _ => None,
    }
}
