//! The bytecode interpreter against the bpf_conformance vectors: one test a vector.
//!
//! The vectors lie outside the repository (`../shared` from its root); without them there is one
//! ignored test.

use std::fs;
use std::path::PathBuf;

use bpf::interp::conformance;
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;

fn unhex(text: &str) -> Result<Vec<u8>, Failed> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?))
        .collect()
}

fn check(row: &Value) -> Result<(), Failed> {
    let program = unhex(row["bytes"].as_str().unwrap_or_default())?;
    let memory = unhex(row["mem"].as_str().unwrap_or_default())?;
    let expected = row["result"].as_str().unwrap_or_default();
    let error = row["error"].as_str().unwrap_or_default();
    match (conformance::run(&program, &memory), error.is_empty()) {
        (Ok(r0), true) => {
            let expected = u64::from_str_radix(expected.trim_start_matches("0x"), 16)?;
            if r0 == expected {
                Ok(())
            } else {
                Err(format!("r0 is {r0:#x}, not {expected:#x}").into())
            }
        }
        (Err(_), false) => Ok(()),
        (Ok(r0), false) => Err(format!("r0 is {r0:#x}, but it should fail: {error}").into()),
        (Err(fault), true) => Err(fault.to_string().into()),
    }
}

fn main() {
    let arguments = Arguments::from_args();
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared"))
        .join("conformance/isa.jsonl");
    let trials = match fs::read_to_string(path) {
        Ok(text) => text
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .map(|row| {
                let name = row["name"].as_str().unwrap_or("nameless").to_owned();
                Trial::test(name, move || check(&row))
            })
            .collect(),
        Err(_) => vec![Trial::test("vectors", || Ok(())).with_ignored_flag(true)],
    };
    libtest_mimic::run(&arguments, trials).exit();
}
