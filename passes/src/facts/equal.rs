//! Which computations are equal by their form: the same operation of the same operands.
//!
//! Constants, symbols and the frame are compared by what they are. Instructions that a loader
//! patches, or that use a constant that it patches, are equal to none.

use mir::opcode::Effect;
use mir::{Function, Inst, InstData, Opcode, Symbol, Type, Value};

/// An operand as it is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Operand {
    Value(Value),
    Const(Type, i64),
    Symbol(Symbol),
    Frame,
}

/// A computation as it is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    Unary(Opcode, Type, Operand),
    Binary(Opcode, Type, [Operand; 2]),
    SpaceCast(u16, u16, Operand),
}

/// The computation of an instruction that may merge.
pub(crate) fn key(func: &Function, inst: Inst) -> Option<Key> {
    let data = *func.dfg.inst(inst);
    if func.is_patched(inst) || data.opcode().effect() != Effect::Pure {
        return None;
    }
    match data {
        InstData::Unary { opcode, ty, arg } => Some(Key::Unary(opcode, ty, operand(func, arg)?)),
        InstData::Binary { opcode, ty, args } => {
            let mut operands = [operand(func, args[0])?, operand(func, args[1])?];
            if opcode.is_commutative() {
                operands.sort_unstable();
            }
            Some(Key::Binary(opcode, ty, operands))
        }
        InstData::SpaceCast {
            dst_space,
            src_space,
            arg,
        } => Some(Key::SpaceCast(dst_space, src_space, operand(func, arg)?)),
        _ => None,
    }
}

pub(crate) fn operand(func: &Function, value: Value) -> Option<Operand> {
    let value = func.dfg.resolve(value);
    let Some((inst, data)) = func.dfg.def_inst(value) else {
        return Some(Operand::Value(value));
    };
    match *data {
        InstData::Const { .. } if func.is_patched(inst) => None,
        InstData::Const { ty, imm } => Some(Operand::Const(ty, imm)),
        InstData::SymbolAddr { symbol } => Some(Operand::Symbol(symbol)),
        InstData::Nullary {
            opcode: Opcode::Frame,
            ..
        } => Some(Operand::Frame),
        _ => Some(Operand::Value(value)),
    }
}
