//! Results as JUnit XML, which continuous integration shows beside a change.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{Outcome, TestResult, report};
use crate::failure::Failure;

/// The file's text: one suite with a case for each test.
///
/// # Errors
/// The text cannot be made.
pub fn xml(suite: &str, results: &[TestResult]) -> Result<String, Failure> {
    let mut cases = TestSuite::new(suite);
    for result in results {
        let status = match &result.outcome {
            Outcome::Passed | Outcome::Blessed(_) => TestCaseStatus::success(),
            Outcome::Failed(problems) => {
                let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                if let Some(first) = problems.first() {
                    status.set_message(report::title(first));
                }
                let told: String = problems.iter().map(report::problem).collect();
                status.set_description(told);
                status
            }
        };
        let mut case = TestCase::new(result.name.as_str(), status);
        case.set_classname(suite);
        case.set_time(result.time);
        cases.add_test_case(case);
    }
    let mut all = Report::new("bpfmill test");
    all.add_test_suite(cases);
    all.to_string()
        .map_err(|error| Failure::Usage(format!("the JUnit report cannot be made: {error}")))
}
