//! Addition, subtraction, multiplication, and the bitwise operations.
//!
//! Each operation computes every view from the operands' same view; the caller then lets the views
//! learn from each other ([`Value::sync`]), after clearing the upper half where the instruction is
//! a 32-bit one. Sound because every view is computed by itself from sound views.

use super::tnum::Tnum;
use super::value::Value;

/// The range of `low..=high` moved by `low_by..=high_by`, if either no sum wraps or all do.
macro_rules! moved_range {
    ($low:expr, $high:expr, $low_by:expr, $high_by:expr, $operation:ident, $all:expr) => {{
        let (low, low_wraps) = $low.$operation($low_by);
        let (high, high_wraps) = $high.$operation($high_by);
        if low_wraps == high_wraps {
            (low, high)
        } else {
            $all
        }
    }};
}

/// For signed numbers the direction of the overflow matters, so only "none wraps" is safe.
macro_rules! moved_signed {
    ($low:expr, $high:expr, $low_by:expr, $high_by:expr, $operation:ident, $all:expr) => {{
        match ($low.$operation($low_by), $high.$operation($high_by)) {
            (Some(low), Some(high)) => (low, high),
            _ => $all,
        }
    }};
}

/// The least and greatest of the four products of bounds, if none overflows.
macro_rules! product_range {
    ($low:expr, $high:expr, $other_low:expr, $other_high:expr, $all:expr) => {{
        let products = [
            $low.checked_mul($other_low),
            $low.checked_mul($other_high),
            $high.checked_mul($other_low),
            $high.checked_mul($other_high),
        ];
        match products {
            [Some(a), Some(b), Some(c), Some(d)] => {
                (a.min(b).min(c).min(d), a.max(b).max(c).max(d))
            }
            _ => $all,
        }
    }};
}

const ALL32: (u32, u32) = (0, u32::MAX);
const ALL64: (u64, u64) = (0, u64::MAX);
const ALL_SIGNED32: (i32, i32) = (i32::MIN, i32::MAX);
const ALL_SIGNED64: (i64, i64) = (i64::MIN, i64::MAX);

impl Value {
    /// `self += other`, without [`Value::sync`].
    pub fn add(&mut self, other: &Value) {
        (self.smin32, self.smax32) = moved_signed!(
            self.smin32,
            self.smax32,
            other.smin32,
            other.smax32,
            checked_add,
            ALL_SIGNED32
        );
        (self.umin32, self.umax32) = moved_range!(
            self.umin32,
            self.umax32,
            other.umin32,
            other.umax32,
            overflowing_add,
            ALL32
        );
        (self.smin, self.smax) = moved_signed!(
            self.smin,
            self.smax,
            other.smin,
            other.smax,
            checked_add,
            ALL_SIGNED64
        );
        (self.umin, self.umax) = moved_range!(
            self.umin,
            self.umax,
            other.umin,
            other.umax,
            overflowing_add,
            ALL64
        );
        self.bits = self.bits + other.bits;
    }

    /// `self -= other`, without [`Value::sync`].
    pub fn sub(&mut self, other: &Value) {
        (self.smin32, self.smax32) = moved_signed!(
            self.smin32,
            self.smax32,
            other.smax32,
            other.smin32,
            checked_sub,
            ALL_SIGNED32
        );
        (self.umin32, self.umax32) = moved_range!(
            self.umin32,
            self.umax32,
            other.umax32,
            other.umin32,
            overflowing_sub,
            ALL32
        );
        (self.smin, self.smax) = moved_signed!(
            self.smin,
            self.smax,
            other.smax,
            other.smin,
            checked_sub,
            ALL_SIGNED64
        );
        (self.umin, self.umax) = moved_range!(
            self.umin,
            self.umax,
            other.umax,
            other.umin,
            overflowing_sub,
            ALL64
        );
        self.bits = self.bits - other.bits;
    }

    /// `self = -self`, without [`Value::sync`].
    pub fn neg(&mut self) {
        let operand = *self;
        *self = Value::constant(0);
        self.sub(&operand);
    }

    /// `self *= other`, without [`Value::sync`].
    pub fn mul(&mut self, other: &Value) {
        (self.umin32, self.umax32) = match (
            self.umin32.checked_mul(other.umin32),
            self.umax32.checked_mul(other.umax32),
        ) {
            (Some(low), Some(high)) => (low, high),
            _ => ALL32,
        };
        (self.smin32, self.smax32) = product_range!(
            self.smin32,
            self.smax32,
            other.smin32,
            other.smax32,
            ALL_SIGNED32
        );
        (self.umin, self.umax) = match (
            self.umin.checked_mul(other.umin),
            self.umax.checked_mul(other.umax),
        ) {
            (Some(low), Some(high)) => (low, high),
            _ => ALL64,
        };
        (self.smin, self.smax) =
            product_range!(self.smin, self.smax, other.smin, other.smax, ALL_SIGNED64);
        self.bits = self.bits * other.bits;
    }

    /// `self &= other`, without [`Value::sync`].
    pub fn and(&mut self, other: &Value) {
        self.bits = self.bits & other.bits;
        let (narrow, wide) = (self.bits.low(), self.bits);
        // No bit can appear, so neither operand can be exceeded.
        let umax32 = self.umax32.min(other.umax32);
        self.set_narrow_unsigned(narrow, umax32, other);
        let umax = self.umax.min(other.umax);
        self.set_wide_unsigned(wide, umax, other);
    }

    /// `self |= other`, without [`Value::sync`].
    pub fn or(&mut self, other: &Value) {
        self.bits = self.bits | other.bits;
        let (narrow, wide) = (self.bits.low(), self.bits);
        if !self.set_narrow_if_known(other) {
            self.umin32 = self.umin32.max(other.umin32);
            self.umax32 = (narrow.value | narrow.mask) as u32;
            self.signed32_from_unsigned();
        }
        if !self.set_wide_if_known(other) {
            self.umin = self.umin.max(other.umin);
            self.umax = wide.value | wide.mask;
            self.signed_from_unsigned();
            self.ranges_from_bits();
        }
    }

    /// `self ^= other`, without [`Value::sync`].
    pub fn xor(&mut self, other: &Value) {
        self.bits = self.bits ^ other.bits;
        let (narrow, wide) = (self.bits.low(), self.bits);
        let umax32 = (narrow.value | narrow.mask) as u32;
        self.set_narrow_unsigned(narrow, umax32, other);
        let umax = wide.value | wide.mask;
        self.set_wide_unsigned(wide, umax, other);
    }

    fn set_narrow_unsigned(&mut self, bits: Tnum, umax: u32, other: &Value) {
        if !self.set_narrow_if_known(other) {
            (self.umin32, self.umax32) = (bits.value as u32, umax);
            self.signed32_from_unsigned();
        }
    }

    fn set_wide_unsigned(&mut self, bits: Tnum, umax: u64, other: &Value) {
        if !self.set_wide_if_known(other) {
            (self.umin, self.umax) = (bits.value, umax);
            self.signed_from_unsigned();
            self.ranges_from_bits();
        }
    }

    /// Sets the lower half to a known result. As in the kernel, only where the other operand is
    /// known too: otherwise [`Value::sync`] finds the ranges.
    fn set_narrow_if_known(&mut self, other: &Value) -> bool {
        match (self.as_const32(), other.as_const32()) {
            (Some(low), Some(_)) => {
                self.set_narrow(low);
                true
            }
            _ => false,
        }
    }

    /// [`Value::set_narrow_if_known`] for the whole number.
    fn set_wide_if_known(&mut self, other: &Value) -> bool {
        match (self.as_const(), other.as_const()) {
            (Some(number), Some(_)) => {
                *self = Value::constant(number);
                true
            }
            _ => false,
        }
    }

    fn signed32_from_unsigned(&mut self) {
        let (min, max) = (self.umin32.cast_signed(), self.umax32.cast_signed());
        (self.smin32, self.smax32) = if min <= max { (min, max) } else { ALL_SIGNED32 };
    }

    fn signed_from_unsigned(&mut self) {
        let (min, max) = (self.umin.cast_signed(), self.umax.cast_signed());
        (self.smin, self.smax) = if min <= max { (min, max) } else { ALL_SIGNED64 };
    }
}
