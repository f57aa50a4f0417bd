//! What a comparison that holds says of its operands.

use bpf::insn::{Cond, Width};

use super::branch::Comparison;
use super::tnum::Tnum;
use super::value::Value;

/// Narrows both numbers by a comparison that holds between them; the views learn from each other.
pub fn refine(left: &mut Value, right: &mut Value, comparison: Comparison, width: Width) {
    match comparison {
        Comparison::NoBitSet => with_constant(left, right, width, clear_bits),
        Comparison::Holds(Cond::Set) => with_constant(left, right, width, set_bit),
        Comparison::Holds(Cond::Ne) => with_constant(left, right, width, exclude),
        Comparison::Holds(Cond::Eq) => equal(left, right, width),
        Comparison::Holds(cond @ (Cond::Gt | Cond::Ge | Cond::Sgt | Cond::Sge)) => {
            order(right, left, cond.exchanged(), width);
        }
        Comparison::Holds(cond) => order(left, right, cond, width),
    }
    left.sync();
    right.sync();
}

/// Narrows a number by a comparison with itself that is taken to hold. Where that is impossible the
/// path cannot be taken; the kernel walks it with what comes of narrowing both ends, and so must we.
pub fn refine_with_itself(value: &mut Value, comparison: Comparison, width: Width) {
    let Comparison::Holds(cond) = comparison else {
        return value.sync();
    };
    let unsigned = match cond {
        Cond::Lt | Cond::Gt => true,
        Cond::Slt | Cond::Sgt => false,
        _ => return value.sync(),
    };
    match (width, unsigned) {
        (Width::W64, true) => {
            value.umax = value.umax.min(value.umax.wrapping_sub(1));
            value.umin = value.umin.max(value.umin.wrapping_add(1));
        }
        (Width::W32, true) => {
            value.umax32 = value.umax32.min(value.umax32.wrapping_sub(1));
            value.umin32 = value.umin32.max(value.umin32.wrapping_add(1));
        }
        (Width::W64, false) => {
            value.smax = value.smax.min(value.smax.wrapping_sub(1));
            value.smin = value.smin.max(value.smin.wrapping_add(1));
        }
        (Width::W32, false) => {
            value.smax32 = value.smax32.min(value.smax32.wrapping_sub(1));
            value.smin32 = value.smin32.max(value.smin32.wrapping_add(1));
        }
    }
    value.sync();
    value.sync();
}

/// Applies `change` to the operand that is not constant, if one is.
fn with_constant(
    left: &mut Value,
    right: &mut Value,
    width: Width,
    change: fn(&mut Value, u64, Width),
) {
    let constant = |value: &Value| match width {
        Width::W64 => value.as_const(),
        Width::W32 => value.as_const32().map(u64::from),
    };
    if let Some(number) = constant(right) {
        change(left, number, width);
    } else if let Some(number) = constant(left) {
        change(right, number, width);
    }
}

fn change_bits(value: &mut Value, width: Width, change: impl Fn(Tnum) -> Tnum) {
    value.bits = match width {
        Width::W64 => change(value.bits),
        Width::W32 => value.bits.with_low(change(value.bits.low())),
    };
}

fn clear_bits(value: &mut Value, mask: u64, width: Width) {
    // The kernel forgets the ranges here, so the next sync takes them from the bits alone.
    value.forget_ranges();
    change_bits(value, width, |bits| bits & Tnum::constant(!mask));
}

fn set_bit(value: &mut Value, mask: u64, width: Width) {
    if mask.is_power_of_two() {
        change_bits(value, width, |bits| bits | Tnum::constant(mask));
    }
}

/// A number that is not the least (or greatest) possible makes the range shorter by one.
fn exclude(value: &mut Value, number: u64, width: Width) {
    match width {
        Width::W64 => {
            let signed = number.cast_signed();
            value.umin = value.umin.wrapping_add((value.umin == number).into());
            value.umax = value.umax.wrapping_sub((value.umax == number).into());
            value.smin = value.smin.wrapping_add((value.smin == signed).into());
            value.smax = value.smax.wrapping_sub((value.smax == signed).into());
        }
        Width::W32 => {
            let number = number as u32;
            let signed = number.cast_signed();
            value.umin32 = value.umin32.wrapping_add((value.umin32 == number).into());
            value.umax32 = value.umax32.wrapping_sub((value.umax32 == number).into());
            value.smin32 = value.smin32.wrapping_add((value.smin32 == signed).into());
            value.smax32 = value.smax32.wrapping_sub((value.smax32 == signed).into());
        }
    }
}

fn equal(left: &mut Value, right: &mut Value, width: Width) {
    match width {
        Width::W64 => {
            left.umin = left.umin.max(right.umin);
            left.umax = left.umax.min(right.umax);
            left.smin = left.smin.max(right.smin);
            left.smax = left.smax.min(right.smax);
            left.bits = left.bits.intersect(right.bits);
            (right.umin, right.umax) = (left.umin, left.umax);
            (right.smin, right.smax) = (left.smin, left.smax);
            right.bits = left.bits;
        }
        Width::W32 => {
            left.umin32 = left.umin32.max(right.umin32);
            left.umax32 = left.umax32.min(right.umax32);
            left.smin32 = left.smin32.max(right.smin32);
            left.smax32 = left.smax32.min(right.smax32);
            (right.umin32, right.umax32) = (left.umin32, left.umax32);
            (right.smin32, right.smax32) = (left.smin32, left.smax32);
            let low = left.bits.low().intersect(right.bits.low());
            left.bits = left.bits.with_low(low);
            right.bits = right.bits.with_low(low);
        }
    }
}

/// `low < high` or `low <= high`; the bounds that the kernel moves, wrapping where it does.
fn order(low: &mut Value, high: &mut Value, cond: Cond, width: Width) {
    let strict = matches!(cond, Cond::Lt | Cond::Slt);
    match (width, matches!(cond, Cond::Lt | Cond::Le)) {
        (Width::W64, true) => {
            low.umax = low.umax.min(high.umax.wrapping_sub(strict.into()));
            high.umin = high.umin.max(low.umin.wrapping_add(strict.into()));
        }
        (Width::W32, true) => {
            low.umax32 = low.umax32.min(high.umax32.wrapping_sub(strict.into()));
            high.umin32 = high.umin32.max(low.umin32.wrapping_add(strict.into()));
        }
        (Width::W64, false) => {
            low.smax = low.smax.min(high.smax.wrapping_sub(strict.into()));
            high.smin = high.smin.max(low.smin.wrapping_add(strict.into()));
        }
        (Width::W32, false) => {
            low.smax32 = low.smax32.min(high.smax32.wrapping_sub(strict.into()));
            high.smin32 = high.smin32.max(low.smin32.wrapping_add(strict.into()));
        }
    }
}
