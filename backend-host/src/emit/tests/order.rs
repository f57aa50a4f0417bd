//! The order of blocks against all orders that there are, for few blocks.

use super::super::lines::End;
use super::super::order::fewest_jumps;
use super::{Random, exit, if_zero};

/// Slots that the ends need beside what they need anyway.
fn jumps(ends: &[End], order: &[usize]) -> usize {
    let needs = |(position, &block): (usize, &usize)| {
        let next = order.get(position + 1);
        match &ends[block] {
            End::Jump(target) => next != Some(target),
            End::Branch(_, taken, other) => next != Some(taken) && next != Some(other),
            End::Return(_) => false,
        }
    };
    order.iter().enumerate().filter(|&pair| needs(pair)).count()
}

/// The fewest jumps of all orders with these blocks first.
fn fewest(ends: &[End], order: &mut Vec<usize>) -> usize {
    if order.len() == ends.len() {
        return jumps(ends, order);
    }
    let open: Vec<usize> = (0..ends.len()).filter(|at| !order.contains(at)).collect();
    let mut best = usize::MAX;
    for block in open {
        order.push(block);
        best = best.min(fewest(ends, order));
        order.pop();
    }
    best
}

#[test]
fn no_order_is_worse_and_few_are_better() {
    let mut random = Random(7);
    let (mut saved, mut missed) = (0, 0);
    for _ in 0..400 {
        let blocks = 2 + random.below(5);
        let ends: Vec<End> = (0..blocks)
            .map(|_| {
                let (to, other) = (random.below(blocks), random.below(blocks));
                match random.below(5) {
                    0 => exit(),
                    1 | 2 => End::Jump(to),
                    _ => End::Branch(if_zero(1), to, other),
                }
            })
            .collect();
        let before: Vec<usize> = (0..blocks).collect();
        let (after, told) = fewest_jumps(&ends, &before);
        let mut sorted = after.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, before, "each block once");
        assert_eq!(after[0], 0, "the first stays the first");
        let (old, new) = (jumps(&ends, &before), jumps(&ends, &after));
        assert!(new <= old, "{ends:?} {after:?}");
        // Chains may happen to stand well beside each other too.
        assert!(told <= old - new, "{ends:?} {after:?}");
        saved += old - new;
        missed += new - fewest(&ends, &mut vec![0]);
    }
    // What is missed lies in circles, of which another pair could have been given up.
    assert!(saved > 100, "{saved}");
    assert!(missed * 5 < saved, "{missed} of {saved}");
}
