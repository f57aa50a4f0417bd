//! Writing: string tables first (they decide sizes), then positions, then bytes.
//!
//! Where the object was read from a file and no section changed its size, every section goes back
//! to its old place. Otherwise the old order is kept and sections are packed by their alignment.
//! An object without hints gets LLVM's order: contents, symbols, relocations, string tables.

use std::borrow::Cow;

use object::Endianness;
use object::elf::{
    FileFlags, FileHeader64, FileType, Ident, Machine, OsAbi, Rel64, Rela64, RelocationType,
    SectionFlags, SectionHeader64, SectionType, Sym64, SymbolInfo, SymbolOther, SymbolSection,
};
use object::endian::{I64, U16, U32, U64};
use object::pod::bytes_of;

use super::error::WriteError;
use super::image::Image;
use super::strings;
use crate::insn::Endian;
use crate::object::*;

const HEADER_SIZE: u64 = 64;
const SECTION_HEADER_SIZE: u64 = 64;
const TABLE_ALIGN: u64 = 8;
/// File positions need not follow larger alignments in a relocatable object; the bound keeps an
/// absurd `sh_addralign` from making an absurd file.
const MAX_FILE_ALIGN: u64 = 4096;

/// Writes an object as an ELF file.
///
/// # Errors
/// When indices in the object do not fit together; see [`WriteError`].
pub fn write(object: &Object) -> Result<Vec<u8>, WriteError> {
    image(object).map(|image| image.to_bytes())
}

/// The ELF file of an object, ready to be written.
///
/// # Errors
/// As [`write()`].
pub fn image(object: &Object) -> Result<Image<'_>, WriteError> {
    if object.sections.len() >= 0xff00 {
        return Err(WriteError::TooManySections);
    }
    let endian = match object.endian {
        Endian::Little => Endianness::Little,
        Endian::Big => Endianness::Big,
    };
    let writer = Writer { object, endian };
    let names = writer.string_tables()?;
    let bodies = writer.bodies(&names)?;
    let positions = writer.positions(&bodies);
    Ok(writer.image(&names, bodies, &positions))
}

struct Writer<'a> {
    object: &'a Object,
    endian: Endianness,
}

/// Name offsets, and the new bytes of the string tables.
#[derive(Default)]
struct Names {
    sections: Vec<u32>,
    symbols: Vec<u32>,
    tables: Vec<(usize, Vec<u8>)>,
}

/// The bytes of a section in the file, or the size of one that has none there.
enum Body<'a> {
    Bytes(Cow<'a, [u8]>),
    Absent(u64),
}

impl<'a> Body<'a> {
    fn bytes(&self) -> &[u8] {
        match self {
            Body::Bytes(bytes) => bytes,
            Body::Absent(_) => &[],
        }
    }

    fn into_bytes(self) -> Cow<'a, [u8]> {
        match self {
            Body::Bytes(bytes) => bytes,
            Body::Absent(_) => Cow::default(),
        }
    }

    fn size(&self) -> u64 {
        match self {
            Body::Absent(size) => *size,
            _ => self.bytes().len() as u64,
        }
    }
}

struct Positions {
    sections: Vec<u64>,
    header_table: u64,
}

impl<'a> Writer<'a> {
    fn string_tables(&self) -> Result<Names, WriteError> {
        let object = self.object;
        let layout = &object.layout;
        let section_table = object.section_names.0 as usize;
        let symbol_table = object
            .symbol_table()
            .and_then(|table| object.section(table))
            .map(|table| table.link as usize);
        let section_names: Vec<strings::Wanted<'_>> = object
            .sections
            .iter()
            .enumerate()
            .map(|(index, section)| {
                let hint = layout.sections.get(index).copied().flatten();
                (section.name.as_str(), hint.map(|hint| hint.name))
            })
            .collect();
        let symbol_names: Vec<strings::Wanted<'_>> = object
            .symbols
            .iter()
            .enumerate()
            .map(|(index, symbol)| {
                (
                    symbol.name.as_str(),
                    layout.symbol_names.get(index).copied(),
                )
            })
            .collect();

        let old = |index: usize, what| match object.sections.get(index) {
            Some(Section {
                kind: SHT_STRTAB,
                contents: Contents::Bytes(bytes),
                name,
                ..
            }) => Ok((name.as_str(), bytes.as_slice())),
            _ => Err(WriteError::NoStringTable(index as u32, what)),
        };
        let (name, bytes) = old(section_table, "section names")?;
        let Some(symbol_table) = symbol_table else {
            if object.symbols.len() > 1 {
                return Err(WriteError::NoSymbolTable);
            }
            let (bytes, sections) = strings::place(name, bytes, &section_names)?;
            return Ok(Names {
                sections,
                symbols: Vec::new(),
                tables: vec![(section_table, bytes)],
            });
        };
        if symbol_table == section_table {
            let both: Vec<_> = section_names.iter().chain(&symbol_names).copied().collect();
            let (bytes, mut sections) = strings::place(name, bytes, &both)?;
            let symbols = sections.split_off(section_names.len());
            return Ok(Names {
                sections,
                symbols,
                tables: vec![(section_table, bytes)],
            });
        }
        let (bytes, sections) = strings::place(name, bytes, &section_names)?;
        let (name, symbol_bytes) = old(symbol_table, "symbol names")?;
        let (symbol_bytes, symbols) = strings::place(name, symbol_bytes, &symbol_names)?;
        let tables = vec![(section_table, bytes), (symbol_table, symbol_bytes)];
        Ok(Names {
            sections,
            symbols,
            tables,
        })
    }

    fn bodies(&self, names: &Names) -> Result<Vec<Body<'a>>, WriteError> {
        let object = self.object;
        let mut has_entries = vec![false; object.sections.len()];
        let mut bodies = Vec::with_capacity(object.sections.len());
        for (index, section) in object.sections.iter().enumerate() {
            let mismatch = || WriteError::ContentsMismatch(section.name.clone());
            let table = names.tables.iter().find(|(table, _)| *table == index);
            bodies.push(match (&section.contents, section.kind) {
                (Contents::Bytes(_), SHT_NOBITS | SHT_NULL | SHT_SYMTAB | SHT_REL | SHT_RELA) => {
                    return Err(mismatch());
                }
                (Contents::Bytes(bytes), _) => match table {
                    Some((_, new)) => Body::Bytes(Cow::from(new.clone())),
                    None => Body::Bytes(Cow::from(bytes)),
                },
                (Contents::NoBits(size), SHT_NOBITS | SHT_NULL) => Body::Absent(*size),
                (Contents::Symbols, SHT_SYMTAB) => Body::Bytes(Cow::from(self.symbols(names)?)),
                (Contents::Relocations, SHT_REL | SHT_RELA) => {
                    let target = section.info as usize;
                    match has_entries.get_mut(target) {
                        Some(seen) if !*seen => *seen = true,
                        _ => return Err(mismatch()),
                    }
                    let entries = self.relocations(section, &object.sections[target])?;
                    Body::Bytes(Cow::from(entries))
                }
                _ => return Err(mismatch()),
            });
        }
        for (section, has_entries) in object.sections.iter().zip(has_entries) {
            if !section.relocations.is_empty() && !has_entries {
                return Err(WriteError::NoRelocationSection(section.name.clone()));
            }
        }
        Ok(bodies)
    }

    fn symbols(&self, names: &Names) -> Result<Vec<u8>, WriteError> {
        let endian = self.endian;
        let mut out = Vec::with_capacity(self.object.symbols.len() * 24);
        for (index, symbol) in self.object.symbols.iter().enumerate() {
            let section = match symbol.place {
                SymbolPlace::Undefined => 0,
                SymbolPlace::Absolute => 0xfff1,
                SymbolPlace::Common => 0xfff2,
                SymbolPlace::Reserved(index) => index,
                SymbolPlace::Section(id) => match u16::try_from(id.0) {
                    Ok(index) if usize::from(index) < self.object.sections.len() => index,
                    _ => {
                        let user = format!("symbol `{}`", symbol.name);
                        return Err(WriteError::Dangling(user, "section", id.0));
                    }
                },
            };
            out.extend(bytes_of(&Sym64 {
                st_name: U32::new(endian, names.symbols.get(index).copied().unwrap_or(0)),
                st_info: SymbolInfo((symbol.binding << 4) | (symbol.kind & 15)),
                st_other: SymbolOther(symbol.other),
                st_shndx: U16::new(endian, SymbolSection(section)),
                st_value: U64::new(endian, symbol.value),
                st_size: U64::new(endian, symbol.size),
            }));
        }
        Ok(out)
    }

    fn relocations(&self, section: &Section, target: &Section) -> Result<Vec<u8>, WriteError> {
        let endian = self.endian;
        let mut out = Vec::with_capacity(target.relocations.len() * 24);
        for relocation in &target.relocations {
            let symbol = relocation.symbol.0;
            if symbol as usize >= self.object.symbols.len() {
                let user = format!(
                    "relocation at {:#x} of `{}`",
                    relocation.offset, target.name
                );
                return Err(WriteError::Dangling(user, "symbol", symbol));
            }
            let kind = RelocationType(relocation.kind);
            match (section.kind, relocation.addend) {
                (SHT_REL, None | Some(0)) => out.extend(bytes_of(&Rel64 {
                    r_offset: U64::new(endian, relocation.offset),
                    r_info: Rel64::r_info(endian, symbol, kind),
                })),
                (SHT_REL, Some(_)) => {
                    let (section, offset) = (target.name.clone(), relocation.offset);
                    return Err(WriteError::AddendInRel { section, offset });
                }
                (_, addend) => out.extend(bytes_of(&Rela64 {
                    r_offset: U64::new(endian, relocation.offset),
                    r_info: Rela64::r_info(endian, false, symbol, kind),
                    r_addend: I64::new(endian, addend.unwrap_or(0)),
                })),
            }
        }
        Ok(out)
    }

    fn positions(&self, bodies: &[Body<'_>]) -> Positions {
        let layout = &self.object.layout;
        let unchanged = layout.header_table != 0
            && layout.sections.len() == bodies.len()
            && layout
                .sections
                .iter()
                .zip(bodies)
                .all(|(hint, body)| hint.is_some_and(|hint| hint.size == body.size()));
        if unchanged {
            let old = layout
                .sections
                .iter()
                .flatten()
                .map(|hint| hint.offset)
                .collect();
            return Positions {
                sections: old,
                header_table: layout.header_table,
            };
        }
        let mut sections = vec![0; bodies.len()];
        let mut end = HEADER_SIZE;
        for index in self.file_order() {
            let section = &self.object.sections[index];
            let start = end.next_multiple_of(section.align.clamp(1, MAX_FILE_ALIGN));
            sections[index] = start;
            end = start + bodies[index].bytes().len() as u64;
        }
        Positions {
            sections,
            header_table: end.next_multiple_of(TABLE_ALIGN),
        }
    }

    /// Sections but the null section, in the order of their file positions.
    fn file_order(&self) -> Vec<usize> {
        let object = self.object;
        let mut keys: Vec<(u64, u32, usize)> = Vec::with_capacity(object.sections.len());
        let mut previous = 0;
        for (index, section) in object.sections.iter().enumerate().skip(1) {
            let hint = object.layout.sections.get(index).copied().flatten();
            let rank = match section.kind {
                _ if !object.layout.sections.is_empty() => 0,
                SHT_GROUP => 1,
                SHT_SYMTAB => 2,
                SHT_REL | SHT_RELA => 3,
                SHT_LLVM_ADDRSIG => 4,
                SHT_STRTAB => 5,
                _ => 0,
            };
            // A section that was added follows the one before it in the header table.
            previous = hint.map_or(previous, |hint| hint.offset);
            keys.push((previous, rank, index));
        }
        keys.sort_unstable();
        keys.into_iter().map(|(_, _, index)| index).collect()
    }

    fn image(&self, names: &Names, bodies: Vec<Body<'a>>, positions: &Positions) -> Image<'a> {
        let mut headers = Vec::new();
        for (index, section) in self.object.sections.iter().enumerate() {
            let header = SectionHeader64 {
                sh_name: U32::new(self.endian, names.sections.get(index).copied().unwrap_or(0)),
                sh_type: U32::new(self.endian, SectionType(section.kind)),
                sh_flags: U64::new(self.endian, SectionFlags(section.flags)),
                sh_addr: U64::new(self.endian, section.address),
                sh_offset: U64::new(self.endian, positions.sections[index]),
                sh_size: U64::new(self.endian, bodies[index].size()),
                sh_link: U32::new(self.endian, section.link),
                sh_info: U32::new(self.endian, section.info),
                sh_addralign: U64::new(self.endian, section.align),
                sh_entsize: U64::new(self.endian, section.entry_size),
            };
            headers.extend_from_slice(bytes_of(&header));
        }
        let header = bytes_of(&self.file_header(positions.header_table)).to_vec();
        let mut parts = vec![(0, Cow::from(header))];
        let placed = bodies.into_iter().zip(&positions.sections);
        parts.extend(placed.map(|(body, start)| (*start, body.into_bytes())));
        parts.push((positions.header_table, Cow::from(headers)));
        Image::new(parts)
    }

    fn file_header(&self, header_table: u64) -> FileHeader64<Endianness> {
        let (object, endian) = (self.object, self.endian);
        FileHeader64 {
            e_ident: Ident {
                magic: [0x7f, b'E', b'L', b'F'],
                class: object::elf::FileClass(2),
                data: object::elf::DataEncoding(if endian == Endianness::Big { 2 } else { 1 }),
                version: object::elf::FileVersion(1),
                os_abi: OsAbi(object.os_abi),
                abi_version: object.abi_version,
                padding: [0; 7],
            },
            e_type: U16::new(endian, FileType(1)),
            e_machine: U16::new(endian, Machine(object.machine)),
            e_version: U32::new(endian, 1),
            e_entry: U64::new(endian, object.layout.entry),
            e_phoff: U64::new(endian, 0),
            e_shoff: U64::new(endian, header_table),
            e_flags: U32::new(endian, FileFlags(object.flags)),
            e_ehsize: U16::new(endian, HEADER_SIZE as u16),
            e_phentsize: U16::new(endian, 0),
            e_phnum: U16::new(endian, 0),
            e_shentsize: U16::new(endian, SECTION_HEADER_SIZE as u16),
            e_shnum: U16::new(endian, object.sections.len() as u16),
            e_shstrndx: U16::new(endian, SymbolSection(object.section_names.0 as u16)),
        }
    }
}
