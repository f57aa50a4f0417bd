//! What `.BTF.ext` says of instructions: source lines, and accesses that a loader adapts.
//!
//! An object without BTF, or with BTF that is damaged, has no notes. Records are sorted by section and
//! offset once.

use bpf::btf::ext::{CoreRelocation, LineInfo};
use bpf::btf::{Btf, BtfExt, StringOffset};
use bpf::object::{Object, SectionId};
use rustc_hash::FxHashMap;

use super::core;

/// The notes of an object.
#[derive(Debug, Default)]
pub struct Notes {
    btf: Option<Btf>,
    lines: Vec<Vec<LineInfo>>,
    core: Vec<Vec<CoreRelocation>>,
}

/// A line of the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceLine<'a> {
    /// The file's name.
    pub file: &'a str,
    /// The line's number, from 1.
    pub line: u32,
    /// The column, from 1; 0 if unknown.
    pub column: u32,
    /// Its text.
    pub text: &'a str,
}

impl Notes {
    /// Reads `.BTF` and `.BTF.ext`.
    #[must_use]
    pub fn of(object: &Object) -> Notes {
        let section = |name| object.section_by_name(name).map(|id| object.data(id));
        let parsed = section(".BTF").and_then(|bytes| Btf::parse(bytes, object.endian).ok());
        let Some(btf) = parsed else {
            return Notes::default();
        };
        let ext = section(".BTF.ext").and_then(|bytes| BtfExt::parse(bytes, object.endian).ok());
        let mut by_name: FxHashMap<&str, usize> = FxHashMap::default();
        for (index, section) in object.sections.iter().enumerate() {
            by_name.entry(&section.name).or_insert(index);
        }
        // Each name is read once, however many blocks have it.
        let mut found: FxHashMap<StringOffset, Option<usize>> = FxHashMap::default();
        let mut place = |name: StringOffset| {
            let look_up = || by_name.get(btf.string(name)).copied();
            *found.entry(name).or_insert_with(look_up)
        };
        let mut lines = vec![Vec::new(); object.sections.len()];
        let mut core = vec![Vec::new(); object.sections.len()];
        if let Some(ext) = ext {
            for block in ext.line_info.sections {
                if let Some(index) = place(block.section) {
                    lines[index].extend(block.records);
                }
            }
            for block in ext
                .core_relocations
                .into_iter()
                .flat_map(|table| table.sections)
            {
                if let Some(index) = place(block.section) {
                    core[index].extend(block.records);
                }
            }
        }
        for list in &mut lines {
            list.sort_by_key(|record: &LineInfo| record.insn_off);
        }
        for list in &mut core {
            list.sort_by_key(|record: &CoreRelocation| record.insn_off);
        }
        Notes {
            btf: Some(btf),
            lines,
            core,
        }
    }

    /// The source lines of a section by the offsets of their first instructions.
    pub fn lines(&self, id: SectionId) -> impl Iterator<Item = (u64, SourceLine<'_>)> {
        let records = self.lines.get(id.0 as usize).into_iter().flatten();
        records.filter_map(|record| {
            let btf = self.btf.as_ref()?;
            let line = SourceLine {
                file: core::short(btf.string(record.file_name)),
                line: record.line(),
                column: record.column(),
                text: core::short(btf.string(record.line_text)),
            };
            Some((u64::from(record.insn_off), line))
        })
    }

    /// The adapted accesses of a section by offset, each in words.
    pub fn accesses(&self, id: SectionId) -> impl Iterator<Item = (u64, String)> {
        let records = self.core.get(id.0 as usize).into_iter().flatten();
        records.filter_map(|record| {
            let words = core::describe(self.btf.as_ref()?, record);
            Some((u64::from(record.insn_off), words))
        })
    }
}
