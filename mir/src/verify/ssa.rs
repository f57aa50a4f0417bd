//! Rules about definitions and uses.

use super::{Place, VerifierErrors, exists};
use crate::analysis::{ControlFlowGraph, DominatorTree};
use crate::dfg::ValueDef;
use crate::entity::{Block, Inst, Value};
use crate::function::Function;
use cranelift_entity::SecondaryMap;

pub(super) fn check(
    func: &Function,
    graph: &ControlFlowGraph,
    dominators: &DominatorTree,
    errors: &mut VerifierErrors,
) {
    let mut checker = Checker {
        func,
        graph,
        dominators,
        order: number_instructions(func),
        errors,
    };
    for block in func.layout.blocks() {
        for inst in func.layout.insts(block) {
            checker.check_result(inst);
            func.dfg
                .for_each_operand(inst, |value| checker.check_use(value, inst, block));
        }
    }
}

/// Position of each instruction in its block.
fn number_instructions(func: &Function) -> SecondaryMap<Inst, u32> {
    let mut order = SecondaryMap::with_capacity(func.dfg.inst_count());
    for block in func.layout.blocks() {
        for (position, inst) in (0u32..).zip(func.layout.insts(block)) {
            order[inst] = position;
        }
    }
    order
}

struct Checker<'a> {
    func: &'a Function,
    graph: &'a ControlFlowGraph,
    dominators: &'a DominatorTree,
    order: SecondaryMap<Inst, u32>,
    errors: &'a mut VerifierErrors,
}

impl Checker<'_> {
    fn check_result(&mut self, inst: Inst) {
        let dfg = &self.func.dfg;
        let message = match (dfg.result(inst), dfg.inst(inst).result_type()) {
            (None, None) => return,
            (None, Some(_)) => "the instruction lacks its result".to_owned(),
            (Some(value), None) => format!("the instruction cannot have the result {value}"),
            (Some(value), Some(_)) if !exists(self.func, value) => {
                format!("the result {value} does not exist")
            }
            (Some(value), Some(ty)) => {
                let has = dfg.value_type(value);
                if dfg.value_def(value) != ValueDef::Result(inst) {
                    format!("{value} is not defined as the result of {inst}")
                } else if has != ty {
                    format!("the result {value} is {has} but the operation makes {ty}")
                } else {
                    return;
                }
            }
        };
        self.errors.report(Place::Inst(inst), message);
    }

    fn check_use(&mut self, value: Value, user: Inst, block: Block) {
        let place = Place::Inst(user);
        if !exists(self.func, value) {
            self.errors.report(place, format!("{value} does not exist"));
            return;
        }
        let (home, position) = match self.func.dfg.value_def(value) {
            ValueDef::Alias(target) => {
                self.errors
                    .report(place, format!("{value} is an alias of {target}"));
                return;
            }
            ValueDef::Param(home, index) => {
                let params = self.func.dfg.block_params(home);
                if !self.func.layout.contains_block(home)
                    || params.get(index as usize) != Some(&value)
                {
                    self.errors
                        .report(place, format!("{value} is defined nowhere in the layout"));
                    return;
                }
                (home, None)
            }
            ValueDef::Result(inst) => match self.func.layout.inst_block(inst) {
                Some(home) if self.func.dfg.result(inst) == Some(value) => {
                    (home, Some(self.order[inst]))
                }
                _ => {
                    self.errors
                        .report(place, format!("{value} is defined nowhere in the layout"));
                    return;
                }
            },
        };
        let defined_before = if home == block {
            position.is_none_or(|position| position < self.order[user])
        } else {
            !self.graph.is_reachable(block) || self.dominators.dominates(home, block)
        };
        if !defined_before {
            self.errors.report(
                place,
                format!("the definition of {value} in {home} does not dominate this use"),
            );
        }
    }
}
