//! File tests: a file is a test, and its first comment lines say what runs.
//!
//! ```text
//! ; test: pass=dce          a kind, and its value
//! ; test: verify            several lines: several tests of one file
//! ; run: double(21) == 42   a function's result, in every form that a test gives it
//! ; args: memory=16 number  arguments that generated runs give: bytes, or a number
//! ; map: counts array 4 8 4 a map that generated runs have: type, key, value, entries
//! ```
//!
//! Each kind is one file here, behind [`SubTest`]. A kind that gives a text has it compared with
//! the snapshot beside the file: `loop.s` has `loop.snap`, or `loop.KIND.snap` when several kinds
//! give one. `INSTA_UPDATE=always` accepts what came out. A snapshot without its test is an error.

mod execute;
mod header;
mod kinds;
mod snapshot;
mod source;

pub use header::{Command, Header};
pub use kinds::KINDS;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::objects::files_below;

/// A test file.
#[derive(Clone, Debug)]
pub struct Input {
    /// Path without extension, relative to the folder of file tests: the test's name.
    pub name: String,
    /// Where the file is.
    pub path: PathBuf,
    /// All of its text.
    pub text: String,
    /// What its first comments say.
    pub header: Header,
}

/// What a kind of test came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All is as it must be.
    Checked,
    /// This is to be compared with the snapshot.
    Snapshot(String),
}

/// A kind of test.
pub trait SubTest: Sync {
    /// The word after `test:`.
    fn name(&self) -> &'static str;

    /// Does it give a text to be compared with a snapshot?
    fn has_snapshot(&self) -> bool;

    /// Runs the test.
    ///
    /// # Errors
    /// What is wrong, for people.
    fn run(&self, input: &Input, command: &Command) -> Result<Outcome, String>;
}

/// Two texts as a unified difference, three lines of context around each change.
#[must_use]
pub fn diff(before: &str, after: &str) -> String {
    similar::TextDiff::from_lines(before, after)
        .unified_diff()
        .context_radius(3)
        .to_string()
}

/// The folder of all file tests.
#[must_use]
pub fn folder() -> PathBuf {
    crate::objects::root().join("filetests")
}

/// All test files, sorted.
#[must_use]
pub fn files() -> Vec<PathBuf> {
    files_below(&folder(), &["s", "mir"])
}

/// Runs everything that a file asks for.
///
/// # Errors
/// All that is wrong.
pub fn run(path: &Path) -> Result<(), String> {
    let input = read(path)?;
    if input.header.commands.is_empty() {
        return Err("no `test:` line in the first comments".to_owned());
    }
    let mut failures = Vec::new();
    for command in &input.header.commands {
        if let Err(failure) = run_command(&input, command) {
            failures.push(format!("test: {command}\n{failure}"));
        }
    }
    if failures.is_empty() {
        Ok(())
    } else {
        Err(failures.join("\n"))
    }
}

fn read(path: &Path) -> Result<Input, String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let header = Header::parse(&text)?;
    Ok(Input {
        name: name(path),
        path: path.to_path_buf(),
        text,
        header,
    })
}

/// The name of a file's test.
#[must_use]
pub fn name(path: &Path) -> String {
    let folder = folder();
    let relative = path.strip_prefix(&folder).unwrap_or(path);
    relative.display().to_string()
}

fn run_command(input: &Input, command: &Command) -> Result<(), String> {
    let kind = kinds::find(&command.kind)?;
    match kind.run(input, command)? {
        Outcome::Checked => Ok(()),
        Outcome::Snapshot(text) => {
            let stem = snapshot_stem(&input.header, &input.path, command)
                .ok_or_else(|| "this kind gave a text without saying so".to_owned())?;
            snapshot::compare(&input.path, &stem, &text)
        }
    }
}

/// The stem of a command's snapshot, if it has one.
fn snapshot_stem(header: &Header, path: &Path, command: &Command) -> Option<String> {
    let with_snapshot: Vec<&Command> = header
        .commands
        .iter()
        .filter(|command| kinds::find(&command.kind).is_ok_and(SubTest::has_snapshot))
        .collect();
    let stem = path.file_stem()?.to_string_lossy();
    match with_snapshot[..] {
        [only] if only == command => Some(stem.into_owned()),
        _ => with_snapshot
            .contains(&command)
            .then(|| format!("{stem}.{}", command.label())),
    }
}

/// Snapshots that no test asks for.
#[must_use]
pub fn orphans() -> Vec<PathBuf> {
    let mut wanted = BTreeSet::new();
    for path in files() {
        let Ok(input) = read(&path) else { continue };
        for command in &input.header.commands {
            if let Some(stem) = snapshot_stem(&input.header, &path, command) {
                wanted.insert(path.with_file_name(format!("{stem}.snap")));
            }
        }
    }
    files_below(&folder(), &["snap"])
        .into_iter()
        .filter(|path| !wanted.contains(path))
        .collect()
}
