//! `verify`: nothing is wrong with the text, apart from lines that end in `; error: MESSAGE` (in
//! assembly, `# error: MESSAGE`). Nothing is kept.

use std::collections::BTreeSet;

use clap::Args;

use super::{Kind, Section, Text};
use crate::filetest::Input;
use crate::filetest::plan::Keep;
use crate::filetest::source::Source;

/// What stands before an expected message, after the mark of a comment.
const MARK: &str = " error: ";

/// The command.
#[derive(Debug, Args)]
pub struct Verify {
    #[command(flatten)]
    text: Text,
}

impl Kind for Verify {
    fn parts(&self) -> &'static [&'static str] {
        &[]
    }

    fn run(&self, input: &Input, _keep: &Keep) -> Result<Vec<Section>, String> {
        let text = input.text()?;
        let source = Source::read(input, self.text)?;
        let (map, diagnostics) = source.diagnostics();
        let mut failures = Vec::new();
        let mut met = BTreeSet::new();
        for diagnostic in diagnostics {
            let place = diagnostic.span().and_then(|span| map?.line_column(span));
            let line = place.map_or(0, |(line, _)| line);
            let expected = expectation(text, line);
            if expected.is_some_and(|expected| diagnostic.message.contains(expected)) {
                met.insert(line);
            } else {
                failures.push(format!("line {line}: not expected: {}", diagnostic.message));
            }
        }
        for (line, shown) in (1..).zip(text.lines()) {
            if expectation(text, line).is_some() && !met.contains(&line) {
                failures.push(format!(
                    "line {line}: expected, but nothing is said:{shown}"
                ));
            }
        }
        if failures.is_empty() {
            Ok(Vec::new())
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
