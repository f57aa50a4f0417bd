//! Merges adjacent stores into wider ones.
//!
//! **What.**
//! ```text
//!   store.u32 v1-8, 0               store.u64 v1-8, 0
//!   store.u32 v1-4, 0        ──►
//!
//!   v3 = ushr.i32 v2, 8
//!   store.u8 v1, v3          ──►    v4 = be16 v2
//!   store.u8 v1+1, v2               store.u16 v1, v4
//! ```
//! The parts are constants, or the bytes of one value in either order, or a value whose upper
//! bytes are zero followed by stores of zero.
//!
//! **Why.** Compilers initialise structures field by field, and write packets byte by byte when
//! they do not know their alignment. Each store is a slot.
//!
//! **Soundness.** [`mod@crate::window`] says when stores may become one. For the verifier: what is
//! stored narrowly is never a pointer, and neither is what is stored here, since a value takes part
//! only if it is certainly a number. A constant store of eight bytes is kept by the kernel as the
//! constant, so narrow loads of it know no less.
//! Values with zero upper bytes count only as far as [`facts::width`] says.
//!
//! **Cost.** That of the windows; each part's definition is followed at most [`part::MAX_STEPS`]
//! steps.
//!
//! **Order.** After `simplify`, which folds addresses and constants, and after `narrow32`; before
//! the last `dce`, which removes the shifts that made the parts. `memcpy` takes stores of what was
//! just loaded.

mod part;

use crate::facts::{
    self,
    memory::{Memory, Root},
};
use crate::inline_lookup;
use crate::pass::{Changed, Pass, PassContext};
use crate::window::{
    self, Context, Part, Rule, Window,
    obstacle::{Fact, Obstacle},
};
use bpf::insn::MemWidth;
use mir::{Cursor, Function, Inst, InstData, Opcode, Type, Value};
use std::collections::BTreeSet;

/// See the module documentation.
#[derive(Clone, Copy, Debug)]
pub struct StoreCombine;

impl Pass for StoreCombine {
    fn run(&self, func: &mut Function, cx: &mut PassContext<'_>) -> Changed {
        let memory = Memory::of(func, cx);
        let stores = Stores {
            keys: inline_lookup::tracked_keys(func, cx),
        };
        Changed::instructions_if(window::combine(func, cx, &memory, &stores))
    }
}

/// The rule for stores of constants and parts of values.
struct Stores {
    /// Offsets in the frame of keys that the kernel must know by themselves.
    keys: BTreeSet<i64>,
}

/// How the value of a wide store is made.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Plan {
    /// This constant.
    Constant(i64),
    /// This value, shifted down.
    Shifted(Value, u32),
    /// This value, shifted down, with its bytes in the other order.
    Swapped {
        /// The value.
        value: Value,
        /// Bits to shift it down.
        shift: u32,
        /// Bits to swap.
        bits: u32,
    },
}

impl Rule for Stores {
    type Plan = Plan;

    const APPLIED: &'static str = "merged adjacent stores";

    fn plan(
        &self,
        func: &Function,
        context: &Context<'_>,
        window: &Window,
    ) -> Result<Option<Plan>, Obstacle> {
        let plan = constant(func, context, window)
            .or_else(|| zero_extended(func, context, window))
            .or_else(|| parts_of_one(func, context, window));
        let is_key =
            |part: &Part| part.range.root == Root::Frame && self.keys.contains(&part.range.start);
        if plan.is_some() && window.parts.iter().any(is_key) {
            return Err(Obstacle::new(Fact::Key));
        }
        Ok(plan)
    }

    fn make(
        &self,
        func: &mut Function,
        context: &mut Context<'_>,
        plan: Plan,
        last: Inst,
    ) -> Value {
        let mut cursor = Cursor::before(func, last);
        match plan {
            Plan::Constant(imm) => cursor.ins().iconst(Type::I64, imm),
            Plan::Shifted(value, shift) => shifted(&mut cursor, context, value, shift),
            Plan::Swapped { value, shift, bits } => {
                let arg = shifted(&mut cursor, context, value, shift);
                let opcode = match bits {
                    16 => Opcode::Be16,
                    32 => Opcode::Be32,
                    _ => Opcode::Be64,
                };
                let ty = Type::I64;
                insert(&mut cursor, context, InstData::Unary { opcode, ty, arg })
            }
        }
    }
}

/// A value shifted down, as `i64`; bits above the type's are zero.
fn shifted(
    cursor: &mut Cursor<'_>,
    context: &mut Context<'_>,
    mut value: Value,
    shift: u32,
) -> Value {
    let ty = cursor.func.dfg.value_type(value);
    if shift > 0 {
        let args = [value, cursor.ins().iconst(ty, i64::from(shift))];
        let opcode = Opcode::Ushr;
        value = insert(cursor, context, InstData::Binary { opcode, ty, args });
    }
    if ty == Type::I64 {
        return value;
    }
    let (opcode, ty, arg) = (Opcode::Zext, Type::I64, value);
    insert(cursor, context, InstData::Unary { opcode, ty, arg })
}

fn insert(cursor: &mut Cursor<'_>, context: &mut Context<'_>, data: InstData) -> Value {
    let inst = cursor.insert(data);
    context.users.add(cursor.func, inst);
    match cursor.func.dfg.result(inst) {
        Some(value) => value,
        None => unreachable!("unary and binary operations have results"),
    }
}

/// All parts are constants, and so is the whole for a store.
fn constant(func: &Function, context: &Context<'_>, window: &Window) -> Option<Plan> {
    let mut whole = 0u64;
    for part in &window.parts {
        let bits = u32::try_from(part.range.size * 8).ok()?;
        let from_start = window.bit_offset(part);
        let shift = match context.little {
            true => from_start,
            false => window.bits().checked_sub(from_start + bits)?,
        };
        whole |= low_bits(func.constant(part.value)? as u64, bits) << shift;
    }
    let signed = match window.width {
        MemWidth::B64 => whole as i64,
        _ => i64::from(whole as u32 as i32),
    };
    // A store can bring a constant of 32 bits. Two of those are better than making a longer one.
    let fits = window.width != MemWidth::B64 || i32::try_from(signed).is_ok();
    (fits && window.parts.len() > 1).then_some(Plan::Constant(signed))
}

fn low_bits(value: u64, bits: u32) -> u64 {
    match bits {
        64.. => value,
        _ => value & ((1 << bits) - 1),
    }
}

/// The part with the lowest bits has no others, and the others are zero.
fn zero_extended(func: &Function, context: &Context<'_>, window: &Window) -> Option<Plan> {
    let mut in_order = window.parts.iter();
    let low = match context.little {
        true => in_order.next(),
        false => in_order.next_back(),
    }?;
    let bits = u32::try_from(low.range.size * 8).ok()?;
    let is_zero = |value: Value, size: i64| {
        func.constant(value)
            .is_some_and(|constant| low_bits(constant as u64, (size * 8) as u32) == 0)
    };
    if !in_order.all(|part| is_zero(part.value, part.range.size)) {
        return None;
    }
    let value = func.dfg.resolve(low.value);
    if func.constant(value).is_some()
        || !context.memory.kinds().is_number(func, value)
        || facts::width(func, value) > bits
    {
        return None;
    }
    // An extension of a truncation is an instruction, which takes the gain of two parts.
    let is_free = func.dfg.value_type(value) == Type::I64
        || !matches!(
            func.dfg.def_inst(value),
            None | Some((
                _,
                InstData::Unary {
                    opcode: Opcode::Trunc,
                    ..
                }
            ))
        );
    (is_free || window.parts.len() > 2).then_some(Plan::Shifted(value, 0))
}

/// All parts are bytes of one value, in one order or the other.
fn parts_of_one(func: &Function, context: &Context<'_>, window: &Window) -> Option<Plan> {
    let mut parts = window.parts.iter().map(|part| {
        let bits = u32::try_from(part.range.size * 8).ok()?;
        Some((
            window.bit_offset(part),
            bits,
            part::source(func, part.value, bits),
        ))
    });
    let (_, first_bits, first) = parts.next()??;
    let source_bits = func.dfg.value_type(first.value).bits();
    let kinds = context.memory.kinds();
    // What arithmetic made is a number, and so is what it was made of.
    let is_number = window.parts.iter().any(|part| {
        part::source(func, part.value, 8).shift > 0 && kinds.is_number(func, part.value)
    });
    let (mut ascending, mut descending) = (true, true);
    let mut lowest = first.shift;
    for part in parts {
        let (offset, bits, part) = part?;
        if part.value != first.value {
            return None;
        }
        ascending &= part.shift == first.shift + offset;
        descending &= part.shift + offset + bits == first.shift + first_bits;
        lowest = lowest.min(part.shift);
    }
    if lowest + window.bits() > source_bits || !(is_number || kinds.is_number(func, first.value)) {
        return None;
    }
    let in_order = if context.little {
        ascending
    } else {
        descending
    };
    let swapped = if context.little {
        descending
    } else {
        ascending
    };
    let bytes_only = window.parts.iter().all(|part| part.range.size == 1);
    // Parts that something else needs too keep their shifts, so they count for nothing.
    let shifts = window.parts.iter().filter(|part| {
        context.users.of(func, part.value).count() == 1
            && func.dfg.resolve(part.value) != first.value
    });
    let gain = window.parts.len() + shifts.count() - 1;
    let shift = usize::from(lowest > 0);
    if in_order && gain > shift {
        return Some(Plan::Shifted(first.value, lowest));
    }
    // The swap, and the copy that it needs when the value lives on.
    (context.little && swapped && bytes_only && gain > shift + 2).then_some(Plan::Swapped {
        value: first.value,
        shift: lowest,
        bits: window.bits(),
    })
}
