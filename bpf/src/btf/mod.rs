//! BTF: the types of a program, and the records in `.BTF.ext` that tie code to types and lines.
//!
//! [`Btf::parse`] turns `.BTF` into typed data and [`Btf::to_bytes`] writes it back; what was not
//! changed comes out byte for byte equal. Type ids and string offsets are those of the file, so
//! adding a type or a string appends and leaves every existing reference valid. [`ext`] does the
//! same for `.BTF.ext`.
//!
//! Source of the format: the kernel's `Documentation/bpf/btf.rst` and `include/uapi/linux/btf.h`.
//!
//! Parsing checks every reference, and that no type contains itself by value, so that the queries
//! need no protection of their own for data that was parsed; they are bounded nevertheless, because
//! types can be edited. All of it is linear in the section's size.

mod cycles;
mod error;
pub mod ext;
mod functions;
mod kinds;
mod parse;
mod query;
mod strings;
mod write;

pub use error::{BtfError, BtfErrorKind};
pub use ext::BtfExt;
pub use functions::function_table;
pub use kinds::{
    EnumValue, EnumValue64, Member, Parameter, SectionVariable, StringOffset, Type, TypeId,
    TypeKind,
};
pub use query::POINTER_SIZE;
pub use strings::Strings;

use crate::insn::Endian;

/// The contents of a `.BTF` section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Btf {
    /// Byte order.
    pub endian: Endian,
    /// Version in the header.
    pub version: u8,
    /// Flags in the header.
    pub flags: u8,
    /// Types; the first one has id 1, since 0 is `void`.
    pub types: Vec<Type>,
    /// Strings.
    pub strings: Strings,
    /// Bytes whose meaning is not known.
    pub unknown: Unknown,
}

/// Bytes of a `.BTF` section that belong to nothing known, by place; all empty as a rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unknown {
    /// Header fields past the known ones.
    pub header: Vec<u8>,
    /// Between header and types.
    pub before_types: Vec<u8>,
    /// Between types and strings.
    pub before_strings: Vec<u8>,
    /// Behind the strings.
    pub at_end: Vec<u8>,
}

impl Btf {
    /// BTF without types, with the empty string.
    #[must_use]
    pub fn new(endian: Endian) -> Btf {
        Btf {
            endian,
            version: 1,
            flags: 0,
            types: Vec::new(),
            strings: Strings::new(),
            unknown: Unknown::default(),
        }
    }

    /// Appends a type and returns its id.
    pub fn add_type(&mut self, new: Type) -> TypeId {
        self.types.push(new);
        TypeId(self.types.len() as u32)
    }

    /// The offset of a string, which is appended if the table does not have it.
    pub fn add_string(&mut self, string: &str) -> StringOffset {
        self.strings.add(string)
    }
}
