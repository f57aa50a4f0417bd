//! Joins adjacent narrow loads into one wider load.
//!
//! **What.**
//! ```text
//!   v2 = load.u8 v1               v6 = load.u16 v1
//!   v3 = load.u8 v1+1      ──►    v7 = be16 v6
//!   v4 = ishl v2, 8
//!   v5 = bor v4, v3               (uses of v5 use v7)
//! ```
//! Bytes in the order of memory need no swap. Parts may have any width, be joined by `bor`,
//! `iadd` or `bxor`, and stand in any tree of them.
//!
//! **Why.** Packed structures are read byte by byte when a compiler does not know their alignment:
//! in some probes these are a third of all slots.
//!
//! **Soundness.** The parts must not overlap in the result, so that the joining operations do the
//! same; together they are all bytes of the wide load, each once. The loads are in one block and
//! move up to the first of them ([`motion::may_hoist`]); in a block, all have passed the same
//! bound checks. Alignment is that of [`window::is_aligned`]. Shared memory is read in one access
//! only if nothing else uses the parts. Memory of unknown kind and the context are left alone.
//! The kernel knows the wide load's value to be as small as the tree's. After a byte swap it knows
//! nothing, so a mask follows unless every use takes any number ([`takes_any`]).
//!
//! **Cost.** Each tree has at most [`tree::MAX_PARTS`] parts and is looked at once from its root.
//! A motion walks over at most [`motion::MAX_WALK`] instructions.
//!
//! **Order.** After `simplify` and `narrow32`, which leave trees without masks; before `memcpy`,
//! which copies what is joined here as a whole.

mod tree;

use crate::facts::memory::{Memory, Range, Region, Touch, Users, width_of_bytes};
use crate::pass::{Changed, Pass, PassContext};
use crate::window::{self, motion};
use bpf::insn::{Cond, Endian, MemWidth};
use cranelift_entity::{EntitySet, SecondaryMap};
use mir::{Block, Cursor, Function, Inst, InstData, Opcode, Type, Value};
use smallvec::SmallVec;

/// Conversions between a value and a use that does not care how large it is: two are left by
/// narrowing.
const MAX_CONVERSIONS: u32 = 2;

/// See the module documentation.
#[derive(Clone, Copy, Debug)]
pub struct LoadCombine;

impl Pass for LoadCombine {
    fn run(&self, func: &mut Function, cx: &mut PassContext<'_>) -> Changed {
        let memory = Memory::of(func, cx);
        let mut walk = Walk {
            users: Users::find(func),
            places: SecondaryMap::new(),
            seen: EntitySet::with_capacity(func.dfg.inst_count()),
        };
        let blocks: Vec<Block> = func.layout.blocks().collect();
        for &block in &blocks {
            for (place, inst) in (0u32..).zip(func.layout.insts(block)) {
                walk.places[inst] = place;
            }
        }
        let mut changed = false;
        for block in blocks {
            let mut previous = func.layout.last_inst(block);
            // From the end, so that a tree's root comes before what is inside it.
            while let Some(inst) = previous {
                previous = func.layout.prev_inst(inst);
                if !walk.seen.contains(inst) && tree::joins(func, inst).is_some() {
                    changed |= walk.visit(func, cx, &memory, inst);
                }
            }
        }
        Changed::instructions_if(changed)
    }
}

struct Walk {
    users: Users,
    places: SecondaryMap<Inst, u32>,
    /// Joining operations inside a tree that is done.
    seen: EntitySet<Inst>,
}

/// A load and where its lowest bit stands in the result.
#[derive(Clone, Copy, Debug)]
struct Part {
    load: Inst,
    range: Range,
    shift: u32,
}

/// What a tree becomes.
struct Wide {
    parts: SmallVec<[Part; 8]>,
    width: MemWidth,
    swap: bool,
}

impl Walk {
    fn visit(
        &mut self,
        func: &mut Function,
        cx: &mut PassContext<'_>,
        memory: &Memory,
        root: Inst,
    ) -> bool {
        let Some(tree) = tree::Tree::find(func, &self.users, root) else {
            return false;
        };
        let Some(wide) = wide(func, memory, &tree, cx.endian() == Endian::Little) else {
            return false;
        };
        let Some(lowest) = wide.parts.first().map(|part| part.range) else {
            return false;
        };
        let swap_slots = if wide.swap { 2 } else { 0 };
        let alone = |part: &&Part| {
            func.dfg
                .result(part.load)
                .is_some_and(|value| self.users.of(func, value).count() == 1)
        };
        let removed = wide.parts.iter().filter(alone).count();
        if removed + tree.inner.len() <= 1 + swap_slots {
            return false;
        }
        if lowest.region == Region::Shared && removed < wide.parts.len() {
            let message = "not joined: a part is used alone too, and memory that others can change \
                           is read only once";
            cx.missed(func, Some(root), message);
            return false;
        }
        let size = i64::from(wide.width.bytes());
        let aligned = window::is_aligned(cx.module, func, cx.target.strict_align, &lowest, size);
        let mut loads: SmallVec<[(Inst, Range); 8]> = SmallVec::new();
        loads.extend(wide.parts.iter().map(|part| (part.load, part.range)));
        loads.sort_by_key(|&(load, _)| self.places[load]);
        let movable = aligned.and_then(|()| motion::may_hoist(func, memory, &loads, &[]));
        if let Err(obstacle) = movable {
            cx.missed_for(func, root, obstacle.not_joined(), obstacle.inst);
            return false;
        }
        let Some(load) = wide_load(func, &loads, lowest.start, wide.width) else {
            return false;
        };
        cx.applied(func, root, "joined adjacent loads");
        self.seen.extend(tree.inner.iter().copied());
        self.replace(func, root, &wide, load, loads[0].0);
        true
    }

    fn replace(
        &mut self,
        func: &mut Function,
        root: Inst,
        wide: &Wide,
        load: InstData,
        first: Inst,
    ) {
        let Some(result) = func.dfg.result(root) else {
            return;
        };
        let mask = wide.swap && !takes_any(func, &self.users, result, wide.width);
        let new = Cursor::before(func, first).insert(load);
        self.places[new] = self.places[first];
        let Some(mut value) = func.dfg.result(new) else {
            return;
        };
        let mut cursor = Cursor::before(func, root);
        if wide.swap {
            let opcode = match wide.width {
                MemWidth::B64 => Opcode::Be64,
                MemWidth::B32 => Opcode::Be32,
                _ => Opcode::Be16,
            };
            value = cursor.ins().unary(opcode, Type::I64, value);
        }
        let narrow = cursor.func.dfg.value_type(result) == Type::I32;
        if narrow && !mask && wide.swap {
            // The swap has cleared the upper half, and nothing wants the kernel to know.
            widen_uses(cursor.func, &self.users, result, value);
        }
        let mut cursor = Cursor::before(func, root);
        if narrow {
            value = cursor.ins().trunc(value);
        }
        if mask && wide.width == MemWidth::B16 {
            let ty = cursor.func.dfg.value_type(value);
            let low = cursor.ins().iconst(ty, 0xffff);
            value = cursor.ins().binary(Opcode::Band, ty, value, low);
        } else if mask && wide.width == MemWidth::B32 && !narrow {
            let low = cursor.ins().trunc(value);
            value = cursor.ins().zext(low);
        }
        func.replace_with_value(root, value);
        // The users of the result use the new value; what is counted for it is asked for no more.
    }
}

/// The wide load that a tree's leaves are parts of.
fn wide(func: &Function, memory: &Memory, tree: &tree::Tree, little: bool) -> Option<Wide> {
    let mut parts: SmallVec<[Part; 8]> = SmallVec::new();
    for &(load, shift) in &tree.leaves {
        let Touch::Reads(range) = memory.touch(func, load) else {
            return None;
        };
        parts.push(Part { load, range, shift });
    }
    parts.sort_by_key(|part| part.range.start);
    let first = *parts.first()?;
    let block = func.layout.inst_block(first.load)?;
    if !matches!(
        first.range.region,
        Region::Frame | Region::Packet | Region::Shared
    ) {
        return None;
    }
    let mut end = first.range.start;
    for part in &parts {
        if part.range.root != first.range.root
            || part.range.start != end
            || func.layout.inst_block(part.load) != Some(block)
        {
            return None;
        }
        end = part.range.end();
    }
    let size = end - first.range.start;
    let width = width_of_bytes(size)?;
    let bits = u32::try_from(size * 8).ok()?;
    let offset = |part: &Part| u32::try_from((part.range.start - first.range.start) * 8).ok();
    let ascending = parts.iter().all(|part| offset(part) == Some(part.shift));
    let descending = parts.iter().all(|part| {
        offset(part).is_some_and(|offset| {
            offset + part.shift + u32::try_from(part.range.size * 8).unwrap_or(0) == bits
        })
    });
    let bytes_only = parts.iter().all(|part| part.range.size == 1);
    let swap = match (little, ascending, descending) {
        (true, true, _) | (false, _, true) => false,
        // On a big-endian machine `be` does nothing.
        (true, _, true) if bytes_only => true,
        _ => return None,
    };
    Some(Wide { parts, width, swap })
}

/// The wide load, with the base of the first load, which stands before all others.
fn wide_load(
    func: &Function,
    loads: &[(Inst, Range)],
    start: i64,
    width: MemWidth,
) -> Option<InstData> {
    let &(first, range) = loads.first()?;
    let InstData::Load { base, offset, .. } = *func.dfg.inst(first) else {
        return None;
    };
    let offset = i64::from(offset) + (start - range.start);
    Some(InstData::Load {
        opcode: Opcode::Load,
        width,
        base,
        offset: i16::try_from(offset).ok()?.into(),
    })
}

/// Uses a wide value in place of the extensions of a narrow one.
fn widen_uses(func: &mut Function, users: &Users, narrow: Value, wide: Value) {
    let extensions: SmallVec<[Inst; 4]> = users
        .of(func, narrow)
        .filter(|&user| {
            matches!(
                func.dfg.inst(user),
                InstData::Unary {
                    opcode: Opcode::Zext,
                    ..
                }
            )
        })
        .collect();
    for extension in extensions {
        func.replace_with_value(extension, wide);
    }
}

/// Whether no use of a value needs the kernel to know how large it is: comparisons of all bits and
/// unsigned ones, which teach it themselves, masks, and stores of no more than its bits.
fn takes_any(func: &Function, users: &Users, value: Value, width: MemWidth) -> bool {
    takes_any_at(func, users, value, width, MAX_CONVERSIONS)
}

fn takes_any_at(func: &Function, users: &Users, value: Value, width: MemWidth, depth: u32) -> bool {
    users
        .of(func, value)
        .all(|user| match *func.dfg.inst(user) {
            InstData::Unary {
                opcode: Opcode::Zext | Opcode::Trunc,
                ..
            } => func.dfg.result(user).is_some_and(|result| {
                depth > 0 && takes_any_at(func, users, result, width, depth - 1)
            }),
            InstData::Branch { cond, args, .. } => {
                let as_operand = args.iter().any(|&arg| func.dfg.resolve(arg) == value);
                let mut passed = false;
                for call in func.dfg.successors(user) {
                    let args = func.dfg.call_args(&call);
                    passed |= args.iter().any(|&arg| func.dfg.resolve(arg) == value);
                }
                let unsigned = matches!(
                    cond,
                    Cond::Eq | Cond::Ne | Cond::Gt | Cond::Ge | Cond::Lt | Cond::Le
                );
                as_operand && !passed && unsigned
            }
            InstData::Binary {
                opcode: Opcode::Band,
                args,
                ..
            } => args.iter().any(|&arg| {
                let mask = func.constant(arg).map(|mask| mask as u64);
                mask.is_some_and(|mask| mask <= u64::MAX >> (64 - 8 * i64::from(width.bytes())))
            }),
            InstData::Store {
                width: stored,
                value: what,
                base,
                ..
            } => {
                func.dfg.resolve(what) == value
                    && func.dfg.resolve(base) != value
                    && i64::from(stored.bytes()) <= i64::from(width.bytes())
            }
            _ => false,
        })
}
