//! Numbers with a fraction, and the directives whose letter says how large a datum is.

use bpf::diagnostic::{Diagnostic, Span};

use super::super::assembler::{Assembler, too_large};
use super::super::ast::{Directive, Expr, Node, UnaryOp};
use super::super::data::{DataKind, integer_bytes, low_bytes};
use super::super::layout::MAX_BYTES;
use super::super::warnings::Warning;

/// How a number with a fraction is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Float {
    /// 4 bytes
    Single,
    /// 8 bytes
    Double,
}

impl Float {
    fn size(self) -> u8 {
        match self {
            Float::Single => 4,
            Float::Double => 8,
        }
    }
}

impl Assembler<'_> {
    /// `.float`, `.double`
    pub fn floats(&mut self, directive: &Directive, float: Float) -> Result<(), Diagnostic> {
        for index in 0..directive.operands.len() {
            let expr = self.expr(directive, index, "a number")?;
            let bits = self.float(expr, float)?;
            self.emit_low(bits, float.size(), expr.span)?;
        }
        Ok(())
    }

    /// `.dc.x values`
    pub fn constants(&mut self, directive: &Directive) -> Result<(), Diagnostic> {
        match letter(self.directive_name(directive)) {
            "d" => self.floats(directive, Float::Double),
            "s" => self.floats(directive, Float::Single),
            "b" => self.data(directive, DataKind::Integer(1)),
            "l" => self.data(directive, DataKind::Integer(4)),
            "a" => self.data(directive, DataKind::Integer(8)),
            "" | "w" => self.data(directive, DataKind::Integer(2)),
            _ => Err(self.no_such_size(directive)),
        }
    }

    /// `.dcb.x count, value`
    pub fn constant_block(&mut self, directive: &Directive) -> Result<(), Diagnostic> {
        self.at_most(directive, 2)?;
        let count = self.number(directive, 0, "a count")?;
        let value = self.expr(directive, 1, "a value")?;
        let (bits, size) = match letter(self.directive_name(directive)) {
            "d" => (self.float(value, Float::Double)?, 8),
            "s" => (self.float(value, Float::Single)?, 4),
            other => {
                let size = match other {
                    "b" => 1,
                    "l" => 4,
                    "" | "w" => 2,
                    _ => return Err(self.no_such_size(directive)),
                };
                let number = self.absolute(value, "a value")?;
                self.check_size(number, size, value.span)?;
                (number as u64, size)
            }
        };
        let Some(count) = self.count_or_nothing(directive, count.value, count.span) else {
            return Ok(());
        };
        if count.saturating_mul(u64::from(size)) > MAX_BYTES {
            return Err(too_large(directive.span));
        }
        let bytes = integer_bytes(bits as i64, self.options.endian);
        let bytes = low_bytes(&bytes, size, self.options.endian).repeat(count as usize);
        self.emit(&bytes, directive.span).map(|_| ())
    }

    /// `.ds.x count`
    pub fn space_block(&mut self, directive: &Directive) -> Result<(), Diagnostic> {
        self.at_most(directive, 1)?;
        let size = match letter(self.directive_name(directive)) {
            "b" => 1,
            "" | "w" => 2,
            "l" | "s" => 4,
            "d" => 8,
            "p" | "x" => 12,
            _ => return Err(self.no_such_size(directive)),
        };
        let count = self.number(directive, 0, "a count")?;
        match self.count_or_nothing(directive, count.value, count.span) {
            None => Ok(()),
            Some(count) => {
                let filled = self.sections.fill(0, count.saturating_mul(size));
                filled.map(|_| ()).map_err(|_| too_large(directive.span))
            }
        }
    }

    fn count_or_nothing(&mut self, directive: &Directive, count: i64, at: Span) -> Option<u64> {
        let found = u64::try_from(count).ok();
        if found.is_none() {
            let name = self.directive_name(directive);
            let message = format!("`{name}` with a negative count has no effect");
            let warning = Warning::NegativeCount
                .diagnostic(message)
                .with_primary(at, "");
            self.warnings.push(warning);
        }
        found
    }

    fn no_such_size(&self, directive: &Directive) -> Diagnostic {
        let name = self.directive_name(directive);
        Diagnostic::error(format!(
            "`{name}` is for a size of number that BPF does not have"
        ))
        .with_primary(directive.name.span, "")
    }

    fn emit_low(&mut self, bits: u64, size: u8, at: Span) -> Result<(), Diagnostic> {
        let bytes = integer_bytes(bits as i64, self.options.endian);
        let bytes = low_bytes(&bytes, size, self.options.endian);
        self.emit(bytes, at).map(|_| ())
    }

    /// The bits of a number: digits or a name, with at most one sign.
    fn float(&self, expr: Expr, float: Float) -> Result<u64, Diagnostic> {
        let (node, minus) = match self.arena.nodes(expr) {
            [node] => (*node, false),
            [node, sign] if sign.value == Node::Unary(UnaryOp::Negate) => (*node, true),
            [node, sign] if sign.value == Node::Unary(UnaryOp::Plus) => (*node, false),
            _ => return Err(not_a_float(expr.span)),
        };
        let text = match node.value {
            Node::Number(_) | Node::Digits(_) | Node::Symbol(_) => self.sources.text(node.span),
            _ => "",
        };
        let bits = match (float, text.to_ascii_lowercase().as_str()) {
            (Float::Single, "nan") => Some(0x7fff_ffff),
            (Float::Double, "nan") => Some(0x7fff_ffff_ffff_ffff),
            (_, "inf" | "infinity") => Some(from_f64(f64::INFINITY, float)),
            (_, text) if text.starts_with("0x") => {
                hexadecimal(text).map(|one| from_f64(one, float))
            }
            (_, text) if !text.starts_with(|one: char| one.is_ascii_digit() || one == '.') => None,
            (Float::Single, text) => text.parse::<f32>().ok().map(|one| one.to_bits().into()),
            (Float::Double, text) => text.parse::<f64>().ok().map(f64::to_bits),
        };
        let sign = match float {
            Float::Single => 1 << 31,
            Float::Double => 1 << 63,
        };
        match bits {
            Some(bits) => Ok(bits | if minus { sign } else { 0 }),
            None => Err(not_a_float(expr.span)),
        }
    }
}

fn not_a_float(at: Span) -> Diagnostic {
    Diagnostic::error("this is no number with a fraction")
        .with_primary(at, "such as `1.5`, `-2e10`, `inf` or `nan`")
}

fn from_f64(value: f64, float: Float) -> u64 {
    match float {
        Float::Single => u64::from((value as f32).to_bits()),
        Float::Double => value.to_bits(),
    }
}

/// `0x1.8p3`; only what 53 bits hold, so that there is one rounding at most.
fn hexadecimal(text: &str) -> Option<f64> {
    let (digits, exponent) = text.strip_prefix("0x")?.split_once('p')?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mantissa = u64::from_str_radix(&format!("{whole}{fraction}"), 16).ok()?;
    let exponent = exponent
        .parse::<i32>()
        .ok()?
        .checked_sub(i32::try_from(fraction.len()).ok()? * 4)?;
    if mantissa >= 1 << 53 || !(-1000..=1000).contains(&exponent) {
        return None;
    }
    Some(mantissa as f64 * 2_f64.powi(exponent))
}

/// What follows the second dot of a directive's name.
fn letter(name: &str) -> &str {
    let rest = name.get(1..).unwrap_or("");
    rest.split_once('.').map_or("", |(_, letter)| letter)
}

#[cfg(test)]
mod tests {
    use super::hexadecimal;

    #[test]
    fn hexadecimal_fractions() {
        assert_eq!(hexadecimal("0x1.8p3"), Some(12.0));
        assert_eq!(hexadecimal("0x.8p-1"), Some(0.25));
        assert_eq!(hexadecimal("0x10p0"), Some(16.0));
        assert_eq!(hexadecimal("0x1.8"), None);
        assert_eq!(hexadecimal("0xfffffffffffffffp0"), None);
    }
}
