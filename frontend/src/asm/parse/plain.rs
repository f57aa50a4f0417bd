//! Statements that are read straight from the text, where they are what they look like.

use bpf::diagnostic::Span;
use bpf::insn::Endian;

use super::super::Syntax;
use super::super::ast::{Arena, Instruction, Label, Spanned};
use super::super::forms::{self, Datum, Encoded, Plain};
use super::super::macros::Macros;
use super::Reader;

impl<'s> Reader<'s> {
    /// Whether plain instructions are what they look like. A macro may have the name of one.
    fn has_plain(&self, macros: &Macros) -> bool {
        !macros.hides_instructions() && self.syntax != Syntax::Classic
    }

    /// The next statement, if it is a plain instruction without mistakes. It stays the next one until it
    /// is [accepted](Reader::accept).
    #[inline]
    pub fn encoded(&mut self, macros: &Macros, endian: Endian) -> Option<Encoded<'s>> {
        if !self.has_plain(macros) {
            return None;
        }
        forms::encoded(self.source, self.position(), self.file, endian)
    }

    /// Goes on behind a statement that was read.
    #[inline]
    pub fn accept<T>(&mut self, plain: &Plain<T>) {
        self.pass_to(plain.after);
    }

    /// The next statement, if it is a label and nothing else.
    pub fn label(&mut self, arena: &mut Arena) -> Option<Spanned<Label>> {
        if self.syntax == Syntax::Classic {
            return None;
        }
        let (name, after) = forms::label(self.source, self.position())?;
        self.pass_to(after);
        Some(Spanned {
            span: name.span(self.file),
            value: Label::Name(arena.intern(name.value())),
        })
    }

    /// The next statement, if it is a datum, with the place of its value and the byte after it. It stays
    /// the next one until it is passed.
    pub fn datum(&self, macros: &Macros) -> Option<(Datum<'s>, Span, usize)> {
        let (datum, after) = forms::datum(self.source, self.position())?;
        let at = datum.span(self.file);
        let datum = datum.value();
        (!macros.has(datum.directive)).then_some((datum, at, after))
    }

    /// Goes on at a byte behind the last statement.
    pub fn pass_to(&mut self, position: usize) {
        self.lexer.bump(position - self.position());
    }

    /// The next statement, if it is a plain instruction.
    pub fn plain(&mut self, arena: &mut Arena, macros: &Macros) -> Option<Plain<Instruction>> {
        if !self.has_plain(macros) {
            return None;
        }
        let mark = arena.mark();
        let found = forms::plain(self.source, self.position(), self.file, arena);
        match &found {
            Some(found) => self.accept(found),
            None => arena.rewind(mark),
        }
        found
    }
}
