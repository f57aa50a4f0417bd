//! One value with several definitions: parameters where they meet.
//!
//! Before, every way to a use came through the block that defines the value, since that block
//! dominated it; now some come through blocks that stand for edges, where the value is another. Going
//! back from the uses ends at one of those. A block on the way to which several edges lead gets a
//! parameter; parameters that turn out to be always the same are left to `simplify-cfg`.

use std::collections::BTreeMap;

use mir::{Block, Function, Value};
use smallvec::SmallVec;

use super::Way;
use super::graph::Graph;

/// Joins the parameters of a block with what they are on the ways past it. Says how many parameters
/// were added.
pub(super) fn join(func: &mut Function, graph: &mut Graph, block: Block, ways: &[Way]) -> usize {
    let params = func.dfg.block_params(block).to_vec();
    params
        .into_iter()
        .map(|value| join_value(func, graph, block, ways, value))
        .sum()
}

fn join_value(
    func: &mut Function,
    graph: &mut Graph,
    block: Block,
    ways: &[Way],
    value: Value,
) -> usize {
    let users = graph.users_beyond(func, value, block);
    if users.is_empty() {
        return 0;
    }
    // What the value is at the end of blocks.
    let mut ends: BTreeMap<Block, Value> = ways
        .iter()
        .map(|way| {
            let found = way.values.iter().find(|(old, _)| *old == value);
            (way.block, found.map_or(value, |&(_, new)| new))
        })
        .collect();
    ends.insert(block, value);
    let added = place(func, graph, &mut ends, &users, value);
    for &inst in &users {
        let Some(at) = func.layout.inst_block(inst) else {
            continue;
        };
        let new = at_end(func, graph, &ends, at).unwrap_or(value);
        func.dfg.map_operands(inst, |one| match one == value {
            true => new,
            false => one,
        });
        graph.note_uses(func, inst);
    }
    added
}

/// Adds parameters to the blocks between definitions and uses to which several edges lead.
fn place(
    func: &mut Function,
    graph: &mut Graph,
    ends: &mut BTreeMap<Block, Value>,
    users: &[mir::Inst],
    value: Value,
) -> usize {
    let ty = func.dfg.value_type(value);
    let mut work: Vec<Block> = users
        .iter()
        .filter_map(|&inst| func.layout.inst_block(inst))
        .collect();
    let mut seen: BTreeMap<Block, Option<Value>> = BTreeMap::new();
    while let Some(at) = work.pop() {
        if seen.contains_key(&at) {
            continue;
        }
        let edges = graph.edges_to(at);
        let param = (edges.len() > 1).then(|| func.dfg.append_block_param(at, ty));
        seen.insert(at, param);
        let before = edges
            .iter()
            .filter_map(|edge| func.layout.inst_block(edge.inst));
        work.extend(before.filter(|from| !ends.contains_key(from)));
    }
    let params: Vec<(Block, Value)> = seen
        .iter()
        .filter_map(|(&at, &param)| Some((at, param?)))
        .collect();
    for &(at, param) in &params {
        // A block that defines the value can be on the way to itself.
        ends.entry(at).or_insert(param);
    }
    for &(at, _) in &params {
        for edge in graph.edges_to(at) {
            let from = func.layout.inst_block(edge.inst);
            let passed = from
                .and_then(|from| at_end(func, graph, ends, from))
                .unwrap_or(value);
            let Some(call) = func.dfg.successors(edge.inst).get(edge.index).copied() else {
                continue;
            };
            let mut args: SmallVec<[Value; 8]> = SmallVec::from_slice(func.dfg.call_args(&call));
            args.push(passed);
            let call = func.dfg.block_call(at, &args);
            func.dfg.set_successor(edge.inst, edge.index, call);
            graph.note_uses(func, edge.inst);
        }
    }
    params.len()
}

/// What the value is at the end of a block.
fn at_end(
    func: &Function,
    graph: &Graph,
    ends: &BTreeMap<Block, Value>,
    mut block: Block,
) -> Option<Value> {
    // Blocks with one edge to them do not form a cycle that is reachable.
    loop {
        if let Some(&value) = ends.get(&block) {
            return Some(value);
        }
        block = func.layout.inst_block(graph.only_edge(block)?.inst)?;
    }
}
