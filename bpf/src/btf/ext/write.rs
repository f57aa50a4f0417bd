//! Records to `.BTF.ext`.

use super::{BtfExt, Record, Table};
use crate::btf::kinds::StringOffset;
use crate::bytes::{put_u16, put_u32};
use crate::insn::Endian;

/// A field that holds a code offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RelocationSite {
    /// Byte offset of the field in `.BTF.ext`.
    pub offset: u32,
    /// Name of the code section, in the strings of `.BTF`.
    pub section: StringOffset,
    /// The code offset in the field.
    pub insn_off: u32,
}

impl BtfExt {
    /// The bytes of the section.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.encode().0
    }

    /// All fields that hold code offsets, by offset in the section.
    #[must_use]
    pub fn relocation_sites(&self) -> Vec<RelocationSite> {
        self.encode().1
    }

    pub(super) fn encode(&self) -> (Vec<u8>, Vec<RelocationSite>) {
        let endian = self.endian;
        let mut body = Body {
            bytes: Vec::new(),
            sites: Vec::new(),
            endian,
        };
        let mut references = Vec::new();
        body.table(&self.func_info, &mut references);
        body.table(&self.line_info, &mut references);
        if let Some(table) = &self.core_relocations {
            body.table(table, &mut references);
        }
        for table in &self.unknown_tables {
            references.push((body.bytes.len(), table.len()));
            body.bytes.extend(table);
        }
        let header_size = 8 + references.len() * 8 + self.header_rest.len();
        let mut out = Vec::with_capacity(header_size + body.bytes.len() + self.at_end.len());
        put_u16(&mut out, 0xeb9f, endian);
        out.extend([self.version, self.flags]);
        put_u32(&mut out, header_size as u32, endian);
        for (offset, length) in references {
            put_u32(&mut out, offset as u32, endian);
            put_u32(&mut out, length as u32, endian);
        }
        out.extend(&self.header_rest);
        out.extend(body.bytes);
        out.extend(&self.at_end);
        for site in &mut body.sites {
            site.offset += header_size as u32;
        }
        (out, body.sites)
    }
}

struct Body {
    bytes: Vec<u8>,
    sites: Vec<RelocationSite>,
    endian: Endian,
}

impl Body {
    fn table<T: Record>(&mut self, table: &Table<T>, references: &mut Vec<(usize, usize)>) {
        let start = self.bytes.len();
        if let Some(size) = table.record_size {
            self.word(size);
            for block in &table.sections {
                self.word(block.section.0);
                self.word(block.records.len() as u32);
                for record in &block.records {
                    self.record(record, size, block.section);
                }
            }
        }
        references.push((start, self.bytes.len() - start));
    }

    fn record<T: Record>(&mut self, record: &T, size: u32, section: StringOffset) {
        let start = self.bytes.len();
        self.sites.push(RelocationSite {
            offset: start as u32,
            section,
            insn_off: record.insn_offset(),
        });
        let known = (T::SIZE / 4) as usize;
        record
            .to_words()
            .into_iter()
            .take(known)
            .for_each(|word| self.word(word));
        self.bytes.extend(record.surplus());
        // A record that was made anew has no surplus where the others have one.
        self.bytes.resize(start + size as usize, 0);
    }

    fn word(&mut self, word: u32) {
        put_u32(&mut self.bytes, word, self.endian);
    }
}
