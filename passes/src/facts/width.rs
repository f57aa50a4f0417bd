//! Which upper bits the kernel's verifier knows to be zero.
//!
//! **Why not known bits.** `mir::analysis::known` may know more than the kernel: the kernel takes
//! the results of division and byte swaps for unknown. A mask that is redundant to us can be the
//! only bound that the kernel sees, so only operations whose bounds every supported kernel tracks
//! are looked through: loads, extensions, constants, bitwise operations, shifts and sums.
//!
//! **Cost.** At most [`MAX_DEPTH`] definitions deep, and each binary step asks twice, which bounds
//! a query by 2^[`MAX_DEPTH`] steps.

use bpf::insn::MemWidth;
use mir::{Function, InstData, Opcode, Type, Value};

/// Definitions to look through. Masks in compiled code stand at most three steps from the load
/// that makes them redundant.
const MAX_DEPTH: u32 = 4;

/// How many low bits of a value may be other than zero.
pub(crate) fn width(func: &Function, value: Value) -> u32 {
    at_depth(func, value, MAX_DEPTH)
}

fn at_depth(func: &Function, value: Value, depth: u32) -> u32 {
    let ty = func.dfg.value_type(value);
    let full = ty.bits();
    let Some((inst, data)) = func.dfg.def_inst(value) else {
        return full;
    };
    let Some(depth) = depth.checked_sub(1) else {
        return full;
    };
    if func.is_patched(inst) && !matches!(data, InstData::Load { .. }) {
        return full;
    }
    let of = |value| at_depth(func, value, depth);
    let bits = match *data {
        InstData::Const { imm, .. } => bits_of(ty, imm),
        InstData::Load {
            opcode: Opcode::Load,
            width,
            ..
        } => match width {
            MemWidth::B8 => 8,
            MemWidth::B16 => 16,
            MemWidth::B32 => 32,
            MemWidth::B64 => 64,
        },
        InstData::Unary {
            opcode: Opcode::Zext | Opcode::Trunc,
            arg,
            ..
        } => of(arg).min(32),
        InstData::Binary {
            opcode,
            args: [a, b],
            ..
        } => {
            let amount = func
                .constant(b)
                .and_then(|amount| u32::try_from(amount).ok())
                .filter(|&amount| amount < full);
            match (opcode, amount) {
                (Opcode::Band, _) => of(a).min(of(b)),
                (Opcode::Bor | Opcode::Bxor, _) => of(a).max(of(b)),
                (Opcode::Iadd, _) => of(a).max(of(b)) + 1,
                (Opcode::Ishl, Some(amount)) => of(a) + amount,
                (Opcode::Ushr, Some(amount)) => of(a) - amount.min(of(a)),
                _ => full,
            }
        }
        _ => full,
    };
    bits.min(full)
}

fn bits_of(ty: Type, imm: i64) -> u32 {
    match ty {
        Type::I64 => 64 - imm.leading_zeros(),
        Type::I32 => 32 - (imm as u32).leading_zeros(),
    }
}
