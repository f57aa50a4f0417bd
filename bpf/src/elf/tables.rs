//! Reading the two tables with entries: symbols and relocations.

use object::Endianness;
use object::elf::{Rel64, Rela64, Sym64};
use object::pod::slice_from_all_bytes;

use super::error::{ReadError, ReadErrorKind as Kind};
use super::read::Input;
use super::strings::NameBudget;
use crate::object::*;

const SYMBOL_SIZE: u64 = 24;
const REL_SIZE: u64 = 16;
const RELA_SIZE: u64 = 24;

const INDEX_UNDEFINED: u16 = 0;
const INDEX_RESERVED: u16 = 0xff00;
const INDEX_ABSOLUTE: u16 = 0xfff1;
const INDEX_COMMON: u16 = 0xfff2;

/// All symbols with the offsets of their names; the null symbol alone if there is no table.
pub(super) fn symbols(
    input: &Input<'_>,
    budget: &mut NameBudget,
) -> Result<(Vec<Symbol>, Vec<u32>), ReadError> {
    let mut tables = (0..input.headers.len()).filter(|&index| input.kind(index) == SHT_SYMTAB);
    let Some(index) = tables.next() else {
        return Ok((vec![null_symbol()], Vec::new()));
    };
    if let Some(second) = tables.next() {
        return Err(input.header_error(second, Kind::Second("symbol table")));
    }
    let header = &input.headers[index];
    let base = header.sh_offset.get(input.endian);
    let bytes = entries(input, index, SYMBOL_SIZE)?;
    let raw = slice_from_all_bytes::<Sym64<Endianness>>(bytes)
        .map_err(|()| input.header_error(index, Kind::Truncated("the symbol table")))?;
    if raw.is_empty() {
        return Err(input.header_error(index, Kind::NoNullSymbol));
    }
    let strings = input.strings(Some(index), "sh_link", header.sh_link.get(input.endian))?;
    let mut symbols = Vec::with_capacity(raw.len());
    let mut name_offsets = Vec::with_capacity(raw.len());
    for (number, raw) in raw.iter().enumerate() {
        let offset = base.saturating_add(number as u64 * SYMBOL_SIZE);
        let name_offset = raw.st_name.get(input.endian);
        let name = strings
            .get(name_offset)
            .and_then(|name| budget.take(name))
            .map_err(|kind| input.error(index, offset, kind))?;
        let place = match raw.st_shndx.get(input.endian).0 {
            INDEX_UNDEFINED => SymbolPlace::Undefined,
            INDEX_ABSOLUTE => SymbolPlace::Absolute,
            INDEX_COMMON => SymbolPlace::Common,
            reserved if reserved >= INDEX_RESERVED => SymbolPlace::Reserved(reserved),
            section if usize::from(section) < input.headers.len() => {
                SymbolPlace::Section(SectionId(section.into()))
            }
            section => {
                let kind = Kind::SymbolSection {
                    symbol: number as u32,
                    section,
                };
                return Err(input.error(index, offset, kind));
            }
        };
        symbols.push(Symbol {
            name,
            binding: raw.st_info.0 >> 4,
            kind: raw.st_info.0 & 15,
            other: raw.st_other.0,
            place,
            value: raw.st_value.get(input.endian),
            size: raw.st_size.get(input.endian),
        });
        name_offsets.push(name_offset);
    }
    Ok((symbols, name_offsets))
}

/// Fills [`Section::relocations`] from all relocation sections.
pub(super) fn relocations(input: &Input<'_>, object: &mut Object) -> Result<(), ReadError> {
    let symbol_table = object.symbol_table();
    let mut seen = vec![false; object.sections.len()];
    for index in 0..input.headers.len() {
        let kind = input.kind(index);
        if !matches!(kind, SHT_REL | SHT_RELA) {
            continue;
        }
        let link = input.headers[index].sh_link.get(input.endian);
        if symbol_table != Some(SectionId(link)) {
            let expected = "the symbol table";
            let kind = Kind::BadLink {
                field: "sh_link",
                index: link,
                expected,
            };
            return Err(input.header_error(index, kind));
        }
        let info = input.headers[index].sh_info.get(input.endian);
        let target = info as usize;
        let Some(Contents::Bytes(target_bytes)) =
            object.sections.get(target).map(|section| &section.contents)
        else {
            let expected = "a section with bytes";
            let kind = Kind::BadLink {
                field: "sh_info",
                index: info,
                expected,
            };
            return Err(input.header_error(index, kind));
        };
        if std::mem::replace(&mut seen[target], true) {
            return Err(input.header_error(index, Kind::Second("relocation section for a target")));
        }
        let limits = Limits {
            size: target_bytes.len() as u64,
            executable: object.sections[target].is_executable(),
            symbols: object.symbols.len() as u32,
            target: &object.sections[target].name,
        };
        object.sections[target].relocations = if kind == SHT_REL {
            relocations_of(
                input,
                index,
                &limits,
                REL_SIZE,
                |raw: &Rel64<Endianness>| Relocation {
                    offset: raw.r_offset.get(input.endian),
                    kind: raw.r_type(input.endian).0,
                    symbol: SymbolId(raw.r_sym(input.endian)),
                    addend: None,
                },
            )?
        } else {
            relocations_of(
                input,
                index,
                &limits,
                RELA_SIZE,
                |raw: &Rela64<Endianness>| Relocation {
                    offset: raw.r_offset.get(input.endian),
                    kind: raw.r_type(input.endian, false).0,
                    symbol: SymbolId(raw.r_sym(input.endian, false)),
                    addend: Some(raw.r_addend.get(input.endian)),
                },
            )?
        };
    }
    Ok(())
}

/// What a relocation must stay within.
struct Limits<'a> {
    size: u64,
    executable: bool,
    symbols: u32,
    target: &'a str,
}

fn relocations_of<T: object::pod::Pod>(
    input: &Input<'_>,
    index: usize,
    limits: &Limits<'_>,
    entry_size: u64,
    convert: impl Fn(&T) -> Relocation,
) -> Result<Vec<Relocation>, ReadError> {
    let bytes = entries(input, index, entry_size)?;
    let raw = slice_from_all_bytes::<T>(bytes)
        .map_err(|()| input.header_error(index, Kind::Truncated("the relocation table")))?;
    let base = input.headers[index].sh_offset.get(input.endian);
    let mut list = Vec::with_capacity(raw.len());
    for (number, raw) in raw.iter().enumerate() {
        let relocation = convert(raw);
        let at = base.saturating_add(number as u64 * entry_size);
        let reach = patched_bytes(relocation.kind, limits.executable);
        if relocation
            .offset
            .checked_add(reach)
            .is_none_or(|end| end > limits.size)
        {
            let kind = Kind::RelocationOutOfSection {
                index: number as u32,
                offset: relocation.offset,
                kind: relocation.kind,
                target: limits.target.to_owned(),
            };
            return Err(input.error(index, at, kind));
        }
        if relocation.symbol.0 >= limits.symbols {
            let (index_, symbol) = (number as u32, relocation.symbol.0);
            let kind = Kind::RelocationSymbol {
                index: index_,
                symbol,
            };
            return Err(input.error(index, at, kind));
        }
        list.push(relocation);
    }
    Ok(list)
}

/// How many bytes from its offset a relocation needs. LLVM before 13 wrote the two instruction
/// types for plain data as well.
fn patched_bytes(kind: u32, executable: bool) -> u64 {
    match (kind, executable) {
        (R_BPF_64_64, true) => 16,
        (R_BPF_64_32, true) | (R_BPF_64_64 | R_BPF_64_ABS64, _) => 8,
        (R_BPF_64_32 | R_BPF_64_ABS32 | R_BPF_64_NODYLD32, _) => 4,
        (R_BPF_NONE, _) => 0,
        _ => 1,
    }
}

fn entries<'a>(input: &Input<'a>, index: usize, expected: u64) -> Result<&'a [u8], ReadError> {
    let bytes = input.bytes(index)?;
    let size = bytes.len() as u64;
    let entry_size = input.headers[index].sh_entsize.get(input.endian);
    if entry_size != expected || !size.is_multiple_of(expected) {
        let kind = Kind::BadEntrySize {
            size,
            entry_size,
            expected,
        };
        return Err(input.header_error(index, kind));
    }
    Ok(bytes)
}

fn null_symbol() -> Symbol {
    Symbol {
        name: String::new(),
        binding: STB_LOCAL,
        kind: STT_NOTYPE,
        other: 0,
        place: SymbolPlace::Undefined,
        value: 0,
        size: 0,
    }
}
