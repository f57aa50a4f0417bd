//! `.debug_frame` and `.eh_frame`: what is common to frames, then each frame.
//!
//! Both tables hold the same steps and differ in their headers. Frames that have something special
//! in common are put together; `.eh_frame` repeats the common part for each kind, `.debug_frame`
//! has it once, as llvm-mc writes it.
//!
//! Cost: a sort of the frames, else linear.

use super::buffer::Buffer;
use super::frames::{DATA_UNIT, Frame, Frames, RETURN_COLUMN};
use super::{CODE_UNIT, Generated};
use crate::asm::assembler::Assembler;
use crate::asm::symbols::SymbolIndex;

/// Addresses in `.eh_frame` are signed numbers of 8 bytes, not relative to anything.
const ADDRESS_FORM: u8 = 0x0c;
/// In the upper two bits: advance by what is in the others.
const ADVANCE: u8 = 0x40;
const ADVANCE_1: u8 = 2;
const ADVANCE_2: u8 = 3;
const ADVANCE_4: u8 = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Table {
    Exceptions,
    Debuggers,
}

/// What has to be equal for frames to share a common part, in the order in which llvm-mc sorts by it: the
/// usual return column comes last. It takes more data that are encoded as 0 for none at all, so that
/// they are lost where the common part does not tell of them; the last field is our own.
type Kind<'a> = (&'a str, u8, u8, bool, bool, u16, bool);

impl Assembler<'_> {
    /// Writes the tables of frames that are wanted.
    pub fn write_frames(&mut self, generated: &mut Generated) {
        let Frames {
            mut all,
            for_exceptions,
            for_debuggers,
        } = std::mem::take(&mut self.debug.frames);
        let Some(at) = all.first().map(|frame| frame.opened) else {
            return;
        };
        all.sort_by(|one, other| self.kind(one).cmp(&self.kind(other)));
        let tables = [
            (for_exceptions, Table::Exceptions, ".eh_frame"),
            (for_debuggers, Table::Debuggers, ".debug_frame"),
        ];
        for (is_wanted, table, name) in tables {
            if !is_wanted {
                continue;
            }
            let mut buffer = self.open_generated(name);
            let section = self.sections.section_mut();
            section.align = section.align.max(8);
            let symbol = section.symbol;
            self.write_table(&mut buffer, table, symbol, &all);
            self.close_generated(buffer, at, generated);
        }
    }

    fn kind(&self, frame: &Frame) -> Kind<'_> {
        let personality = frame.personality;
        let column = frame.return_column.map_or(u16::MAX, u16::from);
        (
            personality.map_or("", |pointer| self.name_of(pointer.symbol)),
            personality.map_or(0, |pointer| pointer.encoding),
            frame.lsda.map_or(0, |pointer| pointer.encoding),
            frame.is_signal,
            frame.is_simple,
            column,
            frame.lsda.is_some() && !self.options.llvm_compat,
        )
    }

    fn write_table(
        &self,
        buffer: &mut Buffer,
        table: Table,
        symbol: SymbolIndex,
        frames: &[Frame],
    ) {
        let mut common: Option<(Kind<'_>, u64)> = None;
        for frame in frames {
            let kind = self.kind(frame);
            let shares = |of: &(Kind<'_>, u64)| table == Table::Debuggers || of.0 == kind;
            let start = match common.filter(shares) {
                Some((_, start)) => start,
                None => {
                    let start = buffer.position();
                    write_common(buffer, table, frame);
                    common = Some((kind, start));
                    start
                }
            };
            self.write_frame(buffer, table, symbol, start, frame);
        }
    }

    fn write_frame(
        &self,
        buffer: &mut Buffer,
        table: Table,
        symbol: SymbolIndex,
        common: u64,
        frame: &Frame,
    ) {
        let length = buffer.open_length();
        match table {
            Table::Exceptions => buffer.integer(buffer.position() - common, 4),
            Table::Debuggers => buffer.offset(symbol, common),
        }
        let Some(section) = self.sections.all.get(frame.start.section) else {
            return;
        };
        let start = self.sections.offset(frame.start).unwrap_or(0);
        buffer.address(section.symbol, start);
        let end = frame.end.and_then(|end| self.sections.offset(end));
        buffer.integer(end.unwrap_or(start).saturating_sub(start), 8);
        if table == Table::Exceptions {
            buffer.unsigned(frame.lsda.map_or(0, |pointer| pointer.size.into()));
            if let Some(pointer) = frame.lsda {
                buffer.symbol_value(pointer);
            }
        }
        let mut before = start;
        let mut labels = frame.labels.iter().peekable();
        for (run, (place, code)) in frame.runs().enumerate() {
            let here = self.sections.offset(place).unwrap_or(before);
            write_advance(buffer, here.saturating_sub(before) / CODE_UNIT);
            let begin = buffer.bytes.len();
            while let Some((_, byte, symbol, at)) = labels.next_if(|label| label.0 == run) {
                let byte = begin + byte - code.start;
                buffer.labels.push((byte, *symbol, *at));
            }
            let code = frame.code.get(code).unwrap_or_default();
            buffer.bytes.extend_from_slice(code);
            before = here;
        }
        buffer.align(8);
        buffer.close_length(length);
    }
}

fn write_common(buffer: &mut Buffer, table: Table, frame: &Frame) {
    let length = buffer.open_length();
    match table {
        Table::Exceptions => {
            buffer.integer(0, 4);
            buffer.byte(1);
            buffer.byte(b'z');
            if frame.personality.is_some() {
                buffer.byte(b'P');
            }
            if frame.lsda.is_some() {
                buffer.byte(b'L');
            }
            buffer.byte(b'R');
            if frame.is_signal {
                buffer.byte(b'S');
            }
            buffer.byte(0);
        }
        Table::Debuggers => {
            buffer.integer(u64::from(u32::MAX), 4);
            // Version 4, nothing added to it, 8 bytes per address, none for a segment.
            buffer.bytes.extend([4, 0, 8, 0]);
        }
    }
    buffer.unsigned(CODE_UNIT);
    buffer.signed(DATA_UNIT);
    let column = frame.return_column.unwrap_or(RETURN_COLUMN);
    match table {
        Table::Exceptions => {
            buffer.byte(column);
            let personality = frame.personality.map_or(0, |pointer| 1 + pointer.size);
            let lsda = u8::from(frame.lsda.is_some());
            buffer.byte(personality + lsda + 1);
            if let Some(pointer) = frame.personality {
                buffer.byte(pointer.encoding);
                buffer.symbol_value(pointer);
            }
            buffer
                .bytes
                .extend(frame.lsda.map(|pointer| pointer.encoding));
            buffer.byte(ADDRESS_FORM);
            buffer.align(4);
        }
        Table::Debuggers => {
            buffer.unsigned(u64::from(column));
            buffer.align(8);
        }
    }
    buffer.close_length(length);
}

fn write_advance(buffer: &mut Buffer, units: u64) {
    match units {
        0 => {}
        1..=0x3f => buffer.byte(ADVANCE | units as u8),
        0x40..=0xff => buffer.bytes.extend([ADVANCE_1, units as u8]),
        0x100..=0xffff => {
            buffer.byte(ADVANCE_2);
            buffer.integer(units, 2);
        }
        _ => {
            // Sections are smaller than what 4 bytes can count.
            buffer.byte(ADVANCE_4);
            buffer.integer(units, 4);
        }
    }
}
