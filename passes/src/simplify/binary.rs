//! Rules for operations with two operands, shifts excepted.

use super::shift;
use crate::rewrite::{Expr, Rewrite, View};
use mir::{Opcode, Type, Value, eval};

const FOLDED: &str = "folded an operation on constants";
const IDENTITY: &str = "removed an operation that changes nothing";
const ABSORBED: &str = "folded an operation whose result is constant";
const REASSOCIATED: &str = "joined the constants of two operations";
const STRENGTH: &str = "replaced an operation by a cheaper one";
const REDUNDANT_MASK: &str = "removed a mask of bits that are zero";

/// What the operation becomes, if a rule applies.
pub(crate) fn rewrite(
    view: &View<'_>,
    opcode: Opcode,
    ty: Type,
    [a, b]: [Value; 2],
) -> Option<Rewrite> {
    match (view.constant(a), view.constant(b)) {
        (Some(x), Some(y)) => {
            let result = eval::binary(opcode, ty, x as u64, y as u64)?;
            Some((Expr::Const(ty, eval::to_imm(ty, result)), FOLDED))
        }
        (Some(x), None) if opcode.is_commutative() => Some((
            Expr::with_constant(opcode, ty, b, x),
            "moved a constant to the right",
        )),
        (Some(0), None)
            if matches!(
                opcode,
                Opcode::Ishl | Opcode::Ushr | Opcode::Sshr | Opcode::Udiv | Opcode::Sdiv
            ) =>
        {
            Some((Expr::Const(ty, 0), ABSORBED))
        }
        (_, Some(y)) => with_constant(view, opcode, ty, a, y),
        (_, None) if a == b => with_itself(opcode, ty, a),
        _ => None,
    }
}

fn with_itself(opcode: Opcode, ty: Type, a: Value) -> Option<Rewrite> {
    match opcode {
        Opcode::Band | Opcode::Bor => Some((Expr::Value(a), IDENTITY)),
        Opcode::Bxor | Opcode::Isub => Some((Expr::Const(ty, 0), ABSORBED)),
        _ => None,
    }
}

fn with_constant(
    view: &View<'_>,
    opcode: Opcode,
    ty: Type,
    a: Value,
    constant: i64,
) -> Option<Rewrite> {
    let same = || Some((Expr::Value(a), IDENTITY));
    let zero = || Some((Expr::Const(ty, 0), ABSORBED));
    match (opcode, constant) {
        (
            Opcode::Iadd | Opcode::Isub | Opcode::Bor | Opcode::Bxor | Opcode::Urem | Opcode::Srem,
            0,
        )
        | (Opcode::Imul | Opcode::Udiv | Opcode::Sdiv, 1)
        | (Opcode::Band, -1) => same(),
        (Opcode::Imul | Opcode::Band | Opcode::Udiv | Opcode::Sdiv, 0)
        | (Opcode::Urem, 1)
        | (Opcode::Srem, 1 | -1) => zero(),
        (Opcode::Bor, -1) => Some((Expr::Const(ty, -1), ABSORBED)),
        // The kernel lets 32-bit subtraction, and nothing else, work on a pointer.
        (Opcode::Isub, _) if !view.is_surely_narrow(a) => None,
        (Opcode::Isub, _) => negated(ty, constant).map(|negated| {
            (
                Expr::with_constant(Opcode::Iadd, ty, a, negated),
                "turned a subtraction of a constant into an addition",
            )
        }),
        (Opcode::Udiv, _) => {
            let shift = power_of_two(ty, constant)?;
            Some((
                Expr::with_constant(Opcode::Ushr, ty, a, i64::from(shift)),
                STRENGTH,
            ))
        }
        (Opcode::Urem, _) => {
            let mask = (1i64 << power_of_two(ty, constant)?) - 1;
            i32::try_from(mask).ok()?;
            Some((Expr::with_constant(Opcode::Band, ty, a, mask), STRENGTH))
        }
        (Opcode::Band, _) => mask(view, ty, a, constant),
        (Opcode::Iadd | Opcode::Imul | Opcode::Bor | Opcode::Bxor, _) => {
            joined(view, opcode, ty, a, constant)
        }
        (Opcode::Ishl | Opcode::Ushr | Opcode::Sshr, _) => {
            shift::rewrite(view, opcode, ty, a, constant)
        }
        _ => None,
    }
}

/// The negated constant, when it is one that fits an immediate, as both must.
fn negated(ty: Type, constant: i64) -> Option<i64> {
    let constant = i32::try_from(constant).ok()?;
    match ty {
        // Wrapping: the smallest number is its own negative in 32 bits.
        Type::I32 => Some(i64::from(constant.wrapping_neg())),
        Type::I64 => Some(i64::from(constant.checked_neg()?)),
    }
}

fn power_of_two(ty: Type, constant: i64) -> Option<u32> {
    let value = eval::to_type(ty, constant as u64);
    value
        .is_power_of_two()
        .then(|| value.trailing_zeros())
        .filter(|&shift| shift > 0 && shift < 63)
}

fn mask(view: &View<'_>, ty: Type, a: Value, mask: i64) -> Option<Rewrite> {
    let bits = eval::to_type(ty, mask as u64);
    let width = view.width(a);
    if width < 64 && bits & low_ones(width) == low_ones(width) {
        return Some((Expr::Value(a), REDUNDANT_MASK));
    }
    if ty == Type::I64 && bits == u64::from(u32::MAX) {
        return Some((
            Expr::low_half(view, a),
            "turned a mask of the lower half into a zero extension",
        ));
    }
    joined(view, Opcode::Band, ty, a, mask)
}

fn low_ones(bits: u32) -> u64 {
    u64::MAX.checked_shr(64 - bits.min(64)).unwrap_or(0)
}

/// `(x op c1) op c2` as `x op (c1 op c2)`. The inner operation must go, or the rewrite would keep
/// `x` in a register for longer and gain nothing; unless `x` needs no register.
fn joined(view: &View<'_>, opcode: Opcode, ty: Type, a: Value, outer: i64) -> Option<Rewrite> {
    let (x, inner) = view.binary_with_constant(a, opcode)?;
    if !(view.has_one_use(a) || view.is_rematerialised(x)) {
        return None;
    }
    let constant = eval::to_imm(ty, eval::binary(opcode, ty, inner as u64, outer as u64)?);
    // A constant that needs two slots and a register of its own is no gain.
    i32::try_from(constant).ok()?;
    Some((Expr::with_constant(opcode, ty, x, constant), REASSOCIATED))
}
