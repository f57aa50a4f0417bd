//! The instructions of an object, with their places and what relocations say of them.
//!
//! Instructions are read back from the bytes, so that jumps are where they were resolved to. What
//! cannot be decoded is no instruction here, and its section is not followed.
//!
//! There can be millions of instructions, so none is kept: each is decoded again where it is looked
//! at, which costs less than fetching it from memory. Kept are only the few kinds that one has to
//! look at without following the code.

use std::ops::Range;

use bpf::diagnostic::Span;
use bpf::helpers;
use bpf::insn::{CallTarget, Endian, Insn, Reg, Slot};
use bpf::object::{
    Object, R_BPF_64_32, R_BPF_64_64, STT_SECTION, SectionId, SymbolId, SymbolPlace,
};
use rustc_hash::FxHashMap;

use super::super::{Instructions, Located};
use super::effects::{Effect, Effects};

/// Bytes in a slot.
const SLOT: u64 = Slot::SIZE as u64;

/// One instruction.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// First byte in the section.
    pub offset: u64,
    /// What it is.
    pub insn: Insn,
    /// Its size in bytes.
    pub size: u64,
    /// Its text.
    pub span: Span,
}

impl Step {
    /// Byte after it.
    pub fn end(&self) -> u64 {
        self.offset.wrapping_add(self.size)
    }

    /// The byte that so many slots after its end lie at.
    pub fn target(&self, slots: i32) -> u64 {
        over(self.end(), slots)
    }
}

/// The byte so many slots behind another one.
pub fn over(offset: u64, slots: i32) -> u64 {
    offset.wrapping_add_signed(i64::from(slots) * SLOT as i64)
}

/// What a relocation refers to.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The symbol.
    pub symbol: SymbolId,
    /// Section and byte, if it is defined here.
    pub place: Option<(SectionId, u64)>,
    /// Whether the instruction calls it.
    pub is_call: bool,
}

/// The instructions of one section.
#[derive(Debug)]
pub struct Part<'a> {
    /// The section.
    pub section: SectionId,
    /// Instructions that call something else than a helper that there is, write the frame pointer, or
    /// store a number in less than 32 bits.
    pub notable: Vec<Step>,
    /// What relocations at instructions refer to, by offset.
    pub targets: FxHashMap<u64, Target>,
    /// Whether all of its instructions could be decoded.
    pub is_known: bool,
    /// Whether it has jumps to places in registers.
    pub jumps_anywhere: bool,
    /// Bytes with nothing but instructions in them, each as long as can be.
    runs: Vec<Range<u64>>,
    data: &'a [u8],
    endian: Endian,
    effects: Effects,
    /// Where instructions lie, by offset.
    places: &'a [Located],
    /// Those of all sections, and the index of this one's first among them.
    all: (&'a Instructions, usize),
}

impl Part<'_> {
    /// Number of instructions.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// The instruction with an index, if it is one.
    pub fn step(&self, index: usize) -> Option<Step> {
        let place = self.places.get(index)?;
        let offset = place.offset();
        let first = self.slot(offset)?;
        // No instruction has more than two slots; a list of its own for each would cost more than
        // decoding it.
        let decoded = match self.slot(offset.checked_add(SLOT)?) {
            Some(second) => Insn::decode(&[first, second]),
            None => Insn::decode(&[first]),
        };
        let (insn, count) = decoded.ok()?;
        let (all, before) = self.all;
        Some(Step {
            offset,
            insn,
            size: count as u64 * SLOT,
            span: all.text(before + index)?,
        })
    }

    /// Slot and end of the instruction with an index, and its effect if it is a plain one.
    #[inline]
    pub fn plain(&self, index: usize) -> Option<(Slot, u64, Effect)> {
        let offset = self.places.get(index)?.offset();
        let slot = self.slot(offset)?;
        let effect = self.effects.of(slot)?;
        let size = if effect.is_wide() { 2 * SLOT } else { SLOT };
        Some((slot, offset.checked_add(size)?, effect))
    }

    /// End of the instruction at a byte, if it is a plain one that is not notable.
    #[inline]
    fn end_of_unremarkable(&self, offset: u64) -> Option<u64> {
        let start = usize::try_from(offset).ok()?;
        let &[opcode, registers] = self.data.get(start..)?.first_chunk()?;
        let dst = match self.endian {
            Endian::Little => registers & 15,
            Endian::Big => registers >> 4,
        };
        let effect = self.effects.of_opcode(opcode)?;
        if effect.is_narrow_store() || effect.writes_to(Reg(dst)).contains(Reg::FRAME) {
            return None;
        }
        Some(offset + if effect.is_wide() { 2 * SLOT } else { SLOT })
    }

    #[inline]
    fn slot(&self, offset: u64) -> Option<Slot> {
        let bytes = self.data.get(usize::try_from(offset).ok()?..)?;
        let bytes = bytes.first_chunk()?;
        Some(Slot::from_bytes(*bytes, self.endian))
    }

    /// First byte of the instruction with an index.
    pub fn offset(&self, index: usize) -> Option<u64> {
        self.places.get(index).map(Located::offset)
    }

    /// Index of the instruction at a byte.
    pub fn at(&self, offset: u64) -> Option<usize> {
        self.within(offset, 0, self.places.len())
    }

    /// Whether nothing but instructions lies there.
    pub fn is_code(&self, bytes: &Range<u64>) -> bool {
        let after = self.runs.partition_point(|run| run.start <= bytes.start);
        let before = after.checked_sub(1);
        let Some(run) = before.and_then(|index| self.runs.get(index)) else {
            return bytes.is_empty();
        };
        let is_end = bytes.end == run.end || self.at(bytes.end).is_some();
        bytes.is_empty() || (bytes.end <= run.end && is_end && self.at(bytes.start).is_some())
    }

    /// Index of the instruction at a byte, to which a jump of so many slots leads from behind the one
    /// with the index `from`. Between the two lie at most as many instructions as slots.
    pub fn jump(&self, from: usize, slots: i32, offset: u64) -> Option<usize> {
        let distance = slots.unsigned_abs() as usize;
        let next = from + 1;
        match slots {
            0.. => self.within(
                offset,
                next,
                next.saturating_add(distance).saturating_add(1),
            ),
            _ => self.within(offset, next.saturating_sub(distance), next),
        }
    }

    fn within(&self, offset: u64, first: usize, end: usize) -> Option<usize> {
        let end = end.min(self.places.len());
        let range = self.places.get(first..end)?;
        let found = range.binary_search_by_key(&offset, Located::offset);
        found.ok().map(|index| first + index)
    }
}

/// The instructions of all sections.
#[derive(Debug)]
pub struct Code<'a> {
    /// By section.
    pub parts: Vec<Part<'a>>,
}

impl<'a> Code<'a> {
    /// Decodes an object's instructions, which lie at these places.
    pub fn of(object: &'a Object, instructions: &'a Instructions) -> Code<'a> {
        let sections = instructions.sections();
        let parts = sections
            .map(|(section, first, places)| part(object, section, places, (instructions, first)));
        Code {
            parts: parts.collect(),
        }
    }
}

fn part<'a>(
    object: &'a Object,
    section: SectionId,
    places: &'a [Located],
    all: (&'a Instructions, usize),
) -> Part<'a> {
    let mut part = Part {
        section,
        notable: Vec::new(),
        targets: FxHashMap::default(),
        is_known: true,
        jumps_anywhere: false,
        runs: Vec::new(),
        data: object.data(section),
        endian: object.endian,
        effects: Effects::table(),
        places,
        all,
    };
    let mut run = 0..0;
    for (index, place) in places.iter().enumerate() {
        let end = if let Some(end) = part.end_of_unremarkable(place.offset()) {
            end
        } else if let Some((_, end, _)) = part.plain(index) {
            part.notable.extend(part.step(index));
            end
        } else if let Some(step) = part.step(index) {
            if is_notable(&step.insn) {
                part.notable.push(step);
            }
            part.jumps_anywhere |= matches!(step.insn, Insn::Gotox { .. });
            step.end()
        } else {
            part.is_known = false;
            continue;
        };
        if run.end != place.offset() || run.is_empty() {
            let done = std::mem::replace(&mut run, place.offset()..end);
            part.runs.extend(Some(done).filter(|done| !done.is_empty()));
        }
        run.end = end;
    }
    part.runs.extend(Some(run).filter(|run| !run.is_empty()));
    let relocations = object.section(section).map(|section| &section.relocations);
    for relocation in relocations.into_iter().flatten() {
        let found = part.at(relocation.offset);
        let Some(step) = found.and_then(|index| part.step(index)) else {
            continue;
        };
        let (addend, is_call) = match (step.insn, relocation.kind) {
            (Insn::LoadImm64 { imm, .. }, R_BPF_64_64) => (i64::from(imm as u32 as i32), false),
            (
                Insn::Call {
                    target: CallTarget::Subprogram(slots),
                },
                R_BPF_64_32,
            ) => ((i64::from(slots) + 1) * 8, true),
            _ => continue,
        };
        if let Some(place) = resolved(object, relocation.symbol, addend) {
            let symbol = relocation.symbol;
            let target = Target {
                symbol,
                place,
                is_call,
            };
            part.targets.insert(relocation.offset, target);
        }
    }
    part
}

/// Of those that are not plain.
fn is_notable(insn: &Insn) -> bool {
    match *insn {
        Insn::Call {
            target: CallTarget::Helper(number),
        } => {
            let known = u32::try_from(number).ok().and_then(helpers::by_id);
            known.is_none()
        }
        Insn::Call { .. } => true,
        _ => insn.writes().contains(Reg::FRAME),
    }
}

/// Section and byte that a symbol and an addend refer to, if they are in the object; `None` when there
/// is no such symbol.
pub fn resolved(
    object: &Object,
    symbol: SymbolId,
    addend: i64,
) -> Option<Option<(SectionId, u64)>> {
    let entry = object.symbol(symbol)?;
    let SymbolPlace::Section(section) = entry.place else {
        return Some(None);
    };
    let base = match entry.kind {
        STT_SECTION => 0,
        _ => entry.value,
    };
    Some(Some((section, base.wrapping_add_signed(addend))))
}
