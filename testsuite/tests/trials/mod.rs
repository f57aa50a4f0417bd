//! The objects that several tests go through.

use libtest_mimic::Trial;
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
