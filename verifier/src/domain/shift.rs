//! Shifts by a known count. Any other shift gives an unknown number, here as in the kernel.

use super::value::Value;

impl Value {
    /// `self <<= count` on the whole number, without [`Value::sync`].
    pub fn shift_left(&mut self, count: u32) {
        let wide = *self;
        // Compilers sign-extend by `<< 32` and `s>> 32`: the signed lower half becomes the number.
        (self.smin, self.smax) = if count == 32 {
            (i64::from(wide.smin32) << 32, i64::from(wide.smax32) << 32)
        } else {
            (i64::MIN, i64::MAX)
        };
        (self.umin, self.umax) = if wide.umax > 1 << (63 - count) {
            (0, u64::MAX)
        } else {
            (wide.umin << count, wide.umax << count)
        };
        self.shift_narrow_ranges_left(count);
        self.bits = self.bits.shift_left(count);
        self.ranges_from_bits();
    }

    /// `self <<= count` on the lower half; the upper half's ranges are forgotten.
    pub fn shift_left32(&mut self, count: u32) {
        self.shift_narrow_ranges_left(count);
        self.bits = self.bits.low().shift_left(count).low();
        self.forget_wide();
        self.narrow_ranges_from_bits();
    }

    /// `self >>= count` on the whole number, without [`Value::sync`].
    pub fn shift_right(&mut self, count: u32) {
        (self.smin, self.smax) = (i64::MIN, i64::MAX);
        self.bits = self.bits.shift_right(count);
        self.umin >>= count;
        self.umax >>= count;
        self.forget_narrow();
        self.ranges_from_bits();
    }

    /// `self >>= count` on the lower half; the upper half's ranges are forgotten.
    pub fn shift_right32(&mut self, count: u32) {
        (self.smin32, self.smax32) = (i32::MIN, i32::MAX);
        self.bits = self.bits.low().shift_right(count);
        self.umin32 >>= count;
        self.umax32 >>= count;
        self.forget_wide();
        self.narrow_ranges_from_bits();
    }

    /// `self s>>= count` on the whole number, without [`Value::sync`].
    pub fn shift_right_signed(&mut self, count: u32) {
        self.smin >>= count;
        self.smax >>= count;
        self.bits = self.bits.shift_right_signed(count, false);
        (self.umin, self.umax) = (0, u64::MAX);
        self.forget_narrow();
        self.ranges_from_bits();
    }

    /// `self s>>= count` on the lower half; the upper half's ranges are forgotten.
    pub fn shift_right_signed32(&mut self, count: u32) {
        self.smin32 >>= count;
        self.smax32 >>= count;
        self.bits = self.bits.low().shift_right_signed(count, true);
        (self.umin32, self.umax32) = (0, u32::MAX);
        self.forget_wide();
        self.narrow_ranges_from_bits();
    }

    fn shift_narrow_ranges_left(&mut self, count: u32) {
        (self.smin32, self.smax32) = (i32::MIN, i32::MAX);
        (self.umin32, self.umax32) = if count > 31 || self.umax32 > 1 << (31 - count) {
            (0, u32::MAX)
        } else {
            (self.umin32 << count, self.umax32 << count)
        };
    }
}
