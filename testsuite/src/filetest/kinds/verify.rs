//! `test: verify`: nothing is wrong with the text, apart from lines that end in `; error: MESSAGE` (in
//! assembly, `# error: MESSAGE`).

use std::collections::BTreeSet;

use crate::filetest::source::Source;
use crate::filetest::{Command, Input, Outcome, SubTest};

/// What stands before an expected message, after the mark of a comment.
const MARK: &str = " error: ";

/// The kind.
pub(super) struct Verify;

impl SubTest for Verify {
    fn name(&self) -> &'static str {
        "verify"
    }

    fn has_snapshot(&self) -> bool {
        false
    }

    fn run(&self, input: &Input, command: &Command) -> Result<Outcome, String> {
        let source = Source::read(input, command)?;
        let diagnostics = source.diagnostics();
        let mut failures = Vec::new();
        let mut met = BTreeSet::new();
        for diagnostic in &diagnostics {
            let place = diagnostic
                .span()
                .and_then(|span| source.map.line_column(span));
            let line = place.map_or(0, |(line, _)| line);
            let expected = expectation(&input.text, line);
            if expected.is_some_and(|expected| diagnostic.message.contains(expected)) {
                met.insert(line);
            } else {
                failures.push(format!("line {line}: not expected: {}", diagnostic.message));
            }
        }
        for (line, text) in (1..).zip(input.text.lines()) {
            if expectation(&input.text, line).is_some() && !met.contains(&line) {
                failures.push(format!("line {line}: expected, but nothing is said:{text}"));
            }
        }
        if failures.is_empty() {
            Ok(Outcome::Checked)
        } else {
            Err(failures.join("\n"))
        }
    }
}

fn expectation(text: &str, line: u32) -> Option<&str> {
    let index = usize::try_from(line).ok()?.checked_sub(1)?;
    let (before, message) = text.lines().nth(index)?.split_once(MARK)?;
    let is_comment = [";", "#", "//"].iter().any(|mark| before.ends_with(mark));
    is_comment.then(|| message.trim())
}
