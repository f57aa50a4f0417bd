//! `test: verify`: the module is well-formed, apart from lines that end in `; error: MESSAGE`.

use std::collections::BTreeSet;

use crate::filetest::source::Source;
use crate::filetest::{Command, Input, Outcome, SubTest};

/// What stands before an expected message.
const MARK: &str = "; error:";

/// The kind.
pub(super) struct Verify;

impl SubTest for Verify {
    fn name(&self) -> &'static str {
        "verify"
    }

    fn has_snapshot(&self) -> bool {
        false
    }

    fn run(&self, input: &Input, _command: &Command) -> Result<Outcome, String> {
        let source = Source::read(input)?;
        let diagnostics = match &source.result {
            Ok(parsed) => parsed.verify(),
            Err(diagnostics) => diagnostics.clone(),
        };
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
            if text.contains(MARK) && !met.contains(&line) {
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
    let (_, message) = text.lines().nth(index)?.split_once(MARK)?;
    Some(message.trim())
}
