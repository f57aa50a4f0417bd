//! What can be wrong with a file, and with an object that is to be written.

use std::fmt;

/// A file was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ReadError {
    /// Index and name of the section concerned; the name is empty while it is unknown.
    pub section: Option<(u32, String)>,
    /// Byte offset in the file.
    pub offset: u64,
    /// What is wrong.
    #[source]
    pub kind: ReadErrorKind,
}

impl ReadError {
    pub(super) fn file(offset: u64, kind: ReadErrorKind) -> ReadError {
        ReadError {
            section: None,
            offset,
            kind,
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.section {
            Some((index, name)) => write!(f, "section {index} `{name}`, ")?,
            None => write!(f, "ELF file, ")?,
        }
        write!(f, "byte {:#x}: {}", self.offset, self.kind)
    }
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadErrorKind {
    /// The magic number is missing.
    #[error("not an ELF file")]
    NotElf,
    /// A structure reaches past the end of the file.
    #[error("the file ends before {0} does")]
    Truncated(&'static str),
    /// A header field has a value that this reader does not know.
    #[error("{field} is {value}, expected {expected}")]
    Header {
        /// The field.
        field: &'static str,
        /// Its value.
        value: u64,
        /// What could be read.
        expected: &'static str,
    },
    /// There is no section header table.
    #[error("the file has no sections")]
    NoSections,
    /// The count needs ELF's extension for 65280 sections and more.
    #[error("more sections than fit a 16-bit index")]
    TooManySections,
    /// The section's bytes are not all in the file.
    #[error("{size} bytes from {offset:#x} reach past the end of the file")]
    SectionOutOfFile {
        /// `sh_offset`
        offset: u64,
        /// `sh_size`
        size: u64,
    },
    /// Two things claim the same bytes of the file.
    #[error("overlaps {0}")]
    Overlap(String),
    /// `sh_addralign` is not a power of two.
    #[error("alignment {0} is not a power of two")]
    BadAlignment(u64),
    /// `sh_link`, `sh_info` or `e_shstrndx` does not name a fitting section.
    #[error("{field} names section {index}, which is not {expected}")]
    BadLink {
        /// The field.
        field: &'static str,
        /// Its value.
        index: u32,
        /// What the section should be.
        expected: &'static str,
    },
    /// A name does not begin inside its string table or does not end there.
    #[error("name at {0:#x} is not in the string table")]
    BadName(u32),
    /// A name is not UTF-8.
    #[error("name at {0:#x} is not UTF-8")]
    NameNotUtf8(u32),
    /// All names together are much longer than the file.
    #[error("names are too long in sum")]
    NamesTooLong,
    /// The section's size is not a multiple of its entries'.
    #[error("{size} bytes do not hold entries of {entry_size} bytes, expected {expected} each")]
    BadEntrySize {
        /// `sh_size`
        size: u64,
        /// `sh_entsize`
        entry_size: u64,
        /// Size of one entry.
        expected: u64,
    },
    /// A second symbol table, or a second relocation section for one target.
    #[error("a second {0}")]
    Second(&'static str),
    /// A symbol's section does not exist.
    #[error("symbol {symbol} is defined in section {section}, which does not exist")]
    SymbolSection {
        /// The symbol's index.
        symbol: u32,
        /// The section's index.
        section: u16,
    },
    /// The symbol table does not begin with the null symbol.
    #[error("the symbol table is empty")]
    NoNullSymbol,
    /// A relocation reaches past the bytes it applies to.
    #[error("relocation {index} at {offset:#x} with type {kind} reaches out of `{target}`")]
    RelocationOutOfSection {
        /// The relocation's index.
        index: u32,
        /// Its offset in the target.
        offset: u64,
        /// Its type.
        kind: u32,
        /// The section it applies to.
        target: String,
    },
    /// A relocation's symbol does not exist.
    #[error("relocation {index} is against symbol {symbol}, which does not exist")]
    RelocationSymbol {
        /// The relocation's index.
        index: u32,
        /// The symbol's index.
        symbol: u32,
    },
    /// The section's type is not supported.
    #[error("section type {0:#x} is not supported")]
    UnsupportedSection(u32),
}

/// An object cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The count needs ELF's extension for 65280 sections and more.
    #[error("more sections than fit a 16-bit index")]
    TooManySections,
    /// A string table that is needed does not exist or is no string table.
    #[error("section {0} should be the string table for {1}")]
    NoStringTable(u32, &'static str),
    /// A name contains a null byte.
    #[error("the name {0:?} contains a null byte")]
    NullInName(String),
    /// A string table reached 4 GiB.
    #[error("the string table `{0}` is too large")]
    StringTableTooLarge(String),
    /// There are symbols, and no symbol table to hold them.
    #[error("the object has symbols and no symbol table section")]
    NoSymbolTable,
    /// A section has relocations, and no section holds their entries.
    #[error("section `{0}` has relocations and no relocation section")]
    NoRelocationSection(String),
    /// A `SHT_REL` entry has an explicit addend.
    #[error("relocation at {offset:#x} of `{section}` has an addend, which SHT_REL cannot hold")]
    AddendInRel {
        /// The section the relocation applies to.
        section: String,
        /// The relocation's offset.
        offset: u64,
    },
    /// A symbol or relocation refers to something that does not exist.
    #[error("{0} refers to {1} {2}, which does not exist")]
    Dangling(String, &'static str, u32),
    /// The section's kind and contents contradict one another.
    #[error("section `{0}` has contents that do not fit its type")]
    ContentsMismatch(String),
}
