//! The objects that several tests go through.

use libtest_mimic::{Arguments, Failed, Trial};
use testsuite::objects::{self, TestObject};

/// The example programs and the corpus; where there is no corpus, an ignored trial that says so.
pub(super) fn objects() -> (Vec<TestObject>, Vec<Trial>) {
    let mut found = objects::programs();
    let mut trials = Vec::new();
    match objects::corpus() {
        Some(corpus) => found.extend(corpus),
        None => trials.push(
            Trial::test("corpus", || Ok(()))
                .with_kind("no corpus beside the checkout")
                .with_ignored_flag(true),
        ),
    }
    (found, trials)
}

/// Checks each object as a trial of its own, then reports.
#[allow(
    dead_code,
    reason = "not every test that goes through the objects has one check"
)]
pub(super) fn check_objects(
    check: fn(&TestObject) -> Result<(), Failed>,
    report: fn(),
) -> libtest_mimic::Conclusion {
    let arguments = Arguments::from_args();
    let (found, mut trials) = objects();
    for object in found {
        trials.push(Trial::test(object.name.clone(), move || check(&object)));
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    report();
    conclusion
}
