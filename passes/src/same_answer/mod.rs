//! Folds branches whose comparison has one answer, whichever way control came.
//!
//! **What.**
//! ```text
//!   block1:                                 block1:
//!     br eq v1, 0, block9, block3(v1)         br eq v1, 0, block9, block3(v1)
//!   block2:                                 block2:
//!     jump block3(-22)               ──►      jump block3(-22)
//!   block3(v3):                             block3(v3):
//!     …                                       …
//!     br eq v3, 0, block4, block5             jump block5
//! ```
//! Where another edge to a later block leaves two answers, a parameter that is there for the
//! comparison only and has one answer becomes a constant with that answer.
//!
//! **Why.** A loop that tries again until it succeeds leaves by one way with success and by another
//! without; asked for the result after it, it has one answer. Unrolled, such a loop carries the result
//! through every round, in a spill slot: in a translation of addresses with 128 rounds that is two
//! stores in each, which are unused then.
//!
//! **Soundness.** What is compared is a parameter of a block, so it is one of the arguments on the
//! edges to that block. Each of these is a constant with that answer, or was compared on the way
//! to its edge with what implies the answer, or is itself a parameter of which the same holds. That
//! parameters may be asked for in a circle is right: every value that goes round once came in by an
//! edge from outside. For the kernel: it walks each path by itself and finds the same answer there,
//! unless it forgot a number in between; then it walked a way that cannot be, and learnt from the
//! comparison what it knew once. No access is reached with less checked before it.
//!
//! **Cost.** Each branch asks at most [`web::MAX_EDGES`] edges; all branches together ask no more than
//! [`EDGES_EACH`] edges for each block.
//!
//! **Order.** After `simplify`, which makes comparisons with constants; `simplify-cfg` and `dce`
//! remove what is no longer reached or carried.

mod question;
mod web;

use crate::edit;
use crate::facts::memory::Users;
use crate::pass::{Changed, Pass, PassContext};
use mir::{BlockCall, Function, Inst, InstData, Value};
use question::Question;
use web::Web;

/// Edges to ask for each block of the function. Most branches stop at the first.
const EDGES_EACH: usize = 16;

/// See the module documentation.
#[derive(Clone, Copy, Debug)]
pub struct SameAnswer;

impl Pass for SameAnswer {
    fn run(&self, func: &mut Function, cx: &mut PassContext<'_>) -> Changed {
        let cfg = cx.analyses.cfg(func);
        let mut budget = EDGES_EACH * cfg.reverse_postorder().len();
        let mut folded: Vec<(Inst, BlockCall)> = Vec::new();
        let mut constants: Vec<(Inst, Value, i64)> = Vec::new();
        let mut users = None;
        for &block in cfg.reverse_postorder() {
            let Some(question) = Question::of(func, block) else {
                continue;
            };
            let Some(web) = Web::around(func, &cfg, &question, &mut budget) else {
                continue;
            };
            if let Some(answer) = web.answer() {
                let targets = func.dfg.successors(question.branch);
                let target = targets.get(usize::from(!answer)).copied();
                folded.extend(target.map(|target| (question.branch, target)));
            } else if web.has_answers() {
                let users = users.get_or_insert_with(|| Users::find(func));
                for (param, answer) in web.only_asked(func, &question, users) {
                    if let Some(number) = question.example(answer)
                        && !constants.iter().any(|&(_, other, _)| other == param)
                    {
                        constants.push((question.branch, param, number));
                    }
                }
            }
        }
        let changed = Changed::control_flow_if(!folded.is_empty())
            .and(Changed::instructions_if(!constants.is_empty()));
        // All at once: what was found is of the function as it was.
        for &(branch, target) in &folded {
            cx.applied(
                func,
                branch,
                "folded a branch that has one answer on all ways",
            );
            edit::branch_to_jump(func, branch, target);
        }
        for (branch, param, number) in constants {
            if let Some(users) = &users {
                cx.applied(
                    func,
                    branch,
                    "made a constant of what has one answer on all ways",
                );
                replace(func, users, branch, param, number);
            }
        }
        changed
    }
}

/// Puts a constant in the place of all uses of a parameter.
fn replace(func: &mut Function, users: &Users, cause: Inst, param: Value, number: i64) {
    let Some(first) = func
        .layout
        .entry()
        .and_then(|entry| func.layout.first_inst(entry))
    else {
        return;
    };
    let ty = func.dfg.value_type(param);
    let constant = func.dfg.make_inst(InstData::Const { ty, imm: number });
    func.layout.insert_inst_before(constant, first);
    func.inherit_location(constant, cause);
    let Some(value) = func.dfg.result(constant) else {
        return;
    };
    let users: Vec<Inst> = users.of(func, param).collect();
    for user in users {
        func.dfg.map_operands(
            user,
            |operand| if operand == param { value } else { operand },
        );
    }
}
