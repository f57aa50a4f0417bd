//! Random programs for the card do there what they do in the interpreter, and so do small ones that
//! once did not.
//!
//! `cargo run --release -p testsuite --example nfp_fuzz SECONDS SEED` does the same for longer.

use std::path::Path;

use bpf::diagnostic::FileId;
use bpf::insn::{Endian, read_slots};
use bpf::program_type::ProgramType;
use frontend::asm::{AsmOptions, assemble};
use libtest_mimic::{Arguments, Failed, Trial};
use testsuite::nfp::Case;
use testsuite::nfp::fuzz::{Outcome, run};
use testsuite::nfp::random::{case_maps, random_case};
use testsuite::objects::root;

const SEED: u64 = 7;
/// Programs of one trial, and trials.
const PROGRAMS: u64 = 25;
const TRIALS: u64 = if cfg!(debug_assertions) { 1 } else { 8 };
/// Programs of a hundred that must be compiled.
const MOST: u64 = 80;
/// Programs of the long trial.
const MANY: u64 = 20_000;

fn main() {
    let arguments = Arguments::from_args();
    let mut trials: Vec<Trial> = (0..TRIALS)
        .map(|trial| {
            let first = trial * PROGRAMS;
            Trial::test(format!("programs from {first}"), move || {
                programs(first, PROGRAMS)
            })
        })
        .collect();
    let long = Trial::test("many programs", || programs(1_000_000, MANY));
    trials.push(long.with_ignored_flag(true));
    match small_programs() {
        Ok(all) => trials.extend(all),
        Err(error) => trials.push(Trial::test("small programs", move || Err(error.into()))),
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn programs(first: u64, count: u64) -> Result<(), Failed> {
    let mut compiled = 0;
    for number in first..first + count {
        match run(&random_case(SEED, number)) {
            Outcome::Same(_) => compiled += 1,
            Outcome::Refused(_) | Outcome::Unable(_) => {}
            Outcome::Wrong(reason) => return Err(format!("{number}: {reason}").into()),
        }
    }
    if compiled * 100 < count * MOST {
        return Err(format!("only {compiled} of {count} programs were compiled").into());
    }
    Ok(())
}

/// Programs of `testsuite/nfp_programs`, each for XDP or, if it says so, for TC.
fn small_programs() -> Result<Vec<Trial>, std::io::Error> {
    let folder = root().join("nfp_programs");
    let mut paths: Vec<_> = std::fs::read_dir(folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "s"))
        .collect();
    paths.sort();
    let name = |path: &Path| {
        path.file_stem()
            .map(|name| name.to_string_lossy().into_owned())
    };
    let trial = |path: std::path::PathBuf| {
        Trial::test(name(&path).unwrap_or_default(), move || {
            let text = std::fs::read_to_string(&path)?;
            let case = case_of(&name(&path).unwrap_or_default(), &text)?;
            match run(&case) {
                Outcome::Same(_) => Ok(()),
                other => Err(format!("{other:?}").into()),
            }
        })
    };
    Ok(paths.into_iter().map(trial).collect())
}

/// An assembled text as a case; `map0` and so on are the maps of random programs.
fn case_of(name: &str, text: &str) -> Result<Case, String> {
    let options = AsmOptions::new(Endian::Little);
    let assembled = assemble(text, FileId(0), &options);
    let object = assembled.map_err(|errors| format!("{errors:?}"))?.object;
    let section = object.section_by_name("program").ok_or("no section")?;
    let bytes = object.data(section);
    let mut slots = read_slots(bytes, Endian::Little).ok_or("no slots")?;
    let relocations = object
        .section(section)
        .map(|section| section.relocations.as_slice());
    for relocation in relocations.unwrap_or_default() {
        let symbol = object.symbol(relocation.symbol).ok_or("no symbol")?;
        let map = symbol
            .name
            .strip_prefix("map")
            .and_then(|digit| digit.parse().ok());
        let at = usize::try_from(relocation.offset / 8).map_err(|error| error.to_string())?;
        let slot = slots.get_mut(at).ok_or("no slot")?;
        match map {
            Some(map) => (slot.src, slot.imm) = (1, map),
            // A function; the text has no other symbols.
            None => slot.imm = (symbol.value as i64 / 8 - at as i64 - 1) as i32,
        }
    }
    Ok(Case {
        name: name.to_owned(),
        program_type: match text.starts_with("# TC") {
            true => ProgramType::SchedCls,
            false => ProgramType::Xdp,
        },
        maps: case_maps(),
        slots,
        unrelocated: Vec::new(),
        words: Vec::new(),
    })
}
