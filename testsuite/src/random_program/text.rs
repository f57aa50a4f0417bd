//! A program as text: assembly with places, and the bytes.

use std::fmt::Write as _;

use bpf::insn::{Endian, Insn, read_slots, write_slots};

use super::{RandomProgram, SORTS};

/// The program for a report.
#[must_use]
pub fn listing(program: &RandomProgram) -> String {
    let mut text = format!("{}\n", program.sort.program_type);
    let mut wide = false;
    for (index, slot) in program.slots.iter().enumerate() {
        if std::mem::take(&mut wide) {
            continue;
        }
        wide = slot.opcode == 0x18;
        let insn = match Insn::decode(&program.slots[index..]) {
            Ok(_) if slot.opcode == 0x85 && slot.src == 1 => {
                format!("call function {:+}", slot.imm)
            }
            Ok((insn, _)) => insn.to_string(),
            Err(error) => format!("{slot:?} ({error})"),
        };
        let written = writeln!(text, "{index:4}: {insn}");
        debug_assert!(written.is_ok());
    }
    let bytes = write_slots(&program.slots, Endian::Little);
    text.extend(bytes.iter().map(|byte| format!("{byte:02x}")));
    text.push('\n');
    text
}

/// The program that a report shows as type and bytes.
#[must_use]
pub fn from_hex(program_type: &str, hex: &str) -> Option<RandomProgram> {
    let sort = SORTS
        .iter()
        .find(|sort| sort.program_type.name() == program_type)?;
    let digits = hex.as_bytes().chunks_exact(2);
    let bytes: Option<Vec<u8>> = digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    let slots = read_slots(&bytes?, Endian::Little)?;
    Some(RandomProgram { sort, slots })
}
