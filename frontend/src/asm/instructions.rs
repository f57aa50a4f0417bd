//! Where instructions lie, and their texts.
//!
//! There are millions of them in a long file, so each takes 16 bytes, and what was noted while the
//! text was read is the result itself wherever sections were filled in one go.

use std::ops::Range;

use bpf::diagnostic::Span;
use bpf::object::SectionId;

use super::layout::Place;

/// The instructions of an object that was assembled, by place.
#[derive(Clone, Debug, Default)]
pub struct Instructions {
    /// By section, none empty.
    parts: Vec<(SectionId, Range<usize>)>,
    all: Vec<Located>,
}

/// One instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Located {
    offset: u32,
    /// Its text.
    pub span: Span,
}

impl Located {
    /// First byte in its section. All sections together are bounded to less than 4 GiB.
    #[must_use]
    pub fn offset(&self) -> u64 {
        u64::from(self.offset)
    }
}

impl Instructions {
    /// The instructions of each section that has some, by offset.
    pub fn sections(&self) -> impl Iterator<Item = (SectionId, &[Located])> {
        let parts = self.parts.iter();
        parts.map(|(section, range)| {
            let list = self.all.get(range.clone());
            (*section, list.unwrap_or_default())
        })
    }

    /// The text of the instruction at a byte of a section.
    #[must_use]
    pub fn span(&self, section: SectionId, offset: u64) -> Option<Span> {
        let found = self.parts.binary_search_by_key(&section, |part| part.0);
        let (_, range) = self.parts.get(found.ok()?)?;
        let list = self.all.get(range.clone())?;
        let found = list.binary_search_by_key(&offset, Located::offset);
        list.get(found.ok()?).map(|one| one.span)
    }

    /// Changes all places of texts.
    pub(super) fn change_spans(&mut self, change: impl Fn(Span) -> Span) {
        for one in &mut self.all {
            one.span = change(one.span);
        }
    }
}

/// From places in order.
impl FromIterator<(SectionId, u64, Span)> for Instructions {
    fn from_iter<T: IntoIterator<Item = (SectionId, u64, Span)>>(places: T) -> Instructions {
        let mut made = Instructions::default();
        for (section, offset, span) in places {
            let offset = offset.try_into().unwrap_or(u32::MAX);
            made.all.push(Located { offset, span });
            made.close(section);
        }
        made
    }
}

impl Instructions {
    /// What was added last belongs to this section.
    fn close(&mut self, section: SectionId) {
        let end = self.all.len();
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
    all: Vec<Located>,
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
    #[inline]
    pub fn push(&mut self, place: Place, span: Span) {
        let Place {
            section,
            fragment,
            offset,
        } = place;
        let same = |run: &&Run| (run.section, run.fragment) == (section, fragment);
        if self.runs.last().filter(same).is_none() {
            self.runs.push(Run {
                section,
                fragment,
                first: self.all.len(),
            });
        }
        debug_assert!(u32::try_from(offset).is_ok(), "sections are bounded");
        self.all.push(Located {
            offset: offset as u32,
            span,
        });
    }

    /// Where each instruction lies.
    pub fn places(&self) -> impl Iterator<Item = Place> {
        self.ranges().flat_map(|(run, range)| {
            let list = self.all.get(range).unwrap_or_default();
            list.iter().map(move |one| Place {
                section: run.section,
                fragment: run.fragment,
                offset: one.offset(),
            })
        })
    }

    fn ranges(&self) -> impl Iterator<Item = (Run, Range<usize>)> {
        let ends = self.runs.iter().skip(1).map(|run| run.first);
        let ends = ends.chain([self.all.len()]);
        let runs = self.runs.iter().zip(ends);
        runs.map(|(run, end)| (*run, run.first..end))
    }

    /// All of them by place, with what is known at the end: the section and the offset of a fragment.
    pub fn finish(self, place: impl Fn(usize, usize) -> Option<(SectionId, u64)>) -> Instructions {
        let runs = self.ranges().filter_map(|(run, range)| {
            let (section, start) = place(run.section, run.fragment)?;
            Some((section, u32::try_from(start).ok()?, range))
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
            let list = self.all.get(range).unwrap_or_default();
            made.all.extend(list.iter().map(|one| Located {
                offset: one.offset.saturating_add(start),
                ..*one
            }));
            made.close(section);
        }
        made
    }
}
