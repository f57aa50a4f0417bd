//! The bpf_conformance vectors after compilation: lifted, optimised, emitted, then interpreted.
//! One test for each vector and level.
//!
//! The vectors lie outside the repository (`../shared` from its root); without them there is one
//! ignored test.

use bpf::interp::conformance::run;
use bpfmill::conformance::compile;
use bpfmill::packet_file::unhex;
use libtest_mimic::{Arguments, Failed, Trial};
use passes::OptLevel;
use serde_json::Value;
use testsuite::objects::shared;

fn main() {
    let arguments = Arguments::from_args();
    let rows = shared("conformance")
        .and_then(|folder| std::fs::read_to_string(folder.join("isa.jsonl")).ok());
    let trials = match rows {
        Some(text) => text
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .flat_map(|row| OptLevel::ALL.map(|level| trial(row.clone(), level)))
            .collect(),
        None => vec![
            Trial::test("vectors", || Ok(()))
                .with_kind("no vectors beside the checkout")
                .with_ignored_flag(true),
        ],
    };
    libtest_mimic::run(&arguments, trials).exit();
}

fn trial(row: Value, level: OptLevel) -> Trial {
    let name = row["name"].as_str().unwrap_or("nameless").to_owned();
    Trial::test(format!("{name} -O {}", level.name()), move || {
        check(&row, level)
    })
}

fn check(row: &Value, level: OptLevel) -> Result<(), Failed> {
    let bytes = |field: &str| {
        unhex(row[field].as_str().unwrap_or_default()).ok_or("a field is not hexadecimal")
    };
    let (program, memory) = (bytes("bytes")?, bytes("mem")?);
    let fails = row["error"].as_str().is_some_and(|error| !error.is_empty());
    let compiled = match compile(&program, level) {
        Ok(compiled) => compiled,
        Err(_) if fails => return Ok(()),
        Err(reason) => return Err(reason.into()),
    };
    match run(&compiled, &memory) {
        Ok(r0) => {
            let expected = row["result"].as_str().unwrap_or_default();
            let expected = u64::from_str_radix(expected.trim_start_matches("0x"), 16)?;
            if r0 == expected && !fails {
                Ok(())
            } else {
                Err(format!("r0 is {r0:#x}, not {expected:#x}").into())
            }
        }
        Err(_) if fails => Ok(()),
        Err(fault) => Err(fault.to_string().into()),
    }
}
