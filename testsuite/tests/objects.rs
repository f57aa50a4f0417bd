//! Every object of `programs` and of the corpus through lift, text form and passes: each pass alone
//! and each level keeps what the programs do, as the MIR interpreter sees it.

mod trials;

use std::collections::BTreeMap;
use std::sync::Mutex;

use bpf::diagnostic::FileId;
use bpf::interp::FaultKind;
use libtest_mimic::Failed;
use mir::Module;
use passes::{OptLevel, Pipeline, PipelineOptions, Session};
use testsuite::fixture::Fixture;
use testsuite::link::Linked;
use testsuite::objects::TestObject;
use testsuite::observe::{self, Seen};
use testsuite::packets::{self, Packet};

/// Every so many packets of all are used: a debug build interprets some million steps a second.
const PACKET_STRIDE: usize = 3;
/// Programs of larger functions are compared at the levels only, not pass by pass.
const LARGE: usize = 4000;

#[derive(Debug, Default)]
struct Totals {
    functions: usize,
    kept: Vec<String>,
    observations: usize,
    faults: BTreeMap<String, usize>,
    comparisons: usize,
}

static TOTALS: Mutex<Totals> = Mutex::new(Totals {
    functions: 0,
    kept: Vec::new(),
    observations: 0,
    faults: BTreeMap::new(),
    comparisons: 0,
});

fn main() {
    trials::check_objects(check, summarise).exit();
}

#[expect(clippy::print_stdout, reason = "a test binary's report")]
fn summarise() {
    let Ok(totals) = TOTALS.lock() else { return };
    println!(
        "{} functions, {} not lifted; {} inputs run ({} stop with a fault), {} comparisons after passes",
        totals.functions,
        totals.kept.len(),
        totals.observations,
        totals.faults.values().sum::<usize>(),
        totals.comparisons
    );
    for (reason, count) in &totals.faults {
        println!("  {count} faults: {reason}");
    }
    for kept in &totals.kept {
        println!("  not lifted: {kept}");
    }
}

fn check(test: &TestObject) -> Result<(), Failed> {
    let bytes = std::fs::read(&test.path)?;
    let Ok(object) = bpf::elf::read(&bytes) else {
        // A damaged object; that it is refused is tested where the reader is.
        return Ok(());
    };
    let linked = Linked::from_object(&object)?;
    round_trip(&linked.module)?;
    let stem = test.path.file_stem().unwrap_or_default();
    let fixture = if test.name.starts_with("programs/") {
        Fixture::of_program(&stem.to_string_lossy())?
    } else {
        Fixture::default()
    };
    let packets: Vec<Packet> = packets::all().into_iter().step_by(PACKET_STRIDE).collect();
    let before = observe::observe(&linked, &linked.module, &test.name, &packets, &fixture)?;
    if let Ok(mut totals) = TOTALS.lock() {
        totals.functions += linked.module.functions.len();
        let kept = linked.kept.iter();
        totals
            .kept
            .extend(kept.map(|(name, why)| format!("{} {name}: {why}", test.name)));
        totals.observations += before.len();
        for fault in before.values().filter_map(|seen| seen.as_ref().err()) {
            *totals.faults.entry(reason(fault)).or_default() += 1;
        }
    }
    for options in pipelines(&linked.module) {
        let after = transform(&linked.module, &options)?;
        let seen = observe::observe(&linked, &after, &test.name, &packets, &fixture)?;
        compare(&options, &before, &seen)?;
    }
    Ok(())
}

/// A fault without what differs from one run to the next.
fn reason(fault: &FaultKind) -> String {
    match fault {
        FaultKind::OutOfBounds { place, .. } => format!("access to {place:?}")
            .chars()
            .filter(|character| !character.is_ascii_digit())
            .collect(),
        other => other.to_string(),
    }
}

fn round_trip(module: &Module) -> Result<(), Failed> {
    let first = module.to_string();
    let parsed = mir::parse::module(FileId(0), &first)
        .map_err(|errors| format!("the printed module is not read: {:?}", errors.first()))?;
    if parsed.to_string() == first {
        Ok(())
    } else {
        Err("print, parse, print is no fixed point".into())
    }
}

fn pipelines(module: &Module) -> Vec<PipelineOptions> {
    let mut all = Vec::new();
    let largest = module.functions.values().map(mir::Function::inst_count);
    if largest.max().unwrap_or(0) <= LARGE {
        all.extend(
            passes::pass_names()
                .into_iter()
                .map(|name| PipelineOptions {
                    passes: Some(vec![name.to_owned()]),
                    ..PipelineOptions::default()
                }),
        );
    }
    all.extend(
        [OptLevel::O1, OptLevel::O2, OptLevel::Os].map(|level| PipelineOptions {
            level,
            ..PipelineOptions::default()
        }),
    );
    all
}

fn transform(module: &Module, options: &PipelineOptions) -> Result<Module, Failed> {
    let pipeline = Pipeline::build(&PipelineOptions {
        verify_each: true,
        ..options.clone()
    })?;
    let mut after = module.clone();
    let mut session = Session::new();
    let functions: Vec<mir::Func> = after.functions.keys().collect();
    for func in functions {
        if let Some(failure) = pipeline
            .run_function(&mut after, func, &mut session)
            .failure
        {
            return Err(failure.to_string().into());
        }
    }
    Ok(after)
}

fn compare(options: &PipelineOptions, before: &Seen, after: &Seen) -> Result<(), Failed> {
    if let Ok(mut totals) = TOTALS.lock() {
        totals.comparisons += before.values().filter(|seen| seen.is_ok()).count();
    }
    match observe::difference(before, after) {
        None => Ok(()),
        Some(difference) => {
            let what = match &options.passes {
                Some(passes) => passes.join(","),
                None => format!("-O {}", options.level.name()),
            };
            Err(format!("after {what}: {difference}").into())
        }
    }
}
