//! The steps in which a function is made smaller.
//!
//! Each step is a way to do it and applies to a number of places: blocks, parameters, or
//! instructions in order. Those that take most away come first: decided branches and early returns,
//! then instructions in large groups, then one by one. Nothing here keeps the meaning; who takes a
//! step finds out whether what matters is still there, and whether the function is well-formed.

use mir::analysis::ControlFlowGraph;
use mir::opcode::Effect;
use mir::{Block, BlockCall, Cursor, Function, Inst, InstData, Type, Value};

/// A way to make a function smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A branch goes one way: to its first or its second target.
    Decide(usize),
    /// The function returns after an instruction, what it computed or zero.
    Return,
    /// Everything that nothing uses goes.
    Tidy,
    /// A block goes into the only one before it.
    Merge,
    /// So many instructions in a row go; what is used of them is zero from then on.
    Drop(usize),
    /// A parameter of a block is zero.
    Zero,
    /// A parameter of a block is what the first that goes there passes.
    Pass,
    /// An operand stands for the result.
    Operand(usize),
}

impl Step {
    /// Every step for a function of this size, the coarse ones first.
    pub(super) fn all(function: &Function) -> Vec<Step> {
        let mut steps = vec![
            Step::Decide(0),
            Step::Decide(1),
            Step::Return,
            Step::Tidy,
            Step::Merge,
        ];
        let mut count = function.inst_count() / 2;
        while count > 0 {
            steps.push(Step::Drop(count));
            count /= 2;
        }
        steps.extend([Step::Tidy, Step::Pass, Step::Zero]);
        steps.extend([Step::Operand(0), Step::Operand(1), Step::Tidy]);
        steps
    }

    /// At how many places of a function it can be tried.
    pub(super) fn places(self, function: &Function) -> usize {
        match self {
            Step::Decide(_) | Step::Merge => function.layout.blocks().count(),
            Step::Return | Step::Operand(_) => function.inst_count(),
            Step::Drop(count) => function.inst_count().div_ceil(count),
            Step::Tidy => 1,
            Step::Zero | Step::Pass => params(function).count(),
        }
    }

    /// The function after the step at a place, renumbered; none where it does not apply.
    pub(super) fn take(self, function: &Function, place: usize) -> Option<Function> {
        let mut smaller = function.clone();
        match self {
            Step::Decide(way) => {
                let block = smaller.layout.blocks().nth(place)?;
                decide(&mut smaller, block, way)?;
            }
            Step::Merge => {
                let block = smaller.layout.blocks().nth(place)?;
                merge(&mut smaller, block)?;
            }
            Step::Return => {
                let inst = insts(&smaller).nth(place)?;
                return_after(&mut smaller, inst)?;
            }
            Step::Drop(count) => {
                let chosen: Vec<Inst> = insts(&smaller).skip(place * count).take(count).collect();
                drop_all(&mut smaller, &chosen);
            }
            Step::Tidy => tidy(&mut smaller),
            Step::Zero | Step::Pass => {
                let (block, index) = params(&smaller).nth(place)?;
                replace_param(&mut smaller, block, index, self == Step::Pass)?;
            }
            Step::Operand(index) => {
                let inst = insts(&smaller).nth(place)?;
                let result = smaller.dfg.result(inst)?;
                let operand = smaller.dfg.args(inst).get(index).copied()?;
                let same = smaller.dfg.value_type(operand) == smaller.dfg.value_type(result);
                if !same || operand == result {
                    return None;
                }
                smaller.replace_with_value(inst, operand);
            }
        }
        remove_unreachable(&mut smaller);
        smaller.resolve_aliases();
        Some(smaller.compacted())
    }
}

/// How much there is to read in a function: instructions, more for those that do more, and
/// parameters.
pub(super) fn weight(function: &Function) -> usize {
    let insts = insts(function).map(|inst| {
        let data = function.dfg.inst(inst);
        match (data, data.opcode().effect()) {
            (InstData::Const { imm: 0, .. }, _) => 1,
            (InstData::Const { .. } | InstData::Jump { .. } | InstData::Return { .. }, _) => 2,
            (InstData::Unary { .. }, _) => 3,
            (_, Effect::Pure) => 4,
            (_, Effect::Reads | Effect::Terminates) => 5,
            (_, Effect::Writes | Effect::Calls) => 6,
        }
    });
    insts.sum::<usize>() + 2 * params(function).count()
}

fn insts(function: &Function) -> impl Iterator<Item = Inst> + '_ {
    let layout = &function.layout;
    layout.blocks().flat_map(|block| layout.insts(block))
}

/// Parameters of blocks; those of the entry are the function's.
fn params(function: &Function) -> impl Iterator<Item = (Block, usize)> + '_ {
    function.layout.blocks().skip(1).flat_map(|block| {
        let count = function.dfg.block_params(block).len();
        (0..count).map(move |index| (block, index))
    })
}

fn decide(function: &mut Function, block: Block, way: usize) -> Option<()> {
    let last = function.terminator(block)?;
    let successors = function.dfg.successors(last);
    if successors.len() < 2 {
        return None;
    }
    let target = *successors.get(way)?;
    // The other target keeps the list of values.
    let args = function.dfg.call_args(&target).to_vec();
    let target = function.dfg.block_call(target.block, &args);
    function.dfg.replace_inst(last, InstData::Jump { target });
    Some(())
}

fn merge(function: &mut Function, block: Block) -> Option<()> {
    let last = function.terminator(block)?;
    let InstData::Jump { target } = *function.dfg.inst(last) else {
        return None;
    };
    let next = target.block;
    let cfg = ControlFlowGraph::compute(function);
    if next == block || cfg.single_predecessor(next).is_none() {
        return None;
    }
    let args = function.dfg.call_args(&target).to_vec();
    let params = function.dfg.block_params(next).to_vec();
    for (param, arg) in params.into_iter().zip(args) {
        function.dfg.change_to_alias(param, arg);
    }
    function.layout.remove_inst(last);
    while let Some(inst) = function.layout.first_inst(next) {
        function.layout.remove_inst(inst);
        function.layout.append_inst(inst, block);
    }
    function.layout.remove_block(next);
    Some(())
}

fn return_after(function: &mut Function, inst: Inst) -> Option<()> {
    let block = function.layout.inst_block(inst)?;
    if function.dfg.inst(inst).opcode().is_terminator() {
        return None;
    }
    while let Some(next) = function.layout.next_inst(inst) {
        function.layout.remove_inst(next);
    }
    let result = function.dfg.result(inst);
    let mut cursor = Cursor::at_end(function, block);
    let value = match result.map(|value| (value, cursor.func.dfg.value_type(value))) {
        Some((value, Type::I64)) => value,
        Some((value, Type::I32)) => cursor.ins().zext(value),
        None => cursor.ins().iconst(Type::I64, 0),
    };
    cursor.ins().return_(value);
    Some(())
}

fn drop_all(function: &mut Function, chosen: &[Inst]) {
    let mut uses = function.use_counts();
    for &inst in chosen.iter().rev() {
        if function.dfg.inst(inst).opcode().is_terminator() {
            continue;
        }
        function
            .dfg
            .for_each_operand(inst, |operand| uses[operand] -= 1);
        match function.dfg.result(inst) {
            Some(value) if uses[value] > 0 => {
                let ty = function.dfg.value_type(value);
                let zero = InstData::Const { ty, imm: 0 };
                function.dfg.replace_inst(inst, zero);
                function.core_relos[inst] = None.into();
            }
            _ => function.remove_inst(inst),
        }
    }
}

fn tidy(function: &mut Function) {
    let mut changing = true;
    while changing {
        changing = false;
        let uses = function.use_counts();
        let all: Vec<Inst> = insts(function).collect();
        for inst in all {
            let removable = function.dfg.inst(inst).opcode().is_removable_when_unused();
            let unused = function
                .dfg
                .result(inst)
                .is_none_or(|value| uses[value] == 0);
            if removable && unused {
                function.remove_inst(inst);
                changing = true;
            }
        }
        let unused: Vec<(Block, usize)> = params(function)
            .filter(|&(block, index)| uses[function.dfg.block_params(block)[index]] == 0)
            .collect();
        // From the last, so that the numbers of the others stay.
        for &(block, index) in unused.iter().rev() {
            remove_param(function, block, index);
            changing = true;
        }
    }
}

fn replace_param(
    function: &mut Function,
    block: Block,
    index: usize,
    by_argument: bool,
) -> Option<()> {
    let param = function.dfg.block_params(block)[index];
    let new = if by_argument {
        first_argument(function, block, index).filter(|&value| value != param)?
    } else {
        let ty = function.dfg.value_type(param);
        Cursor::at_start(function, block).ins().iconst(ty, 0)
    };
    function.dfg.change_to_alias(param, new);
    remove_param(function, block, index);
    Some(())
}

fn first_argument(function: &Function, block: Block, index: usize) -> Option<Value> {
    let mut calls = insts(function).flat_map(|inst| function.dfg.successors(inst));
    let call = calls.find(|call| call.block == block)?;
    function.dfg.call_args(&call).get(index).copied()
}

/// Removes a parameter and what is passed for it.
fn remove_param(function: &mut Function, block: Block, index: usize) {
    function.dfg.remove_block_param(block, index);
    let all: Vec<Inst> = insts(function).collect();
    for inst in all {
        let calls = function.dfg.successors(inst);
        for (number, call) in calls.into_iter().enumerate() {
            if call.block == block {
                let shorter = without(function, &call, index);
                function.dfg.set_successor(inst, number, shorter);
            }
        }
    }
}

fn without(function: &mut Function, call: &BlockCall, index: usize) -> BlockCall {
    let mut args = function.dfg.call_args(call).to_vec();
    if index < args.len() {
        args.remove(index);
    }
    function.dfg.block_call(call.block, &args)
}

fn remove_unreachable(function: &mut Function) {
    let cfg = ControlFlowGraph::compute(function);
    let blocks = function.layout.blocks();
    let gone: Vec<Block> = blocks.filter(|&block| !cfg.is_reachable(block)).collect();
    for block in gone {
        function.layout.remove_block(block);
    }
}
