//! `.BTF.ext` to records.

use super::{BtfExt, Record, SectionInfo, Table};
use crate::btf::error::{BtfError, BtfErrorKind as Error};
use crate::btf::kinds::StringOffset;
use crate::btf::parse::header;
use crate::bytes::u32_at;
use crate::insn::Endian;

const SECTION: &str = ".BTF.ext";
/// Header with two table references, the oldest.
const MIN_HEADER: usize = 24;
const FIRST_REFERENCE: usize = 8;

impl BtfExt {
    /// Parses the bytes of a `.BTF.ext` section.
    ///
    /// # Errors
    /// When the section is malformed, with the byte offset in it.
    pub fn parse(bytes: &[u8], endian: Endian) -> Result<BtfExt, BtfError> {
        let header = header(bytes, endian, SECTION, MIN_HEADER)?;
        let mut tables = Vec::new();
        let mut end = header.size;
        let references = (header.size - FIRST_REFERENCE) / 8;
        for number in 0..references {
            let range = part(
                bytes,
                header.size,
                FIRST_REFERENCE + number * 8,
                end,
                endian,
            )?;
            end = end.max(range.end);
            tables.push(range);
        }
        let table = |number: usize| tables.get(number).cloned().unwrap_or(0..0);
        Ok(BtfExt {
            endian,
            version: header.version,
            flags: header.flags,
            func_info: parse_table(bytes, table(0), endian)?,
            line_info: parse_table(bytes, table(1), endian)?,
            core_relocations: match tables.get(2) {
                Some(range) => Some(parse_table(bytes, range.clone(), endian)?),
                None => None,
            },
            unknown_tables: tables
                .iter()
                .skip(3)
                .map(|table| bytes[table.clone()].to_vec())
                .collect(),
            header_rest: bytes[FIRST_REFERENCE + references * 8..header.size].to_vec(),
            at_end: bytes[end..].to_vec(),
        })
    }
}

/// The byte range of a table. Tables follow one another without gaps in every file there is, and
/// demanding it is what makes them come out where they were.
fn part(
    bytes: &[u8],
    base: usize,
    reference: usize,
    expected: usize,
    endian: Endian,
) -> Result<std::ops::Range<usize>, BtfError> {
    let word = |at| u32_at(bytes, at, endian).unwrap_or(0);
    let (offset, length) = (word(reference), word(reference + 4));
    let start = base as u64 + u64::from(offset);
    let end = start + u64::from(length);
    if length == 0 && offset == 0 {
        return Ok(expected..expected);
    }
    if end > bytes.len() as u64 || start != expected as u64 {
        let kind = Error::Misplaced {
            what: "the table",
            start,
            length,
        };
        return Err(error(reference, kind));
    }
    Ok(start as usize..end as usize)
}

fn error(offset: usize, kind: Error) -> BtfError {
    BtfError {
        section: SECTION,
        offset: offset as u64,
        kind,
    }
}

fn parse_table<T: Record>(
    bytes: &[u8],
    range: std::ops::Range<usize>,
    endian: Endian,
) -> Result<Table<T>, BtfError> {
    let mut at = range.start;
    let table = bytes.get(range).unwrap_or(&[]);
    if table.is_empty() {
        return Ok(Table::default());
    }
    let end = at + table.len();
    let bytes = &bytes[..end];
    let cut = |at| error(at, Error::Truncated(T::TABLE));
    let word = |at| u32_at(bytes, at, endian).ok_or_else(|| cut(at));
    let size = word(at)?;
    if size < T::SIZE || size % 4 != 0 {
        let kind = Error::RecordSize {
            table: T::TABLE,
            size,
            minimum: T::SIZE,
        };
        return Err(error(at, kind));
    }
    at += 4;
    let mut sections = Vec::new();
    while at < end {
        let section = StringOffset(word(at)?);
        let count = word(at + 4)?;
        let start = at + 8;
        let length = u64::from(count) * u64::from(size);
        if length > (end - start.min(end)) as u64 {
            return Err(cut(at + 4));
        }
        at = start + length as usize;
        let mut records = Vec::with_capacity(count as usize);
        for record in bytes[start..at].chunks_exact(size as usize) {
            let words = [0, 4, 8, 12].map(|at| u32_at(record, at, endian).unwrap_or(0));
            records.push(T::from_words(words, record[T::SIZE as usize..].into()));
        }
        sections.push(SectionInfo { section, records });
    }
    Ok(Table {
        record_size: Some(size),
        sections,
    })
}
