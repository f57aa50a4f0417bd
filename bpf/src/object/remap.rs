//! Rewriting indices everywhere they stand.
//!
//! ELF refers to sections and symbols by index from many places: `sh_link`, `sh_info`, symbols,
//! relocations, group members, `.llvm_addrsig`. This is the one place that knows them all. Contents
//! that cannot be understood (an `.llvm_addrsig` that does not decode) are left as they are. The
//! cost is one pass over headers, symbols and relocations.

use super::*;
use crate::bytes::{put_u32, u32_at};
use crate::insn::Endian;

impl Object {
    /// Rewrites every section index; `None` makes a reference void.
    pub(super) fn remap_sections(&mut self, map: impl Fn(u32) -> Option<u32>) {
        let void_or_new = |index: u32| {
            if index == 0 {
                0
            } else {
                map(index).unwrap_or(0)
            }
        };
        let endian = self.endian;
        for section in &mut self.sections {
            section.link = void_or_new(section.link);
            let is_relocations = matches!(section.kind, SHT_REL | SHT_RELA);
            if is_relocations || section.flags & SHF_INFO_LINK != 0 {
                section.info = void_or_new(section.info);
            }
            if section.kind == SHT_GROUP
                && let Contents::Bytes(bytes) = &mut section.contents
            {
                *bytes = remap_group(bytes, endian, &map);
            }
        }
        for symbol in &mut self.symbols {
            if let SymbolPlace::Section(section) = symbol.place {
                symbol.place = match map(section.0) {
                    Some(new) => SymbolPlace::Section(SectionId(new)),
                    None => SymbolPlace::Undefined,
                };
            }
        }
        self.section_names = SectionId(void_or_new(self.section_names.0));
    }

    /// Rewrites every symbol index; `None` makes a reference void.
    pub(super) fn remap_symbols(&mut self, map: impl Fn(u32) -> Option<u32>) {
        let table = self.symbol_table().map_or(0, |table| table.0);
        for section in &mut self.sections {
            for relocation in &mut section.relocations {
                relocation.symbol = SymbolId(map(relocation.symbol.0).unwrap_or(0));
            }
            if section.kind == SHT_GROUP {
                section.info = map(section.info).unwrap_or(0);
            }
            // Tools that rewrite the symbol table without knowing this section leave its link 0,
            // and its indices are stale then.
            if section.kind == SHT_LLVM_ADDRSIG
                && section.link == table
                && let Contents::Bytes(bytes) = &mut section.contents
                && let Some(new) = remap_address_significance(bytes, &map)
            {
                *bytes = new;
            }
        }
    }
}

/// A group is a word of flags and then one word per member.
fn remap_group(bytes: &[u8], endian: Endian, map: &impl Fn(u32) -> Option<u32>) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut words = bytes.chunks(4);
    out.extend(words.next().unwrap_or(&[]));
    for chunk in words {
        match u32_at(chunk, 0, endian) {
            Some(member) => {
                if let Some(new) = map(member) {
                    put_u32(&mut out, new, endian);
                }
            }
            None => out.extend(chunk),
        }
    }
    out
}

/// `.llvm_addrsig` is a sequence of ULEB128 symbol indices; `None` when it is not.
fn remap_address_significance(bytes: &[u8], map: &impl Fn(u32) -> Option<u32>) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(bytes.len());
    let (mut value, mut shift) = (0u64, 0u32);
    for &byte in bytes {
        if shift > 28 {
            return None;
        }
        value |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 != 0 {
            continue;
        }
        let mut rest = map(u32::try_from(value).ok()?);
        while let Some(index) = rest {
            let low = (index & 0x7f) as u8;
            rest = Some(index >> 7).filter(|&high| high != 0);
            out.push(if rest.is_some() { low | 0x80 } else { low });
        }
        (value, shift) = (0, 0);
    }
    (shift == 0).then_some(out)
}
