//! Which registers are live where, on bytecode.
//!
//! SSA construction gives parameters only to registers that are live, so that a register left
//! unset on one path does not flow into values that nobody reads. What a call reads is a property
//! of who is called.

use super::blocks::{Bytecode, Item, Meaning};
use super::signatures::ParameterMask;
use bpf::helpers;
use bpf::insn::{CallTarget, Insn, Reg, RegSet};
use cranelift_entity::EntityRef;
use mir::Module;

/// `r1` to `r5`, the first `count`.
fn arguments(count: usize) -> RegSet {
    (1..=count.min(5) as u8).map(Reg).collect()
}

/// Number of arguments that a helper call passes; for an unknown helper all five.
pub(super) fn helper_arguments(id: i32) -> usize {
    u32::try_from(id)
        .ok()
        .and_then(helpers::by_id)
        .map_or(5, helpers::Helper::arg_count)
}

/// Registers whose values matter to an item.
pub(super) fn reads(module: &Module, masks: &[ParameterMask], item: &Item) -> RegSet {
    match (item.insn, item.meaning) {
        (Insn::Call { .. }, Meaning::Function(func)) => masks[func.index()].registers(),
        (Insn::Call { .. }, Meaning::External(external)) => {
            arguments(usize::from(module.externals[external].parameter_count))
        }
        (
            Insn::Call {
                target: CallTarget::Helper(id),
            },
            _,
        ) => arguments(helper_arguments(id)),
        (insn, _) => insn.reads(),
    }
}

/// Live registers at the start of each block.
pub(super) fn live_in(module: &Module, masks: &[ParameterMask], code: &Bytecode) -> Vec<RegSet> {
    let mut used = Vec::with_capacity(code.blocks.len());
    let mut defined = Vec::with_capacity(code.blocks.len());
    for block in &code.blocks {
        let mut uses = RegSet::EMPTY;
        let mut definitions = RegSet::EMPTY;
        for item in &code.items[block.items.clone()] {
            uses = uses.union(reads(module, masks, item).minus(definitions));
            definitions = definitions.union(item.insn.writes());
        }
        used.push(uses);
        defined.push(definitions);
    }
    let mut live = used.clone();
    let mut order = code.reverse_postorder();
    order.reverse();
    loop {
        let mut changed = false;
        for &block in &order {
            let out = code.blocks[block]
                .exit
                .successors()
                .fold(RegSet::EMPTY, |set, next| set.union(live[next]));
            let new = used[block].union(out.minus(defined[block]));
            changed |= new != live[block];
            live[block] = new;
        }
        if !changed {
            return live;
        }
    }
}
