//! Rules for shifts by a constant. The kernel refuses shifts of pointers, so that the operand of
//! a 64-bit shift is a number and may be masked or truncated.

use crate::rewrite::{Expr, Rewrite, View};
use bpf::insn::Cpu;
use mir::{Opcode, Type, Value};

const EXTENSION: &str = "turned a pair of shifts into an extension";
const MASK: &str = "turned a pair of shifts into a mask";
const NOTHING: &str = "removed a pair of shifts that changes nothing";

/// What a shift of `a` by a constant amount becomes, if a rule applies.
pub(crate) fn rewrite(
    view: &View<'_>,
    opcode: Opcode,
    ty: Type,
    a: Value,
    amount: i64,
) -> Option<Rewrite> {
    let reduced = amount as u32 & (ty.bits() - 1);
    if reduced == 0 {
        return Some((Expr::Value(a), "removed an operation that changes nothing"));
    }
    if i64::from(reduced) != amount {
        return Some((
            Expr::with_constant(opcode, ty, a, i64::from(reduced)),
            "reduced a shift amount to the width",
        ));
    }
    let amount = reduced;
    if opcode == Opcode::Ushr && view.width(a) <= amount {
        return Some((
            Expr::Const(ty, 0),
            "folded an operation whose result is constant",
        ));
    }
    nested(view, opcode, ty, a, amount).or_else(|| pair(view, opcode, ty, a, amount))
}

/// Two shifts in the same direction.
fn nested(view: &View<'_>, opcode: Opcode, ty: Type, a: Value, amount: u32) -> Option<Rewrite> {
    let (x, inner) = view.binary_with_constant(a, opcode)?;
    let inner = u32::try_from(inner).ok().filter(|&n| n < ty.bits())?;
    if !view.has_one_use(a) {
        return None;
    }
    let total = inner + amount;
    let expr = if total < ty.bits() {
        Expr::with_constant(opcode, ty, x, i64::from(total))
    } else if opcode == Opcode::Sshr {
        Expr::with_constant(opcode, ty, x, i64::from(ty.bits() - 1))
    } else {
        Expr::Const(ty, 0)
    };
    Some((expr, "joined the constants of two operations"))
}

/// A shift left and back right.
fn pair(view: &View<'_>, opcode: Opcode, ty: Type, a: Value, right: u32) -> Option<Rewrite> {
    let (x, left) = view.binary_with_constant(a, Opcode::Ishl)?;
    let left = u32::try_from(left).ok().filter(|&n| n < ty.bits())?;
    if left == 0 {
        return None;
    }
    let kept = ty.bits() - left;
    match opcode {
        Opcode::Ushr if left == right => {
            if view.width(x) <= kept {
                return Some((Expr::Value(x), NOTHING));
            }
            // With another use of the shifted value nothing would go away.
            if !view.has_one_use(a) {
                return None;
            }
            if ty == Type::I64 && kept == 32 {
                return Some((Expr::low_half(view, x), EXTENSION));
            }
            let mask = i32::try_from((1u64 << kept) - 1).ok()?;
            Some((
                Expr::with_constant(Opcode::Band, ty, x, i64::from(mask)),
                MASK,
            ))
        }
        Opcode::Ushr if ty == Type::I64 && left == 32 && right > 32 && view.has_one_use(a) => {
            let narrow = Expr::binary(
                Opcode::Ushr,
                Type::I32,
                Expr::trunc(view, x),
                Expr::Const(Type::I32, i64::from(right - 32)),
            );
            Some((
                Expr::unary(Opcode::Zext, Type::I64, narrow),
                "turned a pair of shifts into a 32-bit shift",
            ))
        }
        Opcode::Sshr if left == right => {
            if view.width(x) < kept {
                return Some((Expr::Value(x), NOTHING));
            }
            if !view.has_one_use(a) || view.target.cpu < Cpu::V4 {
                return None;
            }
            let expr = match (kept, ty) {
                (8, _) => Expr::unary(Opcode::Sext8, ty, Expr::Value(x)),
                (16, _) => Expr::unary(Opcode::Sext16, ty, Expr::Value(x)),
                (32, Type::I64) => Expr::unary(Opcode::Sext, ty, Expr::trunc(view, x)),
                _ => return None,
            };
            Some((expr, EXTENSION))
        }
        _ => None,
    }
}
