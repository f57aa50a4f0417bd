//! Sections under construction, and where things in them lie.
//!
//! A BPF instruction never changes its size, so the place of nearly everything is known when it is
//! written, and a section is one run of bytes. Only a LEB128 number whose value depends on later
//! labels has a size that is found at the end; it begins a new [`Fragment`], and places behind it
//! are known relative to their fragment until [`Sections::settle`] has run.
//!
//! Bound: all sections together hold at most [`MAX_BYTES`], so that `.zero` and `.p2align` cannot
//! ask for more memory than the machine has.

use std::collections::BTreeMap;

use bpf::insn::Endian;
use bpf::object::{SHF_EXECINSTR, SHT_NOBITS};

use rustc_hash::FxHashMap;

use super::ast::Expr;
use super::symbols::SymbolIndex;

/// Most bytes that all sections together may hold: far above the largest real object (about 10
/// MiB), far below the memory of any machine that runs this.
pub const MAX_BYTES: u64 = 1 << 26;

/// Rounds of [`Sections::settle`] before all open LEB128 numbers get their full size. Compilers'
/// output settles in two.
const SETTLE_ROUNDS: u32 = 16;

/// Bytes that any 64-bit LEB128 number fits in.
const LEB_MAX: u64 = 10;

/// The sections were about to grow beyond [`MAX_BYTES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge;

/// A place in a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Index of the section in [`Sections::all`].
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
    /// Number after `unique`, for sections that share a name.
    pub unique: Option<u64>,
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
    /// Contents in order.
    pub fragments: Vec<Fragment>,
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

    /// Bytes before the next one, where already known.
    pub fn known_size(&self) -> Option<u64> {
        match self.fragments.last() {
            None => Some(0),
            Some(last) if matches!(last.content, Content::Bytes(_)) => {
                last.start.map(|start| start + last.size)
            }
            Some(_) => None,
        }
    }
}

/// All sections, in the order in which they were first entered.
#[derive(Debug)]
pub struct Sections {
    /// The sections.
    pub all: Vec<SectionBuilder>,
    /// Index of the section that grows.
    pub current: usize,
    /// The section before the last switch.
    pub previous: Option<usize>,
    /// What `.pushsection` saved.
    pub stack: Vec<(usize, Option<usize>)>,
    by_name: FxHashMap<String, BTreeMap<Option<u64>, usize>>,
    endian: Endian,
    bytes: u64,
}

impl Sections {
    /// None yet.
    pub fn new(endian: Endian) -> Sections {
        Sections {
            all: Vec::new(),
            current: 0,
            previous: None,
            stack: Vec::new(),
            by_name: FxHashMap::default(),
            endian,
            bytes: 0,
        }
    }

    /// The section of this name and number.
    pub fn find(&self, name: &str, unique: Option<u64>) -> Option<usize> {
        self.by_name.get(name)?.get(&unique).copied()
    }

    /// Adds a section at the end.
    pub fn add(&mut self, section: SectionBuilder) -> usize {
        let index = self.all.len();
        let same_name = self.by_name.entry(section.name.clone()).or_default();
        same_name.insert(section.unique, index);
        self.all.push(section);
        index
    }

    /// Makes `index` the section that grows.
    pub fn enter(&mut self, index: usize) {
        if index != self.current {
            self.previous = Some(self.current);
            self.current = index;
        }
    }

    /// The section that grows.
    pub fn section(&self) -> &SectionBuilder {
        &self.all[self.current]
    }

    /// The same, to be changed.
    pub fn section_mut(&mut self) -> &mut SectionBuilder {
        &mut self.all[self.current]
    }

    /// Where the next byte goes.
    pub fn here(&mut self) -> Place {
        let section = self.current;
        let fragment = self.open_fragment();
        Place {
            section,
            fragment,
            offset: self.all[section].fragments[fragment].size,
        }
    }

    /// Appends bytes to the section that grows.
    pub fn append(&mut self, bytes: &[u8]) -> Result<Place, TooLarge> {
        let place = self.here();
        self.reserve(bytes.len() as u64)?;
        let nobits = self.section().is_nobits();
        let fragment = &mut self.section_mut().fragments[place.fragment];
        fragment.size += bytes.len() as u64;
        if let (Content::Bytes(content), false) = (&mut fragment.content, nobits) {
            match <&[u8; 8]>::try_from(bytes) {
                // An instruction, which nearly everything is: a copy of known size is one store.
                Ok(slot) => content.extend_from_slice(slot),
                Err(_) => content.extend_from_slice(bytes),
            }
        }
        Ok(place)
    }

    /// Appends `count` copies of a byte.
    pub fn fill(&mut self, byte: u8, count: u64) -> Result<Place, TooLarge> {
        let place = self.here();
        let nobits = self.section().is_nobits();
        if !nobits {
            self.reserve(count)?;
        }
        let fragment = &mut self.section_mut().fragments[place.fragment];
        let size = fragment.size.checked_add(count).ok_or(TooLarge)?;
        if size > i64::MAX as u64 {
            return Err(TooLarge);
        }
        fragment.size = size;
        if let (Content::Bytes(content), false) = (&mut fragment.content, nobits) {
            content.resize(size as usize, byte);
        }
        Ok(place)
    }

    /// Appends a LEB128 number whose value is not known yet.
    pub fn append_leb(&mut self, value: Expr, signed: bool) -> Result<Place, TooLarge> {
        self.reserve(LEB_MAX)?;
        Ok(self.append_fragment(1, Content::Leb { value, signed }))
    }

    /// Pads to a multiple of `to`, which is a power of two. `Err(None)` when instructions were asked
    /// for and the gap is no whole number of them.
    pub fn align(&mut self, to: u64, padding: Padding, most: u64) -> Result<(), Option<TooLarge>> {
        let section = self.section_mut();
        section.align = section.align.max(to);
        match section.known_size() {
            Some(size) => {
                let bytes = padding_bytes(size, to, most);
                let pattern = self.pattern(padding, bytes).ok_or(None)?;
                match pattern {
                    None => self.fill(0, bytes),
                    Some(Padding::Byte(byte)) => self.fill(byte, bytes),
                    Some(Padding::Instructions) => {
                        self.reserve(bytes)?;
                        let nop = no_operation(self.endian).repeat((bytes / 8) as usize);
                        self.append(&nop)
                    }
                }?;
            }
            None => {
                self.append_fragment(0, Content::Align { to, padding, most });
            }
        }
        Ok(())
    }

    /// Finds the size of every open LEB128 number and with it the place of everything.
    /// `size_of` says how long a number is with the places as they are.
    pub fn settle(
        &mut self,
        mut size_of: impl FnMut(&Sections, Expr, bool) -> u64,
    ) -> Result<(), TooLarge> {
        let mut open = Vec::new();
        for (section, builder) in self.all.iter().enumerate() {
            for (index, fragment) in builder.fragments.iter().enumerate() {
                if let Content::Leb { value, signed } = fragment.content {
                    open.push((section, index, value, signed));
                }
            }
        }
        for round in 0.. {
            self.place_fragments()?;
            let mut grown = false;
            for &(section, index, value, signed) in &open {
                let wanted = match round {
                    0..SETTLE_ROUNDS => size_of(self, value, signed).clamp(1, LEB_MAX),
                    _ => LEB_MAX,
                };
                let fragment = &mut self.all[section].fragments[index];
                if wanted > fragment.size {
                    fragment.size = wanted;
                    grown = true;
                }
            }
            if !grown {
                break;
            }
        }
        Ok(())
    }

    /// Distance of a place from its section's start, where already known.
    pub fn offset(&self, place: Place) -> Option<u64> {
        let fragment = self.all.get(place.section)?.fragments.get(place.fragment)?;
        Some(fragment.start?.wrapping_add(place.offset))
    }

    /// Distance between two places, where already known.
    pub fn distance(&self, from: Place, to: Place) -> Option<i64> {
        if from.section != to.section {
            return None;
        }
        if from.fragment == to.fragment {
            return Some(to.offset.wrapping_sub(from.offset) as i64);
        }
        Some(self.offset(to)?.wrapping_sub(self.offset(from)?) as i64)
    }

    /// The bytes at a place, to be filled in.
    pub fn bytes_mut(&mut self, place: Place, count: usize) -> Option<&mut [u8]> {
        let fragment = self
            .all
            .get_mut(place.section)?
            .fragments
            .get_mut(place.fragment)?;
        match &mut fragment.content {
            Content::Bytes(bytes) => bytes
                .get_mut(place.offset as usize..)
                .and_then(|rest| rest.get_mut(..count)),
            _ => None,
        }
    }

    /// Counts bytes against [`MAX_BYTES`].
    fn reserve(&mut self, count: u64) -> Result<(), TooLarge> {
        match self.bytes.checked_add(count) {
            Some(bytes) if bytes <= MAX_BYTES => {
                self.bytes = bytes;
                Ok(())
            }
            _ => Err(TooLarge),
        }
    }

    fn open_fragment(&mut self) -> usize {
        let section = self.section_mut();
        let open = section
            .fragments
            .last()
            .is_some_and(|last| matches!(last.content, Content::Bytes(_)));
        if !open {
            let start = section.known_size();
            section.fragments.push(Fragment {
                start,
                size: 0,
                content: Content::Bytes(Vec::new()),
            });
        }
        section.fragments.len() - 1
    }

    fn append_fragment(&mut self, size: u64, content: Content) -> Place {
        let section = self.section_mut();
        let start = section.known_size();
        section.fragments.push(Fragment {
            start,
            size,
            content,
        });
        Place {
            section: self.current,
            fragment: self.section().fragments.len() - 1,
            offset: 0,
        }
    }

    /// What to fill `bytes` of padding with: `Some(None)` for nothing to do, `None` when
    /// instructions do not fit.
    fn pattern(&self, padding: Padding, bytes: u64) -> Option<Option<Padding>> {
        match padding {
            _ if bytes == 0 => Some(None),
            Padding::Instructions if !bytes.is_multiple_of(8) => None,
            padding => Some(Some(padding)),
        }
    }

    fn place_fragments(&mut self) -> Result<(), TooLarge> {
        for section in &mut self.all {
            let mut offset: u64 = 0;
            for fragment in &mut section.fragments {
                fragment.start = Some(offset);
                if let Content::Align { to, most, .. } = fragment.content {
                    fragment.size = padding_bytes(offset, to, most);
                }
                offset = offset.checked_add(fragment.size).ok_or(TooLarge)?;
            }
        }
        let total = self.all.iter().filter(|section| !section.is_nobits());
        let fragments = total.flat_map(|section| &section.fragments);
        let sizes = fragments.map(|fragment| fragment.size);
        match sizes.sum::<u64>() > MAX_BYTES {
            true => Err(TooLarge),
            false => Ok(()),
        }
    }
}

/// Bytes up to the next multiple of `to`, or none when they are more than `most`.
fn padding_bytes(offset: u64, to: u64, most: u64) -> u64 {
    let bytes = offset.wrapping_neg() & to.wrapping_sub(1);
    if bytes > most { 0 } else { bytes }
}

/// `goto +0` with the register field that LLVM gives it, which is not what it means to write.
pub fn no_operation(endian: Endian) -> [u8; 8] {
    match endian {
        Endian::Little => [0, 0, 0, 0x15, 0, 0, 0, 0],
        Endian::Big => [0, 0, 0, 0, 0x15, 0, 0, 0],
    }
}
