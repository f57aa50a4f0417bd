//! Rules for conditional branches.
//!
//! A comparison of two variables keeps its form, because it may be the one that bounds a packet
//! pointer. What is decided here the kernel decides too: constants, equal operands, and numbers
//! whose width it tracks.

use crate::edit;
use crate::pass::Changed;
use crate::rewrite::{self, Expr, Uses, View};
use bpf::insn::{Cond, Cpu};
use mir::{Function, Inst, InstData, Opcode, Type, Value, eval};

/// What a branch becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// A jump to the taken (0) or the other (1) destination.
    Always(usize),
    /// Another comparison; with `swapped` destinations.
    Compare {
        cond: Cond,
        ty: Type,
        args: Box<[Expr; 2]>,
        swapped: bool,
    },
}

/// What the branch becomes, if a rule applies.
pub(crate) fn rewrite(view: &View<'_>, inst: Inst) -> Option<(Decision, &'static str)> {
    let InstData::Branch { cond, ty, args, .. } = *view.func.dfg.inst(inst) else {
        return None;
    };
    let [a, b] = args.map(|arg| view.func.dfg.resolve(arg));
    let decided = |holds: bool| Decision::Always(usize::from(!holds));
    match (view.constant(a), view.constant(b)) {
        (Some(x), Some(y)) => Some((
            decided(eval::compare(cond, ty, x as u64, y as u64)),
            "decided a branch on constants",
        )),
        (Some(_), None) => Some((
            mirrored(view.target.cpu, cond, ty, [b, a]),
            "moved a constant to the right of a comparison",
        )),
        (None, Some(y)) => by_width(view, cond, ty, a, y)
            .map(|holds| (decided(holds), "decided a branch by the width of a value"))
            .or_else(|| bit_test(view, cond, ty, a, y))
            .or_else(|| sign_test(view, cond, ty, a, y)),
        (None, None) if a == b => match cond {
            Cond::Eq | Cond::Ge | Cond::Le | Cond::Sge | Cond::Sle => Some(true),
            Cond::Ne | Cond::Gt | Cond::Lt | Cond::Sgt | Cond::Slt => Some(false),
            Cond::Set => None,
        }
        .map(|holds| {
            (
                decided(holds),
                "decided a comparison of a value with itself",
            )
        }),
        (None, None) => None,
    }
}

/// The same comparison with operands exchanged. Before v2 there is no "less than": there the
/// opposite condition goes to the other destination.
fn mirrored(cpu: Cpu, cond: Cond, ty: Type, [a, b]: [Value; 2]) -> Decision {
    let (cond, swapped) = match cond {
        Cond::Eq | Cond::Ne | Cond::Set => (cond, false),
        Cond::Lt => (Cond::Gt, false),
        Cond::Le => (Cond::Ge, false),
        Cond::Slt => (Cond::Sgt, false),
        Cond::Sle => (Cond::Sge, false),
        Cond::Gt if cpu >= Cpu::V2 => (Cond::Lt, false),
        Cond::Ge if cpu >= Cpu::V2 => (Cond::Le, false),
        Cond::Sgt if cpu >= Cpu::V2 => (Cond::Slt, false),
        Cond::Sge if cpu >= Cpu::V2 => (Cond::Sle, false),
        Cond::Gt => (Cond::Ge, true),
        Cond::Ge => (Cond::Gt, true),
        Cond::Sgt => (Cond::Sge, true),
        Cond::Sge => (Cond::Sgt, true),
    };
    Decision::Compare {
        cond,
        ty,
        args: Box::new([Expr::Value(a), Expr::Value(b)]),
        swapped,
    }
}

/// Whether a comparison with a constant holds for every value of this width.
fn by_width(view: &View<'_>, cond: Cond, ty: Type, a: Value, constant: i64) -> Option<bool> {
    let width = view.width(a);
    if width >= ty.bits() || !view.is_number(a) {
        return None;
    }
    let largest = (1u64 << width) - 1;
    let constant = eval::to_type(ty, constant as u64);
    match cond {
        Cond::Gt if constant >= largest => Some(false),
        Cond::Le if constant >= largest => Some(true),
        Cond::Ge if constant > largest => Some(false),
        Cond::Lt if constant > largest => Some(true),
        Cond::Eq if constant > largest => Some(false),
        Cond::Ne if constant > largest => Some(true),
        Cond::Set if constant & largest == 0 => Some(false),
        _ => None,
    }
}

/// `(x & y) == 0` as a bit test. The masked value must have no other use: the kernel learns from
/// the comparison what it is, and elsewhere that may be needed. What is masked is a number.
fn bit_test(
    view: &View<'_>,
    cond: Cond,
    ty: Type,
    a: Value,
    constant: i64,
) -> Option<(Decision, &'static str)> {
    let swapped = match cond {
        Cond::Ne => false,
        Cond::Eq => true,
        _ => return None,
    };
    if constant != 0 || !view.has_one_use(a) {
        return None;
    }
    let args = if let Some([x, y]) = view.binary(a, Opcode::Band) {
        if [x, y]
            .into_iter()
            .any(|value| view.is_patched_constant(value))
        {
            return None;
        }
        if let Some(mask) = view.constant(y) {
            i32::try_from(mask).ok()?;
        }
        [Expr::Value(x), Expr::Value(y)]
    } else {
        let narrow = view.unary(a, Opcode::Zext)?;
        let (x, mask) = view.binary_with_constant(narrow, Opcode::Band)?;
        // A mask with bit 31 would test the upper half too once it is sign-extended.
        if mask < 0 || !view.has_one_use(narrow) {
            return None;
        }
        let x = match view.unary(x, Opcode::Trunc) {
            Some(wide) => Expr::Value(wide),
            None => Expr::unary(Opcode::Zext, Type::I64, Expr::Value(x)),
        };
        [x, Expr::Const(Type::I64, mask)]
    };
    Some((
        Decision::Compare {
            cond: Cond::Set,
            ty,
            args: Box::new(args),
            swapped,
        },
        "turned a masked comparison into a bit test",
    ))
}

/// The sign of a shifted value is that of the value: `(x << 32) >> 32 < 0` needs the first shift only.
/// Compilers extend a lower half so before v3, which has no comparisons of 32 bits. The shifted value
/// must have no other use, as above.
fn sign_test(
    view: &View<'_>,
    cond: Cond,
    ty: Type,
    a: Value,
    constant: i64,
) -> Option<(Decision, &'static str)> {
    if !view.has_one_use(a) {
        return None;
    }
    let (x, amount) = view.binary_with_constant(a, Opcode::Sshr)?;
    // Zero stays zero, and what is not zero stays so if only zeros are shifted out.
    let is_exact = view
        .binary_with_constant(x, Opcode::Ishl)
        .is_some_and(|(_, left)| (amount..i64::from(ty.bits())).contains(&left) && amount >= 0);
    let cpu = view.target.cpu;
    // Before v2 there is no "less than".
    let (cond, swapped) = match (cond, constant) {
        (Cond::Slt, 0) | (Cond::Sle, -1) if cpu >= Cpu::V2 => (Cond::Slt, false),
        (Cond::Slt, 0) | (Cond::Sle, -1) => (Cond::Sge, true),
        (Cond::Sge, 0) | (Cond::Sgt, -1) => (Cond::Sge, false),
        (Cond::Sgt, 0) if is_exact => (Cond::Sgt, false),
        (Cond::Sle, 0) if is_exact && cpu >= Cpu::V2 => (Cond::Sle, false),
        (Cond::Sle, 0) if is_exact => (Cond::Sgt, true),
        _ => return None,
    };
    Some((
        Decision::Compare {
            cond,
            ty,
            args: Box::new([Expr::Value(x), Expr::Const(ty, 0)]),
            swapped,
        },
        "compared the sign of a value where it was before a shift",
    ))
}

/// Carries a decision out.
pub(crate) fn apply(
    func: &mut Function,
    uses: &mut Uses,
    inst: Inst,
    decision: Decision,
) -> Changed {
    let InstData::Branch { targets, .. } = *func.dfg.inst(inst) else {
        return Changed::No;
    };
    let mut old = Vec::new();
    func.dfg.for_each_operand(inst, |value| old.push(value));
    uses.forget(func, inst);
    let changed = match decision {
        Decision::Always(index) => {
            let target = func.dfg.successors(inst)[index];
            edit::branch_to_jump(func, inst, target);
            Changed::ControlFlow
        }
        Decision::Compare {
            cond,
            ty,
            args,
            swapped,
        } => {
            let args = args.map(|arg| rewrite::materialise(func, uses, inst, arg));
            *func.dfg.inst_mut(inst) = InstData::Branch {
                cond,
                ty,
                args,
                targets,
            };
            if swapped {
                edit::swap_successors(func, inst);
                Changed::ControlFlow
            } else {
                Changed::Instructions
            }
        }
    };
    uses.count_inst(func, inst);
    uses.remove_unused(func, &old);
    changed
}
