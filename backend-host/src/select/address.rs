//! Addresses: the frame pointer folds into the access, large offsets are added first.

use super::Selector;
use super::operands::fits_one_slot;
use crate::EmitError;
use crate::lir::{ANY, FRAME};
use bpf::insn::{AluOp, Endian, Insn, MemWidth, Operand as Source, Reg, Width};
use mir::{Inst, InstData, Opcode, Type, Value};
use regalloc2::Operand;

/// Additions to the frame pointer are looked through this deep.
const CHAIN_DEPTH: usize = 8;

/// Uses of a wide constant from which it is made in a register for all of them.
const SHARED: u32 = 3;

impl Selector<'_> {
    /// The constant offset from the frame pointer that a value is.
    pub(super) fn frame_offset(&self, value: Value) -> Option<i32> {
        crate::frame::frame_offset(self.func, value, CHAIN_DEPTH)
    }

    /// Base register and offset for an access; the operand is missing for the frame pointer.
    pub(super) fn address(
        &mut self,
        inst: Inst,
        base: Value,
        offset: i32,
    ) -> Result<(Reg, Vec<Operand>, i16), EmitError> {
        // The loader compares the offset with what the record says and then writes a new one, so
        // nothing may be folded into it.
        if self.func.is_patched(inst) {
            let offset = i16::try_from(offset).map_err(|_| EmitError::Field {
                what: "a patched offset",
            })?;
            return Ok(match self.frame_offset(base) {
                Some(0) => (FRAME, Vec::new(), offset),
                _ => (ANY, vec![self.use_of(base)], offset),
            });
        }
        let (frame, offset) = match self.frame_offset(base) {
            Some(at) => (
                true,
                at.checked_add(offset).ok_or(EmitError::Field {
                    what: "a stack offset",
                })?,
            ),
            None => (false, offset),
        };
        if let Ok(offset) = i16::try_from(offset) {
            return Ok(if frame {
                (FRAME, Vec::new(), offset)
            } else {
                (ANY, vec![self.use_of(base)], offset)
            });
        }
        let base = if frame {
            self.make_frame_address(0)
        } else {
            self.reg(base)
        };
        let add = Insn::Alu {
            width: Width::W64,
            op: AluOp::Add,
            dst: ANY,
            src: Source::Imm(offset),
        };
        let sum = self.define_reusing(add, vec![Operand::reg_use(base)]);
        Ok((ANY, vec![Operand::reg_use(sum)], 0))
    }

    /// Whether a base may be the program's context, to which older kernels refuse stores of
    /// immediates: a parameter of the function.
    pub(super) fn may_be_context(&self, base: Value) -> bool {
        matches!(
            self.func.dfg.value_def(base),
            mir::ValueDef::Param(block, _) if Some(block) == self.func.layout.entry()
        )
    }

    /// Whether an instruction is an addition whose result is only ever a frame address.
    pub(super) fn is_frame_arithmetic(&self, data: &InstData, result: Value) -> bool {
        matches!(
            data,
            InstData::Binary {
                opcode: Opcode::Iadd | Opcode::Isub,
                ty: Type::I64,
                ..
            }
        ) && self.frame_offset(result).is_some()
    }

    /// A store to the frame of a constant that takes two slots to make, as two stores of its halves. One
    /// that is made for several such stores is better made once, in a register.
    pub(super) fn halves(&self, inst: Inst, value: Value, offset: i16) -> Option<[Insn; 2]> {
        let constant = self.constant(value)?;
        let is_rare = self
            .wide_constants
            .get(&constant)
            .is_some_and(|&count| count < SHARED);
        let aligned = offset % 4 == 0;
        if fits_one_slot(constant) || !is_rare || !aligned || self.func.is_patched(inst) {
            return None;
        }
        let (low, high) = (constant as i32, (constant >> 32) as i32);
        let [first, second] = match self.module.endian {
            Endian::Little => [low, high],
            Endian::Big => [high, low],
        };
        let store = |offset, imm| Insn::Store {
            width: MemWidth::B32,
            base: FRAME,
            offset,
            src: Source::Imm(imm),
        };
        Some([store(offset, first), store(offset.checked_add(4)?, second)])
    }
}
