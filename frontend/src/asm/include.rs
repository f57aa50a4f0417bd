//! `.include` and `.incbin`: other files.
//!
//! The assembler itself opens no file. Who calls it gives a [`Loader`], which decides where files
//! are looked for, and [`NoFiles`] is the one that has none.

use bpf::diagnostic::Diagnostic;

use super::assembler::Assembler;
use super::ast::Directive;
use super::layout::MAX_BYTES as MAX_OBJECT;
use super::source::{Kind, MAX_BYTES};

/// A file that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// What to call it in diagnostics, and as `from` when it asks for further files.
    pub name: String,
    /// Its contents.
    pub bytes: Vec<u8>,
}

/// Finds the files that a text asks for.
pub trait Loader {
    /// The file that the text in `from` calls `name`.
    ///
    /// # Errors
    /// Why there is none, for the user; also when it has more bytes than `limit`.
    fn load(&mut self, name: &str, from: &str, limit: u64) -> Result<Loaded, String>;
}

/// No files at all.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFiles;

impl Loader for NoFiles {
    fn load(&mut self, _: &str, _: &str, _: u64) -> Result<Loaded, String> {
        Err("other files cannot be read here".to_owned())
    }
}

impl Assembler<'_> {
    /// `.include "file"`
    pub fn include(&mut self, directive: &Directive) -> Result<(), Diagnostic> {
        self.at_most(directive, 1)?;
        let loaded = self.load(directive, MAX_BYTES as u64)?;
        let at = directive.span;
        let Ok(text) = String::from_utf8(loaded.bytes) else {
            return Err(Diagnostic::error(format!("`{}` is no text", loaded.name))
                .with_primary(at, "it is not UTF-8")
                .with_help("`.incbin` puts the bytes of a file into the section"));
        };
        self.reserve_text(text.len(), at)?;
        let open = self.conditionals.len();
        let pushed = self
            .sources
            .push(loaded.name, text, at, Kind::Include, open);
        if pushed.is_err() {
            self.ended = true;
        }
        pushed
    }

    /// `.incbin "file"[, skip[, count]]`
    pub fn include_bytes(&mut self, directive: &Directive) -> Result<(), Diagnostic> {
        self.at_most(directive, 3)?;
        let skip = self.optional_number(directive, 1, "how many bytes to leave out")?;
        let count = self.optional_number(directive, 2, "how many bytes to take")?;
        for number in [skip, count].into_iter().flatten() {
            if number.value < 0 {
                return Err(Diagnostic::error("a number of bytes cannot be negative")
                    .with_primary(number.span, ""));
            }
        }
        let loaded = self.load(directive, MAX_OBJECT)?;
        let position = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
        let skip = skip.map_or(0, |skip| position(skip.value));
        let rest = loaded.bytes.get(skip..).unwrap_or(&[]);
        let count = count.map_or(rest.len(), |count| position(count.value));
        let taken = rest.get(..count).unwrap_or(rest);
        self.emit(taken, directive.span).map(|_| ())
    }

    fn load(&mut self, directive: &Directive, limit: u64) -> Result<Loaded, Diagnostic> {
        let name = self.text(directive, 0, "the name of a file in quotes")?;
        let from = self.sources.file_name().to_owned();
        let loaded = self.loader.load(&name.value, &from, limit);
        loaded.map_err(|reason| {
            Diagnostic::error(format!("`{}` cannot be included: {reason}", name.value))
                .with_primary(name.span, "asked for here")
        })
    }
}
