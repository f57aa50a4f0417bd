//! Which upper bits the kernel's verifier knows to be zero.
//!
//! **Why not known bits.** `mir::analysis::known` may know more than the kernel: the kernel takes
//! the results of division and byte swaps for unknown. A mask that is redundant to us can be the
//! only bound that the kernel sees, so only operations whose bounds every supported kernel tracks
//! are looked through: loads, extensions, constants, bitwise operations, shifts and sums.
//!
//! **Cost.** At most [`MAX_DEPTH`] definitions deep, and each binary step asks twice, which bounds
//! a query by 2^[`MAX_DEPTH`] steps. Parameters of blocks are settled once for all in a few passes
//! over the edges.

use bpf::insn::MemWidth;
use cranelift_entity::SecondaryMap;
use mir::analysis::ControlFlowGraph;
use mir::{Function, InstData, Opcode, Type, Value};

use super::passed::for_each_passed;

/// Definitions to look through. Masks in compiled code stand at most three steps from the load
/// that makes them redundant.
const MAX_DEPTH: u32 = 4;

/// Rounds before giving up on values carried around loops.
const MAX_ROUNDS: usize = 5;

/// Widths of the parameters of blocks. The kernel walks each way to a block by itself, so it knows
/// of each way what is passed on it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Widths {
    params: SecondaryMap<Value, Option<u8>>,
}

impl Widths {
    /// The widths of a function's block parameters.
    pub(crate) fn compute(func: &Function, cfg: &ControlFlowGraph) -> Widths {
        let mut widths = Widths::default();
        let blocks = || cfg.reverse_postorder().iter().copied();
        for block in blocks().filter(|&block| Some(block) != cfg.entry()) {
            for &param in func.dfg.block_params(block) {
                widths.params[param] = Some(0);
            }
        }
        for _ in 0..MAX_ROUNDS {
            let mut changed = false;
            for_each_passed(func, cfg, |param, arg| {
                let passed = widths.of(func, func.dfg.resolve(arg)) as u8;
                if let Some(known) = &mut widths.params[param]
                    && *known < passed
                {
                    *known = passed;
                    changed = true;
                }
            });
            if !changed {
                return widths;
            }
        }
        Widths::default()
    }

    /// How many low bits of a value may be other than zero.
    pub(crate) fn of(&self, func: &Function, value: Value) -> u32 {
        at_depth(self, func, value, MAX_DEPTH)
    }
}

fn at_depth(widths: &Widths, func: &Function, value: Value, depth: u32) -> u32 {
    let ty = func.dfg.value_type(value);
    let full = ty.bits();
    let Some((inst, data)) = func.dfg.def_inst(value) else {
        let known = widths.params[func.dfg.resolve(value)];
        return known.map_or(full, u32::from).min(full);
    };
    let Some(depth) = depth.checked_sub(1) else {
        return full;
    };
    if func.is_patched(inst) && !matches!(data, InstData::Load { .. }) {
        return full;
    }
    let of = |value| at_depth(widths, func, value, depth);
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

/// The width of a value without block parameters.
pub(crate) fn width(func: &Function, value: Value) -> u32 {
    Widths::default().of(func, value)
}
