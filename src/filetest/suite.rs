//! All tests below a folder.
//!
//! A `.s`, `.mir` or `.o` file is a test; hidden files and folders are none, and links to folders
//! are not followed, so that the walk ends. Names are sorted: reports are the same everywhere.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use super::{Mode, Outcome, Problem, Test, TestResult};
use crate::failure::Failure;

/// What ends in one of these is a test.
const TESTS: &[&str] = &["s", "mir", "o"];
/// Stack of a thread that runs tests, as large as that of a program's main thread.
const STACK: usize = 8 << 20;

/// The tests of a folder.
#[derive(Clone, Debug)]
pub struct Suite {
    tests: Vec<Test>,
    /// Files that belong to tests: snapshots, and what stands beside objects.
    others: Vec<Test>,
}

impl Suite {
    /// Finds the tests below a folder whose names contain one of the filters; all without filters.
    ///
    /// # Errors
    /// The folder cannot be read, or there is no such test: nothing tested is nothing shown.
    pub fn open(folder: &Path, filters: &[String]) -> Result<Suite, Failure> {
        let shown = folder.display();
        let mut suite = Suite {
            tests: Vec::new(),
            others: Vec::new(),
        };
        suite.add(folder, "")?;
        suite.tests.sort();
        suite.others.sort();
        if suite.tests.is_empty() {
            return Err(Failure::Usage(format!(
                "{shown}: there is no test here: a test is a .s, .mir or .o file"
            )));
        }
        let wanted = |test: &Test| {
            filters.is_empty() || filters.iter().any(|filter| test.name.contains(filter))
        };
        suite.tests.retain(&wanted);
        suite.others.retain(&wanted);
        if suite.tests.is_empty() {
            return Err(Failure::Usage(format!(
                "{shown}: no test has `{}` in its name",
                filters.join("` or `")
            )));
        }
        Ok(suite)
    }

    /// The tests, by name.
    #[must_use]
    pub fn tests(&self) -> &[Test] {
        &self.tests
    }

    /// Files that belong to no test any more: snapshots of what is gone or keeps nothing, and
    /// directives of objects that are not there.
    #[must_use]
    pub fn stale(&self) -> Vec<TestResult> {
        let wanted: Vec<PathBuf> = self
            .tests
            .iter()
            // A test that cannot be understood fails; its snapshot may be right.
            .filter(|test| test.plan().map_or(true, |plan| plan.keeps_something()))
            .map(Test::snapshot)
            .collect();
        let stale = self
            .others
            .iter()
            .filter(|file| match file.path.extension() {
                Some(extension) if extension == "snap" => {
                    let base = file.path.with_extension("");
                    let filtered_out = is_test(&base)
                        && base.exists()
                        && !self.tests.iter().any(|test| test.path == base);
                    !wanted.contains(&file.path) && !filtered_out
                }
                _ => !object_of(&file.path).exists(),
            });
        stale
            .map(|file| TestResult {
                name: file.name.clone(),
                time: Duration::ZERO,
                outcome: Outcome::Failed(vec![Problem::Stale(file.path.clone())]),
            })
            .collect()
    }

    /// Runs the tests on as many threads as the machine has cores, and hands over each result in
    /// the order of names, as soon as those before it are there.
    ///
    /// # Errors
    /// What the receiver says; the remaining tests are not waited for.
    pub fn run<E>(
        &self,
        mode: Mode,
        mut receive: impl FnMut(TestResult) -> Result<(), E>,
    ) -> Result<(), E> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let next = AtomicUsize::new(0);
        let (sender, receiver) = mpsc::channel();
        std::thread::scope(|scope| {
            for _ in 0..cores.min(self.tests.len()) {
                let (sender, next) = (sender.clone(), &next);
                let worker = move || {
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let Some(test) = self.tests.get(index) else {
                            break;
                        };
                        // The receiver is gone when it has had enough.
                        if sender.send((index, test.run(mode))).is_err() {
                            break;
                        }
                    }
                };
                let thread = std::thread::Builder::new().stack_size(STACK);
                // Without another thread the others do the work; without any, this one does.
                let _ = thread.spawn_scoped(scope, worker);
            }
            drop(sender);
            let (mut waiting, mut expected) = (BTreeMap::new(), 0);
            for (index, result) in receiver {
                waiting.insert(index, result);
                while let Some(result) = waiting.remove(&expected) {
                    expected += 1;
                    receive(result)?;
                }
            }
            for test in self.tests.get(expected..).unwrap_or(&[]) {
                receive(test.run(mode))?;
            }
            Ok(())
        })
    }

    fn add(&mut self, folder: &Path, prefix: &str) -> Result<(), Failure> {
        let failed = |error| Failure::io(&folder.to_string_lossy(), error);
        for entry in std::fs::read_dir(folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let file = entry.file_name().to_string_lossy().into_owned();
            if file.starts_with('.') {
                continue;
            }
            let (name, path) = (format!("{prefix}{file}"), entry.path());
            if entry.file_type().map_err(failed)?.is_dir() {
                self.add(&path, &format!("{name}/"))?;
                continue;
            }
            let belongs = file.ends_with(".snap") || file.ends_with(".test.toml");
            match (is_test(&path), belongs) {
                (true, _) => self.tests.push(Test { name, path }),
                (false, true) => self.others.push(Test { name, path }),
                (false, false) => {}
            }
        }
        Ok(())
    }
}

fn is_test(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| TESTS.contains(&extension))
}

/// The object that a `NAME.test.toml` is about.
fn object_of(beside: &Path) -> PathBuf {
    beside.with_extension("").with_extension("o")
}
