//! Rows of the line table, collected while code is read.
//!
//! `.loc` names the line of what comes next, and a row is made when that comes: bytes, or another
//! `.loc`. A switch to another section drops a line that still waits, as llvm-mc does. Each section
//! has a run of rows of its own, whose places only grow.
//!
//! Cost: constant per `.loc`.

use rustc_hash::FxHashMap;

use crate::asm::layout::Place;

/// What `.loc` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Number of the source file.
    pub file: u32,
    /// Line, from 1; 0 for code that belongs to none.
    pub line: u32,
    /// Column, from 1; 0 for the whole line.
    pub column: u32,
    /// Whether a breakpoint may be put here.
    pub is_statement: bool,
    /// `basic_block`
    pub begins_block: bool,
    /// `prologue_end`
    pub ends_prologue: bool,
    /// `epilogue_begin`
    pub begins_epilogue: bool,
    /// `isa`
    pub isa: u32,
    /// Tells blocks on one line apart.
    pub discriminator: u32,
}

impl Line {
    /// Where a run of rows begins by definition.
    pub fn initial() -> Line {
        Line {
            file: 1,
            line: 1,
            column: 0,
            is_statement: true,
            begins_block: false,
            ends_prologue: false,
            begins_epilogue: false,
            isa: 0,
            discriminator: 0,
        }
    }
}

/// The rows of a section.
#[derive(Debug)]
pub struct Sequence {
    /// Index of the section.
    pub section: usize,
    /// Rows by place.
    pub rows: Vec<(Place, Line)>,
}

/// All rows.
#[derive(Debug, Default)]
pub struct Lines {
    /// Runs in the order of their first rows.
    pub sequences: Vec<Sequence>,
    by_section: FxHashMap<usize, usize>,
    pending: Option<Line>,
    last_is_no_statement: bool,
}

impl Lines {
    /// What the next `.loc` starts from: `is_stmt` stays as it was.
    pub fn next_is_statement(&self) -> bool {
        !self.last_is_no_statement
    }

    /// Lets a line wait for what it describes.
    pub fn wait(&mut self, line: Line) {
        self.last_is_no_statement = !line.is_statement;
        self.pending = Some(line);
    }

    /// Whether a line waits for what comes next.
    pub fn is_pending(&self) -> bool {
        self.pending.is_some()
    }

    /// The line that waits.
    pub fn take_pending(&mut self) -> Option<Line> {
        self.pending.take()
    }

    /// Adds a row.
    pub fn add(&mut self, place: Place, line: Line) {
        let sequences = &mut self.sequences;
        let index = *self.by_section.entry(place.section).or_insert_with(|| {
            sequences.push(Sequence {
                section: place.section,
                rows: Vec::new(),
            });
            sequences.len() - 1
        });
        if let Some(sequence) = self.sequences.get_mut(index) {
            sequence.rows.push((place, line));
        }
    }
}
