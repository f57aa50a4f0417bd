//! Where text comes from: the file, the files that it includes, and the text that macros and
//! repetitions expand to.
//!
//! Every text is a file of the [`SourceMap`], an expansion one with a name such as `<macro m>`, so
//! that a span says all about a place. Texts that are being read are a stack: the reader works on
//! the top one, and a directive that brings in another text pushes it. Nothing recurses.
//!
//! Bounds: [`MAX_DEPTH`] texts inside one another, which also ends a macro or a file that asks for
//! itself, and [`MAX_BYTES`] of included and expanded text in all.

use std::sync::Arc;

use bpf::diagnostic::{Diagnostic, FileId, SourceMap, Span};

pub use super::origins::Kind;
use super::origins::Origins;
use super::raw::{self, RawStatement};

/// Texts that may be inside one another.
pub const MAX_DEPTH: usize = 100;

/// Most text that files and expansions may bring in.
pub const MAX_BYTES: usize = 1 << 26;

/// What a text costs beside its bytes, so that empty ones cannot go on forever.
const TEXT_COST: usize = 64;

/// A text that is being read.
#[derive(Debug)]
pub struct Frame {
    /// The text.
    pub text: Arc<String>,
    /// Its file.
    pub file: FileId,
    /// Where the next statement begins.
    pub position: usize,
    /// Why it is read.
    pub kind: Kind,
    /// Conditionals that were open where it begins.
    pub conditionals: usize,
}

/// All texts.
#[derive(Debug)]
pub struct Sources<'m> {
    map: &'m mut SourceMap,
    main: FileId,
    stack: Vec<Frame>,
    /// Where texts come from.
    pub origins: Origins,
    bytes: usize,
    /// Whether reading goes on at another place than behind the last statement.
    pub moved: bool,
}

impl<'m> Sources<'m> {
    /// Ready to read a file of the map.
    pub fn new(map: &'m mut SourceMap, main: FileId) -> Sources<'m> {
        let text = map.file(main).map(|file| Arc::clone(&file.text));
        let frame = text.map(|text| Frame {
            text,
            file: main,
            position: 0,
            kind: Kind::Main,
            conditionals: 0,
        });
        Sources {
            map,
            main,
            stack: frame.into_iter().collect(),
            origins: Origins::default(),
            bytes: 0,
            moved: false,
        }
    }

    /// The file that was given.
    pub fn main(&self) -> FileId {
        self.main
    }

    /// The text under a span.
    pub fn text(&self, span: Span) -> &str {
        self.map.text(span)
    }

    /// The whole text of a file.
    pub fn whole(&self, file: FileId) -> Arc<String> {
        match self.map.file(file) {
            Some(file) => Arc::clone(&file.text),
            None => Arc::default(),
        }
    }

    /// The name of the file that is being read, whatever it expands at the moment.
    pub fn file_name(&self) -> &str {
        let mut files = self.stack.iter().rev();
        let frame = files.find(|frame| frame.kind != Kind::Expansion);
        let file = frame.and_then(|frame| self.map.file(frame.file));
        file.map_or("", |file| &file.name)
    }

    /// The text that is being read.
    pub fn top(&self) -> Option<&Frame> {
        self.stack.last()
    }

    /// Notes where the next statement of the current text begins.
    pub fn set_position(&mut self, position: usize) {
        if let Some(frame) = self.stack.last_mut() {
            frame.position = position;
        }
    }

    /// Goes on behind or before a statement that was only looked at.
    pub fn move_to(&mut self, position: usize) {
        self.set_position(position);
        self.moved = true;
    }

    /// Leaves the current text.
    pub fn pop(&mut self) -> Option<Frame> {
        self.moved = true;
        self.stack.pop()
    }

    /// The next statement of the current text without its meaning, and the text.
    pub fn raw(&self, from: usize) -> Option<RawStatement<'_>> {
        raw::statement(&self.stack.last()?.text, from)
    }

    /// The innermost macro or repetition.
    pub fn expansion(&self) -> Option<usize> {
        self.stack
            .iter()
            .rposition(|frame| frame.kind == Kind::Expansion)
    }

    /// Leaves texts until `depth` are left; the conditionals that were open at the last one's start.
    pub fn unwind(&mut self, depth: usize) -> Option<usize> {
        let mut conditionals = None;
        while self.stack.len() > depth {
            conditionals = self.pop().map(|frame| frame.conditionals);
        }
        conditionals
    }

    /// Whether so much more text may be read; asked before the text is made.
    pub fn reserve(&mut self, bytes: usize, at: Span) -> Result<(), Diagnostic> {
        let cost = bytes.saturating_add(TEXT_COST);
        match self.bytes.checked_add(cost) {
            Some(total) if total <= MAX_BYTES => {
                self.bytes = total;
                Ok(())
            }
            _ => Err(Diagnostic::error(
                "macros, repetitions and included files become too much text",
            )
            .with_primary(at, "this goes beyond the limit")
            .with_note(format!("they may bring in {} MiB in all", MAX_BYTES >> 20))),
        }
    }

    /// How much more text may be read.
    pub fn room(&self) -> usize {
        MAX_BYTES.saturating_sub(self.bytes)
    }

    /// Reads this text next; what it may cost was asked before.
    pub fn push(
        &mut self,
        name: String,
        text: String,
        at: Span,
        kind: Kind,
        conditionals: usize,
    ) -> Result<(), Diagnostic> {
        if self.stack.len() >= MAX_DEPTH {
            return Err(Diagnostic::error(format!(
                "macros, repetitions and files are more than {MAX_DEPTH} levels deep"
            ))
            .with_primary(at, "")
            .with_help("end a macro that calls itself by a condition"));
        }
        let added = self.map.add(name, text);
        let Some((file, text)) = added.and_then(|file| {
            let text = &self.map.file(file)?.text;
            Some((file, Arc::clone(text)))
        }) else {
            return Err(Diagnostic::error("the text is too large").with_primary(at, ""));
        };
        self.origins.add(file, at, kind);
        self.stack.push(Frame {
            text,
            file,
            position: 0,
            kind,
            conditionals,
        });
        self.moved = true;
        Ok(())
    }
}
