//! Look-ups whose outcome is known: repeated ones, and those that cannot fail.
//!
//! **What.**
//! ```text
//!   store.u32 v1-4, 0               store.u32 v1-4, 0
//!   v3 = call_helper 1(map, v2)     v3 = call_helper 1(map, v2)
//!   br eq v3, 0, block9, block4     jump block4
//!   …                          ──►  …
//!   v5 = call_helper 1(map, v2)     (v5 is v3)
//! ```
//! A look-up in an array with a constant key below its length succeeds, so its null check goes; and
//! a look-up with the key of an earlier one yields the same pointer.
//!
//! **Why.** A check takes a slot, often with the code that it guards; a look-up takes four to eight,
//! and 4 ns (array) to 19 ns (hash).
//!
//! **Soundness.** *The check.* Elements of arrays, per-CPU ones too, exist always. The kernel knows so since
//! 6.14, if the key lies on the stack as a constant that it tracks: written by one
//! store of four bytes, either zero, or at an address that is a multiple of eight. For older kernels
//! (`--kernel`) the check stays. *The repetition.* The key's bytes are the same: nothing that may
//! write to them stands in between. An array's elements never move. In a hash an element may be
//! deleted, so between the two there must be no call at all but such that only ask; what other
//! processors delete meanwhile, the first look-up could have missed as well. Repeated look-ups
//! in per-CPU maps, maps of maps and all other kinds are left alone, as is a map that is not named by the instruction.
//!
//! **Cost.** A data flow over blocks with at most [`keys::MAX_WORDS`] constants of the stack; and within
//! each block at most [`MAX_LOOKUPS`] look-ups are remembered.
//!
//! **Order.** After `simplify` made constants and folded addresses, before `simplify-cfg`, which
//! removes what is guarded; before `store-combine`, which else merges the keys' stores.

mod keys;

pub use keys::{LookupKey, lookup_keys};

use std::collections::BTreeSet;

use bpf::helpers::{self, Access, ArgKind, HelperFlags};
use bpf::insn::Cond;
use bpf::maps::MapKind;
use mir::opcode::Effect;
use mir::{Function, Inst, InstData, Symbol, Type, Value, ValueDef};

use crate::edit;
use crate::facts::{Kind, Kinds, frame_offset};
use crate::pass::{Changed, Pass, PassContext};
use crate::target::KernelVersion;

/// `bpf_map_lookup_elem`
const LOOKUP: u32 = 1;
/// Look-ups that are remembered in a block.
const MAX_LOOKUPS: usize = 16;

/// See the module documentation.
#[derive(Clone, Copy, Debug)]
pub struct InlineLookup;

impl Pass for InlineLookup {
    fn run(&self, func: &mut Function, cx: &mut PassContext<'_>) -> Changed {
        if cx.maps().is_empty() || !has_lookup(func) {
            return Changed::No;
        }
        let cfg = cx.analyses.cfg(func);
        let kinds = Kinds::compute(cx.module, func, &cfg, cx.uses_arena());
        let merged = Changed::instructions_if(merge_repeated(func, &kinds, cx));
        let checks = remove_checks(func, &kinds, cx);
        merged.and(Changed::control_flow_if(checks))
    }
}

fn has_lookup(func: &Function) -> bool {
    let mut insts = func
        .layout
        .blocks()
        .flat_map(|block| func.layout.insts(block));
    insts.any(|inst| matches!(func.dfg.inst(inst), InstData::CallHelper { id: LOOKUP, .. }))
}

/// A look-up by a key on the stack in a map that the instruction names.
#[derive(Clone, Copy, Debug)]
struct Lookup {
    map: Symbol,
    /// Offset of the key from the frame pointer.
    key: i64,
}

fn lookup(func: &Function, inst: Inst) -> Option<Lookup> {
    let InstData::CallHelper { id: LOOKUP, args } = *func.dfg.inst(inst) else {
        return None;
    };
    let &[map, key] = args.as_slice(&func.dfg.pool).first_chunk()?;
    let (_, data) = func.dfg.def_inst(func.dfg.resolve(map))?;
    let InstData::SymbolAddr { symbol, .. } = *data else {
        return None;
    };
    Some(Lookup {
        map: symbol,
        key: frame_offset(func, key)?,
    })
}

/// Whether all elements of a kind of map exist from the start, and the kernel draws on that.
fn has_all_elements(kind: MapKind) -> bool {
    matches!(kind, MapKind::Array | MapKind::PercpuArray)
}

/// Offsets in the frame of keys that must stay as the kernel tracks them: of look-ups in arrays
/// without a check.
pub(crate) fn tracked_keys(func: &Function, cx: &PassContext<'_>) -> BTreeSet<i64> {
    let mut keys = BTreeSet::new();
    if cx.target.kernel < KernelVersion::KNOWS_ARRAY_LOOKUPS || cx.maps().is_empty() {
        return keys;
    }
    let mut checked: BTreeSet<Value> = BTreeSet::new();
    let mut found: Vec<(Value, i64)> = Vec::new();
    for inst in func
        .layout
        .blocks()
        .flat_map(|block| func.layout.insts(block))
    {
        if let InstData::Branch { args: [a, b], .. } = *func.dfg.inst(inst)
            && func.constant(b) == Some(0)
        {
            checked.insert(func.dfg.resolve(a));
        } else if let Some(lookup) = lookup(func, inst)
            && cx
                .map(lookup.map)
                .is_some_and(|map| has_all_elements(map.kind))
            && let Some(result) = func.dfg.result(inst)
        {
            found.push((result, lookup.key));
        }
    }
    let unchecked = found
        .into_iter()
        .filter(|(result, _)| !checked.contains(result));
    keys.extend(unchecked.map(|(_, key)| key));
    keys
}

/// What an instruction may write of the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    Nothing,
    /// From one offset to another.
    Bytes(i64, i64),
    Anything,
}

fn written(func: &Function, kinds: &Kinds, inst: Inst) -> Written {
    let data = func.dfg.inst(inst);
    match *data {
        InstData::Store {
            base,
            offset,
            width,
            ..
        }
        | InstData::AtomicRmw {
            base,
            offset,
            width,
            ..
        } => match frame_offset(func, base) {
            Some(start) => {
                let start = start + i64::from(offset);
                Written::Bytes(start, start + i64::from(width.bytes()))
            }
            None if !may_be_in_frame(func, kinds, base) => Written::Nothing,
            None => Written::Anything,
        },
        InstData::CallHelper { id, args } => {
            let Some(helper) = helpers::by_id(id) else {
                return Written::Anything;
            };
            let back = HelperFlags::CALLS_BACK | HelperFlags::CALLS_BACK_LATER;
            let writes = |kind: ArgKind| match kind {
                ArgKind::MapValue(access) | ArgKind::Mem(access) | ArgKind::FixedMem(_, access) => {
                    access != Access::Read
                }
                ArgKind::DynptrUninit | ArgKind::Stack | ArgKind::Anything => true,
                _ => false,
            };
            let args = args.as_slice(&func.dfg.pool);
            let into_frame = helper.args.iter().zip(args).any(|(arg, &value)| {
                // A number is no address, and constants stand for most of them.
                writes(arg.kind) && func.constant(value).is_none()
            });
            if into_frame || helper.flags.intersects(back) {
                Written::Anything
            } else {
                Written::Nothing
            }
        }
        _ => match data.opcode().effect() {
            Effect::Writes | Effect::Calls => Written::Anything,
            Effect::Pure | Effect::Reads | Effect::Terminates => Written::Nothing,
        },
    }
}

/// Whether a call may change a hash.
fn may_delete(func: &Function, inst: Inst) -> bool {
    match *func.dfg.inst(inst) {
        InstData::CallHelper { id, .. } => helpers::by_id(id).is_none_or(|helper| {
            !matches!(
                helper.name,
                "map_lookup_elem"
                    | "ktime_get_ns"
                    | "ktime_get_boot_ns"
                    | "ktime_get_coarse_ns"
                    | "jiffies64"
                    | "get_prandom_u32"
                    | "get_smp_processor_id"
                    | "get_numa_node_id"
            )
        }),
        data => data.opcode().effect() == Effect::Calls,
    }
}

fn merge_repeated(func: &mut Function, kinds: &Kinds, cx: &mut PassContext<'_>) -> bool {
    let mut changed = false;
    let blocks: Vec<_> = func.layout.blocks().collect();
    for block in blocks {
        let mut known: Vec<(Lookup, i64, MapKind, Value)> = Vec::new();
        // Those that are no longer known, with the instruction that may have changed them.
        let mut forgotten: Vec<(Lookup, Inst)> = Vec::new();
        let mut next = func.layout.first_inst(block);
        while let Some(inst) = next {
            next = func.layout.next_inst(inst);
            if let Some(found) = lookup(func, inst)
                && let Some(map) = cx.map(found.map)
            {
                let (kind, size) = (map.kind, i64::from(map.key_size));
                let same = known
                    .iter()
                    .find(|(old, ..)| old.map == found.map && old.key == found.key);
                if let Some(&(.., value)) = same {
                    cx.applied(func, inst, "took the result of an earlier look-up");
                    func.replace_with_value(inst, value);
                    changed = true;
                    continue;
                }
                let before = forgotten.iter().rev();
                let mut before =
                    before.filter(|(old, _)| old.map == found.map && old.key == found.key);
                if let Some(&(_, cause)) = before.next() {
                    let message = "repeated a look-up: its key or its element may have changed since \
                                   the first";
                    cx.missed_for(func, inst, message, Some(cause));
                }
                if matches!(kind, MapKind::Array | MapKind::Hash)
                    && known.len() < MAX_LOOKUPS
                    && let Some(result) = func.dfg.result(inst)
                {
                    known.push((found, size, kind, result));
                }
                continue;
            }
            let (deletes, written) = (may_delete(func, inst), written(func, kinds, inst));
            let stays = |old: &Lookup, size: i64, kind: MapKind| {
                let key = match written {
                    Written::Nothing => true,
                    Written::Anything => false,
                    Written::Bytes(start, end) => old.key + size <= start || end <= old.key,
                };
                key && (kind == MapKind::Array || !deletes)
            };
            known.retain(|(old, size, kind, _)| {
                let stays = stays(old, *size, *kind);
                if !stays && cx.explains() {
                    forgotten.push((*old, inst));
                }
                stays
            });
        }
    }
    changed
}

fn remove_checks(func: &mut Function, kinds: &Kinds, cx: &mut PassContext<'_>) -> bool {
    let is_known = cx.target.kernel >= KernelVersion::KNOWS_ARRAY_LOOKUPS;
    if !is_known && !cx.explains() {
        return false;
    }
    let cfg = cx.analyses.cfg(func);
    let Some(mut at_start) = keys::at_start(func, kinds, &cfg) else {
        return false;
    };
    let mut succeeds: Vec<Value> = Vec::new();
    for &block in cfg.reverse_postorder() {
        let mut words = at_start.remove(&block).unwrap_or_default();
        for inst in func.layout.insts(block) {
            if let Some(found) = lookup(func, inst)
                && let Some(map) = cx.map(found.map)
                && has_all_elements(map.kind)
                && map.key_size == 4
            {
                let key = words.get(&found.key).copied();
                match key {
                    Some(key) if key < map.max_entries && is_known => {
                        succeeds.extend(func.dfg.result(inst));
                    }
                    _ if cx.explains() => {
                        cx.missed(func, Some(inst), why_checked(key, map.max_entries));
                    }
                    _ => {}
                }
            }
            keys::step(func, kinds, inst, &mut words);
        }
    }
    remove_branches(func, cx, &succeeds)
}

/// Why a look-up in an array keeps its check.
fn why_checked(key: Option<u32>, entries: u32) -> &'static str {
    match key {
        None => "kept the check of a look-up: the kernel knows no constant for its key",
        Some(key) if key >= entries => {
            "kept the check of a look-up: its key is not below the length of the array"
        }
        Some(_) => "kept the check of a look-up: kernels before 6.14 do not know that it succeeds",
    }
}

/// Makes jumps of the branches that ask whether one of these values is null.
fn remove_branches(func: &mut Function, cx: &mut PassContext<'_>, values: &[Value]) -> bool {
    let mut changed = false;
    let blocks: Vec<_> = func.layout.blocks().collect();
    for block in blocks {
        let Some(branch) = func.layout.last_inst(block) else {
            continue;
        };
        let InstData::Branch {
            cond,
            ty: Type::I64,
            args: [a, b],
            ..
        } = *func.dfg.inst(branch)
        else {
            continue;
        };
        let a = func.dfg.resolve(a);
        if !values.contains(&a) || func.constant(b) != Some(0) {
            continue;
        }
        let taken = match cond {
            Cond::Eq => false,
            Cond::Ne => true,
            _ => continue,
        };
        let target = func.dfg.successors(branch)[usize::from(!taken)];
        cx.applied(func, branch, "removed the check of a look-up that succeeds");
        edit::branch_to_jump(func, branch, target);
        changed = true;
    }
    changed
}

/// Whether an access through a base may touch the function's frame.
fn may_be_in_frame(func: &Function, kinds: &Kinds, base: Value) -> bool {
    if let ValueDef::Param(block, _) = func.dfg.value_def(base)
        && func.layout.entry() == Some(block)
    {
        return false;
    }
    matches!(
        kinds.get(func, base),
        Kind::Stack | Kind::Any | Kind::Unknown
    )
}
