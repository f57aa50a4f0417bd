//! JSON with places: each value is a stretch of the text, so that what is wrong with it can be shown.
//!
//! serde_json does the reading; its raw values are slices of the text, and where a slice begins is
//! the difference of two addresses. Cost: each level of nesting reads its text once more, and the
//! format has three.

use bpf::diagnostic::{Diagnostic, FileId, Span};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A text that is read, with what is wrong with it.
pub(super) struct Document<'text> {
    text: &'text str,
    file: FileId,
    /// What is wrong.
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// A member of an object: its name and its value.
pub(super) type Member<'text> = (String, &'text RawValue);

struct Members<'text>(Vec<Member<'text>>);

impl<'text> Deserialize<'text> for Members<'text> {
    fn deserialize<D: Deserializer<'text>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'text> Visitor<'text> for Collect {
            type Value = Members<'text>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'text>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry::<String, &'text RawValue>()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

impl<'text> Document<'text> {
    /// A text, and its value if it is JSON at all.
    pub(super) fn of(text: &'text str, file: FileId) -> (Document<'text>, Option<&'text RawValue>) {
        let mut document = Document {
            text,
            file,
            diagnostics: Vec::new(),
        };
        let root = match serde_json::from_str::<&'text RawValue>(text) {
            Ok(root) => Some(root),
            Err(error) => {
                let at = document.offset(error.line(), error.column());
                // The place is shown; the sentence need not repeat it.
                let message = error.to_string();
                let message = message.split(" at line ").next().unwrap_or("not JSON");
                let span = Span::new(file, at, at.saturating_add(1).min(text.len() as u32));
                let diagnostic = Diagnostic::error(format!("the file is not JSON: {message}"));
                document
                    .diagnostics
                    .push(diagnostic.with_primary(span, "here"));
                None
            }
        };
        (document, root)
    }

    /// The byte before which serde_json stopped, which counts lines and bytes in them from 1.
    fn offset(&self, line: usize, column: usize) -> u32 {
        let before: usize = self
            .text
            .split_inclusive('\n')
            .take(line.saturating_sub(1))
            .map(str::len)
            .sum();
        let mut at = (before + column.saturating_sub(1)).min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        u32::try_from(at).unwrap_or(u32::MAX)
    }

    /// Where a value stands.
    fn span(&self, value: &RawValue) -> Span {
        let start = (value.get().as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        let end = start + value.get().len();
        let offset = |at| u32::try_from(at).unwrap_or(u32::MAX);
        Span::new(self.file, offset(start), offset(end))
    }

    /// Where the name before a value stands.
    fn name_span(&self, value: &RawValue, name: &str) -> Span {
        let span = self.span(value);
        let before = self.text.get(..span.start as usize).unwrap_or("");
        let quoted = before.trim_end().trim_end_matches(':').trim_end();
        let end = quoted.len() as u32;
        match end.checked_sub(name.len() as u32 + 2) {
            // A name that is written with escapes is longer; then the value stands for it.
            Some(start) if quoted.ends_with(&format!("\"{name}\"")) => {
                Span::new(self.file, start, end)
            }
            _ => span,
        }
    }

    /// Something is wrong with a value.
    pub(super) fn wrong(&mut self, value: &RawValue, message: String, help: &str) {
        let mut diagnostic = Diagnostic::error(message).with_primary(self.span(value), "");
        if !help.is_empty() {
            diagnostic = diagnostic.with_help(help);
        }
        self.diagnostics.push(diagnostic);
    }

    /// A member that means nothing.
    pub(super) fn unknown(&mut self, value: &RawValue, name: &str, what: &str, help: String) {
        let diagnostic = Diagnostic::error(format!("there is no {what} `{name}`"))
            .with_primary(self.name_span(value, name), "")
            .with_help(help);
        self.diagnostics.push(diagnostic);
    }

    /// An object's members, each once.
    pub(super) fn members(&mut self, value: &'text RawValue, what: &str) -> Vec<Member<'text>> {
        let Ok(Members(all)) = serde_json::from_str::<Members<'text>>(value.get()) else {
            self.wrong(value, format!("{what} is an object"), "");
            return Vec::new();
        };
        let mut members: Vec<Member<'text>> = Vec::new();
        for (name, value) in all {
            if members.iter().any(|(known, _)| *known == name) {
                let diagnostic = Diagnostic::error(format!("`{name}` is given twice"))
                    .with_primary(self.name_span(value, &name), "");
                self.diagnostics.push(diagnostic);
            } else {
                members.push((name, value));
            }
        }
        members
    }

    /// A list's values.
    pub(super) fn list(&mut self, value: &'text RawValue, what: &str) -> Vec<&'text RawValue> {
        serde_json::from_str(value.get()).unwrap_or_else(|_| {
            self.wrong(value, format!("{what} is a list"), "");
            Vec::new()
        })
    }

    /// A number within limits.
    pub(super) fn number(
        &mut self,
        value: &RawValue,
        name: &str,
        min: u64,
        max: u64,
    ) -> Option<u64> {
        let number = serde_json::from_str::<u64>(value.get()).ok();
        let number = number.filter(|number| (min..=max).contains(number));
        if number.is_none() {
            let message = format!("`{name}` is a whole number from {min} to {max}");
            self.wrong(value, message, "");
        }
        number
    }

    /// `true` or `false`.
    pub(super) fn truth(&mut self, value: &RawValue, name: &str) -> Option<bool> {
        let truth = serde_json::from_str(value.get()).ok();
        if truth.is_none() {
            self.wrong(value, format!("`{name}` is true or false"), "");
        }
        truth
    }
}
