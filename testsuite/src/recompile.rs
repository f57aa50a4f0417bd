//! Whether committed objects are what their sources compile to.

use std::path::Path;
use std::process::Command;

use crate::objects::files_below;

/// What compiling lacks on this machine, if something.
#[must_use]
pub fn missing_compiler() -> Option<String> {
    let missing = ["clang-19", "llvm-strip-19"]
        .into_iter()
        .find(|tool| Command::new(tool).arg("--version").output().is_err());
    if let Some(tool) = missing {
        return Some(format!("needs {tool}"));
    }
    let include = std::env::var("INCLUDE").unwrap_or_else(|_| "/usr/include".to_owned());
    let header = Path::new(&include).join("bpf/bpf_helpers.h");
    (!header.exists()).then(|| "needs bpf/bpf_helpers.h".to_owned())
}

/// Copies a folder's files with these extensions to `copy`, runs the script of this name there, and
/// compares the objects. Only their code: types come from the machine's headers.
///
/// # Errors
/// The script fails, or an object is out of date.
pub fn objects_are_up_to_date(
    folder: &Path,
    extensions: &[&str],
    script: &str,
    copy: &Path,
) -> Result<(), String> {
    let told = |error: std::io::Error| error.to_string();
    if copy.exists() {
        std::fs::remove_dir_all(copy).map_err(told)?;
    }
    for path in files_below(folder, extensions) {
        let to = copy.join(path.strip_prefix(folder).unwrap_or(&path));
        if let Some(parent) = to.parent() {
            std::fs::create_dir_all(parent).map_err(told)?;
        }
        std::fs::copy(&path, to).map_err(told)?;
    }
    let made = Command::new("sh").arg(copy.join(script)).output();
    let made = made.map_err(told)?;
    if !made.status.success() {
        return Err(String::from_utf8_lossy(&made.stderr).into_owned());
    }
    let committed = files_below(folder, &["o"]);
    let fresh = files_below(copy, &["o"]);
    if committed.len() != fresh.len() {
        return Err(format!(
            "{} objects, {} committed",
            fresh.len(),
            committed.len()
        ));
    }
    for path in fresh {
        let name = path.strip_prefix(copy).unwrap_or(&path);
        if code(&path)? != code(&folder.join(name))? {
            return Err(format!("{} is out of date: run {script}", name.display()));
        }
    }
    Ok(())
}

fn code(path: &Path) -> Result<Vec<(String, Vec<u8>)>, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let object = bpf::elf::read(&bytes).map_err(|error| error.to_string())?;
    let sections = object.section_ids().filter(|id| object.is_executable(*id));
    let code = sections.filter_map(|id| object.section(id));
    Ok(code
        .map(|section| (section.name.clone(), section.data().to_vec()))
        .collect())
}
