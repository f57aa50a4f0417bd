//! Adjacent stores that together are one wider store: found, checked, and replaced.
//!
//! `store-combine` and `memcpy` differ in what the stores hold and share everything else. A
//! [`Window`] is as many bytes as one access may have, aligned as its memory asks for, which two or
//! more stores of one block write exactly once. A [`Rule`] makes the value of the wide store.
//!
//! **Soundness.** The wide store stands where the last of the narrow ones stood, so the others
//! move down, and nothing on their way may touch what they write ([`motion`]). Every byte was
//! written before, and no other is. On the stack and in shared memory the wide access is naturally
//! aligned; in shared memory the stores must follow one another without any other access that
//! another CPU could see in between. Context fields and memory of unknown kind are left alone: the
//! kernel may know fields there.
//!
//! **Cost.** A block is cut at calls and after [`MAX_STORES`] stores, each cut is sorted once, and
//! each store starts at most three windows of at most eight stores. A motion walks over at most
//! [`motion::MAX_WALK`] instructions.

pub(crate) mod motion;
pub(crate) mod obstacle;

use crate::facts::memory::{Memory, Range, Region, Root, Touch, Users, width_of_bytes};
use crate::pass::PassContext;
use bpf::insn::MemWidth;
use cranelift_entity::SecondaryMap;
use mir::{Block, Cursor, Function, Inst, InstData, Module, Opcode, Value};
use obstacle::{Fact, Obstacle};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// Stores looked at together. A structure of more fields than this is initialised in pieces.
const MAX_STORES: usize = 256;

/// A narrow store.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    /// The store.
    pub(crate) inst: Inst,
    /// The bytes it writes.
    pub(crate) range: Range,
    /// What it stores.
    pub(crate) value: Value,
}

/// Stores that write adjacent bytes, in the order of addresses.
#[derive(Debug)]
pub(crate) struct Window {
    /// The stores.
    pub(crate) parts: SmallVec<[Part; 8]>,
    /// Width of the access that covers them all.
    pub(crate) width: MemWidth,
}

impl Window {
    /// The first byte, as distance from the root.
    pub(crate) fn start(&self) -> i64 {
        self.parts.first().map_or(0, |part| part.range.start)
    }

    /// Distance in bits from the window's start to each part's.
    pub(crate) fn bit_offset(&self, part: &Part) -> u32 {
        u32::try_from((part.range.start - self.start()) * 8).unwrap_or(0)
    }

    /// Bits of the whole window.
    pub(crate) fn bits(&self) -> u32 {
        u32::from(self.width.bits())
    }
}

/// What a rule looks at.
#[derive(Debug)]
pub(crate) struct Context<'c> {
    /// Where accesses go.
    pub(crate) memory: &'c Memory,
    /// Who uses which value.
    pub(crate) users: Users,
    /// Place of each instruction in its block.
    pub(crate) places: SecondaryMap<Inst, u32>,
    /// Whether the target is little-endian.
    pub(crate) little: bool,
}

/// How to make the value of a wide store.
pub(crate) trait Rule {
    /// What is needed to make it.
    type Plan;

    /// The message when a window was replaced.
    const APPLIED: &'static str;

    /// Loads that belong to the window: no one expects an order between them and its stores.
    fn own(&self, _func: &Function, _window: &Window) -> SmallVec<[Inst; 8]> {
        SmallVec::new()
    }

    /// How the window's value can be made, if that is worth it.
    ///
    /// # Errors
    /// What is in the way, when something should be said of it.
    fn plan(
        &self,
        func: &Function,
        context: &Context<'_>,
        window: &Window,
    ) -> Result<Option<Self::Plan>, Obstacle>;

    /// Makes the value before `last`, the last of the stores.
    fn make(
        &self,
        func: &mut Function,
        context: &mut Context<'_>,
        plan: Self::Plan,
        last: Inst,
    ) -> Value;
}

/// Whether a wide access at this place is aligned as its memory asks for; if not, why.
pub(crate) fn is_aligned(
    module: &Module,
    func: &Function,
    strict: bool,
    range: &Range,
    size: i64,
) -> Result<(), Obstacle> {
    let natural = range.start % size == 0;
    let (aligned, fact) = match (range.region, range.root) {
        (Region::Frame, Root::Frame) => (natural, Fact::Unaligned),
        (Region::Packet, _) => (!strict, Fact::StrictAlign),
        (Region::Shared, Root::Symbol(symbol)) => {
            let addend = i64::from(module.symbols[symbol].imm as u32);
            (natural && addend % size == 0, Fact::Unaligned)
        }
        (Region::Shared, Root::Value(value)) => {
            match func.dfg.def_inst(value) {
                // A sum with a variable can be aligned or not.
                Some((_, InstData::Binary { .. })) => (false, Fact::NoAlignment),
                _ => (natural, Fact::Unaligned),
            }
        }
        _ => (false, Fact::NoAlignment),
    };
    match aligned {
        true => Ok(()),
        false => Err(Obstacle::new(fact)),
    }
}

/// Replaces what a rule can replace in the whole function, and says whether it did.
pub(crate) fn combine<R: Rule>(
    func: &mut Function,
    cx: &mut PassContext<'_>,
    memory: &Memory,
    rule: &R,
) -> bool {
    let mut context = Context {
        memory,
        users: Users::find(func),
        places: SecondaryMap::new(),
        little: cx.endian() == bpf::insn::Endian::Little,
    };
    let mut changed = false;
    let blocks: Vec<Block> = func.layout.blocks().collect();
    for &block in &blocks {
        for (place, inst) in (0u32..).zip(func.layout.insts(block)) {
            context.places[inst] = place;
        }
    }
    for block in blocks {
        for group in groups(func, &context, block, Cut::AtCalls) {
            changed |= combine_group(func, cx, &mut context, rule, group);
        }
        if cx.explains() {
            for group in groups(func, &context, block, Cut::Nowhere) {
                explain_group(func, cx, &context, rule, group);
            }
        }
    }
    changed
}

/// Where the stores of a block are parted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    /// At calls and atomic operations, over which no store moves.
    AtCalls,
    /// Nowhere, to tell of those that a call keeps apart.
    Nowhere,
}

/// The stores of a block to one root.
fn groups(func: &Function, context: &Context<'_>, block: Block, cut: Cut) -> Vec<Vec<Part>> {
    let mut done = Vec::new();
    let mut open: FxHashMap<Root, Vec<Part>> = FxHashMap::default();
    let mut close = |open: &mut FxHashMap<Root, Vec<Part>>| {
        // The order of a hash table must not decide anything.
        let mut closed: Vec<(Root, Vec<Part>)> =
            open.drain().filter(|(_, g)| g.len() > 1).collect();
        closed.sort_unstable_by_key(|&(root, _)| root);
        done.extend(closed.into_iter().map(|(_, group)| group));
    };
    let mut stores = 0;
    for inst in func.layout.insts(block) {
        match context.memory.touch(func, inst) {
            Touch::Writes(range) => {
                if let InstData::Store { value, .. } = *func.dfg.inst(inst)
                    && matches!(
                        range.region,
                        Region::Frame | Region::Packet | Region::Shared
                    )
                {
                    stores += 1;
                    open.entry(range.root)
                        .or_default()
                        .push(Part { inst, range, value });
                }
            }
            Touch::Barrier if cut == Cut::AtCalls => {
                close(&mut open);
                stores = 0;
            }
            Touch::Barrier | Touch::Reads(_) | Touch::Nothing => {}
        }
        if stores == MAX_STORES {
            close(&mut open);
            stores = 0;
        }
    }
    close(&mut open);
    done
}

fn combine_group<R: Rule>(
    func: &mut Function,
    cx: &mut PassContext<'_>,
    context: &mut Context<'_>,
    rule: &R,
    mut group: Vec<Part>,
) -> bool {
    group.sort_by_key(|part| (part.range.start, context.places[part.inst]));
    let mut used = vec![false; group.len()];
    let mut changed = false;
    for size in [8, 4, 2] {
        for first in 0..group.len() {
            if used[first] {
                continue;
            }
            let Some(window) = window_at(&group, &used, first, size) else {
                continue;
            };
            let range = window.parts[0].range;
            let last = window
                .parts
                .iter()
                .max_by_key(|part| context.places[part.inst]);
            let Some(last) = last.map(|part| part.inst) else {
                continue;
            };
            let plan = match rule.plan(func, context, &window) {
                Ok(None) => continue,
                Ok(Some(plan)) => is_aligned(cx.module, func, cx.target.strict_align, &range, size)
                    .and_then(|()| {
                        motion::may_sink(func, context, &window, &rule.own(func, &window))
                    })
                    .map(|()| plan),
                Err(obstacle) => Err(obstacle),
            };
            let plan = match plan {
                Ok(plan) => plan,
                Err(obstacle) => {
                    cx.missed_for(func, last, obstacle.not_merged(), obstacle.inst);
                    continue;
                }
            };
            cx.applied(func, last, R::APPLIED);
            apply(func, context, rule, &window, plan, last);
            for part in &window.parts {
                if let Some(index) = group.iter().position(|other| other.inst == part.inst) {
                    used[index] = true;
                }
            }
            changed = true;
        }
    }
    changed
}

/// Tells of windows that would be one but for a call or an atomic operation between their stores.
fn explain_group<R: Rule>(
    func: &Function,
    cx: &mut PassContext<'_>,
    context: &Context<'_>,
    rule: &R,
    mut group: Vec<Part>,
) {
    group.sort_by_key(|part| (part.range.start, context.places[part.inst]));
    let mut told = vec![false; group.len()];
    for size in [8, 4, 2] {
        for first in 0..group.len() {
            if told[first] {
                continue;
            }
            let Some(window) = window_at(&group, &told, first, size) else {
                continue;
            };
            let (range, own) = (window.parts[0].range, rule.own(func, &window));
            let Err(obstacle) = motion::may_sink(func, context, &window, &own) else {
                continue;
            };
            let strict = cx.target.strict_align;
            if !matches!(obstacle.fact, Fact::Call | Fact::Ordered)
                || is_aligned(cx.module, func, strict, &range, size).is_err()
                || !matches!(rule.plan(func, context, &window), Ok(Some(_)))
            {
                continue;
            }
            let last = window.parts.iter().map(|part| part.inst);
            let Some(last) = last.max_by_key(|&inst| context.places[inst]) else {
                continue;
            };
            cx.missed_for(func, last, obstacle.not_merged(), obstacle.inst);
            told[first..first + window.parts.len()].fill(true);
        }
    }
}

/// The stores that write `size` bytes from the start of one of them, each byte once.
fn window_at(group: &[Part], used: &[bool], first: usize, size: i64) -> Option<Window> {
    let start = group[first].range.start;
    let end = start.checked_add(size)?;
    let mut parts: SmallVec<[Part; 8]> = SmallVec::new();
    let mut next = start;
    for (part, _) in group[first..]
        .iter()
        .zip(&used[first..])
        .take_while(|(part, _)| part.range.start < end)
        .filter(|&(_, &used)| !used)
    {
        if part.range.start != next || part.range.end() > end {
            return None;
        }
        next = part.range.end();
        parts.push(*part);
    }
    // One that begins before the window may reach into it; motion finds those.
    (next == end && parts.len() > 1).then_some(Window {
        parts,
        width: width_of_bytes(size)?,
    })
}

fn apply<R: Rule>(
    func: &mut Function,
    context: &mut Context<'_>,
    rule: &R,
    window: &Window,
    plan: R::Plan,
    last: Inst,
) {
    let (first_part, place) = (window.parts[0], context.places[last]);
    let value = rule.make(func, context, plan, last);
    let InstData::Store { base, offset, .. } = *func.dfg.inst(first_part.inst) else {
        return;
    };
    let store = Cursor::before(func, last).insert(InstData::Store {
        opcode: Opcode::Store,
        width: window.width,
        base,
        value,
        offset,
    });
    context.places[store] = place;
    context.users.add(func, store);
    for part in &window.parts {
        func.remove_inst(part.inst);
    }
    // What a copy loaded would otherwise stand in the way of the next.
    for part in &window.parts {
        if let Some((load, InstData::Load { opcode, .. })) = func.dfg.def_inst(part.value)
            && opcode.is_removable_when_unused()
            && !func.is_patched(load)
            && func.layout.inst_block(load).is_some()
            && context.users.of(func, part.value).next().is_none()
        {
            func.remove_inst(load);
        }
    }
}
