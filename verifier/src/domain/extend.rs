//! Truncation, zero extension and sign extension.

use super::tnum::Tnum;
use super::value::Value;

impl Value {
    /// Clears the upper half, as a 32-bit instruction does; without [`Value::sync`].
    pub fn zero_extend32(&mut self) {
        self.bits = self.bits.low();
        self.umin = self.umin32.into();
        self.umax = self.umax32.into();
        (self.smin, self.smax) = if self.smin32 >= 0 {
            (self.smin32.into(), self.smax32.into())
        } else {
            (0, u32::MAX.into())
        };
    }

    /// Keeps the lowest `bytes` (1, 2 or 4), zero-extended.
    pub fn truncate(&mut self, bytes: u32) {
        self.bits = self.bits.truncate(bytes);
        let kept = (1u64 << (bytes * 8)) - 1;
        if self.umin & !kept == self.umax & !kept {
            self.umin &= kept;
            self.umax &= kept;
        } else {
            (self.umin, self.umax) = (0, kept);
        }
        (self.smin, self.smax) = (self.umin.cast_signed(), self.umax.cast_signed());
        if bytes < 4 {
            self.forget_narrow();
        }
        self.sync();
    }

    /// Puts the lowest `bytes` (2, 4 or 8) into the reverse order, zero-extended. Ranges say nothing
    /// of that; they come anew from the bits.
    pub fn swap_bytes(&mut self, bytes: u32) {
        self.bits = self.bits.swap_bytes(bytes);
        self.forget_ranges();
        self.sync();
    }

    /// Sign-extends the lowest `bytes` (1, 2 or 4) to the whole number.
    pub fn sign_extend(&mut self, bytes: u32) {
        if let Some(number) = self.as_const() {
            *self = Value::constant(extended(number.cast_signed(), bytes).cast_unsigned());
            return;
        }
        let drop = |number: i64| number >> (bytes * 8);
        if drop(self.smin) == drop(self.smax) {
            let (a, b) = (extended(self.smin, bytes), extended(self.smax, bytes));
            let (min, max) = (a.min(b), a.max(b));
            if (min >= 0) == (max >= 0) {
                (self.smin, self.smax) = (min, max);
                (self.umin, self.umax) = (min.cast_unsigned(), max.cast_unsigned());
                (self.smin32, self.smax32) = (min as i32, max as i32);
                (self.umin32, self.umax32) = (min as u32, max as u32);
                self.bits = Tnum::range(self.umin, self.umax);
                return;
            }
        }
        *self = Value::UNKNOWN;
        let least = i64::MIN >> (64 - bytes * 8);
        (self.smin, self.smax) = (least, !least);
        (self.smin32, self.smax32) = (least as i32, !least as i32);
    }

    /// Sign-extends the lowest `bytes` (1 or 2) within the lower half; the caller clears the upper.
    pub fn sign_extend32(&mut self, bytes: u32) {
        if let Some(number) = self.as_const() {
            let low = extended(number.cast_signed(), bytes) as u32;
            self.bits = Tnum::constant(low.into());
            (self.umin32, self.umax32) = (low, low);
            (self.smin32, self.smax32) = (low.cast_signed(), low.cast_signed());
            return;
        }
        let drop = |number: i32| number >> (bytes * 8);
        if drop(self.smin32) == drop(self.smax32) {
            let extended = |number: i32| extended(number.into(), bytes) as i32;
            let (a, b) = (extended(self.smin32), extended(self.smax32));
            let (min, max) = (a.min(b), a.max(b));
            if (min >= 0) == (max >= 0) {
                (self.smin32, self.smax32) = (min, max);
                (self.umin32, self.umax32) = (min.cast_unsigned(), max.cast_unsigned());
                let wide = |number: i32| i64::from(number).cast_unsigned();
                self.bits = Tnum::range(wide(min), wide(max)).low();
                return;
            }
        }
        let least = i32::MIN >> (32 - bytes * 8);
        (self.smin32, self.smax32) = (least, !least);
        (self.umin32, self.umax32) = (0, u32::MAX);
        self.bits = Tnum::UNKNOWN.low();
    }
}

/// The lowest `bytes` of a number, sign-extended.
fn extended(number: i64, bytes: u32) -> i64 {
    let unused = 64 - bytes * 8;
    number << unused >> unused
}
