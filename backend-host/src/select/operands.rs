//! Operands: what folds into an immediate, and what is made anew at its use.

use super::Selector;
use crate::lir::{ANY, FRAME, LirOp};
use bpf::insn::{AluOp, Insn, Operand as Source, Pseudo, Width};
use mir::{Inst, InstData, Opcode, SymbolKind, Type, Value};
use regalloc2::{Operand, VReg};

/// Conversions of constants are looked through this deep; passes fold them anyway.
const CONVERSION_DEPTH: usize = 4;

impl Selector<'_> {
    /// The constant that a value is: 64-bit for `i64`, sign-extended for `i32`.
    pub(super) fn constant(&self, value: Value) -> Option<i64> {
        self.constant_within(value, CONVERSION_DEPTH)
    }

    fn constant_within(&self, value: Value, depth: usize) -> Option<i64> {
        let (inst, data) = self.func.dfg.def_inst(value)?;
        match *data {
            InstData::Const { imm, .. } if !self.func.is_patched(inst) => Some(imm),
            InstData::Unary { opcode, arg, .. } if depth > 0 => {
                let inner = self.constant_within(arg, depth - 1)?;
                match opcode {
                    Opcode::Zext => Some(i64::from(inner as u32)),
                    Opcode::Trunc | Opcode::Sext => Some(i64::from(inner as i32)),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The constant, if it fits an instruction's immediate.
    pub(super) fn immediate(&self, value: Value) -> Option<i32> {
        i32::try_from(self.constant(value)?).ok()
    }

    /// Whether a value is made at each use and so has no register of its own.
    pub(super) fn is_remade(&self, value: Value) -> bool {
        if let Some(constant) = self.constant(value) {
            return fits_one_slot(constant) || self.uses[value] <= 1;
        }
        if self.frame_offset(value).is_some() || self.is_undef(value) {
            return true;
        }
        match self.func.dfg.def_inst(value) {
            Some((inst, &InstData::SymbolAddr { symbol })) if !self.func.is_patched(inst) => {
                // Users of maps take them in an argument register, which the call destroys;
                // addresses of data are bases of several accesses.
                matches!(
                    self.module.symbols[symbol].kind,
                    SymbolKind::Map | SymbolKind::Function(_)
                ) || self.uses[value] <= 1
            }
            _ => false,
        }
    }

    /// A register with the value, at this place.
    pub(super) fn reg(&mut self, value: Value) -> VReg {
        let remade = self.anchored[value] && self.is_remade(value);
        if let Some(vreg) = self.vregs[value]
            && !remade
        {
            return vreg;
        }
        self.remake(value)
    }

    /// Makes a value that needs no register of its own in a fresh one.
    pub(super) fn remake(&mut self, value: Value) -> VReg {
        if let Some(constant) = self.constant(value) {
            return self.make_constant(self.func.dfg.value_type(value), constant);
        }
        if let Some(offset) = self.frame_offset(value) {
            return self.make_frame_address(offset);
        }
        let remade = match self.func.dfg.def_inst(value) {
            Some((inst, &InstData::SymbolAddr { symbol })) => Some((inst, symbol)),
            _ => None,
        };
        if let Some((inst, symbol)) = remade {
            return self.make_symbol(inst, symbol);
        }
        // Unset, or (which well-formedness excludes) not selected yet.
        let vreg = self.new_vreg();
        self.push(LirOp::Undef, vec![Operand::reg_def(vreg)]);
        vreg
    }

    pub(super) fn use_of(&mut self, value: Value) -> Operand {
        Operand::reg_use(self.reg(value))
    }

    /// Makes a constant in a fresh register.
    pub(super) fn make_constant(&mut self, ty: Type, constant: i64) -> VReg {
        let narrow = |imm: i32| Insn::Alu {
            width: Width::W32,
            op: AluOp::Mov,
            dst: ANY,
            src: Source::Imm(imm),
        };
        if ty == Type::I32 {
            let vreg = self.define(narrow(constant as i32), Vec::new());
            self.mark_clean(vreg);
            return vreg;
        }
        let (template, clean) = match (i32::try_from(constant), u32::try_from(constant)) {
            (Ok(imm), _) => (
                Insn::Alu {
                    width: Width::W64,
                    op: AluOp::Mov,
                    dst: ANY,
                    src: Source::Imm(imm),
                },
                imm >= 0,
            ),
            (_, Ok(imm)) => (narrow(imm as i32), true),
            _ => (
                Insn::LoadImm64 {
                    dst: ANY,
                    pseudo: Pseudo(0),
                    imm: constant as u64,
                },
                false,
            ),
        };
        let vreg = self.define(template, Vec::new());
        if clean {
            self.mark_clean(vreg);
        }
        vreg
    }

    /// Copies a register: the copy has the same value and, to the verifier, the same identity.
    pub(super) fn copy(&mut self, source: VReg) -> VReg {
        let template = Insn::Alu {
            width: Width::W64,
            op: AluOp::Mov,
            dst: ANY,
            src: Source::Reg(ANY),
        };
        let clean = self.is_clean(source);
        let vreg = self.define(template, vec![Operand::reg_use(source)]);
        if clean {
            self.mark_clean(vreg);
        }
        vreg
    }

    /// Makes the frame pointer plus an offset in a fresh register.
    pub(super) fn make_frame_address(&mut self, offset: i32) -> VReg {
        if self.strategy.share_frame_addresses
            && let Some(&shared) = self.frame_addresses.get(&offset)
        {
            return shared;
        }
        let copy = Insn::Alu {
            width: Width::W64,
            op: AluOp::Mov,
            dst: ANY,
            src: Source::Reg(FRAME),
        };
        let vreg = self.define(copy, Vec::new());
        if offset == 0 {
            return vreg;
        }
        let add = Insn::Alu {
            width: Width::W64,
            op: AluOp::Add,
            dst: ANY,
            src: Source::Imm(offset),
        };
        let sum = self.define_reusing(add, vec![Operand::reg_use(vreg)]);
        self.frame_addresses.insert(offset, sum);
        sum
    }

    /// Loads a symbol into a fresh register.
    pub(super) fn make_symbol(&mut self, inst: Inst, symbol: mir::Symbol) -> VReg {
        let vreg = self.new_vreg();
        let relo = self.func.core_relos[inst].expand();
        self.push(LirOp::Symbol(symbol), vec![Operand::reg_def(vreg)])
            .core_relo = relo;
        vreg
    }
}

/// Whether a constant is made by one `mov`: sign-extended by the 64-bit form, or zero-extended by
/// the 32-bit form.
pub(super) fn fits_one_slot(constant: i64) -> bool {
    i32::try_from(constant).is_ok() || u32::try_from(constant).is_ok()
}
