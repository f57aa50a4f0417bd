//! The order of blocks against the best one, found by trying all, where there are few.

use super::parts::Random;
use super::{LESS, generate};
use crate::assemble::graph::Graph;
use crate::assemble::{layout, simplify};
use crate::machine::Timing;

/// Blocks that can be followed by a successor, in the best order.
fn best(graph: &Graph<'_>, placed: &[usize], at: usize, follows: &mut Vec<Option<usize>>) -> usize {
    let Some(node) = placed.get(at).copied() else {
        return 0;
    };
    let mut most = best(graph, placed, at + 1, follows);
    for next in graph.successors(node) {
        let circle =
            std::iter::successors(Some(next), |node| follows[*node]).any(|end| end == node);
        let free = placed.contains(&next)
            && next != graph.entries[0]
            && !follows.contains(&Some(next))
            && !circle;
        if free {
            follows[node] = Some(next);
            most = most.max(1 + best(graph, placed, at + 1, follows));
            follows[node] = None;
        }
    }
    most
}

#[test]
fn the_order_is_nearly_always_a_best_one() {
    let (mut all, mut worse) = (0, Vec::new());
    for seed in 0..4000 / LESS {
        let program = generate::program(&mut Random(seed));
        let mut graph = Graph::new(&program, &Timing::default()).unwrap();
        simplify::simplify(&mut graph);
        let layout = layout::layout(&graph);
        if layout.order.len() > 12 {
            continue;
        }
        all += 1;
        let found = layout.follows.iter().flatten().count();
        let mut follows = vec![None; graph.nodes.len()];
        let best = best(&graph, &layout.order, 0, &mut follows);
        assert!(found <= best, "{seed}");
        if found < best {
            worse.push(seed);
        }
    }
    assert!(all > 2000 / LESS as usize, "{all}");
    // One of few proves nothing.
    assert!(worse.len() <= 1 + all / 500, "{worse:?} of {all}");
}
