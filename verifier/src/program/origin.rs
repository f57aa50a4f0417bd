//! Where instructions come from, and their source lines by `.BTF.ext`.

use std::collections::BTreeMap;

use bpf::btf::ext::LineInfo;
use bpf::btf::{Btf, BtfExt};
use bpf::object::{Object, SectionId};

/// Place of a slot in the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin {
    /// Section.
    pub section: SectionId,
    /// Byte offset.
    pub offset: u64,
}

/// A source line.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceLine {
    /// File name.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1; 0 if unknown.
    pub column: u32,
    /// The line's text; may be empty.
    pub text: String,
}

/// Line records by place.
#[derive(Clone, Debug, Default)]
pub(crate) struct LineTable(BTreeMap<Origin, Place>);

/// Block and record in the table of `.BTF.ext`.
type Place = (usize, usize);

impl LineTable {
    /// The records of an object. Sections that it does not have are left out.
    #[must_use]
    pub(crate) fn of(object: &Object, btf: &Btf, ext: &BtfExt) -> LineTable {
        let mut table = BTreeMap::new();
        for (block_index, block) in ext.line_info.sections.iter().enumerate() {
            if let Some(section) = object.section_by_name(btf.string(block.section)) {
                let records = block.records.iter().enumerate().map(|(index, record)| {
                    let offset = record.insn_off.into();
                    (Origin { section, offset }, (block_index, index))
                });
                table.extend(records);
            }
        }
        LineTable(table)
    }

    /// The line that an instruction belongs to: that of the last record of its section at or
    /// before it.
    #[must_use]
    pub(crate) fn line(&self, btf: &Btf, ext: &BtfExt, origin: Origin) -> Option<SourceLine> {
        let (place, (block, index)) = self.0.range(..=origin).next_back()?;
        if place.section != origin.section {
            return None;
        }
        let record = ext.line_info.sections.get(*block)?.records.get(*index)?;
        Some(source_line(btf, record))
    }
}

fn source_line(btf: &Btf, record: &LineInfo) -> SourceLine {
    let file = btf.string(record.file_name);
    SourceLine {
        // What was compiled in its own folder, with that folder left out.
        file: file.strip_prefix("./").unwrap_or(file).to_owned(),
        line: record.line(),
        column: record.column(),
        text: btf.string(record.line_text).to_owned(),
    }
}
