//! Files through our assembler and LLVM's, and how many of the objects are equal.
//!
//! usage: `llvm_mc [--endian big] FILE|FOLDER… [-- CLANG_ARGUMENT…]`; of a folder all `.s` and `.c`
//! files are taken. Sources in C are compiled with the arguments first. Prints what differs, refusals,
//! and the number of files for each kind of difference.

#![expect(clippy::print_stdout, reason = "what the example is for")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bpf::insn::Endian;
use testsuite::llvm_mc::{Outcome, compare, compile};
use testsuite::objects::files_below;

fn main() -> Result<(), String> {
    let mut endian = Endian::Little;
    let mut files = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--" => break,
            "--endian" => {
                if arguments.next().as_deref() == Some("big") {
                    endian = Endian::Big;
                }
            }
            path => files.extend(files_of(Path::new(path))),
        }
    }
    let clang: Vec<String> = arguments.collect();
    if files.is_empty() {
        return Err("usage: llvm_mc [--endian big] FILE|FOLDER… [-- CLANG_ARGUMENT…]".to_owned());
    }
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for file in &files {
        let kind = outcome(file, endian, &clang)?;
        *kinds.entry(kind).or_default() += 1;
    }
    println!("{:6} files", files.len());
    for (kind, count) in kinds {
        println!("{count:6} {kind}");
    }
    Ok(())
}

fn files_of(path: &Path) -> Vec<PathBuf> {
    if !path.is_dir() {
        return vec![path.to_owned()];
    }
    let mut files = files_below(path, &["s", "c"]);
    files.sort();
    files
}

/// The kind of outcome to count; what is worth reading is printed.
fn outcome(file: &Path, endian: Endian, clang: &[String]) -> Result<String, String> {
    let shown = file.display();
    let problem = |error: std::io::Error| format!("{shown}: {error}");
    let is_source = file.extension().is_some_and(|ending| ending == "c");
    let text = match is_source {
        true => match compile(file, endian, clang).map_err(problem)? {
            Some(text) => text,
            None => return Ok("not compiled by clang".to_owned()),
        },
        false => std::fs::read_to_string(file).map_err(problem)?,
    };
    Ok(match compare(&text, endian).map_err(problem)? {
        Outcome::Identical => "identical".to_owned(),
        Outcome::Different { kind, detail } => {
            println!("{shown}: {kind} differs\n{detail}");
            format!("differ first in {kind}")
        }
        Outcome::LlvmRefuses(message) => {
            println!("{shown}: llvm-mc: {message}");
            "refused by llvm-mc only".to_owned()
        }
        Outcome::WeRefuse(message) => {
            println!("{shown}: bpfmill: {message}");
            "refused by bpfmill only".to_owned()
        }
        Outcome::BothRefuse => "refused by both".to_owned(),
    })
}
