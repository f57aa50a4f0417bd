//! Snapshots: one readable text beside each test file that keeps something.
//!
//! ```text
//! ==== build -O2
//! ---- assembly
//! …
//! ```
//!
//! The whole text is compared, so that nothing in it can hide; line ends may be those of Windows,
//! which version control makes of them there.

use std::path::Path;

use super::kinds::Section;
use crate::failure::Failure;
use crate::output;

/// A snapshot that is not what came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Name of the snapshot, as the test's.
    pub name: String,
    /// What was kept; nothing when there is no snapshot.
    pub kept: Option<String>,
    /// What came out.
    pub found: String,
}

/// The results of a step as a part of a snapshot.
#[must_use]
pub fn text(step: &str, sections: &[Section]) -> String {
    let mut text = String::new();
    if !sections.is_empty() {
        text.push_str(&format!("==== {step}\n"));
    }
    for section in sections {
        text.push_str(&format!("---- {}\n", section.title));
        let body = section.text.trim_end();
        if !body.is_empty() {
            text.push_str(body);
            text.push('\n');
        }
    }
    text
}

/// Compares a text with a snapshot.
///
/// # Errors
/// The snapshot is there and cannot be read.
pub fn compare(path: &Path, name: &str, found: &str) -> Result<Option<Difference>, String> {
    let kept = match std::fs::read_to_string(path) {
        Ok(kept) => Some(kept.replace("\r\n", "\n")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(format!("{name}: {error}")),
    };
    if kept.as_deref() == Some(found) {
        return Ok(None);
    }
    Ok(Some(Difference {
        name: name.to_owned(),
        kept,
        found: found.to_owned(),
    }))
}

/// Writes a snapshot, whole or not at all.
///
/// # Errors
/// What the system says.
pub fn write(path: &Path, text: &str) -> Result<(), Failure> {
    output::write(&path.to_string_lossy(), text.as_bytes())
}
