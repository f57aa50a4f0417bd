//! Our words for the Linux driver's cases: they keep to every rule that the checker knows, and do what
//! the bytecode does in the interpreter, whole result and all, without passes and with them. And
//! they are fewer, and take fewer cycles, than the driver's.

use backend_nfp::check::{Rules, check};
use backend_nfp::compile::{Compiled, Options, SHOWN, VERDICT};
use backend_nfp::firmware::Watch;
use backend_nfp::isa::TRAILER;
use bpf::program_type::ProgramType;
use libtest_mimic::{Arguments, Failed, Trial};
use passes::OptLevel;
use testsuite::nfp::translate::{all_helpers_abi, compile_module, module_of, words_of};
use testsuite::nfp::{Case, Input, Report, cases, compare, inputs};

/// Cases that the card cannot run whatever compiles them, with the reason: those of
/// `bpfmill check --target nfp` that are no matter of verdicts and arguments.
const IMPOSSIBLE: [&str; 5] = [
    "ctx_xdp_data_meta_rejected",
    "ctx_tc_mark_rejected",
    "map_val_store_rejected",
    "atomic_xor_rejected",
    "helper_redirect_rejected",
];
/// Cases in which the program means what the firmware does not: a verdict, or a processor's events.
const DIFFERENT: [&str; 2] = ["tc_ret_ok_rejected", "perf_output_not_current_cpu_rejected"];
/// Inputs that a case must have run on.
const INPUTS: usize = 100;
/// Cases that the driver translated.
const TRANSLATED: usize = 205;
/// The driver's short form of a constant head adjustment, and ours, counts on frames of this length.
const SHORTEST: (&str, usize) = ("adjust_head_const", 60);
/// What is asked for: our words and cycles over the driver's, as a geometric mean and at most.
const MEAN: f64 = 0.60;

fn main() {
    let arguments = Arguments::from_args();
    let trials = match cases() {
        Some(cases) => {
            let runnable = |case: &&Case| !IMPOSSIBLE.contains(&case.name.as_str());
            let mut trials: Vec<Trial> =
                cases.iter().filter(runnable).cloned().map(trial).collect();
            trials.push(Trial::test("fewer words and cycles", move || {
                ratios(&cases)
            }));
            trials
        }
        None => vec![
            Trial::test("cases", || Ok(()))
                .with_kind("no driver output beside the checkout")
                .with_ignored_flag(true),
        ],
    };
    libtest_mimic::run(&arguments, trials).exit();
}

fn trial(case: Case) -> Trial {
    Trial::test(case.name.clone(), move || {
        for level in [OptLevel::O0, OptLevel::O2] {
            for show_result in [true, false] {
                let (_, report) = run(&case, level, show_result)?;
                if report.inputs < INPUTS {
                    return Err(format!("only {} inputs", report.inputs).into());
                }
            }
        }
        Ok(())
    })
}

/// What a case runs on.
fn inputs_of(case: &Case) -> Vec<Input> {
    let shortest = match case.name == SHORTEST.0 {
        true => SHORTEST.1,
        false => 14,
    };
    inputs(&case.name, shortest)
}

/// Compiles a case, checks its words and compares what they do.
fn run(case: &Case, level: OptLevel, show_result: bool) -> Result<(Compiled, Report), Failed> {
    let (module, entry) = module_of(case, level)?;
    let together = level != OptLevel::O0;
    let options = Options {
        show_result,
        check_allocation: true,
        read_together: together,
        write_together: together,
        ..Options::default()
    };
    let what = format!("at {level:?}, result shown: {show_result}");
    let compiled = compile_module(case, &module, entry, &options)?;
    let abi = all_helpers_abi();
    let words = words_of(&compiled, &abi)?;
    if let Err(violations) = check(&words, abi.start, &Rules::from(&abi)) {
        return Err(format!("{what}: {violations:?}").into());
    }
    let watch = match show_result {
        true => Watch::Out(SHOWN),
        false => Watch::Nowhere,
    };
    let report = compare(case, &words, &abi, watch, &inputs_of(case))?;
    if let Some(first) = report.differences.first()
        && !DIFFERENT.contains(&case.name.as_str())
    {
        let count = report.differences.len();
        return Err(format!("{what}: {count} inputs differ; the first: {first}").into());
    }
    if !report.hazards.is_empty() {
        return Err(format!("{what}: hazards {:?}", report.hazards).into());
    }
    Ok((compiled, report))
}

/// The driver's words that every program has: what makes a verdict, and what follows.
fn fixed(case: &Case) -> usize {
    match case.program_type {
        ProgramType::Xdp => 23,
        _ => 28,
    }
}

#[expect(clippy::print_stdout, reason = "the figures of docs/nfp.md")]
fn ratios(cases: &[Case]) -> Result<(), Failed> {
    let names = ["words", "words without the fixed part", "latency", "issue"];
    let mut sums = [0.0f64; 4];
    let mut most = [0.0f64; 4];
    let mut worst = [""; 4];
    let mut count = 0usize;
    for case in cases.iter().filter(|case| !case.words.is_empty()) {
        let (compiled, ours) = run(case, OptLevel::O2, false)?;
        let abi = all_helpers_abi();
        let inputs = inputs_of(case);
        let theirs = compare(case, &case.words, &abi, Watch::Nowhere, &inputs)?;
        let words = &compiled.assembled.words;
        let verdict = words.iter().filter(|word| word.origin == VERDICT).count();
        let ratio = |ours: u64, theirs: u64| ours as f64 / theirs as f64;
        let found = [
            ratio(words.len() as u64, case.words.len() as u64),
            ratio(
                (words.len() - verdict - TRAILER) as u64,
                (case.words.len() - fixed(case)) as u64,
            ),
            ratio(ours.latency, theirs.latency),
            ratio(ours.issue, theirs.issue),
        ];
        for (index, ratio) in found.into_iter().enumerate() {
            sums[index] += ratio.ln();
            if ratio > most[index] {
                most[index] = ratio;
                worst[index] = case.name.as_str();
            }
        }
        count += 1;
    }
    if count != TRANSLATED {
        return Err(format!("{count} cases, not {TRANSLATED}").into());
    }
    let mut wrong = Vec::new();
    for index in 0..4 {
        let mean = (sums[index] / count as f64).exp();
        let (most, worst) = (most[index], worst[index]);
        println!(
            "{}: {mean:.3} of the driver's, at most {most:.3} ({worst})",
            names[index]
        );
        if mean > MEAN || most > 1.0 {
            wrong.push(format!(
                "{}: mean {mean:.3}, {worst} {most:.3}",
                names[index]
            ));
        }
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(wrong.join("; ").into())
    }
}
