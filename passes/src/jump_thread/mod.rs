//! Leads edges past branches that they decide.
//!
//! **What.**
//! ```text
//!   block1:                           block1:
//!     jump block3(v1, -1)               jump block5(-1)
//!   block2:                    ──►    block2:
//!     jump block3(v2, v7)               jump block3(v2, v7)
//!   block3(v3, v4):                   block3(v3, v4):
//!     br slt v4, 0, block5(v4), …       br slt v4, 0, block5(v4), …
//! ```
//!
//! **Why.** Inlined functions return an error and their caller asks for it; each way has one answer.
//! A comparison is saved on the way, and often the whole block, the moves to it and the constant.
//!
//! **Soundness.** Only computations without effect stand before the branch, so nothing is left out
//! but what is known: the condition follows from the arguments of the edge, or from the same
//! condition on the way to it. On that way the kernel decides the branch too, or has learnt from the
//! first what it would learn from the second, so it goes where the edge now leads, knowing as much.
//! Headers of loops keep their edges: a loop with two entries would be none.
//!
//! Values of the block that are used beyond it have two definitions then; [`repair`] joins them.
//!
//! **Cost.** Linear in edges to blocks that only branch, each looking at [`MAX_COMPUTATIONS`]
//! instructions and [`MAX_BEFORE`] blocks before; what repair adds is bounded by [`MAX_PARAMETERS`].
//!
//! **Order.** When branches compare values with constants; before `simplify-cfg`, which removes
//! blocks without edges, and parameters that are always the same.

mod decide;
mod graph;
mod repair;

use mir::{Block, Function, Inst, InstData, Opcode, Value};
use smallvec::SmallVec;

use crate::edit;
use crate::pass::{Changed, Pass, PassContext};
use graph::{Edge, Graph};

/// Instructions before a branch that are computed for each edge.
const MAX_COMPUTATIONS: usize = 8;
/// Branches before an edge that are asked for the same condition.
const MAX_BEFORE: usize = 4;
/// Parameters that repair may add for each block of the function.
const MAX_PARAMETERS: usize = 4;

/// See the module documentation.
#[derive(Clone, Copy, Debug)]
pub struct JumpThread;

/// A block that stands for an edge which was led past a block, and what the parameters of that
/// block are there.
struct Way {
    block: Block,
    values: SmallVec<[(Value, Value); 8]>,
}

impl Pass for JumpThread {
    fn run(&self, func: &mut Function, cx: &mut PassContext<'_>) -> Changed {
        let cfg = cx.analyses.cfg(func);
        let mut changed = edit::remove_unreachable_blocks(func, &cfg, cx);
        let mut graph = Graph::of(func, &cfg);
        let mut budget = MAX_PARAMETERS * cfg.reverse_postorder().len();
        for &block in cfg.reverse_postorder() {
            if Some(block) == cfg.entry()
                || !func.layout.contains_block(block)
                || !only_branches(func, block)
            {
                continue;
            }
            let loops = cfg.predecessors(block).iter();
            if loops
                .into_iter()
                .any(|edge| cfg.is_retreating(edge.block, block))
            {
                continue;
            }
            let mut ways = Vec::new();
            for edge in graph.edges_to(block) {
                let Some(taken) = decide::taken(func, &graph, cx.endian(), block, edge) else {
                    continue;
                };
                if let Some(way) = lead(func, &mut graph, block, edge, taken) {
                    ways.push(way);
                }
            }
            if ways.is_empty() {
                continue;
            }
            changed = true;
            if let Some(branch) = func.layout.last_inst(block) {
                cx.applied(func, branch, "led edges past a branch that they decide");
            }
            let added = repair::join(func, &mut graph, block, &ways);
            graph.remove_unreachable(func, &cfg, block);
            budget = budget.saturating_sub(added);
            if budget == 0 {
                break;
            }
        }
        Changed::control_flow_if(changed)
    }
}

/// Whether a block computes something without effect and branches.
fn only_branches(func: &Function, block: Block) -> bool {
    let Some(last) = func.layout.last_inst(block) else {
        return false;
    };
    let mut before = func.layout.insts(block).take_while(|&inst| inst != last);
    matches!(func.dfg.inst(last), InstData::Branch { .. })
        && before
            .by_ref()
            .take(MAX_COMPUTATIONS)
            .all(|inst| is_pure(func, inst))
        && before.next().is_none()
}

fn is_pure(func: &Function, inst: Inst) -> bool {
    func.dfg.inst(inst).opcode().effect() == mir::opcode::Effect::Pure && !func.is_patched(inst)
}

/// Leads an edge to the destination of the branch through a block of its own; not if what follows
/// needs more of what the block computes than constants.
fn lead(
    func: &mut Function,
    graph: &mut Graph,
    block: Block,
    edge: Edge,
    taken: usize,
) -> Option<Way> {
    let branch = func.layout.last_inst(block)?;
    let target = func.dfg.successors(branch)[taken];
    let passed: SmallVec<[Value; 8]> = resolved(func, func.dfg.call_args(&target));
    let mut constants = SmallVec::<[Inst; 4]>::new();
    for inst in func.layout.insts(block) {
        let Some(result) = func.dfg.result(inst) else {
            continue;
        };
        if !passed.contains(&result) && !graph.is_used_beyond(func, result, block) {
            continue;
        }
        let data = func.dfg.inst(inst);
        if !matches!(data, InstData::Const { .. }) && data.opcode() != Opcode::Frame {
            return None;
        }
        constants.push(inst);
    }
    let call = func.dfg.successors(edge.inst).get(edge.index).copied()?;
    let args: SmallVec<[Value; 8]> = resolved(func, func.dfg.call_args(&call));
    let params = func.dfg.block_params(block).iter().copied();
    let values: SmallVec<[(Value, Value); 8]> = params.zip(args).collect();
    // They are the same everywhere, and where they are computed is chosen when code is emitted.
    let first = func
        .layout
        .entry()
        .and_then(|entry| func.layout.last_inst(entry))?;
    for inst in constants {
        func.layout.remove_inst(inst);
        func.layout.insert_inst_before(inst, first);
    }
    let way = func.append_new_block();
    let there = |value: Value| {
        let found = values.iter().find(|(old, _)| *old == value);
        found.map_or(value, |&(_, new)| new)
    };
    let args: SmallVec<[Value; 8]> = passed.iter().map(|&value| there(value)).collect();
    let target = func.dfg.block_call(target.block, &args);
    let jump = func.dfg.make_inst(InstData::Jump { target });
    func.layout.append_inst(jump, way);
    func.inherit_location(jump, branch);
    let call = func.dfg.block_call(way, &[]);
    func.dfg.set_successor(edge.inst, edge.index, call);
    graph.lead(edge, block, way, jump, target.block);
    graph.note_uses(func, jump);
    Some(Way { block: way, values })
}

fn resolved(func: &Function, values: &[Value]) -> SmallVec<[Value; 8]> {
    values
        .iter()
        .map(|&value| func.dfg.resolve(value))
        .collect()
}
