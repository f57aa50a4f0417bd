//! Hints that let the writer reproduce a file it has read.
//!
//! String tables and padding leave freedom to whoever writes an object. Keeping the choices of the
//! original makes an unchanged object come out byte for byte equal, so that a diff of two files
//! shows only real changes. Every hint is checked before it is used and ignored when it no longer
//! fits; an object with no hints at all is laid out as LLVM does.

/// Where things lay in the file that was read; empty for an object that was not read from a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileLayout {
    /// `e_entry`, which has no meaning in a relocatable object.
    pub entry: u64,
    /// Byte offset of the section header table.
    pub header_table: u64,
    /// Per section, by index; `None` for a section that was added.
    pub sections: Vec<Option<SectionHint>>,
    /// Offset of each symbol's name in the symbol string table, by index.
    pub symbol_names: Vec<u32>,
}

/// Where one section lay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SectionHint {
    /// `sh_offset`
    pub offset: u64,
    /// `sh_size`
    pub size: u64,
    /// `sh_name`
    pub name: u32,
}
