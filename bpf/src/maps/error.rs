//! Why map definitions could not be read.

use thiserror::Error;

/// A definition that is not one.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("section {section:?} at offset {offset:#x}: {kind}")]
pub struct MapError {
    /// Section with the definition.
    pub section: String,
    /// Byte offset in it.
    pub offset: u64,
    /// What is wrong.
    pub kind: MapErrorKind,
}

/// What is wrong with a definition.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MapErrorKind {
    /// A record shorter than type, key size, value size and number of entries.
    #[error("map {name:?} is defined by {size} bytes, which is less than 16")]
    Short {
        /// Map.
        name: String,
        /// Bytes that its record has.
        size: u64,
    },
    /// A definition that reaches behind its section.
    #[error("map {0:?} lies outside of the section")]
    Outside(String),
    /// `.maps` without BTF.
    #[error("maps are defined by BTF, but the object has none")]
    NoBtf,
    /// A variable in `.maps` whose type is no structure.
    #[error("map {0:?} is not defined by a structure")]
    NotStruct(String),
    /// A member with a meaning that is not written the way that gives it one.
    #[error("map {name:?}: member {member:?} has no readable value")]
    Member {
        /// Map.
        name: String,
        /// Member.
        member: String,
    },
    /// Definitions within definitions, without end.
    #[error("map {0:?}: inner maps are nested too deep")]
    Nested(String),
    /// A data section too large for a map.
    #[error("a data section of {0} bytes is too large for a map")]
    Huge(u64),
}
