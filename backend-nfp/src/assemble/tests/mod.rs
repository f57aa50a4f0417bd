//! Random machine programs must do the same as they stand and assembled.

mod broken;
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

/// Programs are fewer where each takes longer.
const LESS: u64 = if cfg!(debug_assertions) { 10 } else { 1 };

/// Runs of random programs before and after; how many could be compared, and how many differed.
fn compare(seeds: std::ops::Range<u64>, timing: &Timing, hardware: &Timing) -> (usize, Vec<u64>) {
    let (mut compared, mut different) = (0, Vec::new());
    for seed in seeds {
        let program = generate::program(&mut Random(seed));
        let before = run::as_it_stands(&program, hardware);
        let after = assemble(&program, timing, run::START)
            .unwrap_or_else(|error| panic!("{seed}: {error}"));
        let after = after.relocated(&PLACES).unwrap();
        for input in 0..3 {
            let Ok((expected, _)) = run::run(&before, input, hardware) else {
                continue;
            };
            if !expected.hazards.is_empty() {
                continue;
            }
            compared += 1;
            let found = run::run(&after, input, hardware);
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
    let timing = Timing::default();
    let (compared, different) = compare(0..6000 / LESS, &timing, &timing);
    assert!(different.is_empty(), "{different:?} of {compared} runs");
    let enough = 12_000 / LESS as usize;
    assert!(compared > enough, "only {compared} runs could be compared");
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
    let timing = Timing::default();
    let mut different = Vec::new();
    for seed in 0..3000 / LESS {
        let program = generate::program(&mut Random(seed));
        let other = shuffled(&program, &mut Random(seed));
        let run = |program| run::run(&run::as_it_stands(program, &timing), seed, &timing);
        let (expected, found) = (run(&program), run(&other));
        let seen = |outcome: run::Outcome| outcome.map(|(seen, _)| seen);
        match seen(expected) {
            Ok(expected)
                if expected.hazards.is_empty() && seen(found).as_ref() != Ok(&expected) =>
            {
                different.push(seed);
            }
            _ => {}
        }
    }
    assert!(different.is_empty(), "{different:?}");
}

#[test]
fn other_hardware_is_kept_to() {
    for (lm_index, branch_slots, jump_slots) in [
        (0, 2, 3),
        (1, 2, 3),
        (2, 3, 3),
        (3, 0, 0),
        (5, 1, 2),
        (9, 3, 1),
    ] {
        let timing = Timing {
            lm_index,
            branch_slots,
            jump_slots,
        };
        let (compared, different) = compare(6000..6000 + 800 / LESS, &timing, &timing);
        assert!(
            different.is_empty(),
            "{timing:?}: {different:?} of {compared} runs"
        );
    }
}

#[test]
fn a_delay_too_short_is_found() {
    let timing = Timing {
        lm_index: 2,
        ..Timing::default()
    };
    let (_, different) = compare(0..300, &timing, &Timing::default());
    assert!(different.len() > 30, "{}", different.len());
}
