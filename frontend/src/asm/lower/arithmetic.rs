//! Instructions that compute in registers, and constants that are loaded into them.

use bpf::diagnostic::{Diagnostic, Span};
use bpf::insn::{AluOp, Insn, MemWidth, Pseudo, Width};

use super::super::Syntax;
use super::super::assembler::{Assembler, FixupKind};
use super::super::ast::{Expr, Operand, RegisterOperand, Spanned};
use super::super::warnings::Warning;
use super::Lowered;
use super::operand::{mixed, of_width, whole};

impl Assembler<'_> {
    pub(super) fn alu(
        &mut self,
        dst: RegisterOperand,
        op: AluOp,
        src: Operand,
    ) -> Result<Lowered, Diagnostic> {
        let mut width = dst.value.width;
        let is_wide_move = op == AluOp::Mov && width == Width::W64;
        match src {
            Operand::Value(value) if is_wide_move => self.warn_of_suffix(value),
            // `r1 = w2` is how the compiler prints a move that clears the upper half.
            Operand::Register(src) if is_wide_move => width = src.value.width,
            _ => {}
        }
        let lowered = self.operand(src, Some((dst, width)));
        let (src, fixup) = lowered.map_err(|diagnostic| match src {
            Operand::Value(value) if is_wide_move => self.or_wide(value, diagnostic),
            _ => diagnostic,
        })?;
        let insn = Insn::Alu {
            width,
            op,
            dst: dst.value.reg,
            src,
        };
        Ok((insn, fixup))
    }

    /// What is too wide for a move has an instruction of its own.
    fn or_wide(&self, value: Expr, mut diagnostic: Diagnostic) -> Diagnostic {
        // Nothing else can be wrong with a number as it is written.
        if self.arena.literal(value).is_none() || self.options.syntax == Syntax::Classic {
            return diagnostic;
        }
        diagnostic.help.clear();
        let end = Span::point(value.span.file, value.span.end);
        diagnostic.with_change("`ll` loads 64 bits into a register", end, " ll")
    }

    /// `5ll` is a number with a suffix as in C, and `5 ll` asks for 64 bits.
    fn warn_of_suffix(&mut self, value: Expr) {
        let text = self.sources.text(value.span);
        if self.options.llvm_compat || !text.ends_with("ll") {
            return;
        }
        let digits = text.trim_end_matches("ll");
        if !digits.ends_with(|one: char| one.is_ascii_hexdigit()) {
            return;
        }
        self.warnings.push(
            Warning::Suffix
                .diagnostic("the `ll` is part of the number, and the instruction has 32 bits")
                .with_primary(value.span, "")
                .with_change(
                    format!("`{digits} ll` loads 64 bits"),
                    value.span,
                    format!("{digits} ll"),
                )
                .with_change(
                    format!("`{digits}` says the same as this"),
                    value.span,
                    digits,
                ),
        );
    }

    pub(super) fn load_wide(
        &mut self,
        dst: RegisterOperand,
        value: Expr,
    ) -> Result<Lowered, Diagnostic> {
        whole(dst, "a 64-bit immediate")?;
        let number = self.number_unless_symbol(value, "an immediate")?;
        let insn = Insn::LoadImm64 {
            dst: dst.value.reg,
            pseudo: Pseudo(0),
            imm: number.unwrap_or(0) as u64,
        };
        let fixup = match number {
            Some(_) => None,
            None => Some((FixupKind::Wide, value)),
        };
        Ok((insn, fixup))
    }

    pub(super) fn load_pseudo(
        &mut self,
        dst: RegisterOperand,
        pseudo: Expr,
        value: Expr,
    ) -> Result<Lowered, Diagnostic> {
        whole(dst, "a 64-bit immediate")?;
        let number = self.absolute(pseudo, "the kind of a `ld_pseudo`")?;
        let mut imm = self.absolute(value, "the immediate of a `ld_pseudo`")? as u64;
        let kind = u8::try_from(number).ok().filter(|kind| *kind < 16);
        let kind = match kind {
            // The upper half comes from the wrong operand there.
            _ if self.options.llvm_compat => {
                imm = imm & 0xffff_ffff | (number as u64 >> 32) << 32;
                (number & 15) as u8
            }
            Some(kind) => kind,
            None => {
                return Err(Diagnostic::error("the kind of a `ld_pseudo` is 0 to 15")
                    .with_primary(pseudo.span, "it has 4 bits in the instruction"));
            }
        };
        let insn = Insn::LoadImm64 {
            dst: dst.value.reg,
            pseudo: Pseudo(kind),
            imm,
        };
        Ok((insn, None))
    }

    pub(super) fn address_space(&mut self, space: Expr) -> Result<u16, Diagnostic> {
        let number = self.absolute(space, "an address space")?;
        if self.options.llvm_compat {
            return Ok(number as u16);
        }
        u16::try_from(number).map_err(|_| {
            Diagnostic::error("an address space is a number from 0 to 65535")
                .with_primary(space.span, "")
        })
    }
}

pub(super) fn extend(
    dst: RegisterOperand,
    from: Spanned<MemWidth>,
    signed: bool,
    src: RegisterOperand,
) -> Result<Lowered, Diagnostic> {
    let all = dst.span.to(src.span);
    let (to, by) = (dst.value, src.value);
    if !signed {
        let diagnostic = Diagnostic::error("only the sign can be extended")
            .with_primary(from.span, "s8, s16 or s32");
        let mask = match from.value {
            MemWidth::B8 => "0xff",
            MemWidth::B16 => "0xffff",
            _ => {
                let [to, by] = [dst, src].map(|register| of_width(register, Width::W32));
                return Err(diagnostic.with_replacement(all, format!("{to} = {by}")));
            }
        };
        let masked = format!("{to} &= {mask}");
        return Err(match (to == by, to.width == by.width) {
            (true, _) => diagnostic.with_replacement(all, masked),
            (_, true) => diagnostic.with_replacement(all, format!("{to} = {by}; {masked}")),
            _ => diagnostic.with_help("the upper bits are cleared by `&=`"),
        });
    }
    if to.width != by.width {
        return Err(mixed(dst, src));
    }
    let bits = match from.value {
        MemWidth::B8 => 8,
        MemWidth::B16 => 16,
        _ if to.width == Width::W64 => 32,
        _ => {
            return Err(
                Diagnostic::error("32 bits already fill the lower half of a register")
                    .with_primary(from.span, "s8 or s16")
                    .with_secondary(dst.span, "")
                    .with_replacement(all, format!("{to} = {by}")),
            );
        }
    };
    let insn = Insn::Movsx {
        width: dst.value.width,
        bits,
        dst: dst.value.reg,
        src: src.value.reg,
    };
    Ok((insn, None))
}
