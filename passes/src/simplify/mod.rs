//! Algebra, constants, canonical comparisons, offsets folded into memory accesses.
//!
//! **What.**
//! ```text
//!   v2 = iadd v1, 8          v3 = load.u32 v1+12
//!   v3 = load.u32 v2+4  ──►
//!   v5 = ishl v4, 32         v6 = trunc v4
//!   v7 = ushr v5, 32    ──►  v7 = zext v6
//!   br eq 5, v8         ──►  br eq v8, 5
//! ```
//!
//! **Why.** Compilers for BPF keep 64-bit forms of 32-bit source; the lift and `promote-stack`
//! expose constants; and `gvn` finds equal computations only when they are written equally.
//!
//! **Soundness.** Each rule is an identity of wrapping arithmetic as `mir::eval` defines it.
//! Instructions that a loader patches are neither changed nor looked through. For the kernel:
//! no rule makes a bitwise or 32-bit operation out of one that may see a pointer, since those
//! that rewrite into such forms start from forms that the kernel refuses on pointers already;
//! pointer comparisons are only touched to move a constant to the right; a mask goes only when the
//! kernel's own domain shows it redundant ([`crate::facts::Widths`]); a branch goes only when the
//! kernel can decide it too.
//!
//! **Cost.** One sweep in reverse postorder, repeated while something changes and at most
//! [`MAX_SWEEPS`] times; rules look a bounded number of definitions deep.
//!
//! **Order.** After `promote-stack`, before `gvn`. Leaves unused block parameters and unreachable
//! blocks to `dce` and `simplify-cfg`.

mod address;
mod binary;
mod branch;
mod shift;
mod unary;

use crate::facts::{Kinds, Widths};
use crate::pass::{Changed, Pass, PassContext};
use crate::rewrite::{self, Uses, View};
use mir::{Function, Inst, InstData};

/// Sweeps over the function. Rules see through definitions, which reverse postorder visits first,
/// so that a second sweep only finds what a loop carried; the others are for chains of those.
const MAX_SWEEPS: usize = 4;

/// See the module documentation.
#[derive(Clone, Copy, Debug)]
pub struct Simplify;

impl Pass for Simplify {
    fn run(&self, func: &mut Function, cx: &mut PassContext<'_>) -> Changed {
        let mut changed = Changed::No;
        for _ in 0..MAX_SWEEPS {
            let swept = sweep(func, cx);
            if !swept.any() {
                break;
            }
            cx.analyses.invalidate(swept);
            func.resolve_aliases();
            changed = changed.and(swept);
        }
        changed
    }
}

fn sweep(func: &mut Function, cx: &mut PassContext<'_>) -> Changed {
    let cfg = cx.analyses.cfg(func);
    let kinds = Kinds::compute(cx.module, func, &cfg, cx.uses_arena());
    let widths = Widths::compute(func, &cfg);
    let mut uses = Uses::count(func);
    let mut changed = Changed::No;
    for &block in cfg.reverse_postorder() {
        let mut next = func.layout.first_inst(block);
        while let Some(inst) = next {
            // A rewrite removes definitions that it disconnects, which stand before this
            // instruction or in other blocks, never after it in this block.
            next = func.layout.next_inst(inst);
            if func.is_patched(inst) {
                continue;
            }
            changed = changed.and(visit(func, &kinds, &widths, &mut uses, inst, cx));
        }
    }
    changed
}

fn visit(
    func: &mut Function,
    kinds: &Kinds,
    widths: &Widths,
    uses: &mut Uses,
    inst: Inst,
    cx: &mut PassContext<'_>,
) -> Changed {
    let mut data = *func.dfg.inst(inst);
    let mut changed = Changed::No;
    let view = View {
        func,
        uses,
        kinds,
        widths,
        target: cx.target,
        endian: cx.endian(),
    };
    match data {
        InstData::Unary { opcode, ty, arg } => {
            let arg = func.dfg.resolve(arg);
            if let Some((expr, message)) = unary::rewrite(&view, opcode, ty, arg) {
                cx.applied(func, inst, message);
                rewrite::replace(func, uses, inst, ty, expr);
                changed = Changed::Instructions;
            }
        }
        InstData::Binary { opcode, ty, args } => {
            let args = args.map(|arg| func.dfg.resolve(arg));
            if let Some((expr, message)) = binary::rewrite(&view, opcode, ty, args) {
                cx.applied(func, inst, message);
                rewrite::replace(func, uses, inst, ty, expr);
                changed = Changed::Instructions;
            }
        }
        InstData::Branch { .. } => {
            if let Some((decision, message)) = branch::rewrite(&view, inst) {
                cx.applied(func, inst, message);
                changed = branch::apply(func, uses, inst, decision);
            }
        }
        _ => {
            if let Some((base, offset)) = address::rewrite(&view, &data) {
                cx.applied(func, inst, "folded an offset into a memory access");
                let old = func.dfg.args(inst);
                uses.forget(func, inst);
                address::set(&mut data, base, offset);
                *func.dfg.inst_mut(inst) = data;
                uses.count_inst(func, inst);
                uses.remove_unused(func, &old);
                changed = Changed::Instructions;
            } else if address::is_shared(&view, &data) {
                cx.missed(
                    func,
                    Some(inst),
                    "kept an address that is more than an address",
                );
            }
        }
    }
    changed
}
