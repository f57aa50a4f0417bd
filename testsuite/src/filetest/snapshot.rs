//! Snapshots beside the test file, kept by insta.
//!
//! insta reports a difference by panicking, having shown it; the panic is caught and becomes one
//! line.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Compares a text with `STEM.snap` beside a file.
pub(super) fn compare(file: &Path, stem: &str, text: &str) -> Result<(), String> {
    let folder = file.parent().unwrap_or(file);
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path(folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let text = text.trim_end();
    let compared = catch_unwind(AssertUnwindSafe(|| {
        settings.bind(|| insta::assert_snapshot!(stem, text));
    }));
    compared.map_err(|_panic| {
        format!("differs from {stem}.snap; INSTA_UPDATE=always accepts what came out")
    })
}
