//! Makes one atomic addition of a load, an addition and a store.
//!
//! **What.**
//! ```text
//!   v1 = load.u64 v0
//!   v2 = iadd v1, 1         ──►    atomic_rmw.add.u64 v0, 1
//!   store.u64 v0, v2
//! ```
//!
//! **Why.** A counter in a map takes three slots, and two in this form; one if what is added is in a
//! register. It takes more time, so it is for size only.
//!
//! **Soundness.** To the program itself both do the same. What other processors do in between is
//! no longer lost, which no program can depend on. Only memory of maps and objects: the kernel refuses
//! atomic operations on packet and context, and on what is not aligned. The load and the sum have no
//! other use; between load and store nothing writes or calls. Instructions with CO-RE records stay.
//!
//! **Cost.** For each store at most [`MAX_DISTANCE`] instructions are looked at.
//!
//! **Order.** After everything that merges or forwards accesses, as it sees none of this.

use bpf::insn::{AtomicOp, MemWidth};
use mir::opcode::Effect;
use mir::{Cursor, Function, Inst, InstData, Opcode, Type, Value};

use crate::facts::{Kind, Kinds};
use crate::pass::{Changed, Pass, PassContext};

/// Instructions between the load and the store.
const MAX_DISTANCE: usize = 64;

/// See the module documentation.
#[derive(Clone, Copy, Debug)]
pub struct AtomicAdd;

impl Pass for AtomicAdd {
    fn run(&self, func: &mut Function, cx: &mut PassContext<'_>) -> Changed {
        let cfg = cx.analyses.cfg(func);
        let kinds = Kinds::compute(cx.module, func, &cfg, cx.uses_arena());
        let mut changed = false;
        let blocks: Vec<_> = func.layout.blocks().collect();
        for block in blocks {
            let insts: Vec<Inst> = func.layout.insts(block).collect();
            let mut uses = None;
            for store in insts {
                if !matches!(func.dfg.inst(store), InstData::Store { .. }) {
                    continue;
                }
                let uses = uses.get_or_insert_with(|| func.use_counts());
                let Some(addition) = addition(func, &kinds, store, |value| uses[value]) else {
                    continue;
                };
                cx.applied(func, store, "made an addition in memory atomic");
                let mut cursor = Cursor::before(func, store);
                let mut amount = addition.amount;
                if cursor.func.dfg.value_type(amount) == Type::I32 {
                    amount = cursor.ins().zext(amount);
                }
                cursor.ins().atomic_rmw(
                    AtomicOp::Add,
                    addition.width,
                    false,
                    addition.base,
                    addition.offset,
                    amount,
                );
                func.remove_inst(store);
                changed = true;
            }
        }
        Changed::instructions_if(changed)
    }
}

struct Addition {
    base: Value,
    offset: i32,
    width: MemWidth,
    amount: Value,
}

fn addition(
    func: &Function,
    kinds: &Kinds,
    store: Inst,
    uses: impl Fn(Value) -> u32,
) -> Option<Addition> {
    let InstData::Store {
        opcode: Opcode::Store,
        width: width @ (MemWidth::B32 | MemWidth::B64),
        base,
        value,
        offset,
    } = *func.dfg.inst(store)
    else {
        return None;
    };
    let base = func.dfg.resolve(base);
    let aligned = i64::from(offset) % i64::from(width.bytes()) == 0;
    if func.is_patched(store) || !aligned || kinds.get(func, base) != Kind::Plain {
        return None;
    }
    // Extensions of a sum change nothing of the bytes stored.
    let sum = behind_extensions(func, value, &uses)?;
    let (inst, data) = func.dfg.def_inst(sum)?;
    let InstData::Binary {
        opcode: Opcode::Iadd,
        ty,
        args: [a, b],
    } = *data
    else {
        return None;
    };
    if func.is_patched(inst) || width == MemWidth::B64 && ty != Type::I64 {
        return None;
    }
    let found = [(a, b), (b, a)].into_iter().find_map(|(old, amount)| {
        let old = behind_extensions(func, old, &uses)?;
        let (load, data) = func.dfg.def_inst(old)?;
        let same = match *data {
            InstData::Load {
                opcode: Opcode::Load,
                width: loaded,
                base: from,
                offset: at,
            } => loaded == width && func.dfg.resolve(from) == base && at == offset,
            _ => false,
        };
        (same && !func.is_patched(load) && undisturbed(func, load, store))
            .then_some(func.dfg.resolve(amount))
    });
    Some(Addition {
        base,
        offset,
        width,
        amount: found?,
    })
}

/// A value with one use, behind changes of type that have one use each.
fn behind_extensions(func: &Function, value: Value, uses: &impl Fn(Value) -> u32) -> Option<Value> {
    let mut value = func.dfg.resolve(value);
    for _ in 0..3 {
        if uses(value) != 1 {
            return None;
        }
        match func.dfg.def_inst(value) {
            Some((
                _,
                &InstData::Unary {
                    opcode: Opcode::Zext | Opcode::Trunc,
                    arg,
                    ..
                },
            )) => value = func.dfg.resolve(arg),
            _ => return Some(value),
        }
    }
    None
}

/// Whether nothing writes or calls between two instructions of one block.
fn undisturbed(func: &Function, load: Inst, store: Inst) -> bool {
    let mut next = func.layout.next_inst(load);
    for _ in 0..MAX_DISTANCE {
        match next {
            Some(inst) if inst == store => return true,
            Some(inst) => {
                let effect = func.dfg.inst(inst).opcode().effect();
                if !matches!(effect, Effect::Pure | Effect::Reads) {
                    return false;
                }
                next = func.layout.next_inst(inst);
            }
            None => return false,
        }
    }
    false
}
