//! `test`: runs the tests of a folder and compares what comes out with what was kept.

use std::path::PathBuf;

use bpf::diagnostic::{Diagnostic, SourceMap};
use clap::Args;

use crate::failure::Failure;
use crate::filetest::report::{self, Totals};
use crate::filetest::{Mode, Outcome, Problem, Suite, TestResult, junit, panics};
use crate::output;
use crate::terminal::Terminal;

/// Options of `test`.
#[derive(Debug, Args)]
pub struct Options {
    /// Folder of tests: .s, .mir and .o files
    folder: PathBuf,
    /// Write what came out as the snapshots, and say which were written
    #[arg(long)]
    bless: bool,
    /// Run only tests whose names contain this; may be repeated
    #[arg(long, value_name = "TEXT")]
    filter: Vec<String>,
    /// Write the results as JUnit XML too
    #[arg(long, value_name = "FILE")]
    junit: Option<String>,
}

/// Runs tests.
///
/// # Errors
/// [`Failure::Rejected`] when a test fails, others for folders without tests and files that cannot
/// be written.
pub fn run(options: &Options, terminal: &Terminal) -> Result<(), Failure> {
    let suite = Suite::open(&options.folder, &options.filter)?;
    let mode = if options.bless {
        Mode::Bless
    } else {
        Mode::Compare
    };
    panics::quiet();
    let mut totals = Totals::default();
    let mut results = Vec::new();
    let mut receive = |result: TestResult| {
        totals.add(&result);
        output::print(report::result(&result, terminal.colours()).as_bytes())?;
        if terminal.is_json() {
            show(&result, terminal);
        }
        results.push(result);
        Ok::<_, Failure>(())
    };
    suite.run(mode, &mut receive)?;
    suite.stale().into_iter().try_for_each(&mut receive)?;
    output::print(totals.text().as_bytes())?;
    if let Some(file) = &options.junit {
        let name = options.folder.display().to_string();
        output::write(file, junit::xml(&name, &results)?.as_bytes())?;
    }
    if totals.failed > 0 {
        return Err(Failure::Rejected);
    }
    Ok(())
}

/// What is wrong, as diagnostics for programs.
fn show(result: &TestResult, terminal: &Terminal) {
    let Outcome::Failed(problems) = &result.outcome else {
        return;
    };
    for problem in problems {
        match problem {
            Problem::Directives(map, diagnostics) => {
                for diagnostic in diagnostics {
                    terminal.show(map, diagnostic);
                }
            }
            Problem::Step { place, .. } => terminal.show(&place.0, &place.1),
            Problem::Differs(_) | Problem::Stale(_) | Problem::Other(_) => {
                let text = format!("{}: {}", result.name, report::title(problem));
                terminal.show(&SourceMap::new(), &Diagnostic::error(text));
            }
        }
    }
}
