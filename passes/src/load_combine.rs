//! Makes one load of adjacent loads whose results are joined by shifts and ors.
//!
//! **What.**
//! ```text
//!   v1 = load.u8 v0+13
//!   v2 = ishl v1, 8
//!   v3 = load.u8 v0+12      ──►    v5 = load.u16 v0+12
//!   v4 = bor v2, v3
//! ```
//! and, where the first byte goes to the highest place, a load and a byte swap.
//!
//! **Why.** Where a structure is packed, or a field not known to be aligned, compilers load byte by
//! byte: four slots for each byte but the first become none.
//!
//! **Soundness.** The loads are in one block, no write or call lies between the first and the last,
//! and nothing else uses what they yield; so each byte is read once, as before, and memory that
//! others write is read no more often. Between them nothing is learned of the pointer, so the bytes
//! are within bounds together as they were one by one. The kernel wants stack accesses aligned, so
//! there only aligned loads are made, and to shared memory likewise. The context is left alone, and so
//! is memory whose kind is not known. An instruction with a CO-RE record stays.
//!
//! **Cost.** Each `or` is the root of at most one tree of at most [`MAX_LEAVES`] loads; between
//! its loads at most [`MAX_DISTANCE`] instructions are looked at.
//!
//! **Order.** After `simplify`, before `narrow32`, which looks through fewer shifts.

use bpf::insn::{Endian, MemWidth};
use mir::opcode::Effect;
use mir::{Cursor, Function, Inst, InstData, Opcode, Type, Value};
use smallvec::SmallVec;

use crate::facts::Kinds;
use crate::pass::{Changed, Pass, PassContext};
use crate::widen::may_be_wider;

/// Bytes of the widest load.
const MAX_LEAVES: usize = 8;
/// Operations between the root and a load: more than any tree of so few loads has.
const MAX_NESTING: usize = 32;
/// Shifts and changes of type between two ors, or an or and a load.
const MAX_DEPTH: usize = 6;
/// Instructions between the first and the last load of a tree.
const MAX_DISTANCE: usize = 256;

/// See the module documentation.
#[derive(Clone, Copy, Debug)]
pub struct LoadCombine;

impl Pass for LoadCombine {
    fn run(&self, func: &mut Function, cx: &mut PassContext<'_>) -> Changed {
        let cfg = cx.analyses.cfg(func);
        let kinds = Kinds::compute(cx.module, func, &cfg, cx.uses_arena());
        let endian = cx.endian();
        let mut changed = false;
        let blocks: Vec<_> = func.layout.blocks().collect();
        for block in blocks {
            // Roots come after what they join, so the largest trees are met first.
            let mut insts: Vec<Inst> = func.layout.insts(block).collect();
            insts.retain(|&inst| func.dfg.inst(inst).opcode() == Opcode::Bor);
            let mut uses = None;
            for root in insts.into_iter().rev() {
                let uses = uses.get_or_insert_with(|| func.use_counts());
                let Some(plan) = plan(func, root, &kinds, endian, |value| uses[value]) else {
                    continue;
                };
                apply(func, root, &plan, endian);
                cx.applied(func, root, plan.message());
                changed = true;
                // The loads of inner trees are used no more.
                *uses = func.use_counts();
            }
        }
        Changed::instructions_if(changed)
    }
}

/// A load, and the bit of the result that its lowest bit becomes.
#[derive(Clone, Copy, Debug)]
struct Leaf {
    load: Inst,
    shift: u32,
    bits: u32,
}

type Leaves = SmallVec<[Leaf; MAX_LEAVES]>;

/// What takes a tree's place.
struct Plan {
    /// The first load of the block, where the wide one goes.
    first: Inst,
    base: Value,
    offset: i32,
    width: MemWidth,
    swapped: bool,
    ty: Type,
}

impl Plan {
    fn message(&self) -> &'static str {
        if self.swapped {
            "joined loads into one, with a byte swap"
        } else {
            "joined loads into one"
        }
    }
}

fn plan(
    func: &Function,
    root: Inst,
    kinds: &Kinds,
    endian: Endian,
    uses: impl Fn(Value) -> u32,
) -> Option<Plan> {
    let result = func.dfg.result(root)?;
    if uses(result) == 0 || func.is_patched(root) {
        return None;
    }
    let mut leaves = Leaves::new();
    collect(func, result, Shifts::new(), &uses, &mut leaves)?;
    let (base, mut lowest) = place(func, leaves.first()?.load)?;
    for leaf in &leaves {
        let (other, offset) = place(func, leaf.load)?;
        if other != base {
            return None;
        }
        lowest = lowest.min(offset);
    }
    let total: u32 = leaves.iter().map(|leaf| leaf.bits).sum();
    let width = match total {
        16 => MemWidth::B16,
        32 => MemWidth::B32,
        64 => MemWidth::B64,
        _ => return None,
    };
    let in_order = |swapped: bool| {
        // Each byte of memory goes to one place of the result; together they fill it.
        let mut filled = 0u64;
        for leaf in &leaves {
            let (_, offset) = place(func, leaf.load)?;
            let ahead = u32::try_from(offset.checked_sub(lowest)?).ok()?.checked_mul(8)?;
            let expected = if swapped {
                total.checked_sub(ahead)?.checked_sub(leaf.bits)?
            } else {
                ahead
            };
            // Within a leaf bytes have the machine's order, so only single bytes can be swapped.
            if leaf.shift != expected || swapped && leaf.bits != 8 {
                return None;
            }
            filled |= u64::MAX >> (64 - leaf.bits) << leaf.shift;
        }
        (filled == u64::MAX >> (64 - total)).then_some(())
    };
    let big = endian == Endian::Big;
    let swapped = if in_order(big).is_some() {
        false
    } else {
        in_order(!big)?;
        leaves.iter().all(|leaf| leaf.bits == 8).then_some(true)?
    };
    // On a big-endian machine several bytes of a leaf stand the other way round.
    if big && !swapped && leaves.iter().any(|leaf| leaf.bits != 8) {
        return None;
    }
    if !may_be_wider(func, kinds, base, lowest, width) {
        return None;
    }
    Some(Plan {
        first: undisturbed(func, &leaves)?,
        base,
        offset: lowest,
        width,
        swapped,
        ty: func.dfg.value_type(result),
    })
}

/// Shifts between the root and a value, each with the bits of its type, outermost first.
type Shifts = SmallVec<[(u32, u32); 6]>;

/// The loads below a value. Inner values have no other use.
fn collect(
    func: &Function,
    value: Value,
    mut shifts: Shifts,
    uses: &impl Fn(Value) -> u32,
    leaves: &mut Leaves,
) -> Option<()> {
    let mut value = func.dfg.resolve(value);
    let mut is_root = shifts.is_empty() && leaves.is_empty();
    for _ in 0..MAX_DEPTH {
        if !std::mem::take(&mut is_root) && uses(value) != 1 {
            return None;
        }
        let (inst, data) = func.dfg.def_inst(value)?;
        if func.is_patched(inst) || leaves.len() >= MAX_LEAVES || shifts.len() > MAX_NESTING {
            return None;
        }
        let inner = match *data {
            InstData::Binary {
                opcode: Opcode::Bor,
                args: [a, b],
                ..
            } => {
                // Not the root any more, even without a shift on the way.
                shifts.push((0, 64));
                collect(func, a, shifts.clone(), uses, leaves)?;
                return collect(func, b, shifts, uses, leaves);
            }
            InstData::Load {
                opcode: Opcode::Load,
                width,
                ..
            } => {
                let bits = u32::from(width.bytes()) * 8;
                let mut shift = 0;
                for &(by, limit) in shifts.iter().rev() {
                    shift += by;
                    if shift + bits > limit {
                        return None;
                    }
                }
                leaves.push(Leaf {
                    load: inst,
                    shift,
                    bits,
                });
                return Some(());
            }
            InstData::Binary {
                opcode: Opcode::Ishl,
                ty,
                args: [inner, by],
            } => {
                let by = u32::try_from(func.constant(by)?).ok();
                shifts.push((by.filter(|by| *by < ty.bits())?, ty.bits()));
                inner
            }
            InstData::Unary {
                opcode: Opcode::Zext | Opcode::Trunc,
                arg,
                ..
            } => {
                shifts.push((0, 32));
                arg
            }
            _ => return None,
        };
        value = func.dfg.resolve(inner);
    }
    None
}

fn place(func: &Function, load: Inst) -> Option<(Value, i32)> {
    match *func.dfg.inst(load) {
        InstData::Load { base, offset, .. } => Some((func.dfg.resolve(base), offset)),
        _ => None,
    }
}

/// The first of the loads, if all are in one block and nothing between them writes or calls.
fn undisturbed(func: &Function, leaves: &Leaves) -> Option<Inst> {
    let block = func.layout.inst_block(leaves.first()?.load)?;
    let mut missing = leaves.len();
    let mut first = None;
    let mut distance = 0;
    for inst in func.layout.insts(block) {
        if leaves.iter().any(|leaf| leaf.load == inst) {
            first.get_or_insert(inst);
            missing -= 1;
            if missing == 0 {
                return first;
            }
        } else if first.is_some() {
            distance += 1;
            let effect = func.dfg.inst(inst).opcode().effect();
            if distance > MAX_DISTANCE || !matches!(effect, Effect::Pure | Effect::Reads) {
                return None;
            }
        }
    }
    None
}

fn apply(func: &mut Function, root: Inst, plan: &Plan, endian: Endian) {
    let mut cursor = Cursor::before(func, plan.first);
    let load = cursor
        .ins()
        .load(Opcode::Load, plan.width, plan.base, plan.offset);
    let mut cursor = Cursor::before(func, root);
    let mut value = load;
    if plan.swapped {
        // The conversion that swaps on this machine is in every instruction set; `bswap` is not.
        let opcode = match (plan.width, endian) {
            (MemWidth::B16, Endian::Little) => Opcode::Be16,
            (MemWidth::B32, Endian::Little) => Opcode::Be32,
            (_, Endian::Little) => Opcode::Be64,
            (MemWidth::B16, Endian::Big) => Opcode::Le16,
            (MemWidth::B32, Endian::Big) => Opcode::Le32,
            (_, Endian::Big) => Opcode::Le64,
        };
        value = cursor.ins().unary(opcode, Type::I64, value);
    }
    if plan.ty == Type::I32 {
        value = cursor.ins().trunc(value);
    }
    func.replace_with_value(root, value);
}
