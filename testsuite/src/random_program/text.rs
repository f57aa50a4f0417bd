//! A program as text: assembly with places, and the bytes.

use std::fmt::Write as _;

use bpf::insn::{Endian, Insn, write_slots};

use super::RandomProgram;

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
