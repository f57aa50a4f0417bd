//! Constant additions to an address move into the offset of the memory access.
//!
//! The addition goes when every use of it is such an access; otherwise keeping both the sum and
//! its base alive would cost a register, unless the base needs none (the frame, a symbol). The
//! kernel adds the two constants the same way wherever they stand.

use crate::rewrite::{View, base_and_offset};
use mir::{InstData, Opcode, Value};

/// The base and offset that a memory access could have instead.
pub(crate) fn rewrite(view: &View<'_>, data: &InstData) -> Option<(Value, i16)> {
    let (base, offset) = base_and_offset(data)?;
    let base = view.func.dfg.resolve(base);
    let (inner, constant) = view.binary_with_constant(base, Opcode::Iadd)?;
    if has_other_uses(view, base) && !view.is_rematerialised(inner) {
        return None;
    }
    let sum = i16::try_from(offset.checked_add(constant)?).ok()?;
    Some((inner, sum))
}

/// Whether the base of a memory access is a sum that stays because something else uses it.
pub(crate) fn is_shared(view: &View<'_>, data: &InstData) -> bool {
    base_and_offset(data).is_some_and(|(base, _)| {
        let base = view.func.dfg.resolve(base);
        view.binary_with_constant(base, Opcode::Iadd).is_some() && has_other_uses(view, base)
    })
}

fn has_other_uses(view: &View<'_>, base: Value) -> bool {
    view.uses.all[base] != view.uses.bases[base]
}

/// Gives a memory access another base and offset.
pub(crate) fn set(data: &mut InstData, new_base: Value, new_offset: i16) {
    match data {
        InstData::Load { base, offset, .. }
        | InstData::Store { base, offset, .. }
        | InstData::AtomicRmw { base, offset, .. } => {
            *base = new_base;
            *offset = i32::from(new_offset);
        }
        InstData::CompareExchange { base, offset, .. } => {
            *base = new_base;
            *offset = new_offset;
        }
        _ => debug_assert!(false, "not a memory access"),
    }
}
