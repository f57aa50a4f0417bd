//! One MIR instruction that is neither call nor terminator.

use super::Selector;
use crate::EmitError;
use crate::lir::{ANY, FRAME, LirOp};
use crate::regalloc::preg;
use bpf::insn::{AluOp, AtomicOp, Cpu, EndianOp, Insn, MemWidth, Operand as Source, Width};
use mir::{Inst, InstData, Opcode, Type, Value};
use regalloc2::{Operand, VReg};

impl Selector<'_> {
    pub(super) fn operation(&mut self, inst: Inst) -> Result<(), EmitError> {
        self.cause = Some(inst);
        let func = self.func;
        func.dfg.for_each_operand(inst, |value| {
            let left = &mut self.uses_left[value];
            *left = left.saturating_sub(1);
        });
        let data = *self.func.dfg.inst(inst);
        let result = self.result(inst);
        if let Some(value) = result {
            if self.anchored[value] && self.is_remade(value) {
                let vreg = self.remake(value);
                self.set(value, vreg);
                return Ok(());
            }
            if self.is_remade(value) || self.folded[value] {
                return Ok(());
            }
        }
        // A pure operation that nobody uses costs nothing to leave out.
        if let Some(value) = result
            && self.uses[value] == 0
            && data.opcode().effect() == mir::opcode::Effect::Pure
        {
            return Ok(());
        }
        match data {
            InstData::Nullary { .. } => {}
            InstData::Const { ty, imm } => {
                let vreg = if self.func.is_patched(inst) {
                    self.patched_constant(inst, ty, imm)
                } else {
                    self.make_constant(ty, imm)
                };
                self.set_result(result, vreg);
            }
            InstData::SymbolAddr { symbol } => {
                let vreg = self.make_symbol(inst, symbol);
                self.set_result(result, vreg);
            }
            InstData::Unary { opcode, ty, arg } => {
                let vreg = self.unary(opcode, ty, arg)?;
                self.set_result(result, vreg);
            }
            InstData::SpaceCast {
                dst_space,
                src_space,
                arg,
            } => {
                let arg = self.use_of(arg);
                let cast = Insn::AddrSpaceCast {
                    dst: ANY,
                    src: ANY,
                    dst_space,
                    src_space,
                };
                let vreg = self.define(cast, vec![arg]);
                self.set_result(result, vreg);
            }
            InstData::Binary { opcode, ty, args } => {
                if result.is_some_and(|value| self.is_frame_arithmetic(&data, value)) {
                    return Ok(());
                }
                let vreg = self.binary(inst, opcode, ty, args)?;
                self.set_result(result, vreg);
            }
            InstData::Load {
                opcode,
                width,
                base,
                offset,
            } => {
                let vreg = self.load(inst, opcode, width, base, offset)?;
                self.set_result(result, vreg);
            }
            InstData::Store {
                opcode,
                width,
                base,
                value,
                offset,
            } => {
                self.store(inst, opcode, width, base, value, offset)?;
            }
            InstData::AtomicRmw {
                op,
                width,
                fetch,
                offset,
                base,
                value,
            } => {
                self.atomic(inst, op, width, fetch, base, offset, value)?;
            }
            InstData::CompareExchange {
                width,
                offset,
                base,
                expected,
                value,
            } => {
                self.compare_exchange(inst, width, base, offset, expected, value)?;
            }
            InstData::LoadAbs { .. } | InstData::LoadInd { .. } => self.legacy_load(inst, &data),
            InstData::CallHelper { .. }
            | InstData::CallFunc { .. }
            | InstData::CallExternal { .. }
            | InstData::CallIndirect { .. } => self.call(inst, &data),
            InstData::Jump { .. }
            | InstData::Branch { .. }
            | InstData::MayGoto { .. }
            | InstData::Return { .. } => self.terminator(inst)?,
        }
        Ok(())
    }

    fn set_result(&mut self, result: Option<Value>, vreg: VReg) {
        if let Some(value) = result {
            self.set(value, vreg);
        }
    }

    fn patched_constant(&mut self, inst: Inst, ty: Type, imm: i64) -> VReg {
        let width = width_of(ty);
        let vreg = self.new_vreg();
        let template = Insn::Alu {
            width,
            op: AluOp::Mov,
            dst: ANY,
            src: Source::Imm(imm as i32),
        };
        let relo = self.func.core_relos[inst].expand();
        self.push(LirOp::Insn(template), vec![Operand::reg_def(vreg)])
            .core_relo = relo;
        if width == Width::W32 {
            self.mark_clean(vreg);
        }
        vreg
    }

    fn shift(&mut self, width: Width, op: AluOp, amount: i32, arg: VReg) -> VReg {
        let template = Insn::Alu {
            width,
            op,
            dst: ANY,
            src: Source::Imm(amount),
        };
        self.define_reusing(template, vec![Operand::reg_use(arg)])
    }

    /// Sign-extension from `bits`: one instruction from v4 on, a pair of shifts before.
    fn sign_extend(&mut self, ty: Type, bits: u8, arg: VReg) -> VReg {
        let width = width_of(ty);
        if self.options.cpu >= Cpu::V4 {
            let template = Insn::Movsx {
                width,
                bits,
                dst: ANY,
                src: ANY,
            };
            return self.define(template, vec![Operand::reg_use(arg)]);
        }
        let amount = ty.bits() as i32 - i32::from(bits);
        let shifted = self.shift(width, AluOp::Lsh, amount, arg);
        self.shift(width, AluOp::Arsh, amount, shifted)
    }

    fn unary(&mut self, opcode: Opcode, ty: Type, arg: Value) -> Result<VReg, EmitError> {
        let source = self.reg(arg);
        let mut clean = ty == Type::I32;
        let swap = |op, bits| Insn::Endian { op, bits, dst: ANY };
        let vreg = match opcode {
            Opcode::Trunc => return Ok(source),
            Opcode::Zext if self.is_clean(source) => return Ok(source),
            Opcode::Zext => {
                clean = true;
                let template = Insn::Alu {
                    width: Width::W32,
                    op: AluOp::Mov,
                    dst: ANY,
                    src: Source::Reg(ANY),
                };
                self.define(template, vec![Operand::reg_use(source)])
            }
            Opcode::Sext => self.sign_extend(Type::I64, 32, source),
            Opcode::Sext8 => self.sign_extend(ty, 8, source),
            Opcode::Sext16 => self.sign_extend(ty, 16, source),
            Opcode::Ineg => {
                let template = Insn::Neg {
                    width: width_of(ty),
                    dst: ANY,
                };
                self.define_reusing(template, vec![Operand::reg_use(source)])
            }
            other => {
                let (template, narrow) = match other {
                    Opcode::Be16 => (swap(EndianOp::Be, 16), true),
                    Opcode::Be32 => (swap(EndianOp::Be, 32), true),
                    Opcode::Be64 => (swap(EndianOp::Be, 64), false),
                    Opcode::Le16 => (swap(EndianOp::Le, 16), true),
                    Opcode::Le32 => (swap(EndianOp::Le, 32), true),
                    Opcode::Le64 => (swap(EndianOp::Le, 64), false),
                    Opcode::Bswap16 => (swap(EndianOp::Bswap, 16), true),
                    Opcode::Bswap32 => (swap(EndianOp::Bswap, 32), true),
                    _ => (swap(EndianOp::Bswap, 64), false),
                };
                self.require(template, "an unconditional byte swap")?;
                clean = narrow;
                self.define_reusing(template, vec![Operand::reg_use(source)])
            }
        };
        if clean {
            self.mark_clean(vreg);
        }
        Ok(vreg)
    }

    fn require(&self, template: Insn, what: &'static str) -> Result<(), EmitError> {
        let needed = template.min_cpu();
        if needed > self.options.cpu {
            Err(EmitError::Cpu { what, needed })
        } else {
            Ok(())
        }
    }

    fn binary(
        &mut self,
        inst: Inst,
        opcode: Opcode,
        ty: Type,
        [mut left, mut right]: [Value; 2],
    ) -> Result<VReg, EmitError> {
        let width = width_of(ty);
        let op = alu_op(opcode);
        let mut relo = self.func.core_relos[inst].expand();
        if opcode.is_commutative() && relo.is_none() && !self.folded[right] {
            let constant_left = self.constant(left).is_some() && self.constant(right).is_none();
            // The left operand's register is overwritten: better the one that nobody needs again.
            let dying_right = self.uses_left[right] == 0
                && self.uses_left[left] > 0
                && !self.is_remade(right)
                && self.constant(left).is_none();
            if constant_left || dying_right {
                std::mem::swap(&mut left, &mut right);
            }
        }
        let folded = match self.func.dfg.def_inst(right) {
            Some((constant, &InstData::Const { imm, .. })) if self.folded[right] => {
                relo = self.func.core_relos[constant].expand();
                Some(imm as i32)
            }
            _ => self
                .immediate(right)
                .filter(|&imm| is_legal_immediate(op, width, imm)),
        };
        let mut uses = vec![self.use_of(left)];
        let src = match folded {
            Some(imm) => Source::Imm(imm),
            None => {
                uses.push(self.use_of(right));
                Source::Reg(ANY)
            }
        };
        let template = Insn::Alu {
            width,
            op,
            dst: ANY,
            src,
        };
        self.require(template, "signed division")?;
        let vreg = self.define_reusing(template, uses);
        if relo.is_some()
            && let Some(last) = self.code[self.current].last_mut()
        {
            last.core_relo = relo;
        }
        if width == Width::W32 {
            self.mark_clean(vreg);
        }
        Ok(vreg)
    }

    fn load(
        &mut self,
        inst: Inst,
        opcode: Opcode,
        width: MemWidth,
        base: Value,
        offset: i32,
    ) -> Result<VReg, EmitError> {
        let (base, mut operands, offset) = self.address(inst, base, offset)?;
        let signed = opcode == Opcode::Sload;
        let template = match opcode {
            Opcode::LoadAcquire => Insn::LoadAcquire {
                width,
                dst: ANY,
                base,
                offset,
            },
            _ => Insn::Load {
                width,
                signed,
                dst: ANY,
                base,
                offset,
            },
        };
        self.require(template, "this load")?;
        let vreg = self.new_vreg();
        operands.push(Operand::reg_def(vreg));
        let relo = self.func.core_relos[inst].expand();
        self.push(LirOp::Insn(template), operands).core_relo = relo;
        if !signed && width != MemWidth::B64 {
            self.mark_clean(vreg);
        }
        Ok(vreg)
    }

    fn store(
        &mut self,
        inst: Inst,
        opcode: Opcode,
        width: MemWidth,
        base_value: Value,
        value: Value,
        offset: i32,
    ) -> Result<(), EmitError> {
        let (base, mut operands, offset) = self.address(inst, base_value, offset)?;
        // A narrow store keeps only low bytes, so any constant's low half will do for it.
        let immediate = self.constant(value).and_then(|constant| match width {
            MemWidth::B64 => i32::try_from(constant).ok(),
            _ => Some(constant as i32),
        });
        let was_immediate = self.constant(value).is_some();
        if opcode == Opcode::Store
            && width == MemWidth::B64
            && base == FRAME
            && let Some(halves) = self.halves(inst, value, offset)
        {
            for template in halves {
                self.push(LirOp::Insn(template), Vec::new());
            }
            return Ok(());
        }
        let template = match (opcode, immediate) {
            (Opcode::Store, Some(imm)) if was_immediate && !self.may_be_context(base_value) => {
                Insn::Store {
                    width,
                    base,
                    offset,
                    src: Source::Imm(truncated(width, imm)),
                }
            }
            _ => {
                operands.push(self.use_of(value));
                match opcode {
                    Opcode::StoreRelease => Insn::StoreRelease {
                        width,
                        base,
                        offset,
                        src: ANY,
                    },
                    _ => Insn::Store {
                        width,
                        base,
                        offset,
                        src: Source::Reg(ANY),
                    },
                }
            }
        };
        self.require(template, "this store")?;
        let relo = self.func.core_relos[inst].expand();
        self.push(LirOp::Insn(template), operands).core_relo = relo;
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "the fields of one instruction")]
    fn atomic(
        &mut self,
        inst: Inst,
        op: AtomicOp,
        width: MemWidth,
        fetch: bool,
        base: Value,
        offset: i32,
        value: Value,
    ) -> Result<(), EmitError> {
        let (base, mut operands, offset) = self.address(inst, base, offset)?;
        operands.push(self.use_of(value));
        let template = Insn::Atomic {
            width,
            op,
            fetch,
            base,
            offset,
            src: ANY,
        };
        self.require(template, "this atomic operation")?;
        if fetch {
            let vreg = self.new_vreg();
            operands.push(Operand::reg_reuse_def(vreg, operands.len() - 1));
            self.set_result(self.result(inst), vreg);
            if width == MemWidth::B32 {
                self.mark_clean(vreg);
            }
        }
        self.push(LirOp::Insn(template), operands);
        Ok(())
    }

    fn compare_exchange(
        &mut self,
        inst: Inst,
        width: MemWidth,
        base: Value,
        offset: i16,
        expected: Value,
        value: Value,
    ) -> Result<(), EmitError> {
        let (base, mut operands, offset) = self.address(inst, base, i32::from(offset))?;
        operands.push(self.use_of(value));
        let expected = self.reg(expected);
        operands.push(Operand::reg_fixed_use(expected, preg(0)));
        let vreg = self.new_vreg();
        operands.push(Operand::reg_fixed_def(vreg, preg(0)));
        let op = AtomicOp::Cmpxchg;
        let template = Insn::Atomic {
            width,
            op,
            fetch: true,
            base,
            offset,
            src: ANY,
        };
        self.require(template, "compare and exchange")?;
        self.push(LirOp::Insn(template), operands);
        if width == MemWidth::B32 {
            self.mark_clean(vreg);
        }
        self.set_result(self.result(inst), vreg);
        Ok(())
    }
}

/// Low bytes of an immediate as an access of this width stores them, sign-extended: the form that
/// a reader expects.
fn truncated(width: MemWidth, imm: i32) -> i32 {
    match width {
        MemWidth::B8 => i32::from(imm as u8),
        MemWidth::B16 => i32::from(imm as u16),
        MemWidth::B32 | MemWidth::B64 => imm,
    }
}

/// The kernel refuses division by an immediate zero and shifts by an immediate of the width or
/// more; both are defined with a register.
fn is_legal_immediate(op: AluOp, width: Width, imm: i32) -> bool {
    match op {
        AluOp::Div | AluOp::Sdiv | AluOp::Mod | AluOp::Smod => imm != 0,
        AluOp::Lsh | AluOp::Rsh | AluOp::Arsh => {
            (0..if width == Width::W32 { 32 } else { 64 }).contains(&imm)
        }
        _ => true,
    }
}

pub(super) fn width_of(ty: Type) -> Width {
    match ty {
        Type::I32 => Width::W32,
        Type::I64 => Width::W64,
    }
}

fn alu_op(opcode: Opcode) -> AluOp {
    match opcode {
        Opcode::Iadd => AluOp::Add,
        Opcode::Isub => AluOp::Sub,
        Opcode::Imul => AluOp::Mul,
        Opcode::Udiv => AluOp::Div,
        Opcode::Sdiv => AluOp::Sdiv,
        Opcode::Urem => AluOp::Mod,
        Opcode::Srem => AluOp::Smod,
        Opcode::Band => AluOp::And,
        Opcode::Bor => AluOp::Or,
        Opcode::Bxor => AluOp::Xor,
        Opcode::Ishl => AluOp::Lsh,
        Opcode::Ushr => AluOp::Rsh,
        _ => AluOp::Arsh,
    }
}
