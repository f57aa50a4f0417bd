//! Which instructions lie in a loop, and in which: the strongly connected components of the program.
//!
//! Calls are stepped over: a callee's loops are its own. An instruction that calls back is a loop by
//! itself, since the walk takes it as often as the callback may run. Linear in the instructions.

use petgraph::algo::kosaraju_scc;
use petgraph::graph::{Graph, NodeIndex};

use super::cfg::{Shape, is_call, successors};
use super::{Meaning, Program};

/// The number of each slot's loop, from 1, or 0 where there is none.
pub(crate) fn components(program: &Program, shape: &Shape) -> Vec<u32> {
    let length = program.ops.len();
    let mut components = vec![0; length];
    let takes_next = |slot: usize| matches!(&program.ops[slot].meaning, Meaning::Kfunc(name) if name == "bpf_iter_num_next");
    let calls_back = |slot| shape.checkpoint[slot] && is_call(program, slot) && !takes_next(slot);
    let ways = |slot| successors(program, slot).into_iter().flatten();
    let has_loop = (0..length).any(|slot| calls_back(slot) || ways(slot).any(|next| next <= slot));
    if !has_loop {
        return components;
    }
    let mut graph = Graph::<(), (), petgraph::Directed, u32>::with_capacity(length, length);
    for _ in 0..length {
        graph.add_node(());
    }
    for slot in 0..length {
        for next in ways(slot).filter(|next| *next < length) {
            graph.add_edge(NodeIndex::new(slot), NodeIndex::new(next), ());
        }
    }
    let mut last = 0;
    for component in kosaraju_scc(&graph) {
        let is_loop = match component[..] {
            [one] => {
                let slot = one.index();
                calls_back(slot) || ways(slot).any(|next| next == slot)
            }
            _ => true,
        };
        if is_loop {
            last += 1;
            for slot in component {
                components[slot.index()] = last;
            }
        }
    }
    components
}
