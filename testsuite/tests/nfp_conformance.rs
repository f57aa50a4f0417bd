//! The bpf_conformance vectors compiled for the card and run in the simulator: one test for each
//! vector and level, as it is and with its numbers hidden from the compiler.
//!
//! Every vector that the compiler takes must give its result, without a hazard. Those that it does not
//! take are counted by reason, and the counts are those of the table in `docs/nfp.md`, so that no
//! vector drops out unseen.
//!
//! The vectors lie outside the repository (`../shared` from its root); without them there is one
//! ignored test.

use std::collections::BTreeMap;

use backend_nfp::capabilities::Capabilities;
use bpfmill::conformance::{NoResult, Numbers, on_card};
use bpfmill::packet_file::unhex;
use libtest_mimic::{Arguments, Failed, Trial};
use passes::OptLevel;
use serde_json::Value;
use testsuite::objects::shared;

/// Vectors that the card cannot run at `-O 2`, by the reason.
const REFUSED: &[(&str, usize)] = &[
    ("the card cannot run an atomic operation on this memory", 4),
    ("the card cannot run this atomic operation", 26),
    ("the card cannot run this helper", 1),
    ("the card cannot run this instruction", 5),
];

fn main() {
    let arguments = Arguments::from_args();
    let rows = shared("conformance")
        .and_then(|folder| std::fs::read_to_string(folder.join("isa.jsonl")).ok());
    let trials = match rows {
        Some(text) => {
            let rows: Vec<Value> = text
                .lines()
                .filter_map(|line| serde_json::from_str(line).ok())
                .collect();
            let mut trials: Vec<Trial> = rows
                .iter()
                .flat_map(|row| OptLevel::ALL.map(|level| (row, level)))
                .flat_map(|(row, level)| {
                    [Numbers::Known, Numbers::Hidden]
                        .map(|numbers| trial(row.clone(), level, numbers))
                })
                .collect();
            trials.push(Trial::test("reasons", move || reasons(&rows)));
            trials
        }
        None => vec![
            Trial::test("vectors", || Ok(()))
                .with_kind("no vectors beside the checkout")
                .with_ignored_flag(true),
        ],
    };
    libtest_mimic::run(&arguments, trials).exit();
}

fn trial(row: Value, level: OptLevel, numbers: Numbers) -> Trial {
    let name = row["name"].as_str().unwrap_or("nameless").to_owned();
    let hidden = match numbers {
        Numbers::Known => "",
        Numbers::Hidden => " hidden",
    };
    Trial::test(format!("{name} -O {}{hidden}", level.name()), move || {
        match run(&row, level, numbers)? {
            Ok(_) => Ok(()),
            // The test of reasons counts these.
            Err(NoResult::Unsupported(_)) => Ok(()),
            Err(NoResult::Failed(reason)) => Err(reason.into()),
        }
    })
}

/// Runs a vector; a wrong result is a failure.
fn run(row: &Value, level: OptLevel, numbers: Numbers) -> Result<Result<u64, NoResult>, Failed> {
    let bytes = |field: &str| {
        unhex(row[field].as_str().unwrap_or_default()).ok_or("a field is not hexadecimal")
    };
    let (program, memory) = (bytes("bytes")?, bytes("mem")?);
    let fails = row["error"].as_str().is_some_and(|error| !error.is_empty());
    let found = on_card(&program, &memory, level, numbers, &Capabilities::default());
    if let Ok(r0) = found {
        let expected = row["result"].as_str().unwrap_or_default();
        let expected = u64::from_str_radix(expected.trim_start_matches("0x"), 16)?;
        if r0 != expected || fails {
            return Err(format!("r0 is {r0:#x}, not {expected:#x}").into());
        }
    }
    Ok(found)
}

/// Which vectors cannot be run, and why; hidden numbers are in nobody's way.
fn reasons(rows: &[Value]) -> Result<(), Failed> {
    for numbers in [Numbers::Known, Numbers::Hidden] {
        let mut counts: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for row in rows {
            // Wrong results are told by the vectors' own tests.
            if let Ok(Err(NoResult::Unsupported(reason))) = run(row, OptLevel::O2, numbers) {
                let reason = reason.split(", at ").next().unwrap_or_default().to_owned();
                let name = row["name"].as_str().unwrap_or_default();
                counts.entry(reason).or_default().push(name);
            }
        }
        let found: Vec<(&str, usize)> = counts
            .iter()
            .map(|(reason, names)| (reason.as_str(), names.len()))
            .collect();
        if found != REFUSED {
            return Err(format!("{numbers:?}: {counts:#?}").into());
        }
    }
    Ok(())
}
