//! Reading: header, section headers and names, then each section's contents.

use object::Endianness;
use object::elf::{FileHeader64, SectionHeader64};
use object::pod::{from_bytes, slice_from_bytes};

use super::error::{ReadError, ReadErrorKind as Kind};
use super::strings::{NameBudget, StringTable};
use super::tables;
use crate::insn::Endian;
use crate::object::*;

const HEADER_SIZE: u64 = 64;
const SECTION_HEADER_SIZE: u64 = 64;
/// First reserved section index (`SHN_LORESERVE`).
const RESERVED_INDICES: usize = 0xff00;

pub(super) type Header = SectionHeader64<Endianness>;

/// What the parts of the reader share.
pub(super) struct Input<'a> {
    pub data: &'a [u8],
    pub endian: Endianness,
    pub headers: &'a [Header],
    pub names: Vec<String>,
}

/// Reads a relocatable object.
///
/// # Errors
/// When the file is malformed, or is not a 64-bit ELF relocatable object for BPF. The error names
/// the section and the byte offset.
pub fn read(data: &[u8]) -> Result<Object, ReadError> {
    let (header, endian) = file_header(data)?;
    let header_table = header.e_shoff.get(endian);
    let headers = section_headers(data, header, endian)?;
    let mut budget = NameBudget::new(data.len());
    let section_names = u32::from(header.e_shstrndx.get(endian).0);
    let mut input = Input {
        data,
        endian,
        headers,
        names: Vec::new(),
    };
    input.names = read_names(&input, section_names, &mut budget)?;
    check_ranges(&input, header_table)?;

    let mut sections = Vec::with_capacity(headers.len());
    for index in 0..headers.len() {
        sections.push(read_section(&input, index)?);
    }
    let (symbols, symbol_names) = tables::symbols(&input, &mut budget)?;
    let mut object = Object {
        endian: match endian {
            Endianness::Little => Endian::Little,
            Endianness::Big => Endian::Big,
        },
        flags: header.e_flags.get(endian).0,
        os_abi: header.e_ident.os_abi.0,
        abi_version: header.e_ident.abi_version,
        machine: header.e_machine.get(endian).0,
        sections,
        symbols,
        section_names: SectionId(section_names),
        layout: FileLayout {
            entry: header.e_entry.get(endian),
            header_table,
            sections: headers
                .iter()
                .map(|header| Some(hint(header, endian)))
                .collect(),
            symbol_names,
        },
    };
    tables::relocations(&input, &mut object)?;
    Ok(object)
}

impl<'a> Input<'a> {
    pub(super) fn error(&self, index: usize, offset: u64, kind: Kind) -> ReadError {
        let name = self.names.get(index).cloned().unwrap_or_default();
        ReadError {
            section: Some((index as u32, name)),
            offset,
            kind,
        }
    }

    /// An error about a field of a section's header.
    pub(super) fn header_error(&self, index: usize, kind: Kind) -> ReadError {
        let header = self.headers.get(index);
        let offset = header.map_or(0, |header| header.sh_offset.get(self.endian));
        self.error(index, offset, kind)
    }

    pub(super) fn kind(&self, index: usize) -> u32 {
        self.headers
            .get(index)
            .map_or(0, |header| header.sh_type.get(self.endian).0)
    }

    /// The section's bytes in the file; empty when it has none there.
    pub(super) fn bytes(&self, index: usize) -> Result<&'a [u8], ReadError> {
        let Some(header) = self.headers.get(index) else {
            return Ok(&[]);
        };
        if matches!(self.kind(index), SHT_NULL | SHT_NOBITS) {
            return Ok(&[]);
        }
        let offset = header.sh_offset.get(self.endian);
        let size = header.sh_size.get(self.endian);
        if size == 0 {
            return Ok(&[]);
        }
        let range = usize::try_from(offset).ok().zip(usize::try_from(size).ok());
        range
            .and_then(|(start, length)| self.data.get(start..start.checked_add(length)?))
            .ok_or_else(|| self.error(index, offset, Kind::SectionOutOfFile { offset, size }))
    }

    /// The string table at a section index that a field gave.
    pub(super) fn strings(
        &self,
        user: Option<usize>,
        field: &'static str,
        index: u32,
    ) -> Result<StringTable<'a>, ReadError> {
        let wrong = || {
            let kind = Kind::BadLink {
                field,
                index,
                expected: "a string table",
            };
            user.map_or_else(
                || ReadError::file(62, kind.clone()),
                |user| self.header_error(user, kind.clone()),
            )
        };
        let at = index as usize;
        if at == 0 || at >= self.headers.len() || self.kind(at) != SHT_STRTAB {
            return Err(wrong());
        }
        Ok(StringTable::new(self.bytes(at)?))
    }
}

fn file_header(data: &[u8]) -> Result<(&FileHeader64<Endianness>, Endianness), ReadError> {
    if data.get(..4) != Some(&[0x7f, b'E', b'L', b'F']) {
        return Err(ReadError::file(0, Kind::NotElf));
    }
    let (header, _) = from_bytes::<FileHeader64<Endianness>>(data)
        .map_err(|()| ReadError::file(0, Kind::Truncated("the file header")))?;
    let expect = |offset, field, value: u64, allowed: &[u64], expected| {
        if allowed.contains(&value) {
            return Ok(());
        }
        Err(ReadError::file(
            offset,
            Kind::Header {
                field,
                value,
                expected,
            },
        ))
    };
    let ident = &header.e_ident;
    expect(4, "EI_CLASS", ident.class.0.into(), &[2], "2 (64-bit)")?;
    expect(
        5,
        "EI_DATA",
        ident.data.0.into(),
        &[1, 2],
        "1 (little-endian) or 2 (big-endian)",
    )?;
    expect(6, "EI_VERSION", ident.version.0.into(), &[1], "1")?;
    let endian = if ident.data.0 == 2 {
        Endianness::Big
    } else {
        Endianness::Little
    };
    expect(
        16,
        "e_type",
        header.e_type.get(endian).0.into(),
        &[1],
        "1 (relocatable)",
    )?;
    let machine = header.e_machine.get(endian).0;
    let machines = [EM_BPF.into(), EM_NONE.into()];
    expect(
        18,
        "e_machine",
        machine.into(),
        &machines,
        "247 (BPF) or 0 (as BPF once was)",
    )?;
    expect(
        20,
        "e_version",
        header.e_version.get(endian).into(),
        &[1],
        "1",
    )?;
    expect(
        52,
        "e_ehsize",
        header.e_ehsize.get(endian).into(),
        &[HEADER_SIZE],
        "64",
    )?;
    expect(
        56,
        "e_phnum",
        header.e_phnum.get(endian).into(),
        &[0],
        "0: objects have no segments",
    )?;
    Ok((header, endian))
}

fn section_headers<'a>(
    data: &'a [u8],
    header: &FileHeader64<Endianness>,
    endian: Endianness,
) -> Result<&'a [Header], ReadError> {
    let offset = header.e_shoff.get(endian);
    let count = usize::from(header.e_shnum.get(endian));
    if offset == 0 {
        return Err(ReadError::file(40, Kind::NoSections));
    }
    if count == 0 || count >= RESERVED_INDICES {
        return Err(ReadError::file(60, Kind::TooManySections));
    }
    let value = u64::from(header.e_shentsize.get(endian));
    if value != SECTION_HEADER_SIZE {
        let kind = Kind::Header {
            field: "e_shentsize",
            value,
            expected: "64",
        };
        return Err(ReadError::file(58, kind));
    }
    usize::try_from(offset)
        .ok()
        .and_then(|offset| data.get(offset..))
        .and_then(|tail| slice_from_bytes::<Header>(tail, count).ok())
        .map(|(headers, _)| headers)
        .ok_or_else(|| ReadError::file(offset, Kind::Truncated("the section header table")))
}

fn read_names(
    input: &Input<'_>,
    table: u32,
    budget: &mut NameBudget,
) -> Result<Vec<String>, ReadError> {
    let strings = input.strings(None, "e_shstrndx", table)?;
    let mut names = Vec::with_capacity(input.headers.len());
    for (index, header) in input.headers.iter().enumerate() {
        let name = strings
            .get(header.sh_name.get(input.endian))
            .and_then(|name| budget.take(name))
            .map_err(|kind| input.header_error(index, kind))?;
        names.push(name);
    }
    Ok(names)
}

/// Refuses sections that reach out of the file or lie over one another: a legitimate writer never
/// does that, and it is what bounds the memory of everything read later.
fn check_ranges(input: &Input<'_>, header_table: u64) -> Result<(), ReadError> {
    let table_size = input.headers.len() as u64 * SECTION_HEADER_SIZE;
    let mut ranges = vec![
        (0, HEADER_SIZE, None, "the file header".to_owned()),
        (
            header_table,
            table_size,
            None,
            "the section header table".to_owned(),
        ),
    ];
    for index in 0..input.headers.len() {
        let size = input.bytes(index)?.len() as u64;
        if size != 0 {
            let offset = input.headers[index].sh_offset.get(input.endian);
            let what = input.names.get(index).map_or("", String::as_str);
            ranges.push((
                offset,
                size,
                Some(index),
                format!("section {index} `{what}`"),
            ));
        }
    }
    ranges.sort_by_key(|&(offset, size, ..)| (offset, size));
    for pair in ranges.windows(2) {
        let [(offset, size, before, what), (next, _, after, next_what)] = pair else {
            continue;
        };
        if offset.saturating_add(*size) <= *next {
            continue;
        }
        let (section, other) = match (after, before) {
            (Some(after), _) => (Some(*after), what),
            (None, before) => (*before, next_what),
        };
        let kind = Kind::Overlap(other.clone());
        return Err(match section {
            Some(section) => input.error(section, *next, kind),
            None => ReadError::file(*next, kind),
        });
    }
    Ok(())
}

fn read_section(input: &Input<'_>, index: usize) -> Result<Section, ReadError> {
    let header = &input.headers[index];
    let endian = input.endian;
    let kind = input.kind(index);
    let align = header.sh_addralign.get(endian);
    if align != 0 && !align.is_power_of_two() {
        return Err(input.header_error(index, Kind::BadAlignment(align)));
    }
    let contents = match kind {
        SHT_NULL | SHT_NOBITS => Contents::NoBits(header.sh_size.get(endian)),
        SHT_SYMTAB => Contents::Symbols,
        SHT_REL | SHT_RELA => Contents::Relocations,
        SHT_SYMTAB_SHNDX => {
            return Err(input.header_error(index, Kind::UnsupportedSection(kind)));
        }
        _ => Contents::Bytes(input.bytes(index)?.to_vec()),
    };
    Ok(Section {
        name: input.names[index].clone(),
        kind,
        flags: header.sh_flags.get(endian).0,
        address: header.sh_addr.get(endian),
        align,
        entry_size: header.sh_entsize.get(endian),
        link: header.sh_link.get(endian),
        info: header.sh_info.get(endian),
        contents,
        relocations: Vec::new(),
    })
}

fn hint(header: &Header, endian: Endianness) -> SectionHint {
    SectionHint {
        offset: header.sh_offset.get(endian),
        size: header.sh_size.get(endian),
        name: header.sh_name.get(endian),
    }
}
