//! Changes of the text that would repair it.
//!
//! Advice in words is for people; a [`Suggestion`] can be carried out by an editor too. It is only
//! made where the meant text is clear, and it replaces whole tokens, so that what it leaves is text
//! that the same reader understands. Applying costs one copy of the text.

use super::{Diagnostic, FileId, Span};

/// One change of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What goes; empty to insert.
    pub span: Span,
    /// What comes in its place.
    pub replacement: String,
}

/// A repair: changes that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// What to do, as a sentence without a full stop.
    pub message: String,
    /// The changes; no two overlap.
    pub edits: Vec<Edit>,
}

impl Suggestion {
    /// The text of a file after the changes; `None` when one lies in another file, outside of the
    /// text, or in the way of another one.
    #[must_use]
    pub fn apply(&self, file: FileId, text: &str) -> Option<String> {
        let mut edits: Vec<&Edit> = self.edits.iter().collect();
        edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
        let mut result = String::with_capacity(text.len());
        let mut at = 0;
        for edit in edits {
            if edit.span.file != file {
                return None;
            }
            result.push_str(text.get(at..edit.span.start as usize)?);
            result.push_str(&edit.replacement);
            text.get(edit.span.range())?;
            at = edit.span.end as usize;
        }
        result.push_str(text.get(at..)?);
        Some(result)
    }
}

impl Diagnostic {
    /// Suggests another text for a place: "write `…`".
    #[must_use]
    pub fn with_replacement(self, span: Span, replacement: impl Into<String>) -> Diagnostic {
        let replacement = replacement.into();
        let message = format!("write `{replacement}`");
        self.with_change(message, span, replacement)
    }

    /// Suggests one change, described by a sentence.
    #[must_use]
    pub fn with_change(
        self,
        message: impl Into<String>,
        span: Span,
        replacement: impl Into<String>,
    ) -> Diagnostic {
        let replacement = replacement.into();
        self.with_suggestion(message, vec![Edit { span, replacement }])
    }

    /// Suggests changes that belong together.
    #[must_use]
    pub fn with_suggestion(mut self, message: impl Into<String>, edits: Vec<Edit>) -> Diagnostic {
        self.suggestions.push(Suggestion {
            message: message.into(),
            edits,
        });
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suggestion(edits: &[(u32, u32, &str)]) -> Suggestion {
        let edits = edits.iter().map(|&(start, end, text)| Edit {
            span: Span::new(FileId(0), start, end),
            replacement: text.to_owned(),
        });
        Suggestion {
            message: String::new(),
            edits: edits.collect(),
        }
    }

    #[test]
    fn changes_are_made_in_the_order_of_the_text() {
        let both = suggestion(&[(5, 7, "r2"), (0, 0, "f: ")]);
        assert_eq!(
            both.apply(FileId(0), "r1 = w2").as_deref(),
            Some("f: r1 = r2")
        );
    }

    #[test]
    fn what_does_not_fit_the_text_is_not_applied() {
        assert_eq!(suggestion(&[(0, 9, "")]).apply(FileId(0), "exit"), None);
        assert_eq!(suggestion(&[(0, 1, "")]).apply(FileId(1), "exit"), None);
        assert_eq!(suggestion(&[(0, 1, "")]).apply(FileId(0), "é"), None);
        let overlapping = suggestion(&[(0, 3, "a"), (2, 4, "b")]);
        assert_eq!(overlapping.apply(FileId(0), "exit"), None);
    }
}
