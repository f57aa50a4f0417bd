//! Frames of functions, collected while code is read: what `.cfi_startproc`, `.cfi_endproc` and
//! the steps between them say.
//!
//! A step is encoded as soon as it is read, since only the advance of the address in front of it
//! has to wait for layout. The distance from the frame's register to the caller's frame is followed
//! along, for steps that are relative to it; `.cfi_restore_state` brings an old one back.
//!
//! Bound: what the text spells out.

use std::ops::Range;

use bpf::diagnostic::Span;

use crate::asm::layout::Place;
use crate::asm::symbols::SymbolIndex;

/// Steps count offsets in these, downwards.
pub const DATA_UNIT: i64 = -4;
/// Number of the register that holds where to return to, which BPF does not have.
pub const RETURN_COLUMN: u8 = 11;

/// What `.cfi_personality` and `.cfi_lsda` name, and how it is written.
#[derive(Clone, Copy, Debug)]
pub struct Pointer {
    /// `DW_EH_PE_*`
    pub encoding: u8,
    /// Bytes of it.
    pub size: u8,
    /// What it leads to.
    pub symbol: SymbolIndex,
    /// Where that was named.
    pub at: Span,
}

/// The frame of a function.
#[derive(Debug)]
pub struct Frame {
    /// Where it was opened.
    pub opened: Span,
    /// The function's first byte.
    pub start: Place,
    /// The byte after its last.
    pub end: Option<Place>,
    /// For each run of steps where it takes effect, and where its code begins.
    pub steps: Vec<(Place, usize)>,
    /// The steps' code.
    pub code: Vec<u8>,
    /// Labels in the steps' code, each with the run that it stands in, and the bytes before it.
    pub labels: Vec<(usize, usize, SymbolIndex, Span)>,
    /// `.cfi_personality`
    pub personality: Option<Pointer>,
    /// `.cfi_lsda`
    pub lsda: Option<Pointer>,
    /// `.cfi_startproc simple`
    pub is_simple: bool,
    /// `.cfi_signal_frame`
    pub is_signal: bool,
    /// `.cfi_return_column`
    pub return_column: Option<u8>,
    /// Distance to the caller's frame.
    pub distance: i64,
    /// What `.cfi_remember_state` has put away.
    pub remembered: Vec<i64>,
}

impl Frame {
    /// A frame without steps.
    pub fn new(opened: Span, start: Place, is_simple: bool) -> Frame {
        Frame {
            opened,
            start,
            end: None,
            steps: Vec::new(),
            code: Vec::new(),
            labels: Vec::new(),
            personality: None,
            lsda: None,
            is_simple,
            is_signal: false,
            return_column: None,
            distance: 0,
            remembered: Vec::new(),
        }
    }

    /// Appends a step that takes effect at a place.
    pub fn step(&mut self, place: Place, code: &[u8]) {
        if self.steps.last().is_none_or(|(last, _)| *last != place) {
            self.steps.push((place, self.code.len()));
        }
        self.code.extend_from_slice(code);
    }

    /// Puts a label before the step that comes next.
    pub fn label(&mut self, place: Place, symbol: SymbolIndex, at: Span) {
        self.step(place, &[]);
        let run = self.steps.len().saturating_sub(1);
        self.labels.push((run, self.code.len(), symbol, at));
    }

    /// The runs of steps, each with where it takes effect and where its code is.
    pub fn runs(&self) -> impl Iterator<Item = (Place, Range<usize>)> {
        let next = self.steps.iter().skip(1).map(|(_, start)| *start);
        let ends = next.chain([self.code.len()]);
        let runs = self.steps.iter().zip(ends);
        runs.map(|((place, start), end)| (*place, *start..end))
    }
}

/// All frames, and the tables that they go into.
#[derive(Debug)]
pub struct Frames {
    /// Frames in the order of the text.
    pub all: Vec<Frame>,
    /// Whether `.eh_frame` is wanted.
    pub for_exceptions: bool,
    /// Whether `.debug_frame` is wanted.
    pub for_debuggers: bool,
}

impl Default for Frames {
    fn default() -> Frames {
        Frames {
            all: Vec::new(),
            for_exceptions: true,
            for_debuggers: false,
        }
    }
}

impl Frames {
    /// The frame that is not closed yet.
    pub fn open(&mut self) -> Option<&mut Frame> {
        self.all.last_mut().filter(|frame| frame.end.is_none())
    }
}
