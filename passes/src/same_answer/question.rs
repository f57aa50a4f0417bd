//! What a branch asks, and what an edge answers.

use crate::facts::compared::{Known, Operand, implied, operand};
use bpf::insn::Cond;
use mir::analysis::ControlFlowGraph;
use mir::{Block, Function, Inst, InstData, Opcode, Type, Value, ValueDef, eval};

/// Branches before an edge that are asked. What a round finds out is known at its end.
const MAX_BEFORE: usize = 4;

/// Conversions to look through: a lower half is extended, stored, loaded and cut again.
const MAX_CONVERSIONS: usize = 4;

/// What a branch asks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question {
    pub(super) branch: Inst,
    /// The parameter that is compared, or whose lower half is.
    pub(super) subject: Value,
    cond: Cond,
    ty: Type,
    with: u64,
}

impl Question {
    /// That of a block's branch, if it compares a parameter with a constant.
    pub(super) fn of(func: &Function, block: Block) -> Option<Question> {
        let question = Question::asked(func, func.layout.last_inst(block)?)?;
        let is_param = matches!(func.dfg.value_def(question.subject), ValueDef::Param(..));
        is_param.then_some(question)
    }

    /// That of a branch, if it compares with a constant.
    fn asked(func: &Function, branch: Inst) -> Option<Question> {
        let InstData::Branch { cond, ty, args, .. } = *func.dfg.inst(branch) else {
            return None;
        };
        let Operand::Constant(with) = operand(func, args[1]) else {
            return None;
        };
        Some(Question {
            branch,
            subject: whole(func, ty, args[0]),
            cond,
            ty,
            with,
        })
    }

    /// Whether a branch asks the same of a value, or the opposite.
    pub(super) fn is_asked_by(&self, func: &Function, branch: Inst, value: Value) -> bool {
        Question::asked(func, branch).is_some_and(|other| {
            let same = other.cond == self.cond || Some(other.cond) == self.cond.inverted();
            same && other.subject == whole(func, self.ty, value)
                && (other.ty, other.with) == (self.ty, self.with)
        })
    }

    /// A small number of which the answer is this.
    pub(super) fn example(&self, answer: bool) -> Option<i64> {
        let with = eval::to_imm(self.ty, self.with);
        let near = [0, 1, -1, with, with.wrapping_add(1), with.wrapping_sub(1)];
        near.into_iter().find(|&number| {
            let number_there = eval::to_type(self.ty, number as u64);
            i32::try_from(number).is_ok()
                && eval::compare(self.cond, self.ty, number_there, self.with) == answer
        })
    }

    /// What is asked about when this value is.
    pub(super) fn whole(&self, func: &Function, value: Value) -> Value {
        whole(func, self.ty, value)
    }

    /// What the comparison of a value gives when control leaves by an edge.
    pub(super) fn on_edge(
        &self,
        func: &Function,
        cfg: &ControlFlowGraph,
        (mut inst, mut index): (Inst, usize),
        value: Value,
    ) -> Option<bool> {
        if let Operand::Constant(number) = operand(func, value) {
            let number = eval::to_type(self.ty, number);
            return Some(eval::compare(self.cond, self.ty, number, self.with));
        }
        let is_value = |one| matches!(one, Operand::Value(compared) if whole(func, self.ty, compared) == value);
        for _ in 0..MAX_BEFORE {
            if let Some(known) = Known::on_edge(func, inst, index)
                && known.ty == self.ty
                && is_value(known.args[0])
                && let Some(answer) = implied(&known, self.cond, Operand::Constant(self.with))
            {
                return Some(answer);
            }
            let block = func.layout.inst_block(inst)?;
            let [before] = cfg.predecessors(block) else {
                return None;
            };
            inst = before.inst;
            let targets = func.dfg.successors(inst);
            index = targets.iter().position(|call| call.block == block)?;
        }
        None
    }
}

/// The value whose lower half is compared when this is compared at a width. Truncations and extensions
/// keep the lower half, so that two comparisons of 32 bits look at the same if the wholes are the same.
fn whole(func: &Function, ty: Type, value: Value) -> Value {
    let mut value = func.dfg.resolve(value);
    if ty == Type::I64 {
        return value;
    }
    for _ in 0..MAX_CONVERSIONS {
        match func.dfg.def_inst(value) {
            Some((
                inst,
                &InstData::Unary {
                    opcode: Opcode::Trunc | Opcode::Zext | Opcode::Sext,
                    arg,
                    ..
                },
            )) if !func.is_patched(inst) => value = func.dfg.resolve(arg),
            _ => break,
        }
    }
    value
}
