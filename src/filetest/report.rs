//! Results for people.
//!
//! What is wrong comes with what to do about it; a difference shows what was kept as removed and
//! what came out as added, as version control would after blessing.

use std::io::Write as _;

use codespan_reporting::term::termcolor::{Buffer, Color, ColorSpec, WriteColor as _};

use super::snapshot::Difference;
use super::{Outcome, Problem, TestResult};
use crate::render;

/// How to accept what came out.
const BLESS: &str = "to accept what came out: the same command with --bless";

/// How many tests ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Tests that are as they must be, those blessed included.
    pub passed: usize,
    /// Snapshots written.
    pub blessed: usize,
    /// Tests with something wrong, and stale files.
    pub failed: usize,
}

impl Totals {
    /// Counts a result.
    pub fn add(&mut self, result: &TestResult) {
        match &result.outcome {
            Outcome::Passed => self.passed += 1,
            Outcome::Blessed(_) => {
                self.passed += 1;
                self.blessed += 1;
            }
            Outcome::Failed(_) => self.failed += 1,
        }
    }

    /// The last line of a report.
    #[must_use]
    pub fn text(&self) -> String {
        let Totals {
            passed,
            blessed,
            failed,
        } = self;
        let wrote = match blessed {
            0 => String::new(),
            1 => ", 1 snapshot written".to_owned(),
            count => format!(", {count} snapshots written"),
        };
        format!("{passed} passed, {failed} failed{wrote}\n")
    }
}

/// One result: a line, and below it what is wrong.
#[must_use]
pub fn result(result: &TestResult, colours: bool) -> String {
    let mut paper = Paper::new(colours);
    match &result.outcome {
        Outcome::Passed => paper.painted(Some(Color::Green), "ok      "),
        Outcome::Blessed(_) => paper.painted(Some(Color::Yellow), "blessed "),
        Outcome::Failed(_) => paper.painted(Some(Color::Red), "FAILED  "),
    }
    paper.plain(&format!("{}\n", result.name));
    match &result.outcome {
        Outcome::Passed => {}
        Outcome::Blessed(path) => paper.plain(&format!("        wrote {}\n", path.display())),
        Outcome::Failed(problems) => {
            for problem in problems {
                paper.problem(problem, colours);
            }
            paper.plain("\n");
        }
    }
    paper.text()
}

/// A problem without colours, for reports that are files.
#[must_use]
pub fn problem(problem: &Problem) -> String {
    let mut paper = Paper::new(false);
    paper.problem(problem, false);
    paper.text()
}

/// A problem in one line.
#[must_use]
pub fn title(problem: &Problem) -> String {
    match problem {
        Problem::Directives(_, diagnostics) => diagnostics
            .first()
            .map_or_else(String::new, |first| first.message.clone()),
        Problem::Step { place, .. } => place.1.message.clone(),
        Problem::Differs(difference) if difference.kept.is_none() => {
            format!("there is no {}", difference.name)
        }
        Problem::Differs(difference) => format!("{} differs", difference.name),
        Problem::Stale(_) => "no test asks for this file".to_owned(),
        Problem::Other(message) => message.lines().next().unwrap_or("").to_owned(),
    }
}

struct Paper(Buffer);

impl Paper {
    fn new(colours: bool) -> Paper {
        Paper(if colours {
            Buffer::ansi()
        } else {
            Buffer::no_color()
        })
    }

    fn text(self) -> String {
        String::from_utf8_lossy(self.0.as_slice()).into_owned()
    }

    fn plain(&mut self, text: &str) {
        // Writing to memory cannot fail, here and below.
        let _ = self.0.write_all(text.as_bytes());
    }

    fn painted(&mut self, colour: Option<Color>, text: &str) {
        let mut spec = ColorSpec::new();
        let _ = self.0.set_color(spec.set_fg(colour));
        self.plain(text);
        let _ = self.0.reset();
    }

    fn problem(&mut self, problem: &Problem, colours: bool) {
        match problem {
            Problem::Directives(map, diagnostics) => {
                let shown = diagnostics.iter().map(|diagnostic| {
                    let shown = render::to_string(map, diagnostic, colours);
                    format!("{}\n", shown.trim_end())
                });
                self.plain(&shown.collect::<Vec<_>>().join("\n"));
            }
            Problem::Step { step, message, .. } => {
                self.plain(&format!("`{step}` failed:\n{}\n", message.trim_end()));
            }
            Problem::Differs(difference) => self.difference(difference),
            Problem::Stale(_) => {
                self.plain("no test asks for this file: remove it, or add its test\n")
            }
            Problem::Other(message) => self.plain(&format!("{}\n", message.trim_end())),
        }
    }

    fn difference(&mut self, difference: &Difference) {
        let name = &difference.name;
        let Some(kept) = &difference.kept else {
            self.plain(&format!("there is no {name} yet; this came out:\n"));
            for line in difference.found.lines() {
                self.painted(Some(Color::Green), &format!("+{line}\n"));
            }
            return self.plain(&format!("{BLESS}\n"));
        };
        self.plain(&format!("{name} differs; - was kept, + came out:\n"));
        for line in super::diff(kept, &difference.found).lines() {
            let colour = match line.as_bytes().first() {
                Some(b'-') => Some(Color::Red),
                Some(b'+') => Some(Color::Green),
                Some(b'@') => Some(Color::Cyan),
                _ => None,
            };
            match colour {
                Some(_) => self.painted(colour, &format!("{line}\n")),
                None => self.plain(&format!("{line}\n")),
            }
        }
        self.plain(&format!("{BLESS}\n"));
    }
}
