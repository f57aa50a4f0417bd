//! Maps as an object defines them.
//!
//! [`MapDef`] is what both ways of defining a map come down to: the legacy `maps` section of fixed
//! records, and the `.maps` section whose meaning is in BTF. Data sections (`.data`, `.rodata`,
//! `.bss` and their `.name` variants) and the kernel configuration become array maps of one
//! element when a program is loaded, and are listed here as such.

mod by_btf;
mod definitions;
mod error;
mod kinds;
mod legacy;

pub use definitions::definitions;
pub use error::{MapError, MapErrorKind};
pub use kinds::MapKind;

use crate::object::SectionId;

/// `BPF_F_NO_PREALLOC`
pub const NO_PREALLOC: u32 = 1;
/// `BPF_F_RDONLY_PROG`: programs only read.
pub const READ_ONLY_PROG: u32 = 1 << 7;
/// `BPF_F_MMAPABLE`
pub const MMAPABLE: u32 = 1 << 10;

/// Where a map is defined in the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MapPlace {
    /// Section of the definition, or the data section that is the map.
    pub section: SectionId,
    /// Byte offset of the definition in it.
    pub offset: u64,
}

/// A map definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapDef {
    /// Name; of a data section, the section's name.
    pub name: String,
    /// Type.
    pub kind: MapKind,
    /// Bytes in a key.
    pub key_size: u32,
    /// Bytes in a value.
    pub value_size: u32,
    /// Number of elements, or bytes for ring buffers.
    pub max_entries: u32,
    /// `BPF_F_*`
    pub flags: u32,
    /// Definition that the inner maps of a map of maps follow.
    pub inner: Option<Box<MapDef>>,
    /// Contents before the first run: symbol names by index (programs of a program array, inner
    /// maps of a map of maps).
    pub values: Vec<(u32, String)>,
    /// First element's bytes, for data sections.
    pub data: Option<Vec<u8>>,
    /// Whether the map is shared by a pinned file of its name.
    pub pinned: bool,
    /// Identifier and inner identifier of iproute2's legacy definitions: a section `id/index`
    /// goes into the program array with that identifier.
    pub legacy_id: Option<u32>,
    /// Where it is defined; inner definitions have no place.
    pub place: Option<MapPlace>,
}

impl MapDef {
    /// A definition with sizes and no more.
    #[must_use]
    pub fn new(name: &str, kind: MapKind, key: u32, value: u32, max_entries: u32) -> MapDef {
        MapDef {
            name: name.to_owned(),
            kind,
            key_size: key,
            value_size: value,
            max_entries,
            flags: 0,
            inner: None,
            values: Vec::new(),
            data: None,
            pinned: false,
            legacy_id: None,
            place: None,
        }
    }
}
