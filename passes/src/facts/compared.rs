//! Comparisons that hold, and what follows from them.
//!
//! A branch whose one way leads to a place tells there that its comparison holds, or its inverse.
//! Another comparison of the same value is then often decided: by being the same, or because the
//! constants of both leave one answer. Nothing here takes more than constant time.

use bpf::insn::Cond;
use mir::{Function, Inst, InstData, Type, Value, eval};

/// What an operand is on an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operand {
    /// A constant, as wide as its type.
    Constant(u64),
    /// Any other value.
    Value(Value),
}

/// A comparison that holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    /// How the operands are compared.
    pub(crate) cond: Cond,
    /// How wide they are.
    pub(crate) ty: Type,
    /// The operands.
    pub(crate) args: [Operand; 2],
}

impl Known {
    /// What holds where a branch went to its successor of this number.
    pub(crate) fn on_edge(func: &Function, inst: Inst, index: usize) -> Option<Known> {
        let InstData::Branch { cond, ty, args, .. } = *func.dfg.inst(inst) else {
            return None;
        };
        let cond = match index {
            0 => cond,
            _ => cond.inverted()?,
        };
        let args = args.map(|arg| operand(func, arg));
        Some(Known { cond, ty, args })
    }
}

/// A value as it is compared.
pub(crate) fn operand(func: &Function, value: Value) -> Operand {
    let value = func.dfg.resolve(value);
    match func.constant(value) {
        Some(number) => Operand::Constant(eval::to_type(func.dfg.value_type(value), number as u64)),
        None => Operand::Value(value),
    }
}

/// Whether another comparison of the same left operand holds.
pub(crate) fn implied(known: &Known, cond: Cond, right: Operand) -> Option<bool> {
    if known.args[1] == right {
        if known.cond == cond {
            return Some(true);
        }
        if known.cond.inverted() == Some(cond) {
            return Some(false);
        }
    }
    let (Operand::Constant(is), Operand::Constant(asked)) = (known.args[1], right) else {
        return None;
    };
    if known.cond == Cond::Eq {
        return Some(eval::compare(cond, known.ty, is, asked));
    }
    let signed = matches!(cond, Cond::Sgt | Cond::Sge | Cond::Slt | Cond::Sle);
    let range = range(known, signed)?;
    let asked = ordered(known.ty, asked, signed);
    let (low, high) = (*range.start(), *range.end());
    let (yes, no) = match cond {
        Cond::Eq => (low == asked && high == asked, !range.contains(&asked)),
        Cond::Ne => (!range.contains(&asked), low == asked && high == asked),
        Cond::Gt | Cond::Sgt => (low > asked, high <= asked),
        Cond::Ge | Cond::Sge => (low >= asked, high < asked),
        Cond::Lt | Cond::Slt => (high < asked, low >= asked),
        Cond::Le | Cond::Sle => (high <= asked, low > asked),
        Cond::Set => (false, false),
    };
    match (yes, no) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    }
}

/// A number such that the order of numbers is the unsigned one.
fn ordered(ty: Type, number: u64, signed: bool) -> u64 {
    let number = eval::to_type(ty, number);
    let sign = 1 << (ty.bits() - 1);
    if signed { number ^ sign } else { number }
}

/// Where the left operand is, in the order that is asked for, if the comparison tells.
fn range(known: &Known, signed: bool) -> Option<std::ops::RangeInclusive<u64>> {
    let Operand::Constant(is) = known.args[1] else {
        return None;
    };
    let is = ordered(known.ty, is, signed);
    let max = eval::to_type(known.ty, u64::MAX);
    let (cond, by_sign) = match known.cond {
        Cond::Sgt => (Cond::Gt, true),
        Cond::Sge => (Cond::Ge, true),
        Cond::Slt => (Cond::Lt, true),
        Cond::Sle => (Cond::Le, true),
        cond => (cond, false),
    };
    if by_sign != signed {
        return None;
    }
    match cond {
        Cond::Gt => Some(is.checked_add(1)?..=max),
        Cond::Ge => Some(is..=max),
        Cond::Lt => Some(0..=is.checked_sub(1)?),
        Cond::Le => Some(0..=is),
        _ => None,
    }
}
