//! Tools of LLVM and files for them.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A tool of LLVM 19, if it runs.
pub fn tool(name: &str) -> Option<String> {
    let name = format!("{name}-19");
    let works = Command::new(&name).arg("--version").output();
    works
        .is_ok_and(|output| output.status.success())
        .then_some(name)
}

/// A folder for this test binary's temporary files.
pub fn scratch(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&path).expect("a scratch folder");
    path
}
