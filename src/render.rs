//! Diagnostics for people, by codespan-reporting, and for programs, as JSON.

use std::collections::BTreeMap;

use bpf::diagnostic::{Diagnostic, Severity, SourceMap, Span};
use codespan_reporting::diagnostic as codespan;
use codespan_reporting::files::{Error, SimpleFiles};
use codespan_reporting::term::{self, termcolor::WriteColor};
use serde_json::{Value, json};

/// Diagnostics as text without colours.
#[must_use]
pub fn text(map: &SourceMap, diagnostics: &[Diagnostic]) -> String {
    let files = Files::new(map);
    let config = term::Config::default();
    let mut text = String::new();
    for diagnostic in diagnostics {
        let diagnostic = files.convert(diagnostic);
        match term::emit_into_string(&config, &files.files, &diagnostic) {
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
    let files = Files::new(map);
    let config = term::Config::default();
    term::emit_to_write_style(stream, &config, &files.files, &files.convert(diagnostic))
}

/// A diagnostic as one JSON object: `severity`, `code`, `message`, `labels` (each with `file`,
/// `start` and `end` in bytes, `line` and `column` from 1, `message`, `primary`), `notes`, `help`.
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
    json!({
        "severity": diagnostic.severity.word(),
        "code": diagnostic.code,
        "message": diagnostic.message,
        "labels": diagnostic.labels.iter().map(label).collect::<Vec<_>>(),
        "notes": diagnostic.notes,
        "help": diagnostic.help,
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
struct Files<'map> {
    files: SimpleFiles<&'map str, &'map str>,
    ids: BTreeMap<u32, usize>,
}

impl<'map> Files<'map> {
    fn new(map: &'map SourceMap) -> Files<'map> {
        let mut files = SimpleFiles::new();
        let mut ids = BTreeMap::new();
        for (id, file) in map.files() {
            ids.insert(id.0, files.add(file.name.as_str(), file.text.as_str()));
        }
        Files { files, ids }
    }

    fn convert(&self, diagnostic: &Diagnostic) -> codespan::Diagnostic<usize> {
        let severity = match diagnostic.severity {
            Severity::Error => codespan::Severity::Error,
            Severity::Warning => codespan::Severity::Warning,
            Severity::Note => codespan::Severity::Note,
            Severity::Help => codespan::Severity::Help,
        };
        let labels = diagnostic.labels.iter().filter_map(|label| {
            let style = if label.primary {
                codespan::LabelStyle::Primary
            } else {
                codespan::LabelStyle::Secondary
            };
            let file = *self.ids.get(&label.span.file.0)?;
            let message = label.message.as_str();
            Some(codespan::Label::new(style, file, label.span.range()).with_message(message))
        });
        let mut notes = diagnostic.notes.clone();
        notes.extend(diagnostic.help.iter().map(|help| format!("help: {help}")));
        codespan::Diagnostic {
            severity,
            code: diagnostic.code.map(str::to_owned),
            message: diagnostic.message.clone(),
            labels: labels.collect(),
            notes,
        }
    }
}
