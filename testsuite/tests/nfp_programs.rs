//! Every XDP and TC program of this project and of the corpus that can go to the card is compiled for
//! it, its words keep to every rule, and they do what the program does in the interpreter.
//!
//! Twice: for the open firmware, and for one without its limits on maps, which lets more programs
//! through than any card does and so tests the compiler with more.

mod trials;

use std::collections::BTreeMap;
use std::sync::Mutex;

use backend_nfp::capabilities::Capabilities;
use bpfmill::compile::CompileOptions;
use libtest_mimic::{Arguments, Failed, Trial};
use passes::OptLevel;
use testsuite::nfp::inputs;
use testsuite::nfp::programs::{Outcome, compile_all, differences, generous};
use testsuite::objects::TestObject;

/// Shortest frame of an input.
const SHORTEST: usize = 14;

#[derive(Debug, Default)]
struct Totals {
    programs: usize,
    obstacles: usize,
    compiled: usize,
    words: usize,
    largest: usize,
    inputs: usize,
    refused: BTreeMap<String, usize>,
}

static TOTALS: Mutex<BTreeMap<String, Totals>> = Mutex::new(BTreeMap::new());

fn main() {
    let arguments = Arguments::from_args();
    let (found, mut all) = trials::objects();
    for object in found {
        all.push(Trial::test(object.name.clone(), move || check(&object)));
    }
    let conclusion = libtest_mimic::run(&arguments, all);
    summarise();
    conclusion.exit();
}

#[expect(clippy::print_stdout, reason = "a test binary's report")]
fn summarise() {
    let Ok(totals) = TOTALS.lock() else { return };
    for (set, totals) in totals.iter() {
        println!(
            "{set}: {} programs, {} with obstacles, {} compiled to {} words, the largest {}; {} runs",
            totals.programs,
            totals.obstacles,
            totals.compiled,
            totals.words,
            totals.largest,
            totals.inputs
        );
        for (reason, count) in &totals.refused {
            println!("{count:6} {reason}");
        }
    }
}

fn check(test: &TestObject) -> Result<(), Failed> {
    let bytes = std::fs::read(&test.path)?;
    let Ok(object) = bpf::elf::read(&bytes) else {
        // A damaged object; that it is refused is tested where the reader is.
        return Ok(());
    };
    let set = match test.name.starts_with("corpus") {
        true => "corpus",
        false => "programs",
    };
    let firmwares = [("open", Capabilities::default()), ("generous", generous())];
    let mut wrong = Vec::new();
    for (firmware, capabilities) in firmwares {
        for level in [OptLevel::O0, OptLevel::O2] {
            let options = CompileOptions::at_level(level);
            let Ok(programs) = compile_all(&object, &capabilities, &options) else {
                continue;
            };
            for (name, _, outcome) in programs {
                let mut runs = 0;
                if let Outcome::Compiled(program, words) = &outcome {
                    let inputs = inputs(&name, SHORTEST);
                    let found = differences(&object, program, words, &capabilities, &inputs);
                    match found {
                        Ok(report) => {
                            runs = report.inputs;
                            let difference = report.differences.first();
                            let hazard = report.hazards.first();
                            if let Some(first) = difference {
                                let count = report.differences.len();
                                wrong.push(format!(
                                    "{firmware} {level:?} {name}: {count} of {runs} differ: {first}"
                                ));
                            } else if let Some(hazard) = hazard {
                                wrong.push(format!("{firmware} {level:?} {name}: {hazard:?}"));
                            }
                        }
                        Err(error) => {
                            wrong.push(format!("{firmware} {level:?} {name}: {error}"));
                        }
                    }
                }
                count(
                    &format!("{set}, {firmware} firmware, {level:?}"),
                    &outcome,
                    runs,
                );
            }
        }
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(wrong.join("\n").into())
    }
}

fn count(set: &str, outcome: &Outcome, runs: usize) {
    let Ok(mut totals) = TOTALS.lock() else {
        return;
    };
    let totals = totals.entry(set.to_owned()).or_default();
    totals.programs += 1;
    totals.inputs += runs;
    match outcome {
        Outcome::Obstacles(_) => totals.obstacles += 1,
        Outcome::Refused(reason) => {
            // Without the place, which differs each time.
            let reason = reason.split(", at ").next().unwrap_or(reason);
            *totals.refused.entry(reason.to_owned()).or_default() += 1;
        }
        Outcome::Compiled(_, words) => {
            totals.compiled += 1;
            totals.words += words.len();
            totals.largest = totals.largest.max(words.len());
        }
    }
}
