//! Loads and stores that are not atomic, and the form of an address.

use bpf::diagnostic::Diagnostic;
use bpf::insn::{Insn, MemWidth, Operand as InsnOperand, Reg, Width};

use super::super::Syntax;
use super::super::assembler::Assembler;
use super::super::ast::{Address, Expr, Operand, RegisterOperand, Spanned};
use super::Lowered;
use super::operand::{LOWER_HALF, of_width, value_width, whole};

impl Assembler<'_> {
    pub(super) fn store(
        &mut self,
        width: Spanned<MemWidth>,
        signed: bool,
        address: Address,
        src: Operand,
    ) -> Result<Lowered, Diagnostic> {
        if signed {
            let unsigned = format!("u{}", width.value.bytes() * 8);
            return Err(Diagnostic::error("a store has no sign to extend")
                .with_primary(width.span, "this is for loads")
                .with_replacement(width.span, unsigned));
        }
        let source = match src {
            Operand::Register(src) if width.value == MemWidth::B64 => {
                value_width(src, width.value)?;
                Some(src.value.width)
            }
            Operand::Register(src) => Some(src.value.width),
            Operand::Value(_) => None,
        };
        let (base, offset) = self.address(address)?;
        let (src, fixup) = self.operand(src, source.map(|width| (address.base, width)))?;
        let insn = Insn::Store {
            width: width.value,
            base,
            offset,
            src,
        };
        Ok((insn, fixup))
    }

    pub(super) fn load_packet(
        &mut self,
        dst: RegisterOperand,
        width: Spanned<MemWidth>,
        index: Operand,
    ) -> Result<Lowered, Diagnostic> {
        packet(dst, width)?;
        if let Operand::Register(index) = index {
            whole(index, "the index of a packet load")?;
            let insn = Insn::LoadInd {
                width: width.value,
                src: index.value.reg,
                imm: 0,
            };
            return Ok((insn, None));
        }
        let (operand, fixup) = self.operand(index, None)?;
        let imm = match operand {
            InsnOperand::Imm(imm) => imm,
            InsnOperand::Reg(_) => 0,
        };
        let insn = Insn::LoadAbs {
            width: width.value,
            imm,
        };
        Ok((insn, fixup))
    }

    pub(super) fn load_packet_at(
        &mut self,
        dst: RegisterOperand,
        width: Spanned<MemWidth>,
        index: RegisterOperand,
        displacement: Expr,
    ) -> Result<Lowered, Diagnostic> {
        packet(dst, width)?;
        if self.options.llvm_compat && self.options.syntax == Syntax::Llvm {
            return Err(Diagnostic::error("a packet load has one index")
                .with_primary(displacement.span, "this is one too many"));
        }
        whole(index, "the index of a packet load")?;
        let (operand, fixup) = self.operand(Operand::Value(displacement), None)?;
        let imm = match operand {
            InsnOperand::Imm(imm) => imm,
            InsnOperand::Reg(_) => 0,
        };
        let insn = Insn::LoadInd {
            width: width.value,
            src: index.value.reg,
            imm,
        };
        Ok((insn, fixup))
    }

    /// `(base + offset)`
    pub(super) fn address(&mut self, address: Address) -> Result<(Reg, i16), Diagnostic> {
        if address.base.value.width == Width::W32 {
            return Err(Diagnostic::error("an address is a whole register")
                .with_primary(address.base.span, LOWER_HALF)
                .with_replacement(address.base.span, of_width(address.base, Width::W64)));
        }
        let base = address.base.value.reg;
        let offset = match address.offset {
            Some(offset) => offset,
            // GNU as takes it, and it can mean nothing else.
            None if !self.options.llvm_compat => return Ok((base, 0)),
            None => {
                let base = address.base;
                return Err(
                    Diagnostic::error("an address has an offset, even if it is 0")
                        .with_primary(address.span, "no offset follows the register")
                        .with_replacement(base.span, format!("{} + 0", base.value)),
                );
            }
        };
        let number = match self.arena.literal(offset) {
            Some(number) => number,
            None => self.offset(offset)?,
        };
        match i16::try_from(number) {
            Ok(number) => Ok((base, number)),
            Err(_) => Err(Diagnostic::error(format!(
                "the offset {number} does not fit the 16 bits of an address"
            ))
            .with_primary(offset.span, "from -32768 to 32767")
            .with_help("add it to the base register in an instruction of its own")),
        }
    }

    fn offset(&mut self, offset: Expr) -> Result<i64, Diagnostic> {
        // The parenthesis leaves no doubt where an offset ends.
        if !self.options.llvm_compat {
            return self.absolute(offset, "an offset");
        }
        let (signs, rest) = self.signs(offset.span);
        if signs > 1 || rest.starts_with(['(', '~', '!']) {
            let diagnostic = Diagnostic::error("an offset has one sign and a number")
                .with_primary(offset.span, "such as `+ 4` or `- 4`");
            return Err(match self.scope().number(offset) {
                Some(number) => {
                    let sign = if number < 0 { '-' } else { '+' };
                    let spelled = format!("{sign} {}", number.unsigned_abs());
                    diagnostic.with_replacement(offset.span, spelled)
                }
                None => diagnostic,
            });
        }
        self.absolute(offset, "an offset")
    }
}

/// What all packet loads have in common.
fn packet(dst: RegisterOperand, width: Spanned<MemWidth>) -> Result<(), Diagnostic> {
    if dst.value.reg != Reg(0) || dst.value.width != Width::W64 {
        return Err(Diagnostic::error("a packet load always fills r0")
            .with_primary(dst.span, "the result cannot go here")
            .with_replacement(dst.span, "r0"));
    }
    if width.value == MemWidth::B64 {
        return Err(Diagnostic::error("a packet load reads at most 4 bytes")
            .with_primary(width.span, "u8, u16 or u32"));
    }
    Ok(())
}
