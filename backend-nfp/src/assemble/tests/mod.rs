//! Random machine programs must do the same as they stand and assembled.

mod generate;
mod items;
mod order;
mod parts;
mod run;
mod small;

use self::parts::Random;
use super::*;
use crate::isa::relocation::Places;

const PLACES: Places<'_> = Places {
    start: run::START,
    done: run::DONE,
    exit: 0,
    abort: 0,
    push: 0,
    pop: 0,
    helpers: &[(1, run::HELPER)],
};

/// Runs of random programs before and after; how many could be compared, and how many differed.
fn compare(programs: u64, timing: &Timing) -> (usize, Vec<u64>) {
    let (mut compared, mut different) = (0, Vec::new());
    for seed in 0..programs {
        let program = generate::program(&mut Random(seed));
        let before = run::as_it_stands(&program);
        let after = assemble(&program, timing, run::START)
            .unwrap_or_else(|error| panic!("{seed}: {error}"));
        let after = after.relocated(&PLACES).unwrap();
        for input in 0..3 {
            let Ok((expected, _)) = run::run(&before, input) else {
                continue;
            };
            if !expected.hazards.is_empty() {
                continue;
            }
            compared += 1;
            let found = run::run(&after, input);
            if found.map(|(seen, _)| seen).as_ref() != Ok(&expected) {
                different.push(seed);
                break;
            }
        }
    }
    (compared, different)
}

#[test]
fn programs_do_the_same() {
    let (compared, different) = compare(6000, &Timing::default());
    assert!(different.is_empty(), "{different:?} of {compared} runs");
    assert!(compared > 12_000, "only {compared} runs could be compared");
}

/// The items of each block in a random order that [`Effects::before`] allows.
fn shuffled(program: &MachineProgram, random: &mut Random) -> MachineProgram {
    let graph = Graph::new(program, &Timing::default()).unwrap();
    let live = flags::live_at_entry(&graph, &(0..graph.nodes.len()).collect::<Vec<_>>());
    let mut shuffled = program.clone();
    let blocks = shuffled
        .functions
        .iter_mut()
        .flat_map(|function| &mut function.blocks);
    for (node, block) in blocks.enumerate() {
        let strong = flags::strong(&graph, node, &live);
        let mut left: Vec<usize> = (0..block.items.len()).collect();
        let mut items = Vec::new();
        while !left.is_empty() {
            let at = random.below(left.len());
            let effects = |place: usize| graph.effects(graph.nodes[node].items[place]);
            let free = left[..at].iter().all(|earlier| {
                let strong = (strong[*earlier], strong[left[at]]);
                !effects(*earlier).before(effects(left[at]), strong)
            });
            if free {
                items.push(block.items[left.remove(at)].clone());
            }
        }
        block.items = items;
    }
    shuffled
}

#[test]
fn orders_that_are_allowed_do_the_same() {
    let mut different = Vec::new();
    for seed in 0..3000 {
        let program = generate::program(&mut Random(seed));
        let other = shuffled(&program, &mut Random(seed));
        let expected = run::run(&run::as_it_stands(&program), seed);
        let found = run::run(&run::as_it_stands(&other), seed);
        let seen = |outcome: run::Outcome| outcome.map(|(seen, _)| seen);
        if expected.is_ok() && seen(expected) != seen(found) {
            different.push(seed);
        }
    }
    assert!(different.is_empty(), "{different:?} of 3000 runs");
}

#[test]
fn a_delay_too_short_is_found() {
    let timing = Timing {
        lm_index: 2,
        ..Timing::default()
    };
    let (_, different) = compare(300, &timing);
    assert!(different.len() > 30, "{}", different.len());
}
