//! Calls: arguments in `r1` to `r5`, result in `r0`, `r1` to `r5` destroyed.
//!
//! An argument that nobody wrote is left out: no copy of an unset register is ever made.

use super::Selector;
use crate::lir::{ANY, LirOp};
use crate::regalloc::{call_clobbers, preg};
use bpf::insn::{CallTarget, Insn};
use mir::{Inst, InstData, Value};
use regalloc2::Operand;

impl Selector<'_> {
    pub(super) fn call(&mut self, inst: Inst, data: &InstData) {
        let args: Vec<Value> = match data {
            InstData::CallHelper { args, .. }
            | InstData::CallFunc { args, .. }
            | InstData::CallExternal { args, .. }
            | InstData::CallIndirect { args, .. } => args.as_slice(&self.func.dfg.pool).to_vec(),
            _ => Vec::new(),
        };
        let mut operands = Vec::with_capacity(args.len() + 2);
        if let InstData::CallIndirect { callee, .. } = *data {
            operands.push(self.use_of(callee));
        }
        for (index, &arg) in args.iter().enumerate() {
            if !self.is_undef(arg) {
                let vreg = self.reg(arg);
                operands.push(Operand::reg_fixed_use(vreg, preg(index as u8 + 1)));
            }
        }
        let op = match *data {
            InstData::CallHelper { id, .. } => LirOp::Insn(Insn::Call {
                target: CallTarget::Helper(id as i32),
            }),
            InstData::CallFunc { func, .. } => LirOp::CallFunc(func),
            InstData::CallExternal { external, .. } => LirOp::CallExternal(external),
            _ => LirOp::Insn(Insn::Callx { dst: ANY }),
        };
        self.push_call(inst, op, operands);
    }

    /// Legacy packet loads are calls in all but name, with the context in `r6`.
    pub(super) fn legacy_load(&mut self, inst: Inst, data: &InstData) {
        match *data {
            InstData::LoadAbs { width, imm, ctx } => {
                let ctx = self.reg(ctx);
                let operands = vec![Operand::reg_fixed_use(ctx, preg(6))];
                self.push_call(inst, LirOp::Insn(Insn::LoadAbs { width, imm }), operands);
            }
            InstData::LoadInd {
                width,
                imm,
                ctx,
                index,
            } => {
                let (ctx, index) = (self.reg(ctx), self.reg(index));
                let operands = vec![
                    Operand::reg_use(index),
                    Operand::reg_fixed_use(ctx, preg(6)),
                ];
                self.push_call(
                    inst,
                    LirOp::Insn(Insn::LoadInd {
                        width,
                        src: ANY,
                        imm,
                    }),
                    operands,
                );
            }
            _ => {}
        }
    }

    fn push_call(&mut self, inst: Inst, op: LirOp, mut operands: Vec<Operand>) {
        let vreg = self.new_vreg();
        operands.push(Operand::reg_fixed_def(vreg, preg(0)));
        self.push_clobbering(op, operands, call_clobbers());
        if let Some(value) = self.result(inst) {
            let live = self.uses[value] > 1;
            let vreg = if self.strategy.copy_call_results && live {
                self.copy(vreg)
            } else {
                vreg
            };
            self.set(value, vreg);
        }
    }
}
