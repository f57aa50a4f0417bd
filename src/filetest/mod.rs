//! File tests: a file is a test, and its first comment lines say what runs and what is kept.
//!
//! ```text
//! ; test: build -O2 --disable gvn    a command with its flags; several lines, several steps
//! ; keep: assembly remarks           parts of the result before; without it the usual one
//! ; test: pass dce                   some commands are for tests only
//! ; expect: double(21) == 42         a function's result, in every form that a test gives it
//! ; args: memory=16 number           arguments that generated runs give: bytes, or a number
//! ; map: counts array 4 8 4          a map of MIR text: type, key, value, entries
//! ```
//!
//! What is kept of `loop.s` stands in `loop.s.snap` beside it and is compared as one text: nobody
//! has to read a format to see what changed, and a review shows it as any other file. An object has
//! its lines in `NAME.test.toml`, since it has no comments.
//!
//! Why a result can be trusted: directives are checked before anything runs ([`plan`]); a test
//! without a step, a missing snapshot and a snapshot without its test are failures; a panic is
//! caught and fails its test alone. Only blessing writes, and never after a failed step.
//!
//! A test costs what its commands cost on its file; the engine adds reading and comparing.

pub mod directives;
mod execute;
pub mod junit;
pub mod kinds;
pub mod panics;
pub mod plan;
pub mod report;
pub mod snapshot;
mod source;
mod step;
pub mod suite;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bpf::diagnostic::{Diagnostic, FileId, SourceMap};

use crate::failure::Failure;
use crate::render;
use plan::{Plan, Settings};
use snapshot::Difference;
pub use suite::Suite;

/// A test file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Test {
    /// Path relative to the folder of the suite, with `/`: the test's name.
    pub name: String,
    /// Where the file is.
    pub path: PathBuf,
}

/// What a step works on.
#[derive(Clone, Debug)]
pub struct Input {
    /// The test's name, under which diagnostics show the file.
    pub name: String,
    /// Where the file is.
    pub path: PathBuf,
    /// All of it.
    pub bytes: Vec<u8>,
    /// What is told to steps that run functions.
    pub settings: Settings,
}

/// What to do with a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Compare it with the snapshot.
    Compare,
    /// Make it the snapshot.
    Bless,
}

/// What became of a test.
#[derive(Debug)]
pub struct TestResult {
    /// The test's name.
    pub name: String,
    /// How long it took.
    pub time: Duration,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a test ended.
#[derive(Debug)]
pub enum Outcome {
    /// All is as it must be.
    Passed,
    /// All is as it must be, and this snapshot was written.
    Blessed(PathBuf),
    /// Something is wrong.
    Failed(Vec<Problem>),
}

/// Something wrong with a test.
#[derive(Debug)]
pub enum Problem {
    /// Its directives make no sense.
    Directives(SourceMap, Vec<Diagnostic>),
    /// A step failed.
    Step {
        /// The command and its flags.
        step: String,
        /// What is wrong, for people.
        message: String,
        /// The file and where the step stands in it.
        place: Box<(SourceMap, Diagnostic)>,
    },
    /// What came out is not what was kept.
    Differs(Difference),
    /// A snapshot that belongs to no test.
    Stale(PathBuf),
    /// A file cannot be read or written, or the test panicked.
    Other(String),
}

impl Input {
    /// The folder of the file.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("."))
    }

    /// The file as text.
    ///
    /// # Errors
    /// It is none.
    pub fn text(&self) -> Result<&str, String> {
        std::str::from_utf8(&self.bytes).map_err(|_| "this is not text".to_owned())
    }
}

impl Test {
    /// Where its snapshot is kept.
    #[must_use]
    pub fn snapshot(&self) -> PathBuf {
        let mut name = self.path.file_name().unwrap_or_default().to_os_string();
        name.push(".snap");
        self.path.with_file_name(name)
    }

    /// What it asks for.
    ///
    /// # Errors
    /// The file cannot be read, or what it says makes no sense.
    pub fn plan(&self) -> Result<Plan, Problem> {
        self.read().map(|read| read.plan)
    }

    /// Runs all steps and looks at the snapshot. A panic is a failure of this test.
    #[must_use]
    pub fn run(&self, mode: Mode) -> TestResult {
        let start = Instant::now();
        let outcome = panics::caught(|| self.outcome(mode))
            .unwrap_or_else(|panic| Outcome::Failed(vec![Problem::Other(panic)]));
        TestResult {
            name: self.name.clone(),
            time: start.elapsed(),
            outcome,
        }
    }

    fn outcome(&self, mode: Mode) -> Outcome {
        let Read {
            map,
            file,
            plan,
            input,
        } = match self.read() {
            Ok(read) => read,
            Err(problem) => return Outcome::Failed(vec![problem]),
        };
        let mut text = String::new();
        let mut problems = Vec::new();
        for step in &plan.steps {
            let kind = step.command.kind();
            let result = panics::caught(|| kind.run(&input, &step.keep));
            match result.and_then(|result| result) {
                Ok(sections) => text.push_str(&snapshot::text(&step.title, &sections)),
                Err(message) => {
                    let title = &step.title;
                    let at = directives::span(file, &step.at);
                    let first = message.lines().next().unwrap_or("");
                    let first = first.strip_prefix("error: ").unwrap_or(first);
                    let shown = Diagnostic::error(format!("`{title}` failed: {first}"));
                    problems.push(Problem::Step {
                        step: title.clone(),
                        message,
                        place: Box::new((map.clone(), shown.with_primary(at, ""))),
                    });
                }
            }
        }
        // What a failed step would have kept is missing, so there is nothing to compare or bless.
        if !problems.is_empty() {
            return Outcome::Failed(problems);
        }
        if !plan.keeps_something() {
            return Outcome::Passed;
        }
        let path = self.snapshot();
        let shown = format!("{}.snap", self.name);
        match snapshot::compare(&path, &shown, &text) {
            Ok(None) => Outcome::Passed,
            Ok(Some(_)) if mode == Mode::Bless => match snapshot::write(&path, &text) {
                Ok(()) => Outcome::Blessed(path),
                Err(failure) => Outcome::Failed(vec![Problem::Other(failure.to_string())]),
            },
            Ok(Some(difference)) => Outcome::Failed(vec![Problem::Differs(difference)]),
            Err(message) => Outcome::Failed(vec![Problem::Other(message)]),
        }
    }

    fn read(&self) -> Result<Read, Problem> {
        let other = |failure: Failure| Problem::Other(failure.to_string());
        let bytes = crate::input::bytes(&self.path.to_string_lossy()).map_err(other)?;
        let mut map = SourceMap::new();
        let is_binary = self
            .path
            .extension()
            .is_some_and(|extension| extension == "o");
        let (lines, file) = if is_binary {
            let beside = self.path.with_extension("test.toml");
            let (name, text) = match std::fs::read_to_string(&beside) {
                Ok(text) => (beside.display().to_string(), text),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    (self.path.display().to_string(), String::new())
                }
                Err(error) => {
                    let path = beside.display();
                    return Err(Problem::Other(format!("{path}: {error}")));
                }
            };
            let file = added(&mut map, &name, &text)?;
            match directives::in_toml(file, &text) {
                Ok(lines) => (lines, file),
                Err(error) => return Err(Problem::Directives(map, vec![error])),
            }
        } else {
            let path = self.path.display().to_string();
            let text = std::str::from_utf8(&bytes).map_err(|error| {
                let at = error.valid_up_to();
                Problem::Other(format!("{path}: this is not text: byte {at} is not UTF-8"))
            })?;
            let file = added(&mut map, &path, text)?;
            (directives::in_comments(text), file)
        };
        match Plan::of(&lines, file) {
            Ok(plan) => {
                let input = Input {
                    name: self.name.clone(),
                    path: self.path.clone(),
                    bytes,
                    settings: plan.settings.clone(),
                };
                Ok(Read {
                    map,
                    file,
                    plan,
                    input,
                })
            }
            Err(errors) => Err(Problem::Directives(map, errors)),
        }
    }
}

/// A test that was read.
struct Read {
    /// The file with the directives.
    map: SourceMap,
    file: FileId,
    plan: Plan,
    input: Input,
}

fn added(map: &mut SourceMap, name: &str, text: &str) -> Result<FileId, Problem> {
    let too_large = || Problem::Other(format!("{name}: larger than 4 GiB"));
    map.add(name, text).ok_or_else(too_large)
}

/// Why a command stopped, for people.
fn told(failure: &Failure) -> String {
    match failure {
        Failure::Refused { map, diagnostics } => render::text(map, diagnostics),
        other => other.to_string(),
    }
}

/// Two texts as a unified difference, three lines of context around each change.
#[must_use]
pub fn diff(before: &str, after: &str) -> String {
    render::difference(before, after, 3)
}
