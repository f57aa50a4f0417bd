//! What this project's verifier says of a random program.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use bpf::insn::Endian;
use verifier::program::{Map, Program};
use verifier::{Options, Verdict};

use super::{RandomProgram, maps};

/// What was said of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Taken.
    Accepted,
    /// Refused, with the line that says why; it may be empty.
    Rejected(String),
    /// No answer, and what for.
    Undecided(String),
}

/// The verifier, ready for any number of programs.
#[derive(Debug)]
pub struct Verifier {
    maps: Vec<Map>,
    options: Options,
}

/// An answer and what it cost.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The answer.
    pub answer: Answer,
    /// Instructions walked.
    pub processed: u32,
    /// Time taken.
    pub time: Duration,
}

impl Default for Verifier {
    fn default() -> Verifier {
        Verifier {
            maps: maps().into_iter().map(|def| Map::new(def, None)).collect(),
            options: Options::default(),
        }
    }
}

impl Verifier {
    /// A verifier that knows how many processors the kernel may have.
    #[must_use]
    pub fn new(processors: u32) -> Verifier {
        let mut verifier = Verifier::default();
        verifier.options.processors = processors;
        verifier
    }

    /// Asks it.
    ///
    /// # Errors
    /// What it said as it panicked.
    pub fn ask(&self, program: &RandomProgram) -> Result<Answered, String> {
        let start = Instant::now();
        let report = catch_unwind(AssertUnwindSafe(|| {
            let sort = program.sort;
            let linked = Program::from_slots(
                sort.program_type,
                sort.attach_type,
                &program.slots,
                self.maps.clone(),
            )?;
            Some(verifier::check(&linked, &self.options, Endian::Little))
        }));
        let report = report.map_err(|panic| match panic.downcast::<String>() {
            Ok(text) => *text,
            Err(panic) => panic
                .downcast_ref::<&str>()
                .map_or_else(|| "panicked".to_owned(), |text| (*text).to_owned()),
        })?;
        let time = start.elapsed();
        let (answer, processed) = match report {
            None => (Answer::Rejected(String::new()), 0),
            Some(report) => {
                let answer = match report.verdict {
                    Verdict::Accepted => Answer::Accepted,
                    Verdict::Rejected(finding) => Answer::Rejected(finding.kernel_text),
                    Verdict::Undecided(gap) => Answer::Undecided(gap.construct),
                };
                (answer, report.stats.processed)
            }
        };
        Ok(Answered {
            answer,
            processed,
            time,
        })
    }
}
