//! Where instructions come from, and their source lines by `.BTF.ext`.

use bpf::btf::{Btf, BtfExt};
use bpf::object::SectionId;

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

/// The line that the instruction at an offset of the section of this name belongs to: that of the
/// last record at or before it.
#[must_use]
pub(crate) fn source_line(
    btf: &Btf,
    ext: &BtfExt,
    section: &str,
    offset: u64,
) -> Option<SourceLine> {
    let records = ext
        .line_info
        .sections
        .iter()
        .filter(|block| btf.string(block.section) == section)
        .flat_map(|block| &block.records);
    let record = records
        .filter(|record| u64::from(record.insn_off) <= offset)
        .max_by_key(|record| record.insn_off)?;
    Some(SourceLine {
        file: btf.string(record.file_name).to_owned(),
        line: record.line(),
        column: record.column(),
        text: btf.string(record.line_text).to_owned(),
    })
}
