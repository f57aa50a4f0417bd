//! Where instructions lie, and their texts.
//!
//! There are millions of them in a long file, so each takes 8 bytes, and what was noted while the text
//! was read is the result itself wherever sections were filled in one go.

use std::ops::Range;

use bpf::diagnostic::{FileId, Span};
use bpf::object::SectionId;

use super::layout::Place;

/// The instructions of an object that was assembled, by place.
#[derive(Clone, Debug, Default)]
pub struct Instructions {
    /// By section, none empty.
    parts: Vec<(SectionId, Range<usize>)>,
    all: Texts,
}

/// Where one instruction lies: the offset and the length of its text, and the first byte of that.
///
/// From the highest bit: 26 bits, since sections hold less than [`MAX_BYTES`] together and the
/// instruction has to end by then; 6 bits; 32 bits, since a text is at most 4 GiB long.
///
/// [`MAX_BYTES`]: super::layout::MAX_BYTES
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Located(u64);

const OFFSET_SHIFT: u32 = 38;
const LENGTH_SHIFT: u32 = 32;
/// The length of a text that is at least as long.
const LONG: u64 = 63;

impl Located {
    #[inline]
    fn new(offset: u64, span: Span) -> Located {
        // No instruction lies behind that.
        let offset = offset.min((1 << 26) - 1);
        let length = u64::from(span.end.wrapping_sub(span.start)).min(LONG);
        Located(offset << OFFSET_SHIFT | length << LENGTH_SHIFT | u64::from(span.start))
    }

    /// First byte in its section.
    #[inline]
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.0 >> OFFSET_SHIFT
    }
}

/// Instructions with their texts.
#[derive(Clone, Debug, Default)]
struct Texts {
    all: Vec<Located>,
    /// The file of each text, by the first one in it.
    files: Vec<(usize, FileId)>,
    /// The end of each long text, by the instruction.
    long: Vec<(usize, u32)>,
}

impl Texts {
    // A call would cost as much as what is done.
    #[inline(always)]
    fn push(&mut self, offset: u64, span: Span) {
        let is_long = u64::from(span.end.wrapping_sub(span.start)) >= LONG;
        if is_long || self.files.last().is_none_or(|last| last.1 != span.file) {
            self.note(span, is_long);
        }
        self.all.push(Located::new(offset, span));
    }

    /// What few instructions need.
    #[cold]
    fn note(&mut self, span: Span, is_long: bool) {
        let index = self.all.len();
        if is_long {
            self.long.push((index, span.end));
        }
        if self.files.last().is_none_or(|last| last.1 != span.file) {
            self.files.push((index, span.file));
        }
    }

    fn span(&self, index: usize) -> Option<Span> {
        let Located(bits) = *self.all.get(index)?;
        let after = self.files.partition_point(|(first, _)| *first <= index);
        let (_, file) = *self.files.get(after.checked_sub(1)?)?;
        let start = bits as u32;
        let end = match bits >> LENGTH_SHIFT & LONG {
            LONG => {
                let found = self.long.binary_search_by_key(&index, |long| long.0);
                self.long.get(found.ok()?)?.1
            }
            length => start + length as u32,
        };
        Some(Span { file, start, end })
    }
}

/// From places in order.
impl FromIterator<(SectionId, u64, Span)> for Instructions {
    fn from_iter<T: IntoIterator<Item = (SectionId, u64, Span)>>(places: T) -> Instructions {
        let mut made = Instructions::default();
        for (section, offset, span) in places {
            made.all.push(offset, span);
            made.close(section);
        }
        made
    }
}

impl Instructions {
    /// The instructions of each section that has some, by offset, and the index of the first one.
    pub fn sections(&self) -> impl Iterator<Item = (SectionId, usize, &[Located])> {
        let parts = self.parts.iter();
        parts.map(|(section, range)| {
            let list = self.all.all.get(range.clone());
            (*section, range.start, list.unwrap_or_default())
        })
    }

    /// The text of the instruction with an index.
    #[must_use]
    pub fn text(&self, index: usize) -> Option<Span> {
        self.all.span(index)
    }

    /// The text of the instruction at a byte of a section.
    #[must_use]
    pub fn span(&self, section: SectionId, offset: u64) -> Option<Span> {
        let found = self.parts.binary_search_by_key(&section, |part| part.0);
        let (_, range) = self.parts.get(found.ok()?)?;
        let list = self.all.all.get(range.clone())?;
        let found = list.binary_search_by_key(&offset, Located::offset);
        self.text(range.start + found.ok()?)
    }

    /// Changes all places of texts.
    pub(super) fn change_spans(&mut self, change: impl Fn(Span) -> Span) {
        let old = std::mem::take(&mut self.all);
        for (index, one) in old.all.iter().enumerate() {
            if let Some(span) = old.span(index) {
                self.all.push(one.offset(), change(span));
            }
        }
    }

    /// What was added last belongs to this section.
    fn close(&mut self, section: SectionId) {
        let end = self.all.all.len();
        match self.parts.last_mut() {
            Some((last, range)) if *last == section => range.end = end,
            last => {
                let start = last.map_or(0, |(_, range)| range.end);
                self.parts.push((section, start..end));
            }
        }
    }
}

/// The instructions that have been written so far, in the order of the text. Offsets are from the
/// start of a fragment.
#[derive(Debug, Default)]
pub struct Written {
    runs: Vec<Run>,
    all: Texts,
}

/// Instructions one after the other in a fragment.
#[derive(Clone, Copy, Debug)]
struct Run {
    section: usize,
    fragment: usize,
    first: usize,
}

impl Written {
    /// Notes an instruction.
    // As above.
    #[inline(always)]
    pub fn push(&mut self, place: Place, span: Span) {
        let Place {
            section,
            fragment,
            offset,
        } = place;
        let last = self.runs.last();
        if last.is_none_or(|run| run.section != section || run.fragment != fragment) {
            self.begin(section, fragment);
        }
        self.all.push(offset, span);
    }

    #[cold]
    fn begin(&mut self, section: usize, fragment: usize) {
        self.runs.push(Run {
            section,
            fragment,
            first: self.all.all.len(),
        });
    }

    /// Where each instruction lies.
    pub fn places(&self) -> impl Iterator<Item = Place> {
        self.ranges().flat_map(|(run, range)| {
            let list = self.all.all.get(range).unwrap_or_default();
            list.iter().map(move |one| Place {
                section: run.section,
                fragment: run.fragment,
                offset: one.offset(),
            })
        })
    }

    fn ranges(&self) -> impl Iterator<Item = (Run, Range<usize>)> {
        let ends = self.runs.iter().skip(1).map(|run| run.first);
        let ends = ends.chain([self.all.all.len()]);
        let runs = self.runs.iter().zip(ends);
        runs.map(|(run, end)| (*run, run.first..end))
    }

    /// All of them by place, with what is known at the end: the section and the offset of a fragment.
    pub fn finish(self, place: impl Fn(usize, usize) -> Option<(SectionId, u64)>) -> Instructions {
        let runs = self.ranges().filter_map(|(run, range)| {
            let (section, start) = place(run.section, run.fragment)?;
            Some((section, start, range))
        });
        let mut runs: Vec<_> = runs.collect();
        let is_done = runs.is_sorted_by_key(|run| run.0) && runs.iter().all(|run| run.1 == 0);
        if is_done && runs.len() == self.runs.len() {
            // A fragment only grows, and it is the first of its section.
            let mut made = Instructions::default();
            for (section, _, range) in runs {
                match made.parts.last_mut() {
                    Some((last, whole)) if *last == section => whole.end = range.end,
                    _ => made.parts.push((section, range)),
                }
            }
            made.all = self.all;
            return made;
        }
        // Runs of one fragment follow one another as they were written.
        runs.sort_by_key(|run| (run.0, run.1));
        let mut made = Instructions::default();
        for (section, start, range) in runs {
            for index in range {
                let one = self.all.all.get(index).zip(self.all.span(index));
                if let Some((one, span)) = one {
                    made.all.push(start + one.offset(), span);
                }
            }
            made.close(section);
        }
        made
    }
}

#[cfg(test)]
mod tests {
    use super::{FileId, Instructions, SectionId, Span};

    #[test]
    fn places_come_back_as_they_were() {
        let (first, second) = (SectionId(2), SectionId(4));
        let places = [
            (first, 0, Span::new(FileId(0), 0, 4)),
            (first, 8, Span::new(FileId(0), 10, 72)),
            (first, 24, Span::new(FileId(0), 80, 143)),
            (first, 33, Span::new(FileId(7), 0, 4_000_000_000)),
            (second, 0, Span::new(FileId(7), 4_294_967_290, u32::MAX)),
            (second, (1 << 26) - 8, Span::new(FileId(0), 5, 5)),
        ];
        let made: Instructions = places.into_iter().collect();
        for (section, offset, span) in places {
            assert_eq!(made.span(section, offset), Some(span));
        }
        for (section, offset) in [(first, 4), (first, 41), (SectionId(3), 0), (second, 8)] {
            assert_eq!(made.span(section, offset), None);
        }
        let counts = made.sections().map(|(_, first, list)| (first, list.len()));
        assert_eq!(counts.collect::<Vec<_>>(), [(0, 4), (4, 2)]);
    }
}
