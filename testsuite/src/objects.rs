//! Where test objects lie: this project's own programs, and the corpus of real ones that a checkout
//! may have beside it.

use std::path::{Path, PathBuf};

use crate::packets::{self, Packet};

/// An object file to test.
#[derive(Clone, Debug)]
pub struct TestObject {
    /// Name in reports: which set, and the path within it.
    pub name: String,
    /// Where the file is.
    pub path: PathBuf,
}

/// The folder of this package.
#[must_use]
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The compiled example programs, sorted by name.
#[must_use]
pub fn programs() -> Vec<TestObject> {
    in_folder("programs", &root().join("programs"))
}

/// A folder of the data that is shared between checkouts, if it is there.
#[must_use]
pub fn shared(folder: &str) -> Option<PathBuf> {
    let path = root().join("../../shared").join(folder);
    path.is_dir().then_some(path)
}

/// The objects of the corpus, sorted by name; `None` where there is no corpus.
#[must_use]
pub fn corpus() -> Option<Vec<TestObject>> {
    shared("corpus").map(|path| in_folder("corpus", &path))
}

/// The packets to run programs on: the generated ones, and those of the corpus where there is one.
#[must_use]
pub fn packets() -> Vec<Packet> {
    let mut packets = packets::all();
    let recorded = shared("corpus/packets").map(|folder| files_below(&folder, &["bin"]));
    packets.extend(recorded.into_iter().flatten().map(|path| Packet {
        name: path.file_name().unwrap_or_default().display().to_string(),
        bytes: std::fs::read(&path).unwrap_or_default(),
    }));
    packets
}

/// All files below a folder with one of these extensions, sorted.
#[must_use]
pub fn files_below(folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .and_then(|extension| extension.to_str())
                .is_some_and(|extension| extensions.contains(&extension))
            {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

fn in_folder(set: &str, folder: &Path) -> Vec<TestObject> {
    files_below(folder, &["o"])
        .into_iter()
        .map(|path| TestObject {
            name: format!(
                "{set}/{}",
                path.strip_prefix(folder).unwrap_or(&path).display()
            ),
            path,
        })
        .collect()
}
