//! `.rept`, `.irp` and `.irpc`: a body that is read several times.
//!
//! All rounds become one text. How large it is, is asked before it is made, so that `.rept
//! 1000000000` costs nothing but its diagnostic.

use bpf::diagnostic::Diagnostic;
use rustc_hash::FxHashMap;

use super::super::assembler::Assembler;
use super::super::ast::Raw;
use super::arguments::Arguments;

/// The words that begin what `.endr` ends.
const OPENS: [&str; 4] = [".rept", ".rep", ".irp", ".irpc"];

impl Assembler<'_> {
    /// `.rept count`
    pub fn repeat_text(&mut self, raw: &Raw) -> Result<(), Diagnostic> {
        let body = self.body(raw, ".rept", &OPENS, &[".endr"])?;
        let directive = self.reread(raw)?;
        self.at_most(&directive, 1)?;
        let count = self.number(&directive, 0, "how often to repeat")?;
        let Ok(times) = usize::try_from(count.value) else {
            return Err(
                Diagnostic::error("a number of repetitions cannot be negative")
                    .with_primary(count.span, format!("it is {}", count.value)),
            );
        };
        let mut once = String::new();
        self.expand(body, FxHashMap::default(), None, raw.span, &mut once)?;
        if once.trim().is_empty() {
            return Ok(());
        }
        let total = once.len().saturating_mul(times);
        self.reserve_text(total, raw.span)?;
        self.push_expansion("<rept>".to_owned(), once.repeat(times), raw.span)
    }

    /// `.irp name, values`
    pub fn repeat_for_each(&mut self, raw: &Raw) -> Result<(), Diagnostic> {
        let body = self.body(raw, ".irp", &OPENS, &[".endr"])?;
        let text = self.sources.text(raw.text).to_owned();
        let alternate = self.macros.alternate;
        let mut reader = Arguments::new(&text, raw.text, alternate);
        let name = self.variable(&mut reader, raw)?;
        let mut out = String::new();
        while !reader.is_done() {
            let argument = reader.argument(|_| false, |_| false)?;
            let value = self.argument_text(argument)?.unwrap_or_default();
            let counter = Some(self.macros.calls);
            let values = [(name, value.as_str())].into_iter().collect();
            self.expand(body, values, counter, raw.span, &mut out)?;
        }
        self.reserve_text(out.len(), raw.span)?;
        self.push_expansion("<irp>".to_owned(), out, raw.span)
    }

    /// `.irpc name, characters`
    pub fn repeat_for_characters(&mut self, raw: &Raw) -> Result<(), Diagnostic> {
        let body = self.body(raw, ".irpc", &OPENS, &[".endr"])?;
        let text = self.sources.text(raw.text).to_owned();
        let mut reader = Arguments::new(&text, raw.text, false);
        let name = self.variable(&mut reader, raw)?;
        let characters = reader.argument(|_| false, |_| false)?;
        if !reader.is_done() {
            return Err(Diagnostic::error("`.irpc` takes one word")
                .with_primary(reader.rest_span(), "this is too much")
                .with_help("put characters with blanks between them in quotes"));
        }
        let quoted = self.sources.text(characters.span);
        let characters = match self.options.llvm_compat && quoted.starts_with('"') {
            true => quoted.to_owned(),
            false => self.argument_text(characters)?.unwrap_or_default(),
        };
        let mut out = String::new();
        for (at, character) in characters.char_indices() {
            let counter = Some(self.macros.calls);
            let value = characters.get(at..at + character.len_utf8()).unwrap_or("");
            let values = [(name, value)].into_iter().collect();
            self.expand(body, values, counter, raw.span, &mut out)?;
        }
        self.reserve_text(out.len(), raw.span)?;
        self.push_expansion("<irpc>".to_owned(), out, raw.span)
    }

    /// The name that stands for the value of each round, and its comma.
    fn variable<'t>(&self, reader: &mut Arguments<'t>, raw: &Raw) -> Result<&'t str, Diagnostic> {
        let directive = self.arena.name(raw.name.value);
        let Some((name, at)) = reader.word() else {
            return Err(
                Diagnostic::error(format!("`{directive}` needs a name for its values"))
                    .with_primary(raw.span, ""),
            );
        };
        if !reader.take(',') {
            return Err(Diagnostic::error("a comma follows the name")
                .with_primary(at, "expected `,` and the values"));
        }
        Ok(name)
    }
}
