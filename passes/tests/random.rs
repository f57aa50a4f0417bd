//! Random functions do the same before and after each pass and each pipeline.

#[path = "../../mir/tests/generate/mod.rs"]
mod generate;

use generate::{Memory, for_each_function, module_of, random_args, run};
use mir::{Func, Module};
use passes::{OptLevel, Pipeline, PipelineOptions, Session, pass_names};

/// Steps of the original after which a run is given up.
const STEPS: u64 = 300;

/// Steps of the result: some passes put two cheap instructions in the place of one.
const STEPS_AFTER: u64 = 3000;

/// Runs with different arguments for each function.
const RUNS: usize = 4;

/// Passes that find little in random functions, which have no maps, no other memory than their
/// stack, few equal computations and no results that are compared twice; file tests and `--validate`
/// over real objects exercise them.
/// What the verifier found out is not there for random MIR, and the order of blocks and
/// the reads of a card are the back ends'.
const RARE: &[&str] = &[
    "inline-lookup",
    "atomic-add",
    "decided-branch",
    "layout",
    "packet-cache",
    "same-answer",
    "hoist",
];

fn transformed(pipeline: &Pipeline, module: &Module) -> Module {
    let mut after = module.clone();
    let stats = pipeline.run_function(&mut after, Func::from_u32(0), &mut Session::new());
    if let Some(failure) = stats.failure {
        panic!("{failure}\nof\n{module}");
    }
    after
}

fn check(name: &str, options: &PipelineOptions) {
    let pipeline = Pipeline::build(options).expect("the names are right");
    let (mut changed, mut compared) = (0, 0);
    for memory in [Memory::None, Memory::Stack, Memory::Fields] {
        for_each_function(memory, |random, func| {
            let module = module_of(func);
            let after = transformed(&pipeline, &module);
            changed += usize::from(after.to_string() != module.to_string());
            for _ in 0..RUNS {
                let args = random_args(random);
                if let Some(result) = run(&module, args, STEPS) {
                    compared += 1;
                    assert_eq!(
                        run(&after, args, STEPS_AFTER),
                        Some(result),
                        "{name} with {args:x?}\nbefore\n{module}\nafter\n{after}"
                    );
                }
            }
        });
    }
    assert!(
        changed > 50 || RARE.contains(&name),
        "{name} changed only {changed} functions"
    );
    assert!(compared > 4000, "only {compared} runs ended");
}

#[test]
fn each_pass_keeps_the_meaning() {
    for name in pass_names() {
        check(
            name,
            &PipelineOptions {
                passes: Some(vec![name.to_owned()]),
                verify_each: true,
                ..PipelineOptions::default()
            },
        );
    }
}

#[test]
fn each_level_keeps_the_meaning() {
    for level in [OptLevel::O1, OptLevel::O2, OptLevel::Os] {
        check(
            level.name(),
            &PipelineOptions {
                level,
                verify_each: true,
                ..PipelineOptions::default()
            },
        );
    }
}

#[test]
fn a_second_round_keeps_the_meaning() {
    let twice = OptLevel::O2.pass_names().repeat(2);
    check(
        "-O2 twice",
        &PipelineOptions {
            passes: Some(twice.into_iter().map(str::to_owned).collect()),
            verify_each: true,
            ..PipelineOptions::default()
        },
    );
}
