//! Atomic updates of memory.

use bpf::diagnostic::Diagnostic;
use bpf::insn::{AtomicOp, Insn, MemWidth, Width};

use super::super::assembler::Assembler;
use super::super::ast::{Address, Operand, RegisterOperand, Spanned};
use super::Lowered;
use super::operand::value_width;

impl Assembler<'_> {
    pub(super) fn update(
        &mut self,
        width: Spanned<MemWidth>,
        op: Spanned<AtomicOp>,
        address: Address,
        src: Operand,
    ) -> Result<Lowered, Diagnostic> {
        atomic_width(width)?;
        let src = match src {
            Operand::Register(src) => src,
            Operand::Value(value) => {
                return Err(Diagnostic::error("an atomic update takes a register")
                    .with_primary(value.span, "load this into a register first"));
            }
        };
        // `lock *(u32 *)(r1 + 0) += r2` is older than the 32-bit registers.
        let old = width.value == MemWidth::B32 && op.value == AtomicOp::Add;
        if !old || src.value.width == Width::W32 {
            value_width(src, width.value)?;
        }
        self.atomic(width.value, op.value, false, address, src)
    }

    pub(super) fn atomic(
        &mut self,
        width: MemWidth,
        op: AtomicOp,
        fetch: bool,
        address: Address,
        src: RegisterOperand,
    ) -> Result<Lowered, Diagnostic> {
        let (base, offset) = self.address(address)?;
        let insn = Insn::Atomic {
            width,
            op,
            fetch,
            base,
            offset,
            src: src.value.reg,
        };
        Ok((insn, None))
    }
}

pub(super) fn atomic_width(width: Spanned<MemWidth>) -> Result<(), Diagnostic> {
    match width.value {
        MemWidth::B32 | MemWidth::B64 => Ok(()),
        _ => Err(Diagnostic::error("an atomic update is 4 or 8 bytes wide")
            .with_primary(width.span, "u32 or u64")),
    }
}
