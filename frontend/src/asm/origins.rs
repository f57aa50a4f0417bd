//! Who asked for a text that is not the file that was given, so that what is said about a place in it can
//! say how that came about.

use bpf::diagnostic::{Diagnostic, Edit, FileId, Span};
use rustc_hash::FxHashMap;

/// Ends of a chain of expansions that a diagnostic shows.
const SHOWN: usize = 2;

/// Why a text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It was given.
    Main,
    /// `.include`
    Include,
    /// A macro or a repetition.
    Expansion,
}

/// Who asked for a text.
#[derive(Clone, Copy, Debug)]
struct Origin {
    at: Span,
    kind: Kind,
}

/// Who asked for each text.
#[derive(Clone, Debug, Default)]
pub struct Origins(FxHashMap<FileId, Origin>);

impl Origins {
    /// Notes a text.
    pub(super) fn add(&mut self, file: FileId, at: Span, kind: Kind) {
        self.0.insert(file, Origin { at, kind });
    }

    /// Where a place would be in the order of the text if every text stood where it was asked for.
    #[must_use]
    pub fn order(&self, span: Option<Span>) -> Vec<u32> {
        let mut order = Vec::new();
        let Some(span) = span else {
            return order;
        };
        order.push(span.start);
        order.extend(self.origins_of(span).map(|origin| origin.at.start));
        order.reverse();
        order
    }

    /// Says how the text came about that a diagnostic is in.
    #[must_use]
    pub fn explain(&self, diagnostic: Diagnostic) -> Diagnostic {
        let Some(span) = diagnostic.span() else {
            return diagnostic;
        };
        let count = self.origins_of(span).count();
        let mut diagnostic = diagnostic;
        for (index, origin) in self.origins_of(span).enumerate() {
            if index >= SHOWN && index + SHOWN < count {
                continue;
            }
            let message = match origin.kind {
                Kind::Expansion => "in this expansion",
                _ => "included here",
            };
            diagnostic = diagnostic.with_secondary(origin.at, message);
        }
        match count.checked_sub(2 * SHOWN) {
            None | Some(0) => diagnostic,
            Some(more) => {
                diagnostic.with_note(format!("{more} more expansions are between those shown"))
            }
        }
    }

    /// Leaves only the words of suggestions to change text that a macro made: nobody wrote it.
    pub(super) fn keep_applicable(&self, diagnostic: &mut Diagnostic) {
        let made = |edit: &Edit| {
            let mut origins = self.origins_of(edit.span);
            origins.any(|origin| origin.kind == Kind::Expansion)
        };
        let suggestions = std::mem::take(&mut diagnostic.suggestions).into_iter();
        let (lost, kept): (Vec<_>, Vec<_>) =
            suggestions.partition(|suggestion| suggestion.edits.iter().any(made));
        diagnostic.suggestions = kept;
        let lost = lost.into_iter().map(|suggestion| suggestion.message);
        diagnostic.help.splice(0..0, lost);
    }

    /// The place in the given file that a place in any text comes from.
    pub(super) fn outermost(&self, span: Span) -> Span {
        self.origins_of(span)
            .last()
            .map_or(span, |origin| origin.at)
    }

    fn origins_of(&self, span: Span) -> impl Iterator<Item = Origin> {
        let mut file = span.file;
        std::iter::from_fn(move || {
            let origin = *self.0.get(&file)?;
            file = origin.at.file;
            Some(origin)
        })
    }
}
