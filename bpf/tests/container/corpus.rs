//! The corpus of real objects, which lies beside the checkout or is missing.

use std::path::{Path, PathBuf};

/// A folder of the data that is shared between checkouts, if it is there.
pub fn shared(folder: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared")
        .join(folder);
    path.is_dir().then_some(path)
}

/// All objects of the corpus with their names relative to it; empty without a corpus.
pub fn corpus() -> Vec<(String, PathBuf)> {
    let Some(root) = shared("corpus") else {
        return Vec::new();
    };
    let mut objects = Vec::new();
    collect(&root, &root, &mut objects);
    objects.sort();
    objects
}

fn collect(root: &Path, folder: &Path, objects: &mut Vec<(String, PathBuf)>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            collect(root, &path, objects);
        } else if path.extension().is_some_and(|extension| extension == "o") {
            let name = path
                .strip_prefix(root)
                .unwrap_or(&path)
                .display()
                .to_string();
            objects.push((name, path));
        }
    }
}
