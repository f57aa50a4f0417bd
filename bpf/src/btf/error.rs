//! What can be wrong with `.BTF` and `.BTF.ext`.

/// A section was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("section `{section}`, byte {offset:#x}: {kind}")]
pub struct BtfError {
    /// `.BTF` or `.BTF.ext`.
    pub section: &'static str,
    /// Byte offset in the section.
    pub offset: u64,
    /// What is wrong.
    #[source]
    pub kind: BtfErrorKind,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BtfErrorKind {
    /// The magic number is wrong or of the other byte order.
    #[error("magic number is {0:#06x}, expected 0xeb9f")]
    Magic(u16),
    /// The version is unknown.
    #[error("version {0} is not known")]
    Version(u8),
    /// A structure reaches past its end.
    #[error("{0} is cut off")]
    Truncated(&'static str),
    /// A part lies out of the section or over another part.
    #[error("{what} at {start:#x} with {length} bytes is out of place")]
    Misplaced {
        /// The part.
        what: &'static str,
        /// Its offset from the section's start.
        start: u64,
        /// Its size.
        length: u32,
    },
    /// The string table does not begin or end with a null byte.
    #[error("the string table does not begin and end with a null byte")]
    UnterminatedStrings,
    /// A string offset is outside the table, or the string is not UTF-8.
    #[error("no string at {0:#x}")]
    BadString(u32),
    /// A kind is unknown.
    #[error("type {id} has unknown kind {kind}")]
    UnknownKind {
        /// The type.
        id: u32,
        /// Its kind.
        kind: u32,
    },
    /// A field that must be zero is not.
    #[error("type {id} has a reserved field that is not zero")]
    Reserved {
        /// The type.
        id: u32,
    },
    /// A type refers to one that does not exist.
    #[error("type {id} refers to type {target}, which does not exist")]
    BadType {
        /// The type.
        id: u32,
        /// What it refers to.
        target: u32,
    },
    /// A type contains itself by value.
    #[error("type {id} contains itself")]
    Cycle {
        /// The type.
        id: u32,
    },
    /// The record size is too small or no multiple of 4.
    #[error("{table} records of {size} bytes, expected a multiple of 4 and at least {minimum}")]
    RecordSize {
        /// The table.
        table: &'static str,
        /// The size given.
        size: u32,
        /// The smallest size possible.
        minimum: u32,
    },
}
