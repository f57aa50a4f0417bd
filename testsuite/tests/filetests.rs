//! The file tests of `filetests`, by the engine of `bpfmill test`: one trial for each file.

use std::path::PathBuf;

use bpfmill::filetest::{Mode, Outcome, Suite, TestResult, panics, report};
use libtest_mimic::{Arguments, Failed, Trial};
use testsuite::objects::{files_below, root};

fn main() {
    let arguments = Arguments::from_args();
    panics::quiet();
    let suite = Suite::open(&folder(), &[]).expect("there are file tests");
    let mut trials = vec![
        Trial::test("no stale snapshots", no_stale_snapshots),
        Trial::test("every pass has tests", every_pass_has_tests),
    ];
    for test in suite.tests().iter().cloned() {
        let name = test.name.clone();
        trials.push(Trial::test(name, move || passed(&test.run(Mode::Compare))));
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn folder() -> PathBuf {
    root().join("filetests")
}

fn passed(result: &TestResult) -> Result<(), Failed> {
    match &result.outcome {
        Outcome::Passed | Outcome::Blessed(_) => Ok(()),
        Outcome::Failed(problems) => {
            let told: Vec<String> = problems.iter().map(report::problem).collect();
            Err(told.concat().into())
        }
    }
}

fn no_stale_snapshots() -> Result<(), Failed> {
    let suite = Suite::open(&folder(), &[]).map_err(|failure| failure.to_string())?;
    let stale = suite.stale();
    if stale.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = stale.iter().map(|result| result.name.as_str()).collect();
    Err(format!("no test asks for these files:\n{}", names.join("\n")).into())
}

/// A pass is shown doing something, and leaving alone what it must.
fn every_pass_has_tests() -> Result<(), Failed> {
    let mut missing = Vec::new();
    for pass in passes::pass_names() {
        let snapshots: Vec<String> = files_below(&folder().join(pass), &["snap"])
            .iter()
            .filter_map(|path| std::fs::read_to_string(path).ok())
            .collect();
        // What the back end does is shown by the statistics of a build.
        for (what, words) in [
            ("firing", [" applied ", &format!(" {pass:13} applied: ")]),
            ("not firing", ["unchanged"; 2]),
        ] {
            if !snapshots
                .iter()
                .any(|text| words.iter().any(|word| text.contains(word)))
            {
                missing.push(format!("{pass}: no test shows it {what}"));
            }
        }
    }
    if missing.is_empty() {
        Ok(())
    } else {
        Err(missing.join("\n").into())
    }
}
