//! Source positions and diagnostics as plain data.
//!
//! A library part of the compiler never prints: it returns [`Diagnostic`]s, and the command line
//! decides on colours, JSON and streams. A [`Span`] is 12 bytes and `Copy`, so that every token and
//! every syntax node can afford one; offsets are bytes, and a file is limited to 4 GiB by that.

mod suggestion;

use std::sync::{Arc, OnceLock};

pub use suggestion::{Edit, Suggestion};

/// Index of a file in a [`SourceMap`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u32);

/// A half-open range of bytes in one file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// A span from its parts; an end before the start is moved to the start.
    #[must_use]
    #[inline]
    pub fn new(file: FileId, start: u32, end: u32) -> Span {
        Span {
            file,
            start,
            end: end.max(start),
        }
    }

    /// The empty span at `offset`.
    #[must_use]
    pub fn point(file: FileId, offset: u32) -> Span {
        Span {
            file,
            start: offset,
            end: offset,
        }
    }

    /// The smallest span that covers both; `self` when they lie in different files.
    #[must_use]
    pub fn to(self, other: Span) -> Span {
        if self.file != other.file {
            return self;
        }
        Span {
            file: self.file,
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }

    /// The range as a slice index.
    #[must_use]
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }

    /// Number of bytes covered.
    #[must_use]
    pub fn len(self) -> u32 {
        self.end.saturating_sub(self.start)
    }

    /// Whether no byte is covered.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// How grave a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Information that needs no action.
    Note,
    /// How something could be done better or is meant.
    Help,
    /// Suspicious, and the result is still produced.
    Warning,
    /// The input is refused.
    Error,
}

impl Severity {
    /// Lower-case word, as printed and as used in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Help => "help",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// A place in the source with what is to be said about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// Text beside the underline; may be empty.
    pub message: String,
    /// Whether this is the place that is wrong, rather than one that explains it.
    pub primary: bool,
}

/// Something to tell the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How grave.
    pub severity: Severity,
    /// Stable short name, if this kind of diagnostic has one.
    pub code: Option<&'static str>,
    /// One sentence without a full stop.
    pub message: String,
    /// Places, in the order in which they were added.
    pub labels: Vec<Label>,
    /// Further facts.
    pub notes: Vec<String>,
    /// What the user can do.
    pub help: Vec<String>,
    /// Changes of the text that would repair it.
    pub suggestions: Vec<Suggestion>,
}

impl Diagnostic {
    /// A diagnostic without places.
    #[must_use]
    pub fn new(severity: Severity, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            severity,
            code: None,
            message: message.into(),
            labels: Vec::new(),
            notes: Vec::new(),
            help: Vec::new(),
            suggestions: Vec::new(),
        }
    }

    /// An error.
    #[must_use]
    pub fn error(message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Error, message)
    }

    /// A warning.
    #[must_use]
    pub fn warning(message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Warning, message)
    }

    /// Sets the stable short name.
    #[must_use]
    pub fn with_code(mut self, code: &'static str) -> Diagnostic {
        self.code = Some(code);
        self
    }

    /// Adds the place that is wrong.
    #[must_use]
    pub fn with_primary(self, span: Span, message: impl Into<String>) -> Diagnostic {
        self.with_label(span, message, true)
    }

    /// Adds a place that explains.
    #[must_use]
    pub fn with_secondary(self, span: Span, message: impl Into<String>) -> Diagnostic {
        self.with_label(span, message, false)
    }

    /// Adds a note.
    #[must_use]
    pub fn with_note(mut self, note: impl Into<String>) -> Diagnostic {
        self.notes.push(note.into());
        self
    }

    /// Adds a piece of advice.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help.push(help.into());
        self
    }

    /// The first primary place, or the first place of any kind.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        let primary = self.labels.iter().find(|label| label.primary);
        primary.or(self.labels.first()).map(|label| label.span)
    }

    /// Whether the input is refused because of this.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    fn with_label(mut self, span: Span, message: impl Into<String>, primary: bool) -> Diagnostic {
        self.labels.push(Label {
            span,
            message: message.into(),
            primary,
        });
        self
    }
}

/// A file's name and text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Name as shown to the user.
    pub name: String,
    /// Whole text, shared with whoever reads it while further files are added.
    pub text: Arc<String>,
    /// Found when first asked for: most files never are.
    line_starts: OnceLock<Vec<u32>>,
    /// Number of each line, where lines are not counted from 1.
    line_numbers: Vec<u32>,
}

/// All files that spans point into, in the order in which they were added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceMap {
    files: Vec<SourceFile>,
}

impl SourceMap {
    /// A map without files.
    #[must_use]
    pub fn new() -> SourceMap {
        SourceMap::default()
    }

    /// Adds a file; `None` when its text cannot be addressed by 32-bit offsets.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> Option<FileId> {
        self.add_numbered(name, text, Vec::new())
    }

    /// Adds parts of a file, with the number, from 1, of each line that is there; lines that are
    /// left out need no room. `None` as for [`SourceMap::add`].
    pub fn add_numbered(
        &mut self,
        name: impl Into<String>,
        text: impl Into<String>,
        line_numbers: Vec<u32>,
    ) -> Option<FileId> {
        let text = Arc::new(text.into());
        u32::try_from(text.len()).ok()?;
        let id = FileId(u32::try_from(self.files.len()).ok()?);
        self.files.push(SourceFile {
            name: name.into(),
            text,
            line_starts: OnceLock::new(),
            line_numbers,
        });
        Some(id)
    }

    /// The file, if the map has it.
    #[must_use]
    pub fn file(&self, id: FileId) -> Option<&SourceFile> {
        self.files.get(id.0 as usize)
    }

    /// All files with their ids.
    pub fn files(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        (0u32..).map(FileId).zip(&self.files)
    }

    /// The text under a span; empty when the span points outside.
    #[must_use]
    pub fn text(&self, span: Span) -> &str {
        self.file(span.file)
            .and_then(|file| file.text.get(span.range()))
            .unwrap_or("")
    }

    /// Line and column of a span's start, both counted from 1, the column in characters.
    #[must_use]
    pub fn line_column(&self, span: Span) -> Option<(u32, u32)> {
        self.file(span.file)
            .map(|file| file.line_column(span.start))
    }
}

impl SourceFile {
    /// Line and column of a byte offset, both counted from 1, the column in characters.
    #[must_use]
    pub fn line_column(&self, offset: u32) -> (u32, u32) {
        let index = self.line_index(offset);
        let start = self.line_starts().get(index).copied().unwrap_or(0);
        let before = self.text.get(start as usize..offset as usize).unwrap_or("");
        (self.line_number(index), before.chars().count() as u32 + 1)
    }

    /// Index, from 0, of the line that a byte offset lies in.
    #[must_use]
    pub fn line_index(&self, offset: u32) -> usize {
        let after = self.line_starts().partition_point(|&start| start <= offset);
        after.saturating_sub(1)
    }

    /// Bytes of the line with an index, its newline included; `None` if there is no such line.
    #[must_use]
    pub fn line_range(&self, index: usize) -> Option<std::ops::Range<usize>> {
        let starts = self.line_starts();
        let start = *starts.get(index)? as usize;
        let next = starts.get(index + 1);
        Some(start..next.map_or(self.text.len(), |next| *next as usize))
    }

    /// The number that people know the line with an index by.
    #[must_use]
    pub fn line_number(&self, index: usize) -> u32 {
        let number = self.line_numbers.get(index).copied();
        number.unwrap_or(index as u32 + 1)
    }

    fn line_starts(&self) -> &[u32] {
        self.line_starts.get_or_init(|| {
            let bytes = self.text.bytes().enumerate();
            let newlines = bytes.filter(|&(_, byte)| byte == b'\n');
            std::iter::once(0)
                .chain(newlines.map(|(offset, _)| offset as u32 + 1))
                .collect()
        })
    }

    /// The text of a line counted from 1, without its newline.
    #[must_use]
    pub fn line(&self, line: u32) -> Option<&str> {
        self.text.lines().nth(line.checked_sub(1)? as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one() {
        let mut map = SourceMap::new();
        let file = map.add("a.s", "r0 = 1\n  é exit\n").unwrap();
        assert_eq!(map.line_column(Span::point(file, 0)), Some((1, 1)));
        assert_eq!(map.line_column(Span::point(file, 7)), Some((2, 1)));
        assert_eq!(map.line_column(Span::point(file, 12)), Some((2, 5)));
        assert_eq!(map.text(Span::new(file, 12, 16)), "exit");
        assert_eq!(map.text(Span::new(FileId(9), 0, 1)), "");
        assert_eq!(
            map.file(file).and_then(|file| file.line(2)),
            Some("  é exit")
        );
    }

    #[test]
    fn spans_join_within_a_file_only() {
        let one = Span::new(FileId(0), 3, 5);
        assert_eq!(
            one.to(Span::new(FileId(0), 9, 12)),
            Span::new(FileId(0), 3, 12)
        );
        assert_eq!(one.to(Span::new(FileId(1), 9, 12)), one);
        assert_eq!(Span::new(FileId(0), 5, 2).len(), 0);
    }

    #[test]
    fn the_primary_label_is_the_diagnostics_place() {
        let here = Span::new(FileId(0), 1, 2);
        let diagnostic = Diagnostic::error("no such register")
            .with_code("E001")
            .with_secondary(Span::new(FileId(0), 7, 8), "declared here")
            .with_primary(here, "this one")
            .with_help("registers are r0 to r10");
        assert_eq!(diagnostic.span(), Some(here));
        assert!(diagnostic.is_error());
    }
}
