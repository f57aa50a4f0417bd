//! What clang prints, our assembler and LLVM's turn into the same object, byte for byte.
//!
//! Each program here and in `programs` is compiled to assembly for several processor versions and
//! levels, in both byte orders, with and without debugging information of several forms: line
//! tables and tables of frames are made by the assembler itself. Texts of our own are compared too.
//!
//! Ignored where clang-19 or llvm-mc-19 is missing.

use std::path::{Path, PathBuf};

use bpf::insn::Endian;
use libtest_mimic::{Arguments, Failed, Trial};
use testsuite::llvm_mc::{Outcome, compare, compile, is_there};

/// Byte order, and what clang is told: each value of each at least once.
const SETTINGS: [(Endian, &[&str]); 6] = [
    (Endian::Little, &["-O2", "-mcpu=v1"]),
    (Endian::Big, &["-O2", "-mcpu=v2", "-g"]),
    (Endian::Little, &["-O2", "-mcpu=v3", "-g"]),
    (Endian::Big, &["-O1", "-mcpu=v4"]),
    (
        Endian::Little,
        &[
            "-O2",
            "-mcpu=v4",
            "-g",
            "-gembed-source",
            "-ffunction-sections",
        ],
    ),
    (Endian::Little, &["-O2", "-mcpu=v3", "-gdwarf-4"]),
];

fn main() {
    let arguments = Arguments::from_args();
    let missing = !is_there("clang-19") || !is_there("llvm-mc-19");
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (programs, texts) = (here.join("programs"), here.join("../frontend/tests/clang"));
    let include = programs.join("include");
    let mut trials = Vec::new();
    for folder in [texts, programs] {
        for source in files_in(&folder, "c") {
            let include = include.clone();
            let trial = Trial::test(name(&source), move || compare_source(&source, &include));
            trials.push(trial.with_ignored_flag(missing));
        }
        for source in files_in(&folder, "s") {
            let trial = Trial::test(name(&source), move || compare_text(&source));
            trials.push(trial.with_ignored_flag(missing));
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn name(source: &Path) -> String {
    let name = source.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn files_in(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut sources: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    sources.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == ending)
    });
    sources.sort();
    sources
}

fn compare_source(source: &Path, include: &Path) -> Result<(), Failed> {
    let mut compared = 0;
    for (endian, settings) in SETTINGS {
        let mut arguments: Vec<String> = settings.iter().map(|text| (*text).to_owned()).collect();
        arguments.push(format!("-I{}", include.display()));
        if let Some(text) = compile(source, endian, &arguments)? {
            compared += 1;
            expect_equal(&text, endian, &settings.join(" "))?;
        }
    }
    match compared {
        0 => Err("clang compiles it for no processor version".into()),
        _ => Ok(()),
    }
}

fn compare_text(source: &Path) -> Result<(), Failed> {
    let text = std::fs::read_to_string(source)?;
    expect_equal(&text, Endian::Little, "")?;
    expect_equal(&text, Endian::Big, "")
}

fn expect_equal(text: &str, endian: Endian, case: &str) -> Result<(), Failed> {
    match compare(text, endian)? {
        Outcome::Identical => Ok(()),
        Outcome::Different { kind, detail } => {
            Err(format!("{endian:?} {case}: {kind} differs\n{detail}").into())
        }
        other => Err(format!("{endian:?} {case}: {other:?}").into()),
    }
}
