//! Writes results: whole or not at all.
//!
//! A file is written beside its place under a name of its own and renamed, so that a step that
//! fails leaves a good file as it was and no reader ever sees half of one.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// Writes a file, or the standard output for `-`.
///
/// # Errors
/// What the system says.
pub fn write(path: &str, bytes: &[u8]) -> Result<(), Failure> {
    if path == "-" {
        return print(bytes);
    }
    replace(Path::new(path), bytes).map_err(|error| Failure::io(path, error))
}

/// Writes to the standard output. A reader that has gone is no failure of ours to report.
///
/// # Errors
/// What the system says.
pub fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    let result = stdout.write_all(bytes).and_then(|()| stdout.flush());
    result.map_err(|error| match error.kind() {
        std::io::ErrorKind::BrokenPipe => Failure::Closed,
        _ => Failure::io("-", error),
    })
}

fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    // A device or pipe has no neighbour to be renamed from.
    let special = std::fs::metadata(path).is_ok_and(|data| !data.is_file());
    if special {
        return std::fs::write(path, bytes);
    }
    let temporary = neighbour(path);
    let result = std::fs::write(&temporary, bytes).and_then(|()| {
        if let Ok(data) = std::fs::metadata(path) {
            std::fs::set_permissions(&temporary, data.permissions())?;
        }
        std::fs::rename(&temporary, path)
    });
    if result.is_err() {
        // The first failure is what counts.
        let _ = std::fs::remove_file(&temporary);
    }
    result
}

fn neighbour(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.tmp", std::process::id()));
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_failed_write_leaves_nothing() {
        let folder = std::env::temp_dir().join(format!("bpfmill-output-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("a.o");
        let name = file.to_string_lossy().into_owned();
        super::write(&name, b"first").unwrap();
        super::write(&name, b"second").unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"second");
        assert!(super::write(&folder.join("none/a.o").to_string_lossy(), b"x").is_err());
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
