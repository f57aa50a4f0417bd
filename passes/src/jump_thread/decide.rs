//! What an edge decides: by constants among its arguments, or by the branches that lead to it.

use bpf::insn::Endian;
use mir::{Block, Function, InstData, Value, eval};
use smallvec::SmallVec;

use super::MAX_BEFORE;
use super::graph::{Edge, Graph};
use crate::facts::compared::{Known, Operand, implied, operand};

/// The successor that the branch of a block goes to when it is reached by an edge.
pub(super) fn taken(
    func: &Function,
    graph: &Graph,
    endian: Endian,
    block: Block,
    edge: Edge,
) -> Option<usize> {
    let branch = func.layout.last_inst(block)?;
    let InstData::Branch { cond, ty, args, .. } = *func.dfg.inst(branch) else {
        return None;
    };
    let args = on_edge(func, endian, block, edge, args)?;
    let holds = match args {
        [Operand::Constant(a), Operand::Constant(b)] => Some(eval::compare(cond, ty, a, b)),
        _ => before(func, graph, edge).into_iter().find_map(|known| {
            let same = known.ty == ty && known.args[0] == args[0];
            same.then(|| implied(&known, cond, args[1])).flatten()
        }),
    };
    holds.map(|holds| usize::from(!holds))
}

/// The operands of a block's branch when it is reached by an edge.
fn on_edge(
    func: &Function,
    endian: Endian,
    block: Block,
    edge: Edge,
    args: [Value; 2],
) -> Option<[Operand; 2]> {
    let call = func.dfg.successors(edge.inst).get(edge.index).copied()?;
    let params = func.dfg.block_params(block).iter();
    let mut known: SmallVec<[(Value, Operand); 8]> = params
        .zip(func.dfg.call_args(&call))
        .map(|(&param, &arg)| (param, operand(func, arg)))
        .collect();
    for inst in func.layout.insts(block) {
        let Some(result) = func.dfg.result(inst) else {
            continue;
        };
        let of = |value| match lookup(func, &known, value) {
            Operand::Constant(number) => Some(number),
            Operand::Value(_) => None,
        };
        let ty = func.dfg.value_type(result);
        let computed = match *func.dfg.inst(inst) {
            InstData::Unary { opcode, arg, .. } => {
                of(arg).and_then(|arg| eval::unary(opcode, ty, arg, endian))
            }
            InstData::Binary {
                opcode,
                args: [a, b],
                ..
            } => of(a)
                .zip(of(b))
                .and_then(|(a, b)| eval::binary(opcode, ty, a, b)),
            _ => None,
        };
        if let Some(number) = computed {
            known.push((result, Operand::Constant(number)));
        }
    }
    Some(args.map(|arg| lookup(func, &known, arg)))
}

fn lookup(func: &Function, known: &[(Value, Operand)], value: Value) -> Operand {
    let value = func.dfg.resolve(value);
    let found = known.iter().find(|(one, _)| *one == value);
    found.map_or_else(|| operand(func, value), |&(_, operand)| operand)
}

/// What holds because of the branches that lead to an edge, the nearest first.
fn before(func: &Function, graph: &Graph, mut edge: Edge) -> SmallVec<[Known; MAX_BEFORE]> {
    let mut found = SmallVec::new();
    for _ in 0..MAX_BEFORE {
        found.extend(Known::on_edge(func, edge.inst, edge.index));
        let at = func.layout.inst_block(edge.inst);
        let Some(next) = at.and_then(|at| graph.only_edge(at)) else {
            break;
        };
        edge = next;
    }
    found
}
