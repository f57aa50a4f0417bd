//! One trial for each file of `filetests`, named after its path.

use libtest_mimic::{Arguments, Failed, Trial};
use testsuite::filetest;
use testsuite::objects::files_below;

fn main() {
    let arguments = Arguments::from_args();
    // insta shows a difference itself, and then panics to say so.
    std::panic::set_hook(Box::new(|_| {}));
    let mut trials = vec![
        Trial::test("no orphan snapshots", no_orphans),
        Trial::test("every pass has tests", every_pass_has_tests),
    ];
    for path in filetest::files() {
        trials.push(Trial::test(filetest::name(&path), move || {
            let result = std::panic::catch_unwind(|| filetest::run(&path));
            result.map_err(panic_message)?.map_err(Failed::from)
        }));
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn panic_message(payload: Box<dyn std::any::Any + Send>) -> Failed {
    let text = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    format!("panic: {text}").into()
}

fn no_orphans() -> Result<(), Failed> {
    let orphans: Vec<String> = filetest::orphans()
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    if orphans.is_empty() {
        Ok(())
    } else {
        Err(format!("snapshots without a test:\n{}", orphans.join("\n")).into())
    }
}

/// A pass is shown doing something, and leaving alone what it must.
fn every_pass_has_tests() -> Result<(), Failed> {
    let mut missing = Vec::new();
    for pass in passes::pass_names() {
        let folder = filetest::folder().join(pass);
        let snapshots: Vec<String> = files_below(&folder, &["snap"])
            .iter()
            .filter_map(|path| std::fs::read_to_string(path).ok())
            .collect();
        for (what, word) in [("firing", " applied "), ("not firing", "unchanged")] {
            if !snapshots.iter().any(|text| text.contains(word)) {
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
