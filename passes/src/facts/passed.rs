//! What the edges of a function pass to block parameters.

use mir::analysis::ControlFlowGraph;
use mir::{Function, Value};

/// Visits each parameter with each argument that an edge passes to it, blocks in reverse postorder:
/// one round of a data flow over parameters. Linear in the number of arguments.
pub(crate) fn for_each_passed(
    func: &Function,
    cfg: &ControlFlowGraph,
    mut visit: impl FnMut(Value, Value),
) {
    for &block in cfg.reverse_postorder() {
        let Some(last) = func.layout.last_inst(block) else {
            continue;
        };
        for call in func.dfg.successors(last) {
            let params = func.dfg.block_params(call.block);
            for (&param, &arg) in params.iter().zip(func.dfg.call_args(&call)) {
                visit(param, arg);
            }
        }
    }
}
