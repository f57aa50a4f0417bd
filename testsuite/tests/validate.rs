//! Every object of `programs` and of the corpus compiled with validation: after each pass and after
//! emission each program does what it did, on inputs searched to reach its blocks.

mod trials;

use std::sync::Mutex;

use bpfmill::compile::{self, CompileOptions};
use bpfmill::validate::Counts;
use libtest_mimic::Failed;
use passes::OptLevel;
use testsuite::objects::TestObject;

static TOTALS: Mutex<Vec<Counts>> = Mutex::new(Vec::new());

fn main() {
    trials::check_objects(check, summarise).exit();
}

#[expect(clippy::print_stdout, reason = "a test binary's report")]
fn summarise() {
    let Ok(totals) = TOTALS.lock() else { return };
    let sum = |part: fn(&Counts) -> usize| totals.iter().map(part).sum::<usize>();
    println!(
        "{} programs on {} inputs, {} runs compared; {} of {} blocks reached; {} programs without input",
        sum(|one| one.programs),
        sum(|one| one.inputs),
        sum(|one| one.runs),
        sum(|one| one.blocks_reached),
        sum(|one| one.blocks),
        sum(|one| one.without),
    );
}

fn check(test: &TestObject) -> Result<(), Failed> {
    let bytes = std::fs::read(&test.path)?;
    // An object that is refused has no programs; `objects` reports it.
    let Ok(object) = bpf::elf::read(&bytes) else {
        return Ok(());
    };
    for level in [OptLevel::O2, OptLevel::Os] {
        let options = CompileOptions {
            validate: true,
            verify: false,
            check_allocation: false,
            ..CompileOptions::at_level(level)
        };
        let compiled = compile::compile(&object, &options, |_| {})?;
        if !compiled.differences.is_empty() {
            return Err(compiled.differences.join("\n").into());
        }
        if let (Some(counts), Ok(mut totals)) = (compiled.validated, TOTALS.lock()) {
            totals.push(counts);
        }
    }
    Ok(())
}
