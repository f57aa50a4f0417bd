//! Writes results: whole or not at all.
//!
//! A file is written beside its place under a name of its own and renamed, so that a step that
//! fails leaves a good file as it was and no reader ever sees half of one.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// Bytes that are written at once when a result is written while it is made.
const BUFFER: usize = 1 << 16;

/// Writes a file, or the standard output for `-`.
///
/// # Errors
/// What the system says.
pub fn write(path: &str, bytes: &[u8]) -> Result<(), Failure> {
    write_as_made(path, |to| to.write_all(bytes))
}

/// Writes a file, or the standard output for `-`, with what `make` writes.
///
/// # Errors
/// What the system says.
pub fn write_as_made(
    path: &str,
    make: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> Result<(), Failure> {
    if path == "-" {
        return print_as_made(make);
    }
    replace(Path::new(path), make).map_err(|error| Failure::io(path, error))
}

/// Writes files that belong together: all, or none. Only a file that cannot be renamed once all are
/// written can leave a part, and of those the usual one, a folder in its place, is seen before.
///
/// # Errors
/// What the system says.
pub fn write_together(files: &[(&str, &[u8])]) -> Result<(), Failure> {
    for (path, _) in files {
        if Path::new(path).is_dir() {
            let error = std::io::Error::from(std::io::ErrorKind::IsADirectory);
            return Err(Failure::io(path, error));
        }
    }
    let mut beside = Vec::new();
    let mut written = Ok(());
    for (path, bytes) in files
        .iter()
        .filter(|(path, _)| !is_special(Path::new(path)))
    {
        let temporary = neighbour(Path::new(path));
        written = write_beside(Path::new(path), &temporary, |to| to.write_all(bytes))
            .map_err(|error| Failure::io(path, error));
        beside.push((*path, temporary));
        if written.is_err() {
            break;
        }
    }
    if written.is_ok() {
        let special = files.iter().filter(|(path, _)| is_special(Path::new(path)));
        written = special
            .map(|(path, bytes)| write(path, bytes))
            .chain(beside.iter().map(|(path, temporary)| {
                std::fs::rename(temporary, path).map_err(|error| Failure::io(path, error))
            }))
            .collect();
    }
    for (_, temporary) in beside.iter().filter(|_| written.is_err()) {
        // The first failure is what counts.
        let _ = std::fs::remove_file(temporary);
    }
    written
}

/// Writes to the standard output. A reader that has gone is no failure of ours to report.
///
/// # Errors
/// What the system says.
pub fn print(bytes: &[u8]) -> Result<(), Failure> {
    print_as_made(|to| to.write_all(bytes))
}

/// Writes to the standard output what `make` writes, while it is made, so that a long result never
/// lies in memory as a whole. Every error of `make` counts as one of the standard output's.
///
/// # Errors
/// What the system says.
pub fn print_as_made<T>(
    make: impl FnOnce(&mut dyn Write) -> std::io::Result<T>,
) -> Result<T, Failure> {
    let mut stdout = BufWriter::with_capacity(BUFFER, std::io::stdout().lock());
    let made = make(&mut stdout).and_then(|made| stdout.flush().map(|()| made));
    made.map_err(|error| match error.kind() {
        std::io::ErrorKind::BrokenPipe => Failure::Closed,
        _ => Failure::io("-", error),
    })
}

/// Whether it is a device or pipe, which has no neighbour to be renamed from.
fn is_special(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|data| !data.is_file())
}

/// Writes a file's contents beside it, to be renamed.
fn write_beside(
    path: &Path,
    temporary: &Path,
    make: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> std::io::Result<()> {
    fill(temporary, make)?;
    if let Ok(data) = std::fs::metadata(path) {
        std::fs::set_permissions(temporary, data.permissions())?;
    }
    Ok(())
}

fn fill(
    path: &Path,
    make: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let mut file = BufWriter::with_capacity(BUFFER, std::fs::File::create(path)?);
    make(&mut file)?;
    file.flush()
}

fn replace(
    path: &Path,
    make: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> std::io::Result<()> {
    if is_special(path) {
        return fill(path, make);
    }
    let temporary = neighbour(path);
    let result =
        write_beside(path, &temporary, make).and_then(|()| std::fs::rename(&temporary, path));
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
        let nowhere = folder.join("none/a.o").to_string_lossy().into_owned();
        assert!(super::write(&nowhere, b"x").is_err());
        assert!(super::write_together(&[(&name, b"third"), (&nowhere, b"x")]).is_err());
        let place = folder.to_string_lossy().into_owned();
        assert!(super::write_together(&[(&name, b"third"), (&place, b"x")]).is_err());
        assert_eq!(std::fs::read(&file).unwrap(), b"second");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
