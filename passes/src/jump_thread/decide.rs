//! What an edge decides: by constants among its arguments, or by the branches that lead to it.

use bpf::insn::{Cond, Endian};
use mir::{Block, Function, InstData, Type, Value, eval};
use smallvec::SmallVec;

use super::MAX_BEFORE;
use super::graph::{Edge, Graph};

/// What an operand is on an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operand {
    Constant(u64),
    Value(Value),
}

/// A comparison that holds.
#[derive(Clone, Copy, Debug)]
struct Known {
    cond: Cond,
    ty: Type,
    args: [Operand; 2],
}

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

fn operand(func: &Function, value: Value) -> Operand {
    let value = func.dfg.resolve(value);
    match func.constant(value) {
        Some(number) => Operand::Constant(eval::to_type(func.dfg.value_type(value), number as u64)),
        None => Operand::Value(value),
    }
}

/// What holds because of the branches that lead to an edge, the nearest first.
fn before(func: &Function, graph: &Graph, mut edge: Edge) -> SmallVec<[Known; MAX_BEFORE]> {
    let mut found = SmallVec::new();
    for _ in 0..MAX_BEFORE {
        if let InstData::Branch { cond, ty, args, .. } = *func.dfg.inst(edge.inst) {
            let cond = if edge.index == 0 {
                Some(cond)
            } else {
                cond.inverted()
            };
            if let Some(cond) = cond {
                let args = args.map(|arg| operand(func, arg));
                found.push(Known { cond, ty, args });
            }
        }
        let at = func.layout.inst_block(edge.inst);
        let Some(next) = at.and_then(|at| graph.only_edge(at)) else {
            break;
        };
        edge = next;
    }
    found
}

/// Whether another comparison of the same left operand holds.
fn implied(known: &Known, cond: Cond, right: Operand) -> Option<bool> {
    if known.args[1] == right {
        if known.cond == cond {
            return Some(true);
        }
        if known.cond.inverted() == Some(cond) {
            return Some(false);
        }
    }
    let (Operand::Constant(is), Operand::Constant(asked)) = (known.args[1], right) else {
        return None;
    };
    if known.cond == Cond::Eq {
        return Some(eval::compare(cond, known.ty, is, asked));
    }
    let signed = matches!(cond, Cond::Sgt | Cond::Sge | Cond::Slt | Cond::Sle);
    let range = range(known, signed)?;
    let asked = ordered(known.ty, asked, signed);
    let (low, high) = (*range.start(), *range.end());
    let (yes, no) = match cond {
        Cond::Eq => (low == asked && high == asked, !range.contains(&asked)),
        Cond::Ne => (!range.contains(&asked), low == asked && high == asked),
        Cond::Gt | Cond::Sgt => (low > asked, high <= asked),
        Cond::Ge | Cond::Sge => (low >= asked, high < asked),
        Cond::Lt | Cond::Slt => (high < asked, low >= asked),
        Cond::Le | Cond::Sle => (high <= asked, low > asked),
        Cond::Set => (false, false),
    };
    match (yes, no) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    }
}

/// A number such that the order of numbers is the unsigned one.
fn ordered(ty: Type, number: u64, signed: bool) -> u64 {
    let number = eval::to_type(ty, number);
    let sign = 1 << (ty.bits() - 1);
    if signed { number ^ sign } else { number }
}

/// Where the left operand is, in the order that is asked for, if the comparison tells.
fn range(known: &Known, signed: bool) -> Option<std::ops::RangeInclusive<u64>> {
    let Operand::Constant(is) = known.args[1] else {
        return None;
    };
    let is = ordered(known.ty, is, signed);
    let max = eval::to_type(known.ty, u64::MAX);
    let (cond, by_sign) = match known.cond {
        Cond::Sgt => (Cond::Gt, true),
        Cond::Sge => (Cond::Ge, true),
        Cond::Slt => (Cond::Lt, true),
        Cond::Sle => (Cond::Le, true),
        cond => (cond, false),
    };
    if by_sign != signed {
        return None;
    }
    match cond {
        Cond::Gt => Some(is.checked_add(1)?..=max),
        Cond::Ge => Some(is..=max),
        Cond::Lt => Some(0..=is.checked_sub(1)?),
        Cond::Le => Some(0..=is),
        _ => None,
    }
}
