//! From a test file's text to what tests work on.

use bpf::diagnostic::{Diagnostic, SourceMap};
use codespan_reporting::diagnostic as codespan;
use codespan_reporting::files::SimpleFiles;
use codespan_reporting::term;

use super::Input;

/// A module, or what is wrong with the text, with the text for rendering.
pub(super) struct Source {
    /// The file's name and text.
    pub(super) map: SourceMap,
    /// What came out of it.
    pub(super) result: Result<mir::parse::Parsed, Vec<Diagnostic>>,
}

impl Source {
    /// Reads MIR text.
    pub(super) fn read(input: &Input) -> Result<Source, String> {
        let mut map = SourceMap::new();
        let file = map
            .add(input.name.clone(), input.text.clone())
            .ok_or_else(|| "the file is too large".to_owned())?;
        match input.path.extension().and_then(|name| name.to_str()) {
            Some("mir") => Ok(Source {
                result: mir::parse::module_with_spans(file, &input.text),
                map,
            }),
            _ => Err("this kind of test reads MIR text only".to_owned()),
        }
    }

    /// The module of a text that must be right.
    pub(super) fn module(self) -> Result<mir::Module, String> {
        let Source { map, result } = self;
        let parsed = result.map_err(|diagnostics| render(&map, &diagnostics))?;
        let errors = parsed.verify();
        if errors.is_empty() {
            Ok(parsed.module)
        } else {
            Err(render(&map, &errors))
        }
    }
}

/// Diagnostics as people see them, without colours.
pub(super) fn render(map: &SourceMap, diagnostics: &[Diagnostic]) -> String {
    let mut files = SimpleFiles::new();
    let mut ids = std::collections::BTreeMap::new();
    for (id, file) in map.files() {
        ids.insert(id.0, files.add(file.name.as_str(), file.text.as_str()));
    }
    let config = term::Config::default();
    let mut text = String::new();
    for diagnostic in diagnostics {
        let rendered = term::emit_into_string(&config, &files, &convert(diagnostic, &ids));
        match rendered {
            Ok(rendered) => text.push_str(&rendered),
            Err(error) => text.push_str(&format!("{diagnostic:?}: {error}\n")),
        }
    }
    text
}

fn convert(
    diagnostic: &Diagnostic,
    ids: &std::collections::BTreeMap<u32, usize>,
) -> codespan::Diagnostic<usize> {
    use bpf::diagnostic::Severity;
    let severity = match diagnostic.severity {
        Severity::Error => codespan::Severity::Error,
        Severity::Warning => codespan::Severity::Warning,
        _ => codespan::Severity::Note,
    };
    let labels = diagnostic.labels.iter().filter_map(|label| {
        let style = if label.primary {
            codespan::LabelStyle::Primary
        } else {
            codespan::LabelStyle::Secondary
        };
        let file = *ids.get(&label.span.file.0)?;
        Some(
            codespan::Label::new(style, file, label.span.range())
                .with_message(label.message.as_str()),
        )
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
