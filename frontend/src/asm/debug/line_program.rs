//! The line table's program: one run of rows as opcodes.
//!
//! DWARF gives many ways to say the same rows. This one says what llvm-mc says: registers that
//! differ, in a fixed order, then one *special* opcode that moves address and line together, with
//! a fixed advance in front of it when the address moves a little too far, or else with separate
//! advances.
//!
//! Cost: linear in the rows; a row takes at most some 60 bytes.

use super::CODE_UNIT;
use super::buffer::Buffer;
use super::lines::Line;
use crate::asm::symbols::SymbolIndex;

/// Least advance of the line in a special opcode.
pub const LINE_BASE: i64 = -5;
/// How many advances of the line there are.
pub const LINE_RANGE: u64 = 14;
/// The first special opcode.
pub const OPCODE_BASE: u64 = 13;
/// How far the address moves by the opcode for it, which is as far as the last special one moves it.
const FIXED_ADVANCE: u64 = (255 - OPCODE_BASE) / LINE_RANGE;

const COPY: u8 = 1;
const ADVANCE_PC: u8 = 2;
const ADVANCE_LINE: u8 = 3;
const SET_FILE: u8 = 4;
const SET_COLUMN: u8 = 5;
const NEGATE_STATEMENT: u8 = 6;
const SET_BASIC_BLOCK: u8 = 7;
const CONST_ADD_PC: u8 = 8;
const SET_PROLOGUE_END: u8 = 10;
const SET_EPILOGUE_BEGIN: u8 = 11;
const SET_ISA: u8 = 12;
const EXTENDED: u8 = 0;
const END_SEQUENCE: u8 = 1;
const SET_ADDRESS: u8 = 2;
const SET_DISCRIMINATOR: u8 = 4;

/// Writes the rows of a section, each with its offset in it, and the section's end.
pub fn write_sequence(
    buffer: &mut Buffer,
    section: SymbolIndex,
    rows: impl Iterator<Item = (u64, Line)>,
    end: u64,
) {
    let mut last = Line::initial();
    let mut address = None;
    for (offset, line) in rows {
        write_registers(buffer, &last, &line);
        let lines = i64::from(line.line) - i64::from(last.line);
        match address {
            None => {
                buffer.byte(EXTENDED);
                buffer.unsigned(9);
                buffer.byte(SET_ADDRESS);
                buffer.address(section, offset);
                write_row(buffer, lines, 0);
            }
            Some(before) => write_row(buffer, lines, units(before, offset)),
        }
        address = Some(offset);
        // It holds for one row only.
        last = Line {
            discriminator: 0,
            ..line
        };
    }
    if let Some(before) = address {
        write_end(buffer, units(before, end));
    }
}

fn units(from: u64, to: u64) -> u64 {
    to.saturating_sub(from) / CODE_UNIT
}

/// Sets what differs from the row before, and the marks of this one.
fn write_registers(buffer: &mut Buffer, last: &Line, line: &Line) {
    let mut set = |opcode: u8, value: u32| {
        buffer.byte(opcode);
        buffer.unsigned(u64::from(value));
    };
    if line.file != last.file {
        set(SET_FILE, line.file);
    }
    if line.column != last.column {
        set(SET_COLUMN, line.column);
    }
    if line.discriminator != last.discriminator {
        let mut operand = Vec::with_capacity(5);
        let number = i64::from(line.discriminator);
        crate::asm::data::encode_leb(number, false, 1, &mut operand);
        buffer.byte(EXTENDED);
        buffer.unsigned(1 + operand.len() as u64);
        buffer.byte(SET_DISCRIMINATOR);
        buffer.bytes.extend(operand);
    }
    if line.isa != last.isa {
        buffer.byte(SET_ISA);
        buffer.unsigned(u64::from(line.isa));
    }
    if line.is_statement != last.is_statement {
        buffer.byte(NEGATE_STATEMENT);
    }
    let marks = [
        (line.begins_block, SET_BASIC_BLOCK),
        (line.ends_prologue, SET_PROLOGUE_END),
        (line.begins_epilogue, SET_EPILOGUE_BEGIN),
    ];
    for (is_set, opcode) in marks {
        if is_set {
            buffer.byte(opcode);
        }
    }
}

/// Moves line and address, and makes the row.
fn write_row(buffer: &mut Buffer, lines: i64, units: u64) {
    let fits = |lines: &u64| *lines < LINE_RANGE;
    let in_special = u64::try_from(lines - LINE_BASE).ok().filter(fits);
    if in_special.is_none() {
        buffer.byte(ADVANCE_LINE);
        buffer.signed(lines);
    }
    let lines_are_done = in_special.is_none() || lines == 0;
    if lines_are_done && units == 0 {
        buffer.byte(COPY);
        return;
    }
    let first = OPCODE_BASE + in_special.unwrap_or((-LINE_BASE) as u64);
    let special = |units: u64| {
        let opcode = units.checked_mul(LINE_RANGE)?.checked_add(first)?;
        u8::try_from(opcode).ok()
    };
    if let Some(opcode) = special(units) {
        buffer.byte(opcode);
        return;
    }
    if let Some(opcode) = units.checked_sub(FIXED_ADVANCE).and_then(special) {
        buffer.byte(CONST_ADD_PC);
        buffer.byte(opcode);
        return;
    }
    buffer.byte(ADVANCE_PC);
    buffer.unsigned(units);
    match in_special {
        None => buffer.byte(COPY),
        Some(_) => buffer.byte(first as u8),
    }
}

fn write_end(buffer: &mut Buffer, units: u64) {
    match units {
        0 => {}
        FIXED_ADVANCE => buffer.byte(CONST_ADD_PC),
        units => {
            buffer.byte(ADVANCE_PC);
            buffer.unsigned(units);
        }
    }
    buffer.bytes.extend([EXTENDED, 1, END_SEQUENCE]);
}
