//! Rules for operations with one operand.

use crate::rewrite::{Expr, Rewrite, View};
use bpf::insn::Endian;
use mir::{Opcode, Type, Value, eval};

/// What the operation becomes, if a rule applies.
pub(crate) fn rewrite(view: &View<'_>, opcode: Opcode, ty: Type, arg: Value) -> Option<Rewrite> {
    if let Some(constant) = view.constant(arg) {
        let result = eval::unary(opcode, ty, constant as u64, view.endian)?;
        return Some((
            Expr::Const(ty, eval::to_imm(ty, result)),
            "folded an operation on constants",
        ));
    }
    match opcode {
        Opcode::Trunc => trunc(view, arg),
        Opcode::Zext => zext(view, arg),
        Opcode::Sext => sext(view, arg),
        Opcode::Sext8 => narrow_sext(view, arg, 8),
        Opcode::Sext16 => narrow_sext(view, arg, 16),
        Opcode::Ineg => {
            let inner = view.unary(arg, Opcode::Ineg)?;
            view.is_number(inner)
                .then_some((Expr::Value(inner), "removed a double negation"))
        }
        _ => byte_order(view, opcode, arg),
    }
}

fn trunc(view: &View<'_>, arg: Value) -> Option<Rewrite> {
    if let Some(inner) = view.extended(arg) {
        return Some((
            Expr::Value(inner),
            "removed an extension that is truncated again",
        ));
    }
    // The operand of a bitwise operation is a number, so its lower half may be taken.
    let (inner, mask) = view.binary_with_constant(arg, Opcode::Band)?;
    (mask as u32 == u32::MAX && view.has_one_use(arg)).then(|| {
        (
            Expr::unary(Opcode::Trunc, Type::I32, Expr::Value(inner)),
            "removed a mask that truncation implies",
        )
    })
}

fn zext(view: &View<'_>, arg: Value) -> Option<Rewrite> {
    let inner = view.unary(arg, Opcode::Trunc)?;
    (view.width(inner) <= 32 && view.is_number(inner)).then_some((
        Expr::Value(inner),
        "removed a zero extension of a value whose upper half is zero",
    ))
}

fn sext(view: &View<'_>, arg: Value) -> Option<Rewrite> {
    (view.width(arg) < 32).then_some((
        Expr::unary(Opcode::Zext, Type::I64, Expr::Value(arg)),
        "turned a sign extension of a positive value into a zero extension",
    ))
}

fn narrow_sext(view: &View<'_>, arg: Value, bits: u32) -> Option<Rewrite> {
    (view.width(arg) < bits).then_some((
        Expr::Value(arg),
        "removed a sign extension of a small positive value",
    ))
}

/// Byte orders that change nothing but the width, and pairs that undo one another. The kernel
/// takes a pointer for these operations and makes a number of it, so the operand must be known to
/// be a number.
fn byte_order(view: &View<'_>, opcode: Opcode, arg: Value) -> Option<Rewrite> {
    let (bits, swaps) = swap(opcode, view.endian)?;
    if !swaps {
        if !view.is_number(arg) {
            return None;
        }
        return Some((
            low_bits(view, arg, bits),
            "removed a byte order operation that swaps nothing",
        ));
    }
    let inner = [
        Opcode::Be16,
        Opcode::Be32,
        Opcode::Be64,
        Opcode::Le16,
        Opcode::Le32,
        Opcode::Le64,
        Opcode::Bswap16,
        Opcode::Bswap32,
        Opcode::Bswap64,
    ]
    .into_iter()
    .filter(|&inner| swap(inner, view.endian) == Some((bits, true)))
    .find_map(|inner| view.unary(arg, inner))?;
    (view.is_number(inner)).then(|| {
        (
            low_bits(view, inner, bits),
            "removed two byte swaps that undo one another",
        )
    })
}

/// How many bits a byte order operation keeps, and whether it swaps them.
fn swap(opcode: Opcode, endian: Endian) -> Option<(u32, bool)> {
    let little = endian == Endian::Little;
    Some(match opcode {
        Opcode::Be16 => (16, little),
        Opcode::Be32 => (32, little),
        Opcode::Be64 => (64, little),
        Opcode::Le16 => (16, !little),
        Opcode::Le32 => (32, !little),
        Opcode::Le64 => (64, !little),
        Opcode::Bswap16 => (16, true),
        Opcode::Bswap32 => (32, true),
        Opcode::Bswap64 => (64, true),
        _ => return None,
    })
}

/// The lowest 16, 32 or 64 bits of a 64-bit number.
fn low_bits(view: &View<'_>, value: Value, bits: u32) -> Expr {
    if view.width(value) <= bits {
        return Expr::Value(value);
    }
    match bits {
        16 => Expr::with_constant(Opcode::Band, Type::I64, value, 0xffff),
        32 => Expr::low_half(view, value),
        _ => Expr::Value(value),
    }
}
