//! Known bits of every value of a function, forward and through block parameters.
//!
//! **What.** Values are visited in reverse postorder; a block parameter joins the arguments of all
//! edges seen so far. Rounds repeat until no parameter changes.
//!
//! **Why sound.** The first rounds are optimistic: an argument that was not visited yet says
//! nothing. The result is used only when a round changed nothing, or after a last round in which
//! every parameter that an edge against the visiting order enters is unknown, so that each value
//! depends on values visited before it alone.
//!
//! **Cost.** At most [`MAX_ROUNDS`] + 1 rounds, each linear.

use crate::analysis::cfg::ControlFlowGraph;
use crate::analysis::known_bits::KnownBits;
use crate::entity::{Block, Value};
use crate::function::Function;
use crate::inst::InstData;
use crate::opcode::Opcode;
use crate::types::Type;
use bpf::insn::MemWidth;
use cranelift_entity::SecondaryMap;

/// Rounds before giving up on loop-carried values. Masks and flags settle in two or three;
/// counters never do, since each round lets one more bit change.
pub const MAX_ROUNDS: u32 = 4;

/// Known bits of each value; `None` for values that are not reachable.
#[derive(Clone, Debug, Default)]
pub struct KnownValues {
    bits: SecondaryMap<Value, Option<KnownBits>>,
}

impl KnownValues {
    /// The known bits of a function.
    #[must_use]
    pub fn compute(func: &Function, cfg: &ControlFlowGraph) -> Self {
        let mut known = KnownValues {
            bits: SecondaryMap::with_capacity(func.dfg.value_count()),
        };
        for _ in 0..MAX_ROUNDS {
            if !known.round(func, cfg, false) {
                return known;
            }
        }
        known.round(func, cfg, true);
        known
    }

    /// What is known of a value's bits. An `i32` is seen zero-extended.
    #[must_use]
    pub fn get(&self, func: &Function, value: Value) -> KnownBits {
        self.bits[value].unwrap_or(KnownBits::unknown(func.dfg.value_type(value)))
    }

    /// One visit of all blocks. With `pessimistic`, parameters of blocks that close a cycle are
    /// unknown. Says whether a parameter changed.
    fn round(&mut self, func: &Function, cfg: &ControlFlowGraph, pessimistic: bool) -> bool {
        let mut changed = false;
        for &block in cfg.reverse_postorder() {
            let give_up = Some(block) == cfg.entry()
                || pessimistic
                    && cfg
                        .predecessors(block)
                        .iter()
                        .any(|edge| cfg.is_retreating(edge.block, block));
            for (index, &param) in func.dfg.block_params(block).iter().enumerate() {
                let bits = if give_up {
                    Some(KnownBits::unknown(func.dfg.value_type(param)))
                } else {
                    self.join_arguments(func, cfg, block, index)
                };
                changed |= self.bits[param] != bits;
                self.bits[param] = bits;
            }
            for inst in func.layout.insts(block) {
                if let Some(result) = func.dfg.result(inst) {
                    let bits = if func.is_patched(inst) {
                        KnownBits::unknown(func.dfg.value_type(result))
                    } else {
                        self.transfer(func, func.dfg.inst(inst))
                    };
                    self.bits[result] = Some(bits);
                }
            }
        }
        changed
    }

    /// The join over all edges into a block of the arguments for one parameter. An argument
    /// without bits was not visited yet or comes from an unreachable block.
    fn join_arguments(
        &self,
        func: &Function,
        cfg: &ControlFlowGraph,
        block: Block,
        index: usize,
    ) -> Option<KnownBits> {
        let mut joined: Option<KnownBits> = None;
        for edge in cfg.predecessors(block) {
            for call in func.dfg.successors(edge.inst) {
                if call.block != block {
                    continue;
                }
                let argument = func.dfg.call_args(&call).get(index);
                if let Some(bits) = argument.and_then(|&value| self.bits[value]) {
                    joined = Some(joined.map_or(bits, |joined| joined.join(bits)));
                }
            }
        }
        joined
    }

    fn transfer(&self, func: &Function, data: &InstData) -> KnownBits {
        let ty = data.result_type().unwrap_or(Type::I64);
        match *data {
            InstData::Const { ty, imm } => KnownBits::constant(ty, imm),
            InstData::Unary { opcode, ty, arg } => {
                KnownBits::unary(opcode, ty, self.get(func, arg))
            }
            InstData::Binary { opcode, ty, args } => {
                KnownBits::binary(opcode, ty, self.get(func, args[0]), self.get(func, args[1]))
            }
            InstData::Load {
                opcode: Opcode::Load | Opcode::LoadAcquire,
                width,
                ..
            }
            | InstData::AtomicRmw { width, .. }
            | InstData::CompareExchange { width, .. }
            | InstData::LoadAbs { width, .. }
            | InstData::LoadInd { width, .. } => KnownBits::low_bits(width_bits(width)),
            _ => KnownBits::unknown(ty),
        }
    }
}

/// Bits of a memory access.
#[must_use]
pub fn width_bits(width: MemWidth) -> u32 {
    match width {
        MemWidth::B8 => 8,
        MemWidth::B16 => 16,
        MemWidth::B32 => 32,
        MemWidth::B64 => 64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cursor::Cursor;
    use bpf::insn::Cond;

    #[test]
    fn a_loaded_byte_shifted_stays_narrow() {
        let mut func = Function::new("f");
        let block = func.append_new_block();
        let ctx = func.dfg.append_block_param(block, Type::I64);
        let mut cursor = Cursor::at_end(&mut func, block);
        let byte = cursor.ins().load(Opcode::Load, MemWidth::B8, ctx, 0);
        let two = cursor.ins().iconst(Type::I64, 2);
        let wide = cursor.ins().binary(Opcode::Ishl, Type::I64, byte, two);
        cursor.ins().return_(wide);
        let cfg = ControlFlowGraph::compute(&func);
        let known = KnownValues::compute(&func, &cfg);
        assert_eq!(known.get(&func, wide).max(), 0x3fc);
        assert_eq!(known.get(&func, wide).zeros & 3, 3);
        assert_eq!(known.get(&func, ctx), KnownBits::unknown(Type::I64));
    }

    /// `head(x = start): x = x op by; if x < limit goto head(x); return x`
    fn looping(opcode: Opcode, start: i64, by: i64) -> KnownBits {
        let mut func = Function::new("f");
        let entry = func.append_new_block();
        let head = func.append_new_block();
        let exit = func.append_new_block();
        let limit = func.dfg.append_block_param(entry, Type::I64);
        let x = func.dfg.append_block_param(head, Type::I64);
        let mut cursor = Cursor::at_end(&mut func, entry);
        let start = cursor.ins().iconst(Type::I64, start);
        let by = cursor.ins().iconst(Type::I64, by);
        cursor.ins().jump(head, &[start]);
        let mut cursor = Cursor::at_end(&mut func, head);
        let next = cursor.ins().binary(opcode, Type::I64, x, by);
        cursor.ins().branch(
            Cond::Lt,
            Type::I64,
            [next, limit],
            (head, &[next]),
            (exit, &[]),
        );
        Cursor::at_end(&mut func, exit).ins().return_(next);
        let cfg = ControlFlowGraph::compute(&func);
        KnownValues::compute(&func, &cfg).get(&func, x)
    }

    #[test]
    fn a_mask_survives_a_loop() {
        assert_eq!(looping(Opcode::Bor, 1, 0xf0).max(), 0xf1);
        assert_eq!(looping(Opcode::Band, 0xff, 0x3f).max(), 0xff);
    }

    #[test]
    fn a_counter_is_given_up() {
        assert_eq!(looping(Opcode::Iadd, 0, 1), KnownBits::unknown(Type::I64));
    }

    #[test]
    fn what_a_loader_patches_is_unknown() {
        let mut func = Function::new("f");
        let block = func.append_new_block();
        let mut cursor = Cursor::at_end(&mut func, block);
        let value = cursor.ins().iconst(Type::I64, 8);
        cursor.ins().return_(value);
        let inst = func.layout.first_inst(block).unwrap();
        func.core_relos[inst] = Some(crate::CoreRelo::from_u32(0)).into();
        let cfg = ControlFlowGraph::compute(&func);
        let known = KnownValues::compute(&func, &cfg);
        assert_eq!(known.get(&func, value), KnownBits::unknown(Type::I64));
    }
}
