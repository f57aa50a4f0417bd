//! A section under construction: its header, and the fragments that it is made of.
//!
//! `layout` says what fragments and parts are for.

use std::collections::BTreeMap;

use bpf::object::{SHF_EXECINSTR, SHT_NOBITS};

use super::ast::Expr;
use super::symbols::SymbolIndex;

/// A place in a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Index of the section in [`all`](super::layout::Sections::all).
    pub section: usize,
    /// Fragment in the section.
    pub fragment: usize,
    /// Bytes from the fragment's start.
    pub offset: u64,
}

/// A run of a section whose inner distances are fixed.
#[derive(Debug)]
pub struct Fragment {
    /// Bytes from the section's start, once known.
    pub start: Option<u64>,
    /// Size in bytes; a lower bound for an open LEB128 number.
    pub size: u64,
    /// What it holds.
    pub content: Content,
    /// The part of the section that it belongs to.
    pub part: u32,
}

/// What a fragment holds.
#[derive(Debug)]
pub enum Content {
    /// Bytes; empty in a section without bits, whatever the size.
    Bytes(Vec<u8>),
    /// A LEB128 number.
    Leb {
        /// Its value.
        value: Expr,
        /// Signed or not.
        signed: bool,
    },
    /// Padding up to a multiple.
    Align {
        /// The multiple, a power of two.
        to: u64,
        /// The padding.
        padding: Padding,
        /// Most bytes to insert; none are inserted when more would be needed.
        most: u64,
    },
}

/// How padding looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// One byte repeated.
    Byte(u8),
    /// Instructions that do nothing.
    Instructions,
}

/// A section.
#[derive(Debug)]
pub struct SectionBuilder {
    /// Name.
    pub name: String,
    /// `sh_type`
    pub kind: u32,
    /// `sh_flags`
    pub flags: u64,
    /// `sh_entsize`
    pub entry_size: u64,
    /// `sh_addralign`
    pub align: u64,
    /// The symbol that stands for the section.
    pub symbol: SymbolIndex,
    /// The group that it belongs to.
    pub group: Option<usize>,
    /// The symbol whose section this one goes with; `Some(None)` for none in particular.
    pub goes_with: Option<Option<SymbolIndex>>,
    /// Contents in the order of the text.
    pub fragments: Vec<Fragment>,
    /// The last fragment of each part.
    pub ends: BTreeMap<u32, usize>,
}

/// Sections that a linker keeps or drops together.
#[derive(Clone, Debug)]
pub struct SectionGroup {
    /// The symbol that names it.
    pub signature: SymbolIndex,
    /// Whether one of several groups with this name is enough.
    pub comdat: bool,
    /// Its first section.
    pub first: usize,
    /// All of its sections.
    pub members: Vec<usize>,
}

/// What tells sections of one name apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Apart {
    /// The number after `unique`.
    pub unique: Option<u64>,
    /// The group, by its symbol.
    pub group: Option<SymbolIndex>,
    /// The symbol whose section it goes with.
    pub goes_with: Option<Option<SymbolIndex>>,
}

impl SectionBuilder {
    /// Whether instructions belong here.
    pub fn is_executable(&self) -> bool {
        self.flags & SHF_EXECINSTR != 0
    }

    /// Whether the section has a size but no bytes.
    pub fn is_nobits(&self) -> bool {
        self.kind == SHT_NOBITS
    }

    /// Bytes before the next one of a part, where already known.
    pub fn known_size(&self, part: u32) -> Option<u64> {
        let last = self
            .ends
            .get(&part)
            .and_then(|end| self.fragments.get(*end));
        match last {
            None => (part == 0).then_some(0),
            Some(last) if matches!(last.content, Content::Bytes(_)) => {
                last.start.map(|start| start + last.size)
            }
            Some(_) => None,
        }
    }

    /// The size of all parts, once places are known.
    pub fn size(&self) -> u64 {
        let last = self.ends.last_key_value();
        let last = last.and_then(|(_, end)| self.fragments.get(*end));
        last.and_then(|last| Some(last.start? + last.size))
            .unwrap_or(0)
    }

    /// Indices of the fragments in the order of the object.
    pub fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.fragments.len()).collect();
        if self.ends.len() > 1 {
            order.sort_by_key(|index| self.fragments.get(*index).map(|fragment| fragment.part));
        }
        order
    }
}

/// A section and the part of it that grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Index of the section.
    pub section: usize,
    /// Number of the part.
    pub part: u32,
}
