//! The container: an ELF relocatable object held so that nothing is lost.
//!
//! Sections stay in the order of the section header table, index 0 (the null section) included, so
//! a [`SectionId`] *is* the ELF section index. Relocation sections, string tables and the symbol
//! table keep their places in that order; their contents are held in parsed form.

mod constants;
mod edit;
mod functions;
mod layout;
mod query;
mod remap;

pub use constants::*;
pub use edit::EditError;
pub use functions::{FunctionRange, FunctionTable, Irregularity, IrregularityKind};
pub use layout::{FileLayout, SectionHint};

use crate::insn::Endian;

/// Index of a section in the section header table; 0 is the null section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SectionId(pub u32);

/// Index of a symbol in the symbol table; 0 is the null symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SymbolId(pub u32);

/// An ELF relocatable object for BPF.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Byte order of the container and of the instructions.
    pub endian: Endian,
    /// `e_flags`
    pub flags: u32,
    /// `e_ident[EI_OSABI]`
    pub os_abi: u8,
    /// `e_ident[EI_ABIVERSION]`
    pub abi_version: u8,
    /// `e_machine`: 247, or 0 as compilers before 2016 wrote.
    pub machine: u16,
    /// All sections, the null section first.
    pub sections: Vec<Section>,
    /// All symbols, the null symbol first.
    pub symbols: Vec<Symbol>,
    /// The string table that holds section names (`e_shstrndx`).
    pub section_names: SectionId,
    /// Where things lay in the file that was read: hints for the writer, without meaning.
    pub layout: FileLayout,
}

/// A section with its header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Name.
    pub name: String,
    /// `sh_type`
    pub kind: u32,
    /// `sh_flags`
    pub flags: u64,
    /// `sh_addr`
    pub address: u64,
    /// `sh_addralign`
    pub align: u64,
    /// `sh_entsize`
    pub entry_size: u64,
    /// `sh_link`
    pub link: u32,
    /// `sh_info`
    pub info: u32,
    /// What the section holds.
    pub contents: Contents,
    /// Relocations that apply to this section's bytes, in the order of its `SHT_REL`/`SHT_RELA`
    /// section (whose own contents are then [`Contents::Relocations`]).
    pub relocations: Vec<Relocation>,
}

/// What a section holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contents {
    /// Bytes as they are.
    Bytes(Vec<u8>),
    /// `SHT_NOBITS` of this size in bytes.
    NoBits(u64),
    /// The entries are in the target section's [`Section::relocations`].
    Relocations,
    /// The symbol table: [`Object::symbols`].
    Symbols,
}

/// A symbol table entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// Name; empty for section symbols.
    pub name: String,
    /// `st_info >> 4`
    pub binding: u8,
    /// `st_info & 15`
    pub kind: u8,
    /// `st_other`
    pub other: u8,
    /// Where the symbol is defined.
    pub place: SymbolPlace,
    /// `st_value`: offset in bytes from the section's start.
    pub value: u64,
    /// `st_size` in bytes.
    pub size: u64,
}

/// Where a symbol is defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SymbolPlace {
    /// `SHN_UNDEF`
    Undefined,
    /// `SHN_ABS`
    Absolute,
    /// `SHN_COMMON`
    Common,
    /// In a section.
    Section(SectionId),
    /// Any other reserved index, kept.
    Reserved(u16),
}

/// A relocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relocation {
    /// Byte offset in the section.
    pub offset: u64,
    /// `R_BPF_*`
    pub kind: u32,
    /// The symbol meant.
    pub symbol: SymbolId,
    /// Explicit addend of a `SHT_RELA` entry; `None` for `SHT_REL`, where it lies in place.
    pub addend: Option<i64>,
}
