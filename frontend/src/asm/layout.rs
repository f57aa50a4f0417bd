//! Sections under construction, and where things in them lie.
//!
//! A BPF instruction never changes its size, so the place of nearly everything is known when it is
//! written, and a section is one run of bytes. Only a LEB128 number whose value depends on later
//! labels has a size that is found at the end; it begins a new [`Fragment`], and places behind it
//! are known relative to their fragment until [`Sections::settle`] has run.
//!
//! A section may be written in parts (`.subsection`), which follow one another by their numbers.
//! Every part is a run of fragments; where those of a later part lie is found at the end as well.
//!
//! Bound: all sections together hold at most [`MAX_BYTES`], so that `.zero` and `.p2align` cannot
//! ask for more memory than the machine has.

use std::collections::BTreeMap;

use bpf::insn::Endian;
use rustc_hash::FxHashMap;

use super::ast::Expr;
pub use super::builder::{
    Apart, Content, Fragment, Padding, Place, Position, SectionBuilder, SectionGroup,
};
use super::forms::Slots;
use super::symbols::SymbolIndex;

/// Most bytes that all sections together may hold: far above the largest real object (about 10
/// MiB), far below the memory of any machine that runs this.
pub const MAX_BYTES: u64 = 1 << 26;

/// Bytes that any 64-bit LEB128 number fits in.
pub const LEB_MAX: u64 = 10;

/// The sections were about to grow beyond [`MAX_BYTES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge;

/// All sections, in the order in which they were first entered.
#[derive(Debug)]
pub struct Sections {
    /// The sections.
    pub all: Vec<SectionBuilder>,
    /// Index of the section that grows.
    pub current: usize,
    /// The part of it that grows.
    pub part: u32,
    /// What grew before the last switch.
    pub previous: Option<Position>,
    /// What `.pushsection` saved.
    pub stack: Vec<(Position, Option<Position>)>,
    /// Groups in the order in which they were first named.
    pub groups: Vec<SectionGroup>,
    group_numbers: FxHashMap<SymbolIndex, usize>,
    by_name: FxHashMap<String, BTreeMap<Apart, usize>>,
    endian: Endian,
    bytes: u64,
}

impl Sections {
    /// None yet.
    pub fn new(endian: Endian) -> Sections {
        Sections {
            all: Vec::new(),
            current: 0,
            part: 0,
            previous: None,
            stack: Vec::new(),
            groups: Vec::new(),
            group_numbers: FxHashMap::default(),
            by_name: FxHashMap::default(),
            endian,
            bytes: 0,
        }
    }

    /// The section of this name that is told apart by this.
    pub fn find(&self, name: &str, apart: Apart) -> Option<usize> {
        self.by_name.get(name)?.get(&apart).copied()
    }

    /// The number of the group that a symbol names, made if need be.
    pub fn group(&mut self, signature: SymbolIndex, comdat: bool) -> usize {
        let groups = &mut self.groups;
        *self.group_numbers.entry(signature).or_insert_with(|| {
            groups.push(SectionGroup {
                signature,
                comdat,
                first: usize::MAX,
                members: Vec::new(),
            });
            groups.len() - 1
        })
    }

    /// The number of the group that a symbol names, if it names one.
    pub fn group_of(&self, signature: SymbolIndex) -> Option<usize> {
        self.group_numbers.get(&signature).copied()
    }

    /// Adds a section at the end.
    pub fn add(&mut self, section: SectionBuilder, apart: Apart) -> usize {
        let index = self.all.len();
        let same_name = self.by_name.entry(section.name.clone()).or_default();
        same_name.insert(apart, index);
        let group = section.group.and_then(|number| self.groups.get_mut(number));
        if let Some(group) = group {
            group.first = group.first.min(index);
            group.members.push(index);
        }
        self.all.push(section);
        index
    }

    /// Makes this part of the section `index` grow.
    pub fn enter(&mut self, index: usize, part: u32) {
        let next = Position {
            section: index,
            part,
        };
        if next != self.position() {
            self.previous = Some(self.position());
            self.go_to(next);
        }
    }

    /// What grows.
    pub fn position(&self) -> Position {
        Position {
            section: self.current,
            part: self.part,
        }
    }

    /// Lets something grow without remembering what grew before.
    pub fn go_to(&mut self, position: Position) {
        self.current = position.section;
        self.part = position.part;
    }

    /// Bytes before the next one, where already known.
    pub fn known_size(&self) -> Option<u64> {
        self.section().known_size(self.part)
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
            content.extend_from_slice(bytes);
        }
        Ok(place)
    }

    /// Appends an instruction in the way that is quickest: `None` where it is not known to be the same as
    /// [`Sections::append`], and nothing is done.
    #[inline]
    pub fn append_slots(&mut self, slots: Slots) -> Option<Place> {
        let Slots { first, second } = slots;
        let size = if second.is_some() { 16 } else { 8 };
        let bytes = self.bytes + size;
        let builder = self.all.get_mut(self.current)?;
        let nobits = builder.is_nobits();
        let index = builder.fragments.len().checked_sub(1)?;
        let fragment = builder.fragments.last_mut()?;
        let Content::Bytes(content) = &mut fragment.content else {
            return None;
        };
        if nobits || fragment.part != self.part || bytes > MAX_BYTES {
            return None;
        }
        self.bytes = bytes;
        let place = Place {
            section: self.current,
            fragment: index,
            offset: fragment.size,
        };
        fragment.size += size;
        content.extend_from_slice(&first);
        if let Some(second) = second {
            content.extend_from_slice(&second);
        }
        Some(place)
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
        let size = self.known_size();
        let section = self.section_mut();
        section.align = section.align.max(to);
        match size {
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
        let section = self.section();
        // Most sections have one part, whose last fragment is the last one of all.
        let end = match section.fragments.last() {
            Some(last) if last.part == self.part => Some(section.fragments.len() - 1),
            _ => section.ends.get(&self.part).copied(),
        };
        match end {
            Some(end) if matches!(section.fragments[end].content, Content::Bytes(_)) => end,
            _ => self.append_fragment(0, Content::Bytes(Vec::new())).fragment,
        }
    }

    fn append_fragment(&mut self, size: u64, content: Content) -> Place {
        let part = self.part;
        let start = self.known_size();
        let section = self.section_mut();
        let fragment = section.fragments.len();
        section.fragments.push(Fragment {
            start,
            size,
            content,
            part,
        });
        section.ends.insert(part, fragment);
        Place {
            section: self.current,
            fragment,
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
}

/// Bytes up to the next multiple of `to`, or none when they are more than `most`.
pub fn padding_bytes(offset: u64, to: u64, most: u64) -> u64 {
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
