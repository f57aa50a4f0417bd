//! Demanded bits: which bits of each value can change anything outside the function's own
//! arithmetic.
//!
//! **What.** Instructions with an effect, terminators and memory accesses demand bits of their
//! operands; from there demands flow backward through pure operations and through block
//! parameters to their arguments. A bit that nobody demands may be anything: this is what lets a
//! 64-bit operation become a 32-bit one.
//!
//! **Why sound.** Each rule keeps: if two operands agree on the demanded bits, the results agree on
//! the bits demanded of the result. Loads count as effects although an unused one may go, because
//! while it stands its address must stay valid. Operations that a loader patches demand everything.
//!
//! **Cost.** Demands only grow; a value whose demand grew [`MAX_GROWTH`] times gets all bits of
//! its type. So an instruction is visited at most [`MAX_GROWTH`] + 1 times.

use crate::analysis::cfg::ControlFlowGraph;
use crate::analysis::known::width_bits;
use crate::analysis::known_bits::type_mask;
use crate::dfg::ValueDef;
use crate::entity::{Inst, Value};
use crate::function::Function;
use crate::inst::InstData;
use crate::opcode::{Effect, Opcode};
use crate::types::Type;
use bpf::insn::{Cond, MemWidth};
use cranelift_entity::SecondaryMap;

/// How often a value's demand may grow before it is taken to be all bits. Real code needs three
/// at most; a shift by one in a loop would need 64.
pub const MAX_GROWTH: u8 = 8;

/// Demanded bits of each value; 0 for values that affect nothing.
#[derive(Clone, Debug, Default)]
pub struct DemandedBits {
    bits: SecondaryMap<Value, u64>,
}

struct Walk<'f> {
    func: &'f Function,
    bits: SecondaryMap<Value, u64>,
    growth: SecondaryMap<Value, u8>,
    work: Vec<Value>,
}

impl DemandedBits {
    /// The demanded bits of a function.
    #[must_use]
    pub fn compute(func: &Function, cfg: &ControlFlowGraph) -> Self {
        let mut walk = Walk {
            func,
            bits: SecondaryMap::with_capacity(func.dfg.value_count()),
            growth: SecondaryMap::with_capacity(func.dfg.value_count()),
            work: Vec::new(),
        };
        // Backward, so that most demands arrive before the value's own definition is visited.
        for block in cfg.postorder() {
            let mut next = func.layout.last_inst(block);
            while let Some(inst) = next {
                next = func.layout.prev_inst(inst);
                if func.dfg.inst(inst).opcode().effect() != Effect::Pure {
                    walk.visit_root(func.dfg.inst(inst));
                }
            }
        }
        while let Some(value) = walk.work.pop() {
            walk.visit_definition(value, cfg);
        }
        DemandedBits { bits: walk.bits }
    }

    /// Bits of a value that can affect anything; bits above the type are never demanded.
    #[must_use]
    pub fn get(&self, value: Value) -> u64 {
        self.bits[value]
    }

    /// Whether bits 32 to 63 of a value affect nothing.
    #[must_use]
    pub fn upper_half_is_unused(&self, value: Value) -> bool {
        self.bits[value] >> 32 == 0
    }
}

impl Walk<'_> {
    fn demand(&mut self, value: Value, bits: u64) {
        let all = type_mask(self.func.dfg.value_type(value));
        let old = self.bits[value];
        let mut new = old | bits & all;
        if new == old {
            return;
        }
        self.growth[value] += 1;
        if self.growth[value] >= MAX_GROWTH {
            new = all;
        }
        self.bits[value] = new;
        self.work.push(value);
    }

    /// What an instruction with an effect demands by being there.
    fn visit_root(&mut self, data: &InstData) {
        match *data {
            InstData::Store {
                base, value, width, ..
            } => {
                self.demand(base, u64::MAX);
                self.demand(value, width_mask(width));
            }
            InstData::AtomicRmw {
                base, value, width, ..
            } => {
                self.demand(base, u64::MAX);
                self.demand(value, width_mask(width));
            }
            InstData::CompareExchange {
                base,
                expected,
                value,
                width,
                ..
            } => {
                self.demand(base, u64::MAX);
                self.demand(expected, width_mask(width));
                self.demand(value, width_mask(width));
            }
            InstData::LoadInd { ctx, index, .. } => {
                self.demand(ctx, u64::MAX);
                self.demand(index, u64::from(u32::MAX));
            }
            InstData::Branch {
                cond: Cond::Set,
                args,
                ..
            } => {
                for (this, other) in [(0, 1), (1, 0)] {
                    let mask = self.func.constant(args[other]);
                    self.demand(args[this], mask.map_or(u64::MAX, |mask| mask as u64));
                }
            }
            _ => {
                let func = self.func;
                data.for_each_arg(&func.dfg.pool, |value| self.demand(value, u64::MAX));
            }
        }
    }

    /// Passes a value's demand on to what it is made of.
    fn visit_definition(&mut self, value: Value, cfg: &ControlFlowGraph) {
        let func = self.func;
        match func.dfg.value_def(value) {
            ValueDef::Alias(target) => self.demand(target, self.bits[value]),
            ValueDef::Param(block, index) => {
                let bits = self.bits[value];
                for edge in cfg.predecessors(block) {
                    for call in func.dfg.successors(edge.inst) {
                        let args = func.dfg.call_args(&call);
                        if call.block == block
                            && let Some(&argument) = args.get(index as usize)
                        {
                            self.demand(argument, bits);
                        }
                    }
                }
            }
            ValueDef::Result(inst) => self.visit_pure(inst, self.bits[value]),
        }
    }

    fn visit_pure(&mut self, inst: Inst, out: u64) {
        let data = *self.func.dfg.inst(inst);
        if data.opcode().effect() != Effect::Pure {
            return;
        }
        match data {
            InstData::Unary { opcode, ty, arg } if !self.func.is_patched(inst) => {
                self.demand(arg, unary_demand(opcode, ty, out));
            }
            InstData::Binary { opcode, ty, args } if !self.func.is_patched(inst) => {
                for (this, other) in [(0, 1), (1, 0)] {
                    let constant = self.func.constant(args[other]).map(|c| c as u64);
                    let bits = match (opcode, this) {
                        (Opcode::Ishl | Opcode::Ushr | Opcode::Sshr, 1) => u64::from(ty.bits() - 1),
                        _ => binary_demand(opcode, ty, constant, out),
                    };
                    self.demand(args[this], bits);
                }
            }
            _ => {
                let func = self.func;
                data.for_each_arg(&func.dfg.pool, |value| self.demand(value, u64::MAX));
            }
        }
    }
}

fn width_mask(width: MemWidth) -> u64 {
    u64::MAX >> (64 - width_bits(width))
}

/// All bits up to the highest of these.
fn up_to_highest(bits: u64) -> u64 {
    u64::MAX.checked_shr(bits.leading_zeros()).unwrap_or(0)
}

/// All bits from the lowest of these.
fn from_lowest(bits: u64) -> u64 {
    u64::MAX.checked_shl(bits.trailing_zeros()).unwrap_or(0)
}

/// The bits of an operand that its sign extension from `bits` bits demands.
fn sign_extended(out: u64, bits: u32) -> u64 {
    let low = u64::MAX >> (64 - bits);
    (out & low) | if out > low { 1 << (bits - 1) } else { 0 }
}

fn unary_demand(opcode: Opcode, ty: Type, out: u64) -> u64 {
    let swapped = |bits: u32| (out << (64 - bits)).swap_bytes();
    let either = |bits: u32| swapped(bits) | (out & (u64::MAX >> (64 - bits)));
    match opcode {
        Opcode::Ineg => up_to_highest(out) & type_mask(ty),
        Opcode::Sext8 => sign_extended(out, 8),
        Opcode::Sext16 => sign_extended(out, 16),
        Opcode::Sext => sign_extended(out, 32),
        Opcode::Zext | Opcode::Trunc => out & type_mask(Type::I32),
        Opcode::Bswap16 => swapped(16),
        Opcode::Bswap32 => swapped(32),
        Opcode::Bswap64 => swapped(64),
        // Which order it is depends on the target: demand what either would.
        Opcode::Be16 | Opcode::Le16 => either(16),
        Opcode::Be32 | Opcode::Le32 => either(32),
        Opcode::Be64 | Opcode::Le64 => either(64),
        _ => u64::MAX,
    }
}

/// The demand on an operand whose sibling is this constant, if it is one. For shifts, the operand
/// that is shifted.
fn binary_demand(opcode: Opcode, ty: Type, sibling: Option<u64>, out: u64) -> u64 {
    let amount = sibling.map(|amount| amount as u32 & (ty.bits() - 1));
    let all = type_mask(ty);
    match opcode {
        Opcode::Iadd | Opcode::Isub | Opcode::Imul => up_to_highest(out),
        Opcode::Band => out & sibling.unwrap_or(u64::MAX),
        Opcode::Bor => out & !sibling.unwrap_or(0),
        Opcode::Bxor => out,
        Opcode::Ishl => match amount {
            Some(by) => out >> by,
            None => up_to_highest(out),
        },
        Opcode::Ushr => match amount {
            Some(by) => (out << by) & all,
            None => from_lowest(out) & all,
        },
        Opcode::Sshr => {
            let sign = 1u64 << (ty.bits() - 1);
            match amount {
                Some(by) => {
                    let copies = all & !(all >> by);
                    (out << by) & all | if out & copies != 0 { sign } else { 0 }
                }
                None => from_lowest(out) & all | sign,
            }
        }
        _ => u64::MAX,
    }
}

#[cfg(test)]
mod tests;
