//! Makes copies of adjacent bytes as wide as possible.
//!
//! **What.**
//! ```text
//!   v3 = load.u16 v1                v5 = load.u32 v1
//!   store.u16 v2, v3         ──►
//!   v4 = load.u16 v1+2
//!   store.u16 v2+2, v4              store.u32 v2, v5
//! ```
//! Loads and stores come in any order, with other work between them; two regions may be exchanged.
//!
//! **Why.** Addresses, keys and headers are copied field by field, and headers are packed, so that
//! compilers copy them in halves or bytes. Each merged pair of loads and stores is two slots less.
//!
//! **Soundness.** The stores move down as [`mod@crate::window`] says. The loads are all in one
//! block and move up to the first of them; no store on the way may touch what one of them reads,
//! those of the copy included, so regions that overlap are merged only where the original read
//! what it had not yet written. Within a block all loads have passed the same bound checks.
//! A load that something else needs too stays, except that shared memory is never read twice where
//! it was read once. Only whole loads that are stored whole take part: these are never pointers,
//! which the kernel moves in eight bytes.
//!
//! **Cost.** That of the windows.
//!
//! **Order.** As `store-combine`, before it: copies of constants are none.

use crate::facts::memory::{Memory, Range, Region, Touch};
use crate::pass::{Changed, Pass, PassContext};
use crate::window::{self, Context, Rule, Window, motion, obstacle::Obstacle};
use mir::{Cursor, Function, Inst, InstData, Opcode, Value};
use smallvec::SmallVec;

/// See the module documentation.
#[derive(Clone, Copy, Debug)]
pub struct Memcpy;

impl Pass for Memcpy {
    fn run(&self, func: &mut Function, cx: &mut PassContext<'_>) -> Changed {
        let memory = Memory::of(func, cx);
        let rule = Copies {
            module: cx.module,
            strict: cx.target.strict_align,
        };
        Changed::instructions_if(window::combine(func, cx, &memory, &rule))
    }
}

struct Copies<'m> {
    module: &'m mir::Module,
    strict: bool,
}

/// A load that covers those of a window.
#[derive(Debug)]
struct Plan {
    /// The load of the lowest address, whose source position the wide one takes.
    lowest: Inst,
    /// The first load in the block, before which the wide one stands.
    first: Inst,
    data: InstData,
}

impl Rule for Copies<'_> {
    type Plan = Plan;

    const APPLIED: &'static str = "merged parts of a copy";

    fn own(&self, func: &Function, window: &Window) -> SmallVec<[Inst; 8]> {
        let load = |part: &window::Part| func.dfg.def_inst(part.value).map(|(load, _)| load);
        window.parts.iter().filter_map(load).collect()
    }

    fn plan(
        &self,
        func: &Function,
        context: &Context<'_>,
        window: &Window,
    ) -> Result<Option<Plan>, Obstacle> {
        let Some((loads, lowest)) = self.loads(func, context, window) else {
            return Ok(None);
        };
        let (_, start) = lowest;
        let size = i64::from(window.width.bytes());
        window::is_aligned(self.module, func, self.strict, &start, size)?;
        let stores: SmallVec<[Inst; 8]> = window.parts.iter().map(|part| part.inst).collect();
        motion::may_hoist(func, context.memory, &loads, &stores)?;
        Ok(plan(func, window, &loads, lowest))
    }

    fn make(
        &self,
        func: &mut Function,
        context: &mut Context<'_>,
        plan: Plan,
        _last: Inst,
    ) -> Value {
        let load = Cursor::before(func, plan.first)
            .with_cause(plan.lowest)
            .insert(plan.data);
        context.places[load] = context.places[plan.first];
        context.users.add(func, load);
        match func.dfg.result(load) {
            Some(value) => value,
            None => unreachable!("loads have results"),
        }
    }
}

type Load = (Inst, Range);

impl Copies<'_> {
    /// The loads of what a window's stores store, in the order of the block, and that of the
    /// lowest address, if they are adjacent as the stores are.
    fn loads(
        &self,
        func: &Function,
        context: &Context<'_>,
        window: &Window,
    ) -> Option<(SmallVec<[Load; 8]>, Load)> {
        let mut loads: SmallVec<[Load; 8]> = SmallVec::new();
        let (mut block, mut removed) = (None, 0);
        for part in &window.parts {
            let (load, data) = func.dfg.def_inst(part.value)?;
            let InstData::Load {
                opcode: Opcode::Load,
                width,
                ..
            } = *data
            else {
                return None;
            };
            let Touch::Reads(range) = context.memory.touch(func, load) else {
                return None;
            };
            let at = func.layout.inst_block(load)?;
            if i64::from(width.bytes()) != part.range.size || *block.get_or_insert(at) != at {
                return None;
            }
            let alone = context.users.of(func, part.value).count() == 1;
            if !alone && range.region == Region::Shared {
                return None;
            }
            removed += usize::from(alone);
            loads.push((load, range));
        }
        let &lowest = loads.first()?;
        let (_, start) = lowest;
        let follows = |(part, (_, range)): (&window::Part, &Load)| {
            range.root == start.root
                && range.start - start.start == part.range.start - window.start()
        };
        // Two accesses come for those that go.
        if !window.parts.iter().zip(&loads).all(follows) || window.parts.len() + removed <= 2 {
            return None;
        }
        loads.sort_by_key(|&(load, _)| context.places[load]);
        Some((loads, lowest))
    }
}

fn plan(func: &Function, window: &Window, loads: &[Load], (lowest, start): Load) -> Option<Plan> {
    // The first one's base is there already; that of the lowest may be computed later.
    let &(first, range) = loads.first()?;
    let InstData::Load {
        opcode,
        base,
        offset,
        ..
    } = *func.dfg.inst(first)
    else {
        return None;
    };
    let offset = i64::from(offset) + (start.start - range.start);
    Some(Plan {
        lowest,
        first,
        data: InstData::Load {
            opcode,
            width: window.width,
            base,
            offset: i16::try_from(offset).ok()?.into(),
        },
    })
}
