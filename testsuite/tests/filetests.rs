//! One trial for each file of `filetests`, named after its path.

use libtest_mimic::{Arguments, Failed, Trial};
use testsuite::filetest;

fn main() {
    let arguments = Arguments::from_args();
    // insta shows a difference itself, and then panics to say so.
    std::panic::set_hook(Box::new(|_| {}));
    let mut trials = vec![Trial::test("no orphan snapshots", no_orphans)];
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
