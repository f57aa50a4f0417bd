//! Operands that all instructions share: registers of the right width, and immediates.

use bpf::diagnostic::{Diagnostic, Edit, Span};
use bpf::insn::{MemWidth, Operand as InsnOperand, Width};

use super::super::Syntax;
use super::super::assembler::{Assembler, FixupKind};
use super::super::ast::{Expr, Operand, Register, RegisterOperand};

impl Assembler<'_> {
    /// A source operand; `width` is what a register has to be, with the operand that demands it.
    pub(super) fn operand(
        &mut self,
        operand: Operand,
        width: Option<(RegisterOperand, Width)>,
    ) -> Result<(InsnOperand, Option<(FixupKind, Expr)>), Diagnostic> {
        match operand {
            Operand::Register(src) => match width {
                Some((other, width)) if width != src.value.width => Err(mixed(other, src)),
                _ => Ok((InsnOperand::Reg(src.value.reg), None)),
            },
            Operand::Value(value) => match self.number_unless_symbol(value, "an immediate")? {
                Some(number) => {
                    let help = "only `r1 = … ll` takes more: load it into a register first";
                    let number = self.fit_imm32(number, value.span, help)?;
                    Ok((InsnOperand::Imm(number), None))
                }
                None => Ok((InsnOperand::Imm(0), Some((FixupKind::Immediate, value)))),
            },
        }
    }

    /// The number that an operand is at this point of the file; otherwise its names are bound.
    pub(super) fn number_unless_symbol(
        &mut self,
        value: Expr,
        what: &str,
    ) -> Result<Option<i64>, Diagnostic> {
        if let Some(number) = self.arena.literal(value) {
            return Ok(Some(number));
        }
        self.plain_start(value, what)?;
        self.bind(value)?;
        Ok(self.value(value)?.as_number())
    }

    pub(super) fn fit_imm32(&self, number: i64, at: Span, help: &str) -> Result<i32, Diagnostic> {
        let fits = (i64::from(i32::MIN)..=i64::from(u32::MAX)).contains(&number);
        if fits || self.options.llvm_compat {
            return Ok(number as i32);
        }
        Err(Diagnostic::error(format!(
            "`{number}` does not fit the 32 bits of an immediate"
        ))
        .with_primary(at, format!("from {} to {}", i32::MIN, u32::MAX))
        .with_help(match self.options.syntax {
            Syntax::Llvm => help,
            Syntax::Classic => "`lddw` loads 64 bits into a register",
        }))
    }

    /// An immediate may contain parentheses and operators but not begin with them, or it could not
    /// be told from an address or a conversion.
    pub(super) fn plain_start(&self, value: Expr, what: &str) -> Result<(), Diagnostic> {
        // Where commas part the operands, nothing is taken for anything else.
        if self.options.syntax == Syntax::Classic {
            return Ok(());
        }
        let (signs, rest) = self.signs(value.span);
        let start = rest.chars().next().unwrap_or(' ');
        let message = match (signs, start) {
            (2.., _) => format!("{what} has one sign at most"),
            (_, '(' | '~' | '!') => format!("{what} cannot begin with `{start}`"),
            _ => return Ok(()),
        };
        let diagnostic = Diagnostic::error(message).with_primary(value.span, "");
        Err(match self.scope().number(value) {
            Some(number) => diagnostic.with_replacement(value.span, number.to_string()),
            None => diagnostic,
        })
    }

    /// How many signs an expression begins with, and what follows them.
    pub(super) fn signs(&self, at: Span) -> (usize, &str) {
        let text = self.sources.text(at);
        let rest = text.trim_start_matches(['-', '+', ' ', '\t']);
        let signs = text.len() - rest.len();
        (text[..signs].matches(['-', '+']).count(), rest)
    }
}

/// The same register on both sides. `base` is another register that the instruction reads, which a
/// copy into the result's register must not change.
pub(super) fn tied(
    dst: RegisterOperand,
    src: RegisterOperand,
    why: &str,
    base: Option<RegisterOperand>,
) -> Result<(), Diagnostic> {
    if dst.value == src.value {
        return Ok(());
    }
    let wanted = dst.value.to_string();
    let diagnostic = Diagnostic::error(format!("{why}: both registers have to be the same"))
        .with_primary(src.span, format!("this has to be `{wanted}`"))
        .with_secondary(dst.span, "the result goes here");
    let same_register = dst.value.reg == src.value.reg;
    if same_register || dst.value.width != src.value.width {
        return Err(diagnostic.with_replacement(src.span, wanted));
    }
    if base.is_some_and(|base| base.value.reg == dst.value.reg) {
        return Err(diagnostic);
    }
    let copy = format!("{wanted} = {}", src.value);
    let start = Span::point(dst.span.file, dst.span.start);
    let edits = [(start, format!("{copy}; ")), (src.span, wanted)];
    let edits = edits.map(|(span, replacement)| Edit { span, replacement });
    Err(diagnostic.with_suggestion(format!("write `{copy}` first"), edits.to_vec()))
}

pub(super) fn whole(register: RegisterOperand, what: &str) -> Result<(), Diagnostic> {
    if register.value.width == Width::W64 {
        return Ok(());
    }
    Err(Diagnostic::error(format!("{what} needs a whole register"))
        .with_primary(register.span, LOWER_HALF)
        .with_replacement(register.span, of_width(register, Width::W64)))
}

/// Result and operand are whole registers.
pub(super) fn both_whole(
    dst: RegisterOperand,
    src: RegisterOperand,
    what: &str,
) -> Result<(), Diagnostic> {
    let halves = [dst, src].into_iter();
    let halves: Vec<_> = halves
        .filter(|register| register.value.width == Width::W32)
        .collect();
    let Some(first) = halves.first() else {
        return Ok(());
    };
    let edits = halves.iter().map(|register| Edit {
        span: register.span,
        replacement: of_width(*register, Width::W64),
    });
    Err(Diagnostic::error(what)
        .with_primary(first.span, LOWER_HALF)
        .with_suggestion("write `r` instead of `w`", edits.collect()))
}

/// A value of 8 bytes is in an `r` register, a smaller one in a `w` register.
pub(super) fn value_width(register: RegisterOperand, width: MemWidth) -> Result<(), Diagnostic> {
    let wanted = match width {
        MemWidth::B64 => Width::W64,
        _ => Width::W32,
    };
    if register.value.width == wanted {
        return Ok(());
    }
    let (what, is) = match wanted {
        Width::W64 => ("8 bytes need a whole register", LOWER_HALF),
        Width::W32 => (
            "less than 8 bytes are in the lower half of a register",
            WHOLE,
        ),
    };
    Err(Diagnostic::error(what)
        .with_primary(register.span, is)
        .with_replacement(register.span, of_width(register, wanted)))
}

pub(super) fn mixed(one: RegisterOperand, other: RegisterOperand) -> Diagnostic {
    let [this, that] = [other, one].map(|register| match register.value.width {
        Width::W64 => WHOLE,
        Width::W32 => LOWER_HALF,
    });
    Diagnostic::error("an instruction works on whole registers or on lower halves, not on both")
        .with_primary(other.span, this)
        .with_secondary(one.span, that)
        .with_replacement(other.span, of_width(other, one.value.width))
}

const WHOLE: &str = "this is a whole register";
pub(super) const LOWER_HALF: &str = "this is the lower half of a register";

/// The same register in another width, as it is written.
pub(super) fn of_width(register: RegisterOperand, width: Width) -> String {
    let register = Register {
        width,
        ..register.value
    };
    register.to_string()
}
