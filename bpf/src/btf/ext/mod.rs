//! `.BTF.ext`: which function, source line and CO-RE relocation belongs to which instruction.
//!
//! Three tables of the same shape: for each code section a block of records, each record beginning
//! with a code offset in bytes. Offsets are relative to the code section, not to the function.
//! Records may be longer than this crate knows; the surplus bytes are kept with their record.
//!
//! **Relocations.** Compilers put a relocation in `.rel.BTF.ext` on every `insn_off`, against the
//! code section's symbol, with the offset itself in place as the addend. They exist for linkers;
//! loaders read the value in place. So the values here are right as they stand, and a rebuilt
//! section needs its relocations rebuilt too: [`BtfExt::relocation_sites`] gives their places, and
//! [`replace`] does all of it. Objects that went through libbpf's linker have none.

mod attach;
mod parse;
mod records;
mod write;

pub use attach::{ReplaceError, replace};
pub use records::{CoreRelocation, CoreRelocationKind, FuncInfo, LineInfo, Record};
pub use write::RelocationSite;

use super::kinds::StringOffset;
use crate::insn::Endian;

/// The contents of a `.BTF.ext` section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BtfExt {
    /// Byte order.
    pub endian: Endian,
    /// Version in the header.
    pub version: u8,
    /// Flags in the header.
    pub flags: u8,
    /// Functions.
    pub func_info: Table<FuncInfo>,
    /// Source lines.
    pub line_info: Table<LineInfo>,
    /// CO-RE relocations; `None` if the header is too old to have the table.
    pub core_relocations: Option<Table<CoreRelocation>>,
    /// Tables that the header names past the known ones, as bytes.
    pub unknown_tables: Vec<Vec<u8>>,
    /// Header bytes that do not make up a table reference.
    pub header_rest: Vec<u8>,
    /// Bytes behind the last table.
    pub at_end: Vec<u8>,
}

/// One table: records by code section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table<T> {
    /// Bytes of a record; `None` if the table is missing, as opposed to present and empty.
    pub record_size: Option<u32>,
    /// The blocks, in file order.
    pub sections: Vec<SectionInfo<T>>,
}

/// The records of one code section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectionInfo<T> {
    /// The section's name, in the strings of `.BTF`.
    pub section: StringOffset,
    /// Records, in file order: rising code offsets in what compilers write.
    pub records: Vec<T>,
}

impl<T> Default for Table<T> {
    fn default() -> Table<T> {
        Table {
            record_size: None,
            sections: Vec::new(),
        }
    }
}

impl<T: Record> Table<T> {
    /// The records of the section whose name lies at this offset, of all its blocks.
    pub fn of_section(&self, section: StringOffset) -> impl Iterator<Item = &T> {
        let blocks = self
            .sections
            .iter()
            .filter(move |block| block.section == section);
        blocks.flat_map(|block| &block.records)
    }

    /// Replaces the records of a section; a block without records disappears.
    pub fn set_section(&mut self, section: StringOffset, records: Vec<T>) {
        let place = self
            .sections
            .iter()
            .position(|block| block.section == section);
        self.sections.retain(|block| block.section != section);
        if records.is_empty() {
            return;
        }
        self.record_size.get_or_insert(T::SIZE);
        let place = place
            .unwrap_or(self.sections.len())
            .min(self.sections.len());
        self.sections
            .insert(place, SectionInfo { section, records });
    }

    /// Whether there is no record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sections.iter().all(|block| block.records.is_empty())
    }
}

impl BtfExt {
    /// Empty tables.
    #[must_use]
    pub fn new(endian: Endian) -> BtfExt {
        BtfExt {
            endian,
            version: 1,
            flags: 0,
            func_info: Table::default(),
            line_info: Table::default(),
            core_relocations: Some(Table::default()),
            unknown_tables: Vec::new(),
            header_rest: Vec::new(),
            at_end: Vec::new(),
        }
    }
}
