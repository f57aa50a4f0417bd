//! The instruction set against vectors made by LLVM's assembler: bytes → decode → encode → bytes
//! in both byte orders, reserved fields refused, and the printed text against LLVM's tools.
//!
//! The vectors lie outside the repository (`../shared` from its root) and the tools may not be
//! installed: what is missing shows as ignored tests.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use bpf::insn::{DecodeError, Endian, Insn, Slot, read_slots, write_slots};
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;

fn shared(path: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared")).join(path)
}

fn tool_exists(name: &str) -> bool {
    Command::new(name)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn unhex(text: &str) -> Result<Vec<u8>, Failed> {
    (0..text.len())
        .step_by(2)
        .map(|at| {
            let digits = text.get(at..at + 2).ok_or("odd number of digits")?;
            Ok(u8::from_str_radix(digits, 16)?)
        })
        .collect()
}

fn decode_all(slots: &[Slot]) -> Result<Vec<Insn>, DecodeError> {
    let mut rest = slots;
    let mut insns = Vec::new();
    while !rest.is_empty() {
        let (insn, used) = Insn::decode(rest)?;
        insns.push(insn);
        rest = &rest[used..];
    }
    Ok(insns)
}

fn rows(path: &str) -> Result<Vec<Value>, Failed> {
    Ok(serde_json::from_str(&fs::read_to_string(shared(path))?)?)
}

/// Rows that must be refused, each with its reason.
fn refused_by_design(row: &Value, slots: &[Slot]) -> Option<&'static str> {
    let old_callx = row["llvm"] == "<=18" && slots[0].opcode == 0x8d && slots[0].imm != 0;
    if old_callx {
        return Some("callx with its register in the immediate, a reserved field since LLVM 19");
    }
    let null_cast = slots[0].opcode == 0xbf && slots[0].offset == 1 && slots[0].imm == 0;
    null_cast.then_some("a cast of address space 0 to itself: a move with a stray offset")
}

fn round_trip(path: &str, key: &str, endian: Endian) -> Result<(), Failed> {
    let mut refused = 0;
    let rows = rows(path)?;
    for row in &rows {
        let Some(hex) = row[key].as_str() else {
            return Err("row without bytes".into());
        };
        let bytes = unhex(hex)?;
        let slots = read_slots(&bytes, endian).ok_or("not whole slots")?;
        match (decode_all(&slots), refused_by_design(row, &slots)) {
            (Err(_), Some(_)) => refused += 1,
            (Ok(_), Some(reason)) => return Err(format!("{row} decodes despite: {reason}").into()),
            (Err(error), None) => return Err(format!("{row}: {error}").into()),
            (Ok(insns), None) => {
                let again: Vec<Slot> = insns.iter().flat_map(Insn::encode).collect();
                if write_slots(&again, endian) != bytes {
                    return Err(format!("{row}: encodes as {again:?}").into());
                }
            }
        }
    }
    if refused > 11 {
        return Err(format!("{refused} of {} rows refused", rows.len()).into());
    }
    Ok(())
}

fn reserved_fields() -> Result<(), Failed> {
    let text = fs::read_to_string(shared("conformance/reserved-fields.jsonl"))?;
    for line in text.lines() {
        let row: Value = serde_json::from_str(line)?;
        let bytes = unhex(row["bytes"].as_str().unwrap_or_default())?;
        let slots = read_slots(&bytes, Endian::Little).ok_or("not whole slots")?;
        match decode_all(&slots) {
            Err(DecodeError::Reserved { .. }) => {}
            other => return Err(format!("{row}: {other:?}").into()),
        }
    }
    Ok(())
}

/// Feeds every printed instruction to `llvm-mc` and compares the bytes.
fn text_assembles(alternate: bool) -> Result<(), Failed> {
    let mut text = String::new();
    let mut expected = Vec::new();
    for row in &rows("asm/encodings.json")? {
        let bytes = unhex(row["hex"].as_str().unwrap_or_default())?;
        let slots = read_slots(&bytes, Endian::Little).ok_or("not whole slots")?;
        if refused_by_design(row, &slots).is_some() {
            continue;
        }
        for insn in decode_all(&slots)? {
            // The assembler takes only 16 bits for a numeric gotol, and drops the high half of
            // ld_pseudo.
            let unsayable = match insn {
                Insn::Goto { offset, long: true } => i16::try_from(offset).is_err(),
                Insn::LoadImm64 { pseudo, imm, .. } => pseudo.0 != 0 && imm >> 32 != 0,
                _ => false,
            };
            if !unsayable {
                let line = if alternate {
                    format!("{insn:#}\n")
                } else {
                    format!("{insn}\n")
                };
                text.push_str(&line);
                expected.extend(insn.encode());
            }
        }
    }
    let directory =
        std::env::temp_dir().join(format!("bpf-text-{}-{alternate}", std::process::id()));
    fs::create_dir_all(&directory)?;
    let (source, object) = (directory.join("all.s"), directory.join("all.o"));
    fs::write(&source, &text)?;
    let output = Command::new("llvm-mc-19")
        .args(["-triple=bpfel", "-filetype=obj", "-o"])
        .args([&object, &source])
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    let written = fs::read(&object)?;
    fs::remove_dir_all(&directory)?;
    let expected = write_slots(&expected, Endian::Little);
    // The only executable section comes first in the file, right after the header.
    let at = 64;
    match written.get(at..at + expected.len()) {
        Some(code) if code == expected => Ok(()),
        _ => Err("llvm-mc assembled the printed text to other bytes".into()),
    }
}

fn main() {
    let arguments = Arguments::from_args();
    let no_assembly = !shared("asm/encodings.json").exists();
    let no_conformance = !shared("conformance/reserved-fields.jsonl").exists();
    let no_assembler = no_assembly || !tool_exists("llvm-mc-19");
    let encodings = "asm/encodings.json";
    let trials = vec![
        Trial::test("round_trip/little", move || {
            round_trip(encodings, "hex", Endian::Little)
        })
        .with_ignored_flag(no_assembly),
        Trial::test("round_trip/big", move || {
            round_trip(encodings, "hex_be", Endian::Big)
        })
        .with_ignored_flag(no_assembly),
        Trial::test("round_trip/newer", || {
            round_trip("asm/newer_llvm_encodings.json", "hex", Endian::Little)
        })
        .with_ignored_flag(no_assembly),
        Trial::test("reserved_fields", reserved_fields).with_ignored_flag(no_conformance),
        Trial::test("printed_text_assembles", || text_assembles(false))
            .with_ignored_flag(no_assembler),
        Trial::test("printed_text_assembles/alternate", || text_assembles(true))
            .with_ignored_flag(no_assembler),
    ];
    libtest_mimic::run(&arguments, trials).exit();
}
