//! The parameters that what is compared comes through, and the answer of each.

use super::question::Question;
use crate::facts::memory::Users;
use mir::analysis::ControlFlowGraph;
use mir::{Function, Inst, InstData, Opcode, Value, ValueDef};
use rustc_hash::FxHashMap;

/// Edges that one branch may ask. Unrolled loops of 128 rounds have three a round.
pub(super) const MAX_EDGES: usize = 1024;

/// Passes over the parameters until their answers must have settled. They are looked at from where
/// values come in, so that one is enough but for loops.
const MAX_PASSES: usize = 8;

/// What is known of the answers so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    /// None came yet.
    Open,
    One(bool),
    /// Both may be.
    Any,
}

impl Answer {
    fn join(self, other: Answer) -> Answer {
        match (self, other) {
            (Answer::Open, answer) | (answer, Answer::Open) => answer,
            (one, other) if one == other => one,
            _ => Answer::Any,
        }
    }
}

/// A parameter.
#[derive(Debug)]
struct Param {
    value: Value,
    answer: Answer,
    /// Other parameters among its arguments, by number.
    from: Vec<usize>,
}

/// The parameters behind a comparison; the first is what is compared.
#[derive(Debug)]
pub(super) struct Web {
    params: Vec<Param>,
    numbers: FxHashMap<Value, usize>,
}

impl Web {
    /// Follows what is compared back to where it comes from, and finds the answers.
    pub(super) fn around(
        func: &Function,
        cfg: &ControlFlowGraph,
        question: &Question,
        budget: &mut usize,
    ) -> Option<Web> {
        let mut web = Web {
            params: Vec::new(),
            numbers: FxHashMap::default(),
        };
        web.number(question.subject);
        let mut next = 0;
        let mut edges = 0;
        while next < web.params.len() {
            let ValueDef::Param(block, position) = func.dfg.value_def(web.params[next].value)
            else {
                return None;
            };
            // What the function is called with may be anything.
            if Some(block) == cfg.entry() {
                web.params[next].answer = Answer::Any;
            }
            for edge in cfg.predecessors(block) {
                if !cfg.is_reachable(edge.block) {
                    continue;
                }
                edges += 1;
                *budget = budget.checked_sub(1)?;
                if edges > MAX_EDGES {
                    return None;
                }
                for (index, call) in func.dfg.successors(edge.inst).iter().enumerate() {
                    if call.block != block {
                        continue;
                    }
                    let &arg = func.dfg.call_args(call).get(position as usize)?;
                    web.argument(func, cfg, question, next, (edge.inst, index), arg);
                }
            }
            next += 1;
        }
        web.settle().then_some(web)
    }

    /// The number of a parameter, which it gets if it has none.
    fn number(&mut self, value: Value) -> usize {
        let params = &mut self.params;
        *self.numbers.entry(value).or_insert_with(|| {
            params.push(Param {
                value,
                answer: Answer::Open,
                from: Vec::new(),
            });
            params.len() - 1
        })
    }

    /// Looks at what an edge passes for a parameter.
    fn argument(
        &mut self,
        func: &Function,
        cfg: &ControlFlowGraph,
        question: &Question,
        param: usize,
        edge: (Inst, usize),
        arg: Value,
    ) {
        let arg = question.whole(func, arg);
        let known = question.on_edge(func, cfg, edge, arg);
        if let Some(answer) = known {
            let param = &mut self.params[param];
            param.answer = param.answer.join(Answer::One(answer));
        } else if matches!(func.dfg.value_def(arg), ValueDef::Param(..)) {
            let from = self.number(arg);
            self.params[param].from.push(from);
        } else {
            self.params[param].answer = Answer::Any;
        }
    }

    /// Lets answers flow from parameter to parameter; says whether that came to an end.
    fn settle(&mut self) -> bool {
        for _ in 0..MAX_PASSES {
            let mut changed = false;
            for number in (0..self.params.len()).rev() {
                let param = &self.params[number];
                let from = param.from.iter().map(|&from| self.params[from].answer);
                let answer = from.fold(param.answer, Answer::join);
                changed |= answer != param.answer;
                self.params[number].answer = answer;
            }
            if !changed {
                return true;
            }
        }
        false
    }

    /// The answer to what was asked, if there is one only.
    pub(super) fn answer(&self) -> Option<bool> {
        match self.params.first()?.answer {
            Answer::One(answer) => Some(answer),
            _ => None,
        }
    }

    /// Whether there is one answer only of some parameter.
    pub(super) fn has_answers(&self) -> bool {
        let mut answers = self.params.iter().map(|param| param.answer);
        answers.any(|answer| matches!(answer, Answer::One(_)))
    }

    /// Parameters with one answer that are used for nothing but to ask for it.
    pub(super) fn only_asked(
        &self,
        func: &Function,
        question: &Question,
        users: &Users,
    ) -> Vec<(Value, bool)> {
        // For each the parameters that it is passed to, or none if it is used otherwise.
        let passed: Vec<Option<Vec<usize>>> = self
            .params
            .iter()
            .map(|param| self.passed_to(func, question, users, param.value))
            .collect();
        let mut fits: Vec<bool> = passed.iter().map(Option::is_some).collect();
        let mut passed_from: Vec<Vec<usize>> = vec![Vec::new(); passed.len()];
        for (from, to) in passed.iter().enumerate() {
            for &to in to.iter().flatten() {
                passed_from[to].push(from);
            }
        }
        let mut lost: Vec<usize> = (0..fits.len()).filter(|&number| !fits[number]).collect();
        while let Some(number) = lost.pop() {
            for &from in &passed_from[number] {
                if std::mem::take(&mut fits[from]) {
                    lost.push(from);
                }
            }
        }
        let params = self.params.iter().zip(fits);
        params
            .filter(|&(_, fits)| fits)
            .filter_map(|(param, _)| match param.answer {
                Answer::One(answer) => Some((param.value, answer)),
                _ => None,
            })
            .collect()
    }

    /// The parameters that a value is passed to, if all its other uses ask the question.
    fn passed_to(
        &self,
        func: &Function,
        question: &Question,
        users: &Users,
        value: Value,
    ) -> Option<Vec<usize>> {
        let mut passed = Vec::new();
        for user in users.of(func, value) {
            match *func.dfg.inst(user) {
                InstData::Unary {
                    opcode: Opcode::Trunc,
                    ..
                } if !func.is_patched(user) => {
                    let half = func.dfg.result(user)?;
                    let asks = |asker| question.is_asked_by(func, asker, half);
                    let is_passed = |asker| self.passes(func, asker, half).next().is_some();
                    if !users
                        .of(func, half)
                        .all(|user| asks(user) && !is_passed(user))
                    {
                        return None;
                    }
                }
                InstData::Branch { args, .. }
                    if args.contains(&value) && !question.is_asked_by(func, user, value) =>
                {
                    return None;
                }
                InstData::Branch { .. } | InstData::Jump { .. } | InstData::MayGoto { .. } => {
                    for to in self.passes(func, user, value) {
                        passed.push(to?);
                    }
                }
                _ => return None,
            }
        }
        Some(passed)
    }

    /// The numbers of the parameters that a terminator passes a value to; none for those that are
    /// not here.
    fn passes<'a>(
        &'a self,
        func: &'a Function,
        terminator: Inst,
        value: Value,
    ) -> impl Iterator<Item = Option<usize>> + 'a {
        let calls = func.dfg.successors(terminator).into_iter();
        calls.flat_map(move |call| {
            let params = func.dfg.block_params(call.block).iter();
            let pairs = params.zip(func.dfg.call_args(&call));
            let passed = pairs.filter(move |&(_, &arg)| func.dfg.resolve(arg) == value);
            passed.map(|(param, _)| self.numbers.get(param).copied())
        })
    }
}
