//! Pointers to the first byte of a map's value or of a ring buffer's record.
//!
//! **What.** What a look-up or a reservation returns, and parameters of blocks that are nothing else
//! on any edge (or null).
//!
//! **Why.** Two such pointers are equal, or point to different objects, in whose bytes the kernel
//! keeps each: so bytes at different offsets are never the same bytes, and a structure that is copied
//! from one value to another, of the same map perhaps, can be copied in wide pieces.
//!
//! **Cost.** Parameters start as such and are ruled out in rounds; after [`MAX_ROUNDS`] all are.

use bpf::helpers::{self, ReturnKind};
use cranelift_entity::EntitySet;
use mir::analysis::ControlFlowGraph;
use mir::{Function, InstData, Value, ValueDef};

use super::passed::for_each_passed;

/// Rounds until what is ruled out has settled; loops in loops take one each.
const MAX_ROUNDS: usize = 4;

/// The values that point to the start of an object.
#[derive(Debug, Default)]
pub(crate) struct Starts {
    params: EntitySet<Value>,
}

impl Starts {
    pub(crate) fn find(func: &Function, cfg: &ControlFlowGraph) -> Starts {
        let mut starts = Starts::default();
        for &block in cfg.reverse_postorder() {
            if Some(block) != cfg.entry() {
                for &param in func.dfg.block_params(block) {
                    starts.params.insert(param);
                }
            }
        }
        for _ in 0..MAX_ROUNDS {
            if !starts.round(func, cfg) {
                return starts;
            }
        }
        Starts::default()
    }

    /// Rules parameters out; says whether there was one.
    fn round(&mut self, func: &Function, cfg: &ControlFlowGraph) -> bool {
        let mut changed = false;
        for_each_passed(func, cfg, |param, arg| {
            let fits = self.contains(func, arg) || func.constant(arg) == Some(0);
            changed |= !fits && self.params.remove(param);
        });
        changed
    }

    /// Whether a value is one. Nobody accesses memory through those that are null.
    pub(crate) fn contains(&self, func: &Function, value: Value) -> bool {
        let value = func.dfg.resolve(value);
        match func.dfg.value_def(value) {
            ValueDef::Param(..) => self.params.contains(value),
            ValueDef::Result(inst) => matches!(*func.dfg.inst(inst),
            InstData::CallHelper { id, .. } if helpers::by_id(id).is_some_and(|helper| {
                matches!(helper.returns, ReturnKind::MapValue | ReturnKind::RingbufMem)
            })),
            ValueDef::Alias(_) => false,
        }
    }
}
