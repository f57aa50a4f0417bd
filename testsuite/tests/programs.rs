//! The committed objects are what `programs/rebuild.sh` makes of the sources.
//! Ignored, with the reason in brackets, without clang 19.

use std::path::Path;
use std::process::Command;

use libtest_mimic::{Arguments, Failed, Trial};
use testsuite::objects;

fn main() {
    let arguments = Arguments::from_args();
    let trial = Trial::test("committed objects are up to date", up_to_date);
    let missing = ["clang-19", "llvm-strip-19", "llvm-mc-19"]
        .into_iter()
        .find(|tool| Command::new(tool).arg("--version").output().is_err());
    let trial = match missing {
        Some(tool) => trial
            .with_kind(format!("needs {tool}"))
            .with_ignored_flag(true),
        None => trial,
    };
    libtest_mimic::run(&arguments, vec![trial]).exit();
}

fn up_to_date() -> Result<(), Failed> {
    let source = objects::root().join("programs");
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join("programs");
    if copy.exists() {
        std::fs::remove_dir_all(&copy)?;
    }
    std::fs::create_dir_all(copy.join("include"))?;
    for path in objects::files_below(&source, &["c", "s", "h", "sh"]) {
        std::fs::copy(&path, copy.join(path.strip_prefix(&source)?))?;
    }
    let made = Command::new("sh").arg(copy.join("rebuild.sh")).output()?;
    if !made.status.success() {
        return Err(String::from_utf8_lossy(&made.stderr).into_owned().into());
    }
    let committed = objects::files_below(&source, &["o"]);
    let fresh = objects::files_below(&copy, &["o"]);
    if committed.len() != fresh.len() {
        return Err(format!("{} objects, {} committed", fresh.len(), committed.len()).into());
    }
    for path in fresh {
        let name = path.strip_prefix(&copy)?;
        if std::fs::read(&path)? != std::fs::read(source.join(name))? {
            return Err(format!("{} is out of date: run rebuild.sh", name.display()).into());
        }
    }
    Ok(())
}
