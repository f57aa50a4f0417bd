//! Directives that put bytes into the section that grows.

use bpf::diagnostic::{Diagnostic, Span};
use bpf::insn::Endian;

use super::assembler::{Assembler, FixupKind, too_large};
use super::ast::{Directive, Expr, Item, Node, Spanned};
use super::expression::Problem;
use super::layout::{MAX_BYTES, Padding, TooLarge};

/// What a list of values becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataKind {
    /// Integers of this many bytes.
    Integer(u8),
    /// Integers of 16 bytes.
    Octa,
    /// LEB128 numbers.
    Leb {
        /// Signed or not.
        signed: bool,
    },
}

impl Assembler<'_> {
    /// `.byte` and its kin.
    pub fn data(&mut self, directive: &Directive, kind: DataKind) -> Result<(), Diagnostic> {
        for (index, group) in directive.operands.iter().enumerate() {
            let expr = match self.only(group)? {
                Some(Item::Expr(expr)) => expr,
                Some(Item::Tag(tag)) => {
                    return Err(Diagnostic::error("expected a value").with_primary(tag.span, ""));
                }
                None => return Err(self.missing(directive, index, "a value")),
            };
            match kind {
                DataKind::Integer(size) => self.integer(expr, size)?,
                DataKind::Octa => self.octa(expr)?,
                DataKind::Leb { signed } => self.leb(expr, signed)?,
            }
        }
        Ok(())
    }

    fn integer(&mut self, expr: Expr, size: u8) -> Result<(), Diagnostic> {
        self.bind(expr)?;
        self.register_all(expr);
        match self.number_so_far(expr)? {
            Some(number) => {
                self.check_size(number, size, expr.span)?;
                let bytes = integer_bytes(number, self.options.endian);
                let bytes = low_bytes(&bytes, size, self.options.endian);
                self.emit(bytes, expr.span)?;
            }
            None => {
                let place = self.emit(&[0; 8][..size as usize], expr.span)?;
                self.add_fixup(place, FixupKind::Data(size), expr);
            }
        }
        Ok(())
    }

    /// The number that data is, if that is known already. What has no value as yet may have one when
    /// all labels are known: `(later - here) / 8`.
    fn number_so_far(&self, expr: Expr) -> Result<Option<i64>, Diagnostic> {
        match self.scope().evaluate(expr) {
            Ok(value) => Ok(value.as_number()),
            Err((Problem::NotNumbers | Problem::TooManySymbols, _)) => Ok(None),
            Err((problem, at)) => Err(self.no_value(problem, at)),
        }
    }

    /// Whether a number fits, as a signed or an unsigned one.
    pub fn check_size(&self, number: i64, size: u8, at: Span) -> Result<(), Diagnostic> {
        let bits = u32::from(size) * 8;
        if bits >= 64 || (number >= -1 << (bits - 1) && number < 1 << bits) {
            return Ok(());
        }
        let (least, most) = (-1_i64 << (bits - 1), (1_i64 << bits) - 1);
        let unit = if size == 1 {
            "1 byte"
        } else {
            &format!("{size} bytes")
        };
        Err(
            Diagnostic::error(format!("the value {number} does not fit {unit}"))
                .with_primary(at, format!("from {least} to {most}")),
        )
    }

    fn octa(&mut self, expr: Expr) -> Result<(), Diagnostic> {
        let value = match self.arena.single(expr) {
            Some(Node::Digits(digits)) => {
                let digits = self.arena.name(digits);
                let hex = digits.strip_prefix("0x").or(digits.strip_prefix("0X"));
                let parsed = match hex {
                    Some(hex) => u128::from_str_radix(hex, 16),
                    None => digits.parse(),
                };
                parsed.map_err(|_| {
                    Diagnostic::error("the value does not fit 16 bytes").with_primary(expr.span, "")
                })?
            }
            _ => match u64::try_from(self.absolute(expr, "a value of 16 bytes")?) {
                Ok(value) => u128::from(value),
                Err(_) => self.absolute(expr, "a value of 16 bytes")? as i128 as u128,
            },
        };
        let bytes = match self.options.endian {
            Endian::Little => value.to_le_bytes(),
            Endian::Big => value.to_be_bytes(),
        };
        self.emit(&bytes, expr.span)?;
        Ok(())
    }

    fn leb(&mut self, expr: Expr, signed: bool) -> Result<(), Diagnostic> {
        self.bind(expr)?;
        match self.number_so_far(expr)? {
            Some(number) => {
                let mut bytes = Vec::with_capacity(10);
                encode_leb(number, signed, 1, &mut bytes);
                self.emit(&bytes, expr.span)?;
            }
            None => {
                self.keep_nodes();
                let appended = self.sections.append_leb(expr, signed);
                appended.map_err(|TooLarge| too_large(expr.span))?;
            }
        }
        Ok(())
    }

    /// `.ascii`, `.asciz`
    pub fn ascii(&mut self, directive: &Directive, terminated: bool) -> Result<(), Diagnostic> {
        for (index, group) in directive.operands.iter().enumerate() {
            if terminated {
                self.only(group)?;
            }
            if group.items.is_empty() {
                return Err(self.missing(directive, index, "a string"));
            }
            for item in &group.items {
                let mut bytes = self.text_item(*item)?;
                if terminated {
                    bytes.push(0);
                }
                self.emit(&bytes, item.span())?;
            }
        }
        Ok(())
    }

    /// `.zero count[, byte]`
    pub fn skip(&mut self, directive: &Directive) -> Result<(), Diagnostic> {
        self.at_most(directive, 2)?;
        let count = self.number(directive, 0, "a number of bytes")?;
        let byte = self.optional_number(directive, 1, "a byte")?;
        let count = self.count(count)?;
        self.repeat(byte, count, directive.span)
    }

    fn count(&self, count: Spanned<i64>) -> Result<u64, Diagnostic> {
        u64::try_from(count.value).map_err(|_| {
            Diagnostic::error("a number of bytes cannot be negative").with_primary(count.span, "")
        })
    }

    fn repeat(
        &mut self,
        byte: Option<Spanned<i64>>,
        count: u64,
        at: Span,
    ) -> Result<(), Diagnostic> {
        let value = match byte {
            Some(byte) => {
                self.check_size(byte.value, 1, byte.span)?;
                byte.value as u8
            }
            None => 0,
        };
        if value != 0 && count != 0 {
            // Refused where the section has no bytes.
            self.emit(&[value], at)?;
            return match self.sections.fill(value, count - 1) {
                Ok(_) => Ok(()),
                Err(TooLarge) => Err(too_large(at)),
            };
        }
        match self.sections.fill(value, count) {
            Ok(_) => Ok(()),
            Err(TooLarge) => Err(too_large(at)),
        }
    }

    /// `.fill count[, size[, value]]`
    pub fn fill(&mut self, directive: &Directive) -> Result<(), Diagnostic> {
        self.at_most(directive, 3)?;
        let count = self.number(directive, 0, "a count")?;
        let count = self.count(count)?;
        let size = match self.optional_number(directive, 1, "a size")? {
            None => 1,
            Some(size) => match u8::try_from(size.value) {
                Ok(size @ 0..=8) => size,
                _ => {
                    return Err(
                        Diagnostic::error("`.fill` repeats values of at most 8 bytes")
                            .with_primary(size.span, ""),
                    );
                }
            },
        };
        let value = match self.optional_number(directive, 2, "a value")? {
            None => 0,
            Some(value) => value.value,
        };
        // At most 4 bytes of the value count, and zeros follow, as in the GNU assembler.
        let bytes = integer_bytes(value, self.options.endian);
        let mut unit = low_bytes(&bytes, size.min(4), self.options.endian).to_vec();
        unit.resize(usize::from(size), 0);
        let total = count.checked_mul(u64::from(size));
        let total = total.ok_or_else(|| too_large(directive.span))?;
        if unit.iter().all(|byte| *byte == 0) {
            return self.repeat(None, total, directive.span);
        }
        if total > MAX_BYTES {
            return Err(too_large(directive.span));
        }
        let bytes = unit.repeat(count as usize);
        self.emit(&bytes, directive.span).map(|_| ())
    }

    /// `.org offset[, byte]`
    pub fn org(&mut self, directive: &Directive) -> Result<(), Diagnostic> {
        self.at_most(directive, 2)?;
        let target = self.expr(directive, 0, "an offset")?;
        let byte = self.optional_number(directive, 1, "a byte")?;
        self.bind(target)?;
        let value = self.value(target)?;
        let base = match (value.add, value.sub) {
            (None, None) => Some(0),
            (Some(symbol), None) => self
                .scope()
                .place(symbol)
                .filter(|place| place.section == self.sections.current)
                .and_then(|place| self.sections.offset(place)),
            _ => None,
        };
        let here = self.sections.known_size();
        let (Some(base), Some(here)) = (base, here) else {
            return Err(Diagnostic::error(
                "`.org` needs an offset in this section that is known here",
            )
            .with_primary(target.span, ""));
        };
        let offset = base as i64 + value.constant;
        match u64::try_from(offset)
            .ok()
            .and_then(|to| to.checked_sub(here))
        {
            Some(count) => self.repeat(byte, count, directive.span),
            None => Err(Diagnostic::error(format!(
                "`.org` cannot go back: the section has {here} bytes here"
            ))
            .with_primary(target.span, format!("this is offset {offset}"))),
        }
    }

    /// `.p2align` (`power`) or `.balign`: `value[, byte[, most]]`
    pub fn align(&mut self, directive: &Directive, power: bool) -> Result<(), Diagnostic> {
        self.at_most(directive, 3)?;
        let value = self.number(directive, 0, "an alignment")?;
        let fill = self.optional_number(directive, 1, "a byte")?;
        let most = self.optional_number(directive, 2, "a number of bytes")?;
        let to = if power {
            match u32::try_from(value.value) {
                Ok(power @ 0..=31) => 1 << power,
                _ => {
                    return Err(
                        Diagnostic::error("an alignment is a power of two below 2^32")
                            .with_primary(value.span, "the exponent is 0 to 31"),
                    );
                }
            }
        } else {
            self.power_of_two(value)?
        };
        let most = match most {
            Some(most) => self.count(most)?,
            None => u64::MAX,
        };
        self.pad(to, fill.map(|fill| fill.value as u8), most, directive.span)
    }

    /// An alignment in bytes.
    pub fn power_of_two(&self, value: Spanned<i64>) -> Result<u64, Diagnostic> {
        match u32::try_from(value.value) {
            Ok(0) => Ok(1),
            Ok(bytes) if bytes.is_power_of_two() => Ok(u64::from(bytes)),
            _ => Err(Diagnostic::error(format!(
                "the alignment {} is no power of two",
                value.value
            ))
            .with_primary(value.span, "1, 2, 4, 8, …")),
        }
    }

    /// Pads the section that grows.
    pub fn pad(
        &mut self,
        to: u64,
        fill: Option<u8>,
        most: u64,
        at: Span,
    ) -> Result<(), Diagnostic> {
        let padding = match fill {
            Some(byte) => Padding::Byte(byte),
            None if self.sections.section().is_executable() => Padding::Instructions,
            None => Padding::Byte(0),
        };
        match self.sections.align(to, padding, most) {
            Ok(()) => Ok(()),
            Err(Some(TooLarge)) => Err(too_large(at)),
            Err(None) => Err(Diagnostic::error(
                "the gap up to the alignment is no whole number of instructions",
            )
            .with_primary(at, "instructions are 8 bytes long")
            .with_help("give the byte to fill the gap with: `.p2align 3, 0`")),
        }
    }
}

/// A number as 8 bytes.
pub fn integer_bytes(number: i64, endian: Endian) -> [u8; 8] {
    match endian {
        Endian::Little => number.to_le_bytes(),
        Endian::Big => number.to_be_bytes(),
    }
}

/// The least significant bytes of [`integer_bytes`].
pub fn low_bytes(bytes: &[u8; 8], size: u8, endian: Endian) -> &[u8] {
    let size = usize::from(size.min(8));
    match endian {
        Endian::Little => &bytes[..size],
        Endian::Big => &bytes[8 - size..],
    }
}

/// Appends a LEB128 number of at least `least` bytes.
pub fn encode_leb(number: i64, signed: bool, least: usize, bytes: &mut Vec<u8>) {
    let mut rest = number;
    let mut count = 0;
    loop {
        let low = (rest & 0x7f) as u8;
        rest = if signed {
            rest >> 7
        } else {
            ((rest as u64) >> 7) as i64
        };
        count += 1;
        let done = match signed {
            true => (rest == 0 && low & 0x40 == 0) || (rest == -1 && low & 0x40 != 0),
            false => rest == 0,
        };
        if done && count >= least {
            bytes.push(low);
            return;
        }
        bytes.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::encode_leb;

    #[test]
    fn leb128_numbers_can_be_padded() {
        let leb = |number, signed, least| {
            let mut bytes = Vec::new();
            encode_leb(number, signed, least, &mut bytes);
            bytes
        };
        assert_eq!(leb(624_485, false, 1), [0xe5, 0x8e, 0x26]);
        assert_eq!(leb(-123_456, true, 1), [0xc0, 0xbb, 0x78]);
        assert_eq!(leb(-1, true, 3), [0xff, 0xff, 0x7f]);
        assert_eq!(leb(1, false, 3), [0x81, 0x80, 0x00]);
        assert_eq!(leb(-1, false, 1).len(), 10);
        assert_eq!(leb(i64::MIN, true, 1).len(), 10);
    }
}
