//! The three kinds of records.

use crate::btf::kinds::{StringOffset, TypeId};

/// What the tables need to know of a record. The surplus is what a record of the file has past the
/// known fields; empty as a rule, and then without an allocation.
pub trait Record: Sized {
    /// Bytes of the known fields.
    const SIZE: u32;
    /// Name of the table, for messages.
    const TABLE: &'static str;

    /// A record from its words.
    fn from_words(words: [u32; 4], surplus: Box<[u8]>) -> Self;
    /// The words; those past [`Record::SIZE`] are ignored.
    fn to_words(&self) -> [u32; 4];
    /// Bytes past the known fields.
    fn surplus(&self) -> &[u8];
    /// Byte offset of the instruction in its section.
    fn insn_offset(&self) -> u32;
    /// Moves the record to another instruction.
    fn set_insn_offset(&mut self, offset: u32);
}

/// The function that begins at an instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FuncInfo {
    /// Byte offset in the section.
    pub insn_off: u32,
    /// The function's type.
    pub type_id: TypeId,
    /// Bytes past the known fields.
    pub surplus: Box<[u8]>,
}

/// The source line from which an instruction comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineInfo {
    /// Byte offset in the section.
    pub insn_off: u32,
    /// Name of the source file.
    pub file_name: StringOffset,
    /// Text of the line.
    pub line_text: StringOffset,
    /// Line number shifted left by 10, plus the column.
    pub line_column: u32,
    /// Bytes past the known fields.
    pub surplus: Box<[u8]>,
}

/// A field access that the loader adapts to the running kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoreRelocation {
    /// Byte offset in the section.
    pub insn_off: u32,
    /// Type at which the access begins.
    pub type_id: TypeId,
    /// Access string such as `0:1:2`.
    pub access: StringOffset,
    /// What is asked, `bpf_core_relo_kind`: see [`CoreRelocation::known_kind`].
    pub kind: u32,
    /// Bytes past the known fields.
    pub surplus: Box<[u8]>,
}

/// `enum bpf_core_relo_kind` of `include/uapi/linux/bpf.h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CoreRelocationKind {
    /// Byte offset of the field.
    FieldByteOffset,
    /// Bytes of the field.
    FieldByteSize,
    /// Whether the field exists.
    FieldExists,
    /// Whether the field is signed.
    FieldSigned,
    /// Left shift that extracts a bit field.
    FieldLeftShift,
    /// Right shift that extracts a bit field.
    FieldRightShift,
    /// Type id in the object.
    TypeIdLocal,
    /// Type id in the kernel.
    TypeIdTarget,
    /// Whether the type exists.
    TypeExists,
    /// Bytes of the type.
    TypeSize,
    /// Whether the enumeration value exists.
    EnumValueExists,
    /// The enumeration value.
    EnumValue,
    /// Whether the types match in depth.
    TypeMatches,
}

impl FuncInfo {
    /// A record without surplus.
    #[must_use]
    pub fn new(insn_off: u32, type_id: TypeId) -> FuncInfo {
        FuncInfo {
            insn_off,
            type_id,
            surplus: Box::default(),
        }
    }
}

impl LineInfo {
    /// A record without surplus.
    #[must_use]
    pub fn new(
        insn_off: u32,
        file_name: StringOffset,
        line_text: StringOffset,
        line_column: u32,
    ) -> LineInfo {
        LineInfo {
            insn_off,
            file_name,
            line_text,
            line_column,
            surplus: Box::default(),
        }
    }

    /// Line number, counted from 1.
    #[must_use]
    pub fn line(&self) -> u32 {
        self.line_column >> 10
    }

    /// Column, counted from 1; 0 if unknown.
    #[must_use]
    pub fn column(&self) -> u32 {
        self.line_column & 0x3ff
    }
}

impl CoreRelocation {
    /// What is asked, if the number is known.
    #[must_use]
    pub fn known_kind(&self) -> Option<CoreRelocationKind> {
        use CoreRelocationKind::*;
        Some(match self.kind {
            0 => FieldByteOffset,
            1 => FieldByteSize,
            2 => FieldExists,
            3 => FieldSigned,
            4 => FieldLeftShift,
            5 => FieldRightShift,
            6 => TypeIdLocal,
            7 => TypeIdTarget,
            8 => TypeExists,
            9 => TypeSize,
            10 => EnumValueExists,
            11 => EnumValue,
            12 => TypeMatches,
            _ => return None,
        })
    }
}

impl Record for FuncInfo {
    const SIZE: u32 = 8;
    const TABLE: &'static str = "func_info";

    fn from_words([insn_off, type_id, ..]: [u32; 4], surplus: Box<[u8]>) -> Self {
        FuncInfo {
            insn_off,
            type_id: TypeId(type_id),
            surplus,
        }
    }

    fn to_words(&self) -> [u32; 4] {
        [self.insn_off, self.type_id.0, 0, 0]
    }

    fn surplus(&self) -> &[u8] {
        &self.surplus
    }

    fn insn_offset(&self) -> u32 {
        self.insn_off
    }

    fn set_insn_offset(&mut self, offset: u32) {
        self.insn_off = offset;
    }
}

impl Record for LineInfo {
    const SIZE: u32 = 16;
    const TABLE: &'static str = "line_info";

    fn from_words([insn_off, file, text, line_column]: [u32; 4], surplus: Box<[u8]>) -> Self {
        LineInfo {
            insn_off,
            file_name: StringOffset(file),
            line_text: StringOffset(text),
            line_column,
            surplus,
        }
    }

    fn to_words(&self) -> [u32; 4] {
        [
            self.insn_off,
            self.file_name.0,
            self.line_text.0,
            self.line_column,
        ]
    }

    fn surplus(&self) -> &[u8] {
        &self.surplus
    }

    fn insn_offset(&self) -> u32 {
        self.insn_off
    }

    fn set_insn_offset(&mut self, offset: u32) {
        self.insn_off = offset;
    }
}

impl Record for CoreRelocation {
    const SIZE: u32 = 16;
    const TABLE: &'static str = "core_relo";

    fn from_words([insn_off, type_id, access, kind]: [u32; 4], surplus: Box<[u8]>) -> Self {
        CoreRelocation {
            insn_off,
            type_id: TypeId(type_id),
            access: StringOffset(access),
            kind,
            surplus,
        }
    }

    fn to_words(&self) -> [u32; 4] {
        [self.insn_off, self.type_id.0, self.access.0, self.kind]
    }

    fn surplus(&self) -> &[u8] {
        &self.surplus
    }

    fn insn_offset(&self) -> u32 {
        self.insn_off
    }

    fn set_insn_offset(&mut self, offset: u32) {
        self.insn_off = offset;
    }
}
