//! Diagnostics for people, by codespan-reporting, and for programs, as JSON.

use std::ops::Range;

use bpf::diagnostic::{Diagnostic, FileId, Severity, SourceFile, SourceMap, Span};
use codespan_reporting::diagnostic as codespan;
use codespan_reporting::files::Error;
use codespan_reporting::term::{
    self,
    termcolor::{Buffer, WriteColor},
};
use serde_json::{Value, json};

/// Two texts as a unified difference, with this many lines around each change.
#[must_use]
pub fn difference(before: &str, after: &str, around: usize) -> String {
    similar::TextDiff::from_lines(before, after)
        .unified_diff()
        .context_radius(around)
        .to_string()
}

/// Diagnostics as text without colours.
#[must_use]
pub fn text(map: &SourceMap, diagnostics: &[Diagnostic]) -> String {
    let files = Files(map);
    let config = term::Config::default();
    let mut text = String::new();
    for diagnostic in diagnostics {
        match term::emit_into_string(&config, &files, &convert(diagnostic)) {
            Ok(rendered) => text.push_str(&rendered),
            Err(_) => text.push_str(&format!("{}\n", diagnostic.message)),
        }
    }
    text
}

/// Writes a diagnostic with the colours that the stream has.
///
/// # Errors
/// When the stream refuses, or a label lies outside its file.
pub fn write(
    stream: &mut dyn WriteColor,
    map: &SourceMap,
    diagnostic: &Diagnostic,
) -> Result<(), Error> {
    let files = Files(map);
    let config = term::Config::default();
    term::emit_to_write_style(stream, &config, &files, &convert(diagnostic))
}

/// A diagnostic as text, with colours if they are wanted, and two lines around what it marks.
#[must_use]
pub fn to_string(map: &SourceMap, diagnostic: &Diagnostic, colours: bool) -> String {
    let config = term::Config {
        before_label_lines: 1,
        after_label_lines: 1,
        ..term::Config::default()
    };
    let mut buffer = if colours {
        Buffer::ansi()
    } else {
        Buffer::no_color()
    };
    match term::emit_to_write_style(&mut buffer, &config, &Files(map), &convert(diagnostic)) {
        Ok(()) => String::from_utf8_lossy(buffer.as_slice()).into_owned(),
        Err(_) => format!("{}\n", diagnostic.message),
    }
}

/// A diagnostic as one JSON object: `severity`, `code`, `message`, `labels` (each with `file`,
/// `start` and `end` in bytes, `line` and `column` from 1, `message`, `primary`), `notes`, `help`,
/// and `suggestions` (each with `message` and `edits`, which have a place as labels do, and the
/// `replacement`).
#[must_use]
pub fn json(map: &SourceMap, diagnostic: &Diagnostic) -> Value {
    let label = |label: &bpf::diagnostic::Label| {
        let place = place(map, label.span);
        json!({
            "file": place.0,
            "start": label.span.start,
            "end": label.span.end,
            "line": place.1,
            "column": place.2,
            "message": label.message,
            "primary": label.primary,
        })
    };
    let edit = |edit: &bpf::diagnostic::Edit| {
        let place = place(map, edit.span);
        json!({
            "file": place.0,
            "start": edit.span.start,
            "end": edit.span.end,
            "line": place.1,
            "column": place.2,
            "replacement": edit.replacement,
        })
    };
    let suggestion = |suggestion: &bpf::diagnostic::Suggestion| {
        json!({
            "message": suggestion.message,
            "edits": suggestion.edits.iter().map(edit).collect::<Vec<_>>(),
        })
    };
    json!({
        "severity": diagnostic.severity.word(),
        "code": diagnostic.code,
        "message": diagnostic.message,
        "labels": diagnostic.labels.iter().map(label).collect::<Vec<_>>(),
        "notes": diagnostic.notes,
        "help": diagnostic.help,
        "suggestions": diagnostic.suggestions.iter().map(suggestion).collect::<Vec<_>>(),
    })
}

fn place(map: &SourceMap, span: Span) -> (Option<&str>, Option<u32>, Option<u32>) {
    let name = map.file(span.file).map(|file| file.name.as_str());
    match map.line_column(span) {
        Some((line, column)) => (name, Some(line), Some(column)),
        None => (name, None, None),
    }
}

/// The source map in codespan's form.
struct Files<'map>(&'map SourceMap);

impl<'map> Files<'map> {
    fn file(&self, id: u32) -> Result<&'map SourceFile, Error> {
        self.0.file(FileId(id)).ok_or(Error::FileMissing)
    }
}

impl<'map> codespan_reporting::files::Files<'map> for Files<'map> {
    type FileId = u32;
    type Name = &'map str;
    type Source = &'map str;

    fn name(&'map self, id: u32) -> Result<&'map str, Error> {
        Ok(&self.file(id)?.name)
    }

    fn source(&'map self, id: u32) -> Result<&'map str, Error> {
        Ok(&self.file(id)?.text)
    }

    fn line_index(&'map self, id: u32, byte: usize) -> Result<usize, Error> {
        let file = self.file(id)?;
        Ok(file.line_index(u32::try_from(byte).unwrap_or(u32::MAX)))
    }

    fn line_range(&'map self, id: u32, index: usize) -> Result<Range<usize>, Error> {
        let range = self.file(id)?.line_range(index);
        range.ok_or(Error::LineTooLarge {
            given: index,
            max: index,
        })
    }

    fn line_number(&'map self, id: u32, index: usize) -> Result<usize, Error> {
        // A line without number would have no digits to be laid out by.
        Ok(self.file(id)?.line_number(index).max(1) as usize)
    }
}

fn convert(diagnostic: &Diagnostic) -> codespan::Diagnostic<u32> {
    let severity = match diagnostic.severity {
        Severity::Error => codespan::Severity::Error,
        Severity::Warning => codespan::Severity::Warning,
        Severity::Note => codespan::Severity::Note,
        Severity::Help => codespan::Severity::Help,
    };
    let labels = diagnostic.labels.iter().map(|label| {
        let style = if label.primary {
            codespan::LabelStyle::Primary
        } else {
            codespan::LabelStyle::Secondary
        };
        let message = label.message.as_str();
        codespan::Label::new(style, label.span.file.0, label.span.range()).with_message(message)
    });
    let mut notes = diagnostic.notes.clone();
    let repairs = diagnostic.suggestions.iter().map(|repair| &repair.message);
    let help = repairs.chain(&diagnostic.help);
    notes.extend(help.map(|help| format!("help: {help}")));
    codespan::Diagnostic {
        severity,
        code: diagnostic.code.map(str::to_owned),
        message: diagnostic.message.clone(),
        labels: labels.collect(),
        notes,
    }
}
