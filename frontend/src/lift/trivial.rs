//! Removal of redundant block parameters.
//!
//! SSA construction gives every merge block a parameter for every live register. One whose
//! arguments are all the same value (or the parameter itself) is that value. Removing one can make
//! another redundant, so its users are looked at again: a worklist that shrinks with each step.
//! For reducible control flow what remains is minimal SSA.

use cranelift_entity::{EntityRef, SecondaryMap};
use mir::{Block, Function, Inst, Value, ValueDef};
use std::collections::BTreeSet;

/// Removes redundant parameters of all blocks but the entry, and resolves aliases.
pub(super) fn remove_redundant_parameters(func: &mut Function) {
    let blocks: Vec<Block> = func.layout.blocks().collect();
    // Each edge by its destination: the terminator and which of its calls.
    let mut edges: SecondaryMap<Block, Vec<(Inst, usize)>> = SecondaryMap::new();
    for &block in &blocks {
        if let Some(terminator) = func.layout.last_inst(block) {
            for (index, call) in func.dfg.successors(terminator).iter().enumerate() {
                edges[call.block].push((terminator, index));
            }
        }
    }
    let entry = func.layout.entry();
    let parameters: Vec<(Block, Vec<Value>)> = blocks
        .iter()
        .filter(|&&block| Some(block) != entry)
        .map(|&block| (block, func.dfg.block_params(block).to_vec()))
        .collect();

    // Which parameters a value flows into directly.
    let mut flows: SecondaryMap<Value, Vec<Value>> = SecondaryMap::new();
    let mut work: BTreeSet<Value> = BTreeSet::new();
    for (block, params) in &parameters {
        for (index, &param) in params.iter().enumerate() {
            work.insert(param);
            for &(terminator, which) in &edges[*block] {
                let argument = func.dfg.call_args(&func.dfg.successors(terminator)[which])[index];
                flows[argument].push(param);
            }
        }
    }
    while let Some(param) = work.pop_first() {
        let ValueDef::Param(block, index) = func.dfg.value_def(param) else {
            continue;
        };
        let mut only = None;
        let mut redundant = true;
        for &(terminator, which) in &edges[block] {
            let call = func.dfg.successors(terminator)[which];
            let argument = func.dfg.resolve(func.dfg.call_args(&call)[index as usize]);
            if argument != param
                && only
                    .replace(argument)
                    .is_some_and(|other| other != argument)
            {
                redundant = false;
                break;
            }
        }
        if let (true, Some(value)) = (redundant, only) {
            func.dfg.change_to_alias(param, value);
            let affected = std::mem::take(&mut flows[param]);
            work.extend(affected.iter().copied().filter(|&v| v != param));
            flows[value].extend(affected);
        }
    }

    // Parameter indices were needed intact until here; now drop the aliased ones for good.
    for (block, params) in &parameters {
        let kept: Vec<bool> = params
            .iter()
            .map(|&param| func.dfg.resolve(param) == param)
            .collect();
        for index in (0..params.len()).rev().filter(|&index| !kept[index]) {
            func.dfg.remove_block_param(*block, index);
        }
        if kept.iter().all(|&keep| keep) {
            continue;
        }
        for &(terminator, which) in &edges[*block] {
            let call = func.dfg.successors(terminator)[which];
            let arguments: Vec<Value> = func
                .dfg
                .call_args(&call)
                .iter()
                .zip(&kept)
                .filter_map(|(&argument, &keep)| keep.then_some(argument))
                .collect();
            let call = func.dfg.block_call(call.block, &arguments);
            func.dfg.set_successor(terminator, which, call);
        }
    }
    func.resolve_aliases();
    debug_assert!(
        func.dfg.value_count() == 0
            || func.dfg.resolve(Value::new(0)).index() < func.dfg.value_count()
    );
}
