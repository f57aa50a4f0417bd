//! The five views of a number, and how they learn from each other.

use super::tnum::Tnum;

/// What is known of a 64-bit number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Value {
    /// Known bits.
    pub bits: Tnum,
    /// Least as an unsigned number.
    pub umin: u64,
    /// Greatest as an unsigned number.
    pub umax: u64,
    /// Least as a signed number.
    pub smin: i64,
    /// Greatest as a signed number.
    pub smax: i64,
    /// Least lower half, unsigned.
    pub umin32: u32,
    /// Greatest lower half, unsigned.
    pub umax32: u32,
    /// Least lower half, signed.
    pub smin32: i32,
    /// Greatest lower half, signed.
    pub smax32: i32,
}

const LOW: u64 = 0xffff_ffff;

impl Value {
    /// Nothing is known.
    pub const UNKNOWN: Value = Value {
        bits: Tnum::UNKNOWN,
        umin: 0,
        umax: u64::MAX,
        smin: i64::MIN,
        smax: i64::MAX,
        umin32: 0,
        umax32: u32::MAX,
        smin32: i32::MIN,
        smax32: i32::MAX,
    };

    /// Exactly one number.
    #[must_use]
    pub const fn constant(number: u64) -> Value {
        let low = number as u32;
        Value {
            bits: Tnum::constant(number),
            umin: number,
            umax: number,
            smin: number.cast_signed(),
            smax: number.cast_signed(),
            umin32: low,
            umax32: low,
            smin32: low.cast_signed(),
            smax32: low.cast_signed(),
        }
    }

    /// The number, if there is only one.
    #[must_use]
    pub fn as_const(&self) -> Option<u64> {
        self.bits.is_const().then_some(self.bits.value)
    }

    /// The lower half, if it is known.
    #[must_use]
    pub fn as_const32(&self) -> Option<u32> {
        let low = self.bits.low();
        low.is_const().then_some(low.value as u32)
    }

    /// Whether the number is zero for certain.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.bits.is(0)
    }

    /// Bits that the greatest unsigned number takes.
    #[must_use]
    pub fn width(&self) -> u32 {
        64 - self.umax.leading_zeros()
    }

    /// Whether a number is in all views.
    #[must_use]
    pub fn contains(&self, number: u64) -> bool {
        let low = number as u32;
        self.bits.contains(number)
            && (self.umin..=self.umax).contains(&number)
            && (self.smin..=self.smax).contains(&number.cast_signed())
            && (self.umin32..=self.umax32).contains(&low)
            && (self.smin32..=self.smax32).contains(&low.cast_signed())
    }

    /// Whether each view of `other` lies within the same view of `self`.
    #[must_use]
    pub fn includes(&self, other: &Value) -> bool {
        self.ranges_include(other) && self.bits.includes(other.bits)
    }

    /// [`Value::includes`] for the ranges alone.
    #[must_use]
    pub fn ranges_include(&self, other: &Value) -> bool {
        self.umin <= other.umin
            && self.umax >= other.umax
            && self.smin <= other.smin
            && self.smax >= other.smax
            && self.umin32 <= other.umin32
            && self.umax32 >= other.umax32
            && self.smin32 <= other.smin32
            && self.smax32 >= other.smax32
    }

    /// Forgets the ranges of the whole number.
    pub fn forget_wide(&mut self) {
        (self.umin, self.umax) = (0, u64::MAX);
        (self.smin, self.smax) = (i64::MIN, i64::MAX);
    }

    /// Forgets the ranges of the lower half.
    pub fn forget_narrow(&mut self) {
        (self.umin32, self.umax32) = (0, u32::MAX);
        (self.smin32, self.smax32) = (i32::MIN, i32::MAX);
    }

    /// Forgets all ranges.
    pub fn forget_ranges(&mut self) {
        self.forget_wide();
        self.forget_narrow();
    }

    /// Narrows the signed range to `min..=max`, and tells the other views.
    pub fn limit_signed(&mut self, min: i64, max: i64) {
        self.smin = self.smin.max(min);
        self.smax = self.smax.min(max);
        if let (Ok(min), Ok(max)) = (i32::try_from(min), i32::try_from(max)) {
            self.smin32 = self.smin32.max(min);
            self.smax32 = self.smax32.min(max);
        }
        self.sync();
    }

    /// Lets the views learn from each other.
    pub fn sync(&mut self) {
        self.ranges_from_bits();
        for _ in 0..3 {
            self.narrow_from_ranges();
            self.wide_from_ranges();
            self.wide_from_narrow();
        }
        self.bits_from_ranges();
        self.ranges_from_bits();
    }

    /// Sets the lower half to one number; the upper half keeps its known bits.
    pub fn set_narrow(&mut self, number: u32) {
        self.bits = self.bits.with_low(Tnum::constant(number.into()));
        (self.umin32, self.umax32) = (number, number);
        let signed = number.cast_signed();
        (self.smin32, self.smax32) = (signed, signed);
    }

    /// Whether the views contradict each other or disagree on a constant. That comes of comparing
    /// on paths that can't be taken; the kernel then forgets the ranges.
    #[must_use]
    pub fn is_inconsistent(&self) -> bool {
        if self.umin > self.umax
            || self.smin > self.smax
            || self.umin32 > self.umax32
            || self.smin32 > self.smax32
        {
            return true;
        }
        let narrow = self.as_const32().is_some_and(|low| {
            let of_low = Value::constant(low.into());
            (self.umin32, self.umax32) != (low, low)
                || (self.smin32, self.smax32) != (of_low.smin32, of_low.smax32)
        });
        let wide = self.as_const().is_some_and(|number| {
            (self.umin, self.umax) != (number, number)
                || (self.smin, self.smax) != (number.cast_signed(), number.cast_signed())
        });
        narrow || wide
    }

    pub(super) fn narrow_ranges_from_bits(&mut self) {
        let low = self.bits.low();
        let (value, mask) = (low.value as u32, low.mask as u32);
        let sign = 1 << 31;
        self.smin32 = self.smin32.max((value | (mask & sign)).cast_signed());
        self.smax32 = self.smax32.min((value | (mask & !sign)).cast_signed());
        self.umin32 = self.umin32.max(value);
        self.umax32 = self.umax32.min(value | mask);
    }

    pub(super) fn wide_ranges_from_bits(&mut self) {
        let Tnum { value, mask } = self.bits;
        let sign = 1 << 63;
        self.smin = self.smin.max((value | (mask & sign)).cast_signed());
        self.smax = self.smax.min((value | (mask & !sign)).cast_signed());
        self.umin = self.umin.max(value);
        self.umax = self.umax.min(value | mask);
        self.settle_on_only_member();
    }

    /// Where known bits and range have one number in common, it is that.
    fn settle_on_only_member(&mut self) {
        let bits = self.bits;
        let next = bits.next_above(self.umin);
        let starts = bits.contains(self.umin);
        let only_next = || {
            !starts
                && (next == bits.greatest()
                    || (next <= self.umax && bits.next_above(next) > self.umax))
        };
        if starts && next > self.umax {
            *self = Value::constant(self.umin);
        } else if only_next() {
            *self = Value::constant(next);
        }
    }

    pub(super) fn ranges_from_bits(&mut self) {
        self.narrow_ranges_from_bits();
        self.wide_ranges_from_bits();
    }

    fn limit_umin32(&mut self, min: u32, max: u32) {
        self.umin32 = self.umin32.max(min);
        self.umax32 = self.umax32.min(max);
    }

    fn limit_smin32(&mut self, min: i32, max: i32) {
        self.smin32 = self.smin32.max(min);
        self.smax32 = self.smax32.min(max);
    }

    /// What the whole number's ranges, and each of the two lower ranges, say of the lower half.
    fn narrow_from_ranges(&mut self) {
        let unsigned = (self.umin, self.umax);
        let signed = (self.smin.cast_unsigned(), self.smax.cast_unsigned());
        for (min, max) in [unsigned, signed] {
            let (low_min, low_max) = (min as u32, max as u32);
            let (min32, max32) = (low_min.cast_signed(), low_max.cast_signed());
            if min >> 32 == max >> 32 {
                // One upper half: the lower halves are in order.
                if low_min <= low_max {
                    self.limit_umin32(low_min, low_max);
                }
                if min32 <= max32 {
                    self.limit_smin32(min32, max32);
                }
            } else if ((min >> 32) as u32).wrapping_add(1) == (max >> 32) as u32
                && min32 < 0
                && max32 >= 0
            {
                // The range passes one multiple of 2^32: negative lower halves, then the others.
                self.limit_smin32(min32, max32);
            }
        }
        let (min, max) = (self.umin32.cast_signed(), self.umax32.cast_signed());
        if min <= max {
            self.limit_smin32(min, max);
        }
        let (min, max) = (self.smin32.cast_unsigned(), self.smax32.cast_unsigned());
        if min <= max {
            self.limit_umin32(min, max);
        } else if self.umax32 < min {
            // The signed range wraps; its upper part is out of the unsigned one.
            self.smin32 = self.umin32.cast_signed();
            self.umax32 = self.umax32.min(max);
        } else if max < self.umin32 {
            self.smax32 = self.umax32.cast_signed();
            self.umin32 = self.umin32.max(min);
        }
    }

    /// What the unsigned and the signed range of the whole number say of each other.
    fn wide_from_ranges(&mut self) {
        let (min, max) = (self.umin.cast_signed(), self.umax.cast_signed());
        if min <= max {
            self.smin = self.smin.max(min);
            self.smax = self.smax.min(max);
        }
        let (min, max) = (self.smin.cast_unsigned(), self.smax.cast_unsigned());
        if min <= max {
            self.umin = self.umin.max(min);
            self.umax = self.umax.min(max);
        } else if self.umax < min {
            self.smin = self.umin.cast_signed();
            self.umax = self.umax.min(max);
        } else if max < self.umin {
            self.smax = self.umax.cast_signed();
            self.umin = self.umin.max(min);
        }
    }

    /// What the lower half's ranges say of the whole number.
    fn wide_from_narrow(&mut self) {
        self.limit_low_halves(self.umin32, self.umax32);
        let (min, max) = (self.smin32.cast_unsigned(), self.smax32.cast_unsigned());
        if min <= max {
            self.limit_low_halves(min, max);
        }
        let narrow = i64::from(i32::MIN)..=i64::from(i32::MAX);
        if self.smin32 >= 0 && narrow.contains(&self.smin) && narrow.contains(&self.smax) {
            // A number that fits 32 bits with its sign, and is not negative, is its lower half.
            (self.smin, self.smax) = (self.smin32.into(), self.smax32.into());
            self.umin = self.smin.cast_unsigned();
            self.umax = self.smax.cast_unsigned();
            self.bits = self.bits.intersect(Tnum::range(self.umin, self.umax));
        }
    }

    /// With the upper half of a bound as it is, its lower half cannot be outside `min..=max`.
    fn limit_low_halves(&mut self, min: u32, max: u32) {
        let with_low = |number: u64, low: u32| (number & !LOW) | u64::from(low);
        let least = with_low(self.umin, min);
        let greatest = with_low(self.umax, max);
        self.umin = self.umin.max(least);
        self.umax = self.umax.min(greatest);
        let least = with_low(self.smin.cast_unsigned(), min).cast_signed();
        let greatest = with_low(self.smax.cast_unsigned(), max).cast_signed();
        self.smin = self.smin.max(least);
        self.smax = self.smax.min(greatest);
    }

    fn bits_from_ranges(&mut self) {
        let wide = self.bits.intersect(Tnum::range(self.umin, self.umax));
        let narrow = wide
            .low()
            .intersect(Tnum::range(self.umin32.into(), self.umax32.into()));
        self.bits = wide.high() | narrow;
    }
}
