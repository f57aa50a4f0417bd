//! What a rule wants in place of an instruction: a small expression, as data.

use super::{Uses, View};
use mir::{Cursor, Function, Inst, InstData, Opcode, Type, Value};

/// An expression over existing values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expr {
    /// An existing value.
    Value(Value),
    /// A constant.
    Const(Type, i64),
    /// A unary operation with a result of this type.
    Unary(Opcode, Type, Box<Expr>),
    /// A binary operation of this type.
    Binary(Opcode, Type, Box<[Expr; 2]>),
}

impl Expr {
    pub(crate) fn unary(opcode: Opcode, ty: Type, arg: Expr) -> Expr {
        Expr::Unary(opcode, ty, Box::new(arg))
    }

    pub(crate) fn binary(opcode: Opcode, ty: Type, a: Expr, b: Expr) -> Expr {
        Expr::Binary(opcode, ty, Box::new([a, b]))
    }

    /// An operation with a constant on the right.
    pub(crate) fn with_constant(opcode: Opcode, ty: Type, a: Value, b: i64) -> Expr {
        Expr::binary(opcode, ty, Expr::Value(a), Expr::Const(ty, b))
    }

    /// The lower half of a value, seeing through extensions and constants.
    pub(crate) fn trunc(view: &View<'_>, value: Value) -> Expr {
        if let Some(constant) = view.constant(value) {
            return Expr::Const(Type::I32, constant);
        }
        match view.extended(value) {
            Some(inner) => Expr::Value(inner),
            None => Expr::unary(Opcode::Trunc, Type::I32, Expr::Value(value)),
        }
    }

    /// The lower half of a value, zero-extended.
    pub(crate) fn low_half(view: &View<'_>, value: Value) -> Expr {
        Expr::unary(Opcode::Zext, Type::I64, Expr::trunc(view, value))
    }
}

/// Puts an expression in the place of an instruction and removes what that leaves unused.
pub(crate) fn replace(func: &mut Function, uses: &mut Uses, inst: Inst, ty: Type, expr: Expr) {
    let old = func.dfg.args(inst);
    uses.forget(func, inst);
    match expr {
        Expr::Value(value) => {
            let value = func.dfg.resolve(value);
            if let Some(result) = func.dfg.result(inst) {
                uses.transfer(result, value);
            }
            func.replace_with_value(inst, value);
        }
        expr => {
            let data = data(func, uses, inst, expr);
            debug_assert_eq!(data.result_type(), Some(ty));
            func.dfg.replace_inst(inst, data);
            uses.count_inst(func, inst);
        }
    }
    uses.remove_unused(func, &old);
}

/// Inserts what an expression needs before `inst` and returns the value.
pub(crate) fn materialise(func: &mut Function, uses: &mut Uses, inst: Inst, expr: Expr) -> Value {
    match expr {
        Expr::Value(value) => func.dfg.resolve(value),
        Expr::Const(ty, imm) => Cursor::before(func, inst).ins().iconst(ty, imm),
        expr => {
            let data = data(func, uses, inst, expr);
            let new = Cursor::before(func, inst).insert(data);
            uses.count_inst(func, new);
            match func.dfg.result(new) {
                Some(value) => value,
                None => unreachable!("unary and binary operations have results"),
            }
        }
    }
}

fn data(func: &mut Function, uses: &mut Uses, inst: Inst, expr: Expr) -> InstData {
    match expr {
        Expr::Const(ty, imm) => InstData::Const {
            ty,
            imm: mir::eval::to_imm(ty, imm as u64),
        },
        Expr::Unary(opcode, ty, arg) => {
            let arg = materialise(func, uses, inst, *arg);
            InstData::Unary { opcode, ty, arg }
        }
        Expr::Binary(opcode, ty, args) => {
            let args = args.map(|arg| materialise(func, uses, inst, arg));
            InstData::Binary { opcode, ty, args }
        }
        Expr::Value(_) => unreachable!("a value needs no instruction"),
    }
}
