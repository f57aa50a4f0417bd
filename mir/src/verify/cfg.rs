//! Rules about blocks and control flow.

use super::{Place, VerifierErrors, exists};
use crate::analysis::ControlFlowGraph;
use crate::dfg::ValueDef;
use crate::entity::{Block, Inst};
use crate::function::Function;
use crate::inst::BlockCall;
use crate::types::Type;

pub(super) fn check(func: &Function, graph: &ControlFlowGraph, errors: &mut VerifierErrors) {
    for block in func.layout.blocks() {
        check_terminator(func, block, errors);
        check_parameters(func, block, errors);
    }
    if let Some(entry) = graph.entry() {
        check_entry(func, graph, entry, errors);
    }
}

fn check_terminator(func: &Function, block: Block, errors: &mut VerifierErrors) {
    let Some(last) = func.layout.last_inst(block) else {
        errors.report(Place::Block(block), "a block needs a terminator");
        return;
    };
    for inst in func.layout.insts(block) {
        let opcode = func.dfg.inst(inst).opcode();
        if opcode.is_terminator() && inst != last {
            errors.report(
                Place::Inst(inst),
                format!("{opcode} ends a block but more instructions follow"),
            );
        }
        if inst == last && !opcode.is_terminator() {
            errors.report(
                Place::Inst(inst),
                format!("the last instruction of {block} must be a terminator"),
            );
        }
        for call in func.dfg.successors(inst) {
            check_block_call(func, inst, &call, errors);
        }
    }
}

fn check_block_call(func: &Function, inst: Inst, call: &BlockCall, errors: &mut VerifierErrors) {
    let (target, place) = (call.block, Place::Inst(inst));
    if !func.layout.contains_block(target) {
        errors.report(place, format!("{target} is not in the layout"));
        return;
    }
    let params = func.dfg.block_params(target);
    let args = func.dfg.call_args(call);
    if params.len() != args.len() {
        let (given, wanted) = (args.len(), params.len());
        errors.report(
            place,
            format!("{target} takes {wanted} arguments but gets {given}"),
        );
    }
    for (&arg, &param) in args.iter().zip(params) {
        if !exists(func, arg) {
            continue;
        }
        let (given, wanted) = (func.dfg.value_type(arg), func.dfg.value_type(param));
        if given != wanted {
            errors.report(
                place,
                format!("{arg} is {given} but parameter {param} of {target} is {wanted}"),
            );
        }
    }
}

fn check_parameters(func: &Function, block: Block, errors: &mut VerifierErrors) {
    for (index, &param) in func.dfg.block_params(block).iter().enumerate() {
        if func.dfg.value_def(param) != ValueDef::Param(block, index as u32) {
            errors.report(
                Place::Block(block),
                format!("{param} is not defined as parameter {index} of {block}"),
            );
        }
    }
}

fn check_entry(
    func: &Function,
    graph: &ControlFlowGraph,
    entry: Block,
    errors: &mut VerifierErrors,
) {
    if let Some(edge) = graph.predecessors(entry).first() {
        errors.report(
            Place::Inst(edge.inst),
            format!("nothing may go to the entry block {entry}"),
        );
    }
    let params = func.dfg.block_params(entry);
    if params.len() != usize::from(func.parameter_count) {
        let (given, wanted) = (params.len(), func.parameter_count);
        errors.report(
            Place::Block(entry),
            format!("the function has {wanted} parameters but its entry block {given}"),
        );
    }
    for &param in params {
        if func.dfg.value_type(param) != Type::I64 {
            errors.report(
                Place::Block(entry),
                format!("parameter {param} of the function must be i64"),
            );
        }
    }
}
