//! Rules about each instruction by itself: operand types, widths, operations.

use super::{Place, VerifierErrors, exists};
use crate::entity::{Inst, Value};
use crate::function::Function;
use crate::inst::InstData;
use crate::opcode::{Format, Opcode};
use crate::types::Type;
use bpf::insn::{AtomicOp, MemWidth};

pub(super) fn check(func: &Function, errors: &mut VerifierErrors) {
    for block in func.layout.blocks() {
        for inst in func.layout.insts(block) {
            Checker { func, inst, errors }.check();
        }
    }
}

struct Checker<'a> {
    func: &'a Function,
    inst: Inst,
    errors: &'a mut VerifierErrors,
}

/// The format that data is in, whatever its operation.
fn format_of(data: &InstData) -> Format {
    match data {
        InstData::Nullary { .. } => Format::Nullary,
        InstData::Unary { .. } => Format::Unary,
        InstData::Binary { .. } => Format::Binary,
        InstData::Load { .. } => Format::Load,
        InstData::Store { .. } => Format::Store,
        // The others have one operation each.
        _ => data.opcode().format(),
    }
}

impl Checker<'_> {
    fn report(&mut self, message: impl Into<String>) {
        self.errors.report(Place::Inst(self.inst), message);
    }

    fn expect(&mut self, value: Value, wanted: Type) {
        if exists(self.func, value) {
            let given = self.func.dfg.value_type(value);
            if given != wanted {
                self.report(format!("{value} is {given} but must be {wanted}"));
            }
        }
    }

    /// A value of which the lowest bytes go to memory.
    fn expect_stored(&mut self, value: Value, width: MemWidth) {
        if width == MemWidth::B64 {
            self.expect(value, Type::I64);
        }
    }

    fn expect_result(&mut self, ty: Type, wanted: Type) {
        if ty != wanted {
            self.report(format!("the result must be {wanted}"));
        }
    }

    fn expect_atomic(&mut self, width: MemWidth) {
        if !matches!(width, MemWidth::B32 | MemWidth::B64) {
            self.report("an atomic access is 4 or 8 bytes wide");
        }
    }

    fn expect_at_most_four(&mut self, width: MemWidth) {
        if width == MemWidth::B64 {
            self.report("the access is at most 4 bytes wide");
        }
    }

    fn check(&mut self) {
        let data = *self.func.dfg.inst(self.inst);
        let opcode = data.opcode();
        if format_of(&data) != opcode.format() {
            self.report(format!("{opcode} has data of another format"));
            return;
        }
        match data {
            InstData::Nullary { opcode, ty } => {
                if opcode == Opcode::Frame {
                    self.expect_result(ty, Type::I64);
                }
            }
            InstData::Const { ty, imm } => {
                if ty == Type::I32 && i32::try_from(imm).is_err() {
                    self.report("an i32 constant must be sign-extended");
                }
            }
            InstData::Unary { opcode, ty, arg } => self.check_unary(opcode, ty, arg),
            InstData::SpaceCast { arg, .. } | InstData::Return { arg } => {
                self.expect(arg, Type::I64);
            }
            InstData::Binary { ty, args, .. } | InstData::Branch { ty, args, .. } => {
                args.into_iter().for_each(|arg| self.expect(arg, ty));
            }
            InstData::Load {
                opcode,
                width,
                base,
                ..
            } => {
                self.expect(base, Type::I64);
                if opcode == Opcode::Sload {
                    self.expect_at_most_four(width);
                }
            }
            InstData::Store {
                width, base, value, ..
            } => {
                self.expect(base, Type::I64);
                self.expect_stored(value, width);
            }
            InstData::AtomicRmw {
                op,
                width,
                fetch,
                base,
                value,
                ..
            } => {
                self.expect(base, Type::I64);
                self.expect_stored(value, width);
                self.expect_atomic(width);
                match op {
                    AtomicOp::Cmpxchg => self.report("cmpxchg is an instruction of its own"),
                    AtomicOp::Xchg if !fetch => self.report("xchg always fetches"),
                    _ => {}
                }
            }
            InstData::CompareExchange {
                width,
                base,
                expected,
                value,
                ..
            } => {
                self.expect(base, Type::I64);
                self.expect_stored(expected, width);
                self.expect_stored(value, width);
                self.expect_atomic(width);
            }
            InstData::LoadAbs { width, ctx, .. } => {
                self.expect(ctx, Type::I64);
                self.expect_at_most_four(width);
            }
            InstData::LoadInd { width, ctx, .. } => {
                self.expect(ctx, Type::I64);
                self.expect_at_most_four(width);
            }
            InstData::CallHelper { args, .. }
            | InstData::CallFunc { args, .. }
            | InstData::CallExternal { args, .. } => {
                self.check_call(args.as_slice(&self.func.dfg.pool).to_vec());
            }
            InstData::CallIndirect { callee, args } => {
                self.expect(callee, Type::I64);
                self.check_call(args.as_slice(&self.func.dfg.pool).to_vec());
            }
            InstData::SymbolAddr { .. } | InstData::Jump { .. } | InstData::MayGoto { .. } => {}
        }
    }

    fn check_unary(&mut self, opcode: Opcode, ty: Type, arg: Value) {
        match opcode {
            Opcode::Ineg | Opcode::Sext8 | Opcode::Sext16 => self.expect(arg, ty),
            Opcode::Sext | Opcode::Zext => {
                self.expect(arg, Type::I32);
                self.expect_result(ty, Type::I64);
            }
            Opcode::Trunc => {
                self.expect(arg, Type::I64);
                self.expect_result(ty, Type::I32);
            }
            _ => {
                self.expect(arg, Type::I64);
                self.expect_result(ty, Type::I64);
            }
        }
    }

    fn check_call(&mut self, args: Vec<Value>) {
        if args.len() > 5 {
            self.report(format!(
                "a call has at most 5 arguments, not {}",
                args.len()
            ));
        }
        for arg in args {
            self.expect(arg, Type::I64);
        }
    }
}
