//! What a register holds, in words short enough for a line: names as the kernel's log has them,
//! ranges as Rust writes them.

use std::fmt::Write as _;

use super::register::{Kind, MapRef, Register};
use crate::domain::Value;
use crate::program::Program;

impl Register {
    /// What the register holds, in one line.
    #[must_use]
    pub fn describe(&self, program: &Program) -> String {
        match self.kind {
            Kind::Unset => "not set".to_owned(),
            Kind::Scalar => self.value.describe(),
            Kind::Stack(_) => {
                let mut text = "fp".to_owned();
                add_offset(&mut text, self);
                text
            }
            _ => self.describe_pointer(program),
        }
    }

    fn describe_pointer(&self, program: &Program) -> String {
        let mut facts: Vec<String> = Vec::new();
        if let Some(map) = map_of(self.kind) {
            let map = program.map(map.id);
            if matches!(self.kind, Kind::MapValue { .. }) {
                facts.push(format!("{} bytes", map.def.value_size));
            }
            facts.insert(0, format!("of {}", map.def.name));
        }
        match self.kind {
            Kind::Packet(range) | Kind::PacketMeta(range) => facts.push(match range {
                -1 => "at its end".to_owned(),
                -2 => "beyond its end".to_owned(),
                bytes => format!("checked to {bytes}"),
            }),
            Kind::Memory { size, .. } => facts.push(format!("{size} bytes")),
            _ => {}
        }
        if self.reference != 0 {
            facts.push(format!("reference {}", self.reference));
        }
        let mut text = self.kind.name();
        add_offset(&mut text, self);
        if !facts.is_empty() {
            let _ = write!(text, " ({})", facts.join(", "));
        }
        text
    }
}

fn map_of(kind: Kind) -> Option<MapRef> {
    match kind {
        Kind::MapPtr(map) | Kind::MapKey(map) | Kind::MapValue { map, .. } => Some(map),
        _ => None,
    }
}

fn add_offset(text: &mut String, pointer: &Register) {
    let fixed = i64::from(pointer.offset);
    // Writing to a string cannot fail, here and below.
    match pointer.value.as_const() {
        Some(number) => {
            let offset = fixed.wrapping_add(number.cast_signed());
            if offset != 0 {
                let _ = write!(text, "{offset:+}");
            }
        }
        None => {
            if fixed != 0 {
                let _ = write!(text, "{fixed:+}");
            }
            let _ = write!(text, "+[{}]", pointer.value.describe());
        }
    }
}

/// A number as people read it: small ones in decimal, others in hexadecimal.
fn number(value: u64) -> String {
    if value <= 0xffff {
        value.to_string()
    } else if value.cast_signed() < 0 && value.cast_signed() >= -0xffff {
        value.cast_signed().to_string()
    } else {
        format!("{value:#x}")
    }
}

fn signed_number(value: i64) -> String {
    if value < -0xffff {
        format!("-{:#x}", value.unsigned_abs())
    } else {
        number(value.cast_unsigned())
    }
}

impl Value {
    /// What is known of the number, in one line: the range that says most, and what other views add.
    #[must_use]
    pub fn describe(&self) -> String {
        if let Some(value) = self.as_const() {
            return number(value);
        }
        let mut facts = Vec::new();
        let aligned = (self.bits.value | self.bits.mask).trailing_zeros();
        // What follows from the bits that are known to be zero is not told as a range too.
        let whole = u64::MAX.checked_shl(aligned).unwrap_or(0);
        let half = u32::MAX.checked_shl(aligned).unwrap_or(0);
        let unsigned = self.umin > 0 || self.umax < whole;
        let signed = self.smin > i64::MIN || self.smax < i64::MAX & whole.cast_signed();
        if unsigned {
            facts.push(format!("{}..={}", number(self.umin), number(self.umax)));
        }
        // A number that is not negative has the same range in both views.
        if signed && self.smin < 0 {
            let (least, most) = (signed_number(self.smin), signed_number(self.smax));
            facts.push(format!("signed {least}..={most}"));
        }
        let wide_fits = self.umax <= u64::from(u32::MAX);
        let same = (self.smin, self.smax) == (self.smin32.into(), self.smax32.into());
        if !wide_fits && !same && aligned < 32 {
            if self.umin32 > 0 || self.umax32 < half {
                facts.push(format!(
                    "low half {}..={}",
                    number(self.umin32.into()),
                    number(self.umax32.into())
                ));
            } else if self.smin32 > i32::MIN || self.smax32 < i32::MAX & half.cast_signed() {
                facts.push(format!("low half signed {}..={}", self.smin32, self.smax32));
            }
        }
        if (1..64).contains(&aligned) {
            let any = if facts.is_empty() { "any " } else { "" };
            facts.push(format!("{any}multiple of {}", 1u64 << aligned));
        } else if self.bits.value != 0 && self.bits.mask.count_ones() < 32 {
            facts.push(format!("bits {}", self.bits));
        }
        if facts.is_empty() {
            "any number".to_owned()
        } else {
            facts.join(", ")
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::Value;

    #[test]
    fn numbers_are_told_by_what_is_known() {
        assert_eq!(Value::UNKNOWN.describe(), "any number");
        assert_eq!(Value::constant(7).describe(), "7");
        assert_eq!(Value::constant(u64::MAX).describe(), "-1");
        assert_eq!(Value::constant(0xff00_0000).describe(), "0xff000000");
        let mut shifted = Value::UNKNOWN;
        shifted.shift_left(3);
        assert_eq!(shifted.describe(), "any multiple of 8");
        let mut shifted = Value::UNKNOWN;
        shifted.shift_left(32);
        assert_eq!(shifted.describe(), "any multiple of 4294967296");
        shifted.shift_right_signed(32);
        assert_eq!(shifted.describe(), "signed -0x80000000..=0x7fffffff");
    }
}
