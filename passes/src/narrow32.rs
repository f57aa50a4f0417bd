//! Turns 64-bit operations whose upper half is unused or zero into 32-bit ones.
//!
//! **What.**
//! ```text
//!   v3 = iadd v1, v2                 v5 = trunc v1
//!   v4 = trunc v3              ──►   v6 = trunc v2
//!                                    v7 = iadd.i32 v5, v6
//!                                    v3 = zext v7
//! ```
//!
//! **Why.** On BPF the write of a 32-bit result clears the upper half, so that extensions and masks
//! around it cost nothing; on NFP a 64-bit value is two registers and every operation on it at
//! least two instructions.
//!
//! **Soundness.** Two grounds. *Demanded*: no consumer depends on the upper half
//! (`mir::analysis::DemandedBits`); operations whose lower result depends on lower operands only
//! may then be done in 32 bits, and masks and extensions that set undemanded bits may go.
//! *Width*: operands that the kernel knows to fit 32 bits give a result that does. No rewrite adds
//! a demand on bits that the analysis did not see, so all can use the same tables.
//! For the kernel: nothing that may be a pointer is narrowed. Operands of 64-bit bitwise, shift,
//! multiply and divide operations are numbers, as pointers are refused there; those of sums and
//! differences must be proved ([`crate::facts::Kinds`]). Modules with arena pointers, on which
//! all arithmetic is allowed, are left alone. Before Linux 5.8 the kernel keeps no bounds for
//! 32-bit views, so that there only masks and extensions go.
//!
//! **Cost.** One sweep over the instructions beside the analyses. On BPF each rewrite is at worst
//! neutral: truncation is free, and extending the result of a 32-bit operation is too.
//!
//! **Order.** After `dce`, as unused uses demand bits; before `simplify`, which removes the
//! truncated extensions that this leaves.

use crate::facts::{Kinds, Widths};
use crate::pass::{Changed, Pass, PassContext};
use crate::rewrite::{self, Expr, Rewrite, Uses, View};
use crate::target::KernelVersion;
use mir::analysis::DemandedBits;
use mir::{Function, InstData, Opcode, Type, Value};

const NARROWED: &str = "narrowed an operation to 32 bits";
const EXTENSION: &str = "removed an extension whose upper half is unused";
const MASK: &str = "removed a mask of bits that are unused";

/// See the module documentation.
#[derive(Clone, Copy, Debug)]
pub struct Narrow32;

impl Pass for Narrow32 {
    fn run(&self, func: &mut Function, cx: &mut PassContext<'_>) -> Changed {
        if cx.uses_arena() {
            return Changed::No;
        }
        let cfg = cx.analyses.cfg(func);
        let demanded = cx.analyses.demanded_bits(func);
        let kinds = Kinds::compute(cx.module, func, &cfg, false);
        let widths = Widths::compute(func, &cfg);
        let mut uses = Uses::count(func);
        let mut changed = false;
        for &block in cfg.reverse_postorder() {
            let mut next = func.layout.first_inst(block);
            while let Some(inst) = next {
                // What a rewrite removes stands before the instruction that it rewrites.
                next = func.layout.next_inst(inst);
                if func.is_patched(inst) {
                    continue;
                }
                let data = *func.dfg.inst(inst);
                let Some(result) = func.dfg.result(inst) else {
                    continue;
                };
                let view = View {
                    func,
                    uses: &uses,
                    kinds: &kinds,
                    widths: &widths,
                    target: cx.target,
                    endian: cx.endian(),
                };
                let Some((expr, message)) = rewrite(&view, &demanded, &data, result) else {
                    if let Some(pointer) = may_be_pointer(&view, &demanded, &data, result) {
                        let message = "kept 64 bits of what may be a pointer";
                        let cause = func.dfg.def_inst(pointer).map(|(inst, _)| inst);
                        cx.missed_for(func, inst, message, cause);
                    }
                    continue;
                };
                let ty = func.dfg.value_type(result);
                cx.applied(func, inst, message);
                rewrite::replace(func, &mut uses, inst, ty, expr);
                changed = true;
            }
        }
        Changed::instructions_if(changed)
    }
}

/// The operand that may be a pointer, if that is all that keeps a sum or difference from 32 bits.
fn may_be_pointer(
    view: &View<'_>,
    demanded: &DemandedBits,
    data: &InstData,
    result: Value,
) -> Option<Value> {
    let bits = demanded.get(result);
    match *data {
        InstData::Binary {
            opcode: Opcode::Iadd | Opcode::Isub,
            ty: Type::I64,
            args,
        } if bits != 0 && bits >> 32 == 0 => args.into_iter().find(|&arg| !view.is_number(arg)),
        _ => None,
    }
}

fn rewrite(
    view: &View<'_>,
    demanded: &DemandedBits,
    data: &InstData,
    result: Value,
) -> Option<Rewrite> {
    let bits = demanded.get(result);
    match *data {
        InstData::Unary {
            opcode: opcode @ (Opcode::Zext | Opcode::Sext),
            arg,
            ..
        } if bits >> 32 == 0 => extension(view, opcode, arg),
        InstData::Binary { opcode, ty, args } => {
            let args = args.map(|arg| view.func.dfg.resolve(arg));
            if args.into_iter().any(|arg| view.is_patched_constant(arg)) {
                return None;
            }
            unused_mask(view, bits, opcode, args).or_else(|| {
                (ty == Type::I64 && view.target.kernel >= KernelVersion::TRACKS_32_BIT_BOUNDS)
                    .then(|| narrow(view, bits, opcode, args))?
            })
        }
        _ => None,
    }
}

/// An extension of which only the lower half is used.
fn extension(view: &View<'_>, opcode: Opcode, arg: Value) -> Option<Rewrite> {
    if let Some(wide) = view.unary(arg, Opcode::Trunc)
        && view.is_number(wide)
    {
        return Some((Expr::Value(wide), EXTENSION));
    }
    // Extending by zeros is free after a 32-bit operation; by the sign it never is.
    (opcode == Opcode::Sext).then(|| {
        (
            Expr::unary(Opcode::Zext, Type::I64, Expr::Value(arg)),
            EXTENSION,
        )
    })
}

/// An operation that only touches bits that nobody needs.
fn unused_mask(view: &View<'_>, bits: u64, opcode: Opcode, [a, b]: [Value; 2]) -> Option<Rewrite> {
    let constant = view.constant(b)?;
    let untouched = match opcode {
        Opcode::Band => bits & !(constant as u64) == 0,
        Opcode::Bor | Opcode::Bxor => bits & constant as u64 == 0,
        Opcode::Ushr | Opcode::Sshr => {
            let (x, left) = view.binary_with_constant(a, Opcode::Ishl)?;
            let kept = view.ty(a).bits().checked_sub(u32::try_from(left).ok()?)?;
            let is_pair = left == constant && left > 0 && kept > 0;
            return (is_pair && bits >> kept == 0).then_some((Expr::Value(x), MASK));
        }
        _ => false,
    };
    // With no bits demanded the operation is unused, which is for `dce`.
    (untouched && bits != 0).then_some((Expr::Value(a), MASK))
}

/// The same operation in 32 bits.
fn narrow(view: &View<'_>, bits: u64, opcode: Opcode, [a, b]: [Value; 2]) -> Option<Rewrite> {
    if bits == 0 {
        return None;
    }
    let lower_only = bits >> 32 == 0;
    let fits = |value: Value| view.width(value) <= 32;
    let amount = || view.constant(b).filter(|amount| (1..32).contains(amount));
    let allowed = match opcode {
        Opcode::Iadd | Opcode::Isub => {
            let fits = opcode == Opcode::Iadd && view.width(a).max(view.width(b)) < 32;
            (lower_only || fits) && view.is_number(a) && view.is_number(b)
        }
        Opcode::Imul => lower_only || view.width(a) + view.width(b) <= 32,
        Opcode::Band => lower_only || fits(a) || fits(b),
        Opcode::Bor | Opcode::Bxor => lower_only || fits(a) && fits(b),
        Opcode::Udiv | Opcode::Urem => fits(a) && fits(b),
        Opcode::Ishl => {
            amount().is_some_and(|amount| lower_only || view.width(a) + amount as u32 <= 32)
        }
        Opcode::Ushr => amount().is_some() && fits(a),
        _ => false,
    };
    if !allowed {
        return None;
    }
    let narrow = Expr::binary(
        opcode,
        Type::I32,
        Expr::trunc(view, a),
        Expr::trunc(view, b),
    );
    Some((Expr::unary(Opcode::Zext, Type::I64, narrow), NARROWED))
}
