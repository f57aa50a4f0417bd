//! From texts to statements: which text is read, and what is done with statements whose operands
//! are text themselves.
//!
//! The reader of the parser holds one text. Whenever something else is to be read first, or part of
//! a text is passed over, it is left, and a new one begins at the place that `source` keeps.

use bpf::diagnostic::{Diagnostic, Span};

use super::assembler::Assembler;
use super::ast::{Directive, Node, Raw, RawKind};
use super::parse::Reader;
use super::source::Kind;
use super::symbols::Definition;

impl Assembler<'_> {
    /// Reads from one text until it ends or another one comes first.
    pub fn read(&mut self, mut reader: Reader<'_>) {
        self.sources.moved = false;
        loop {
            if self.skipping.is_some() {
                if !self.pass_over() {
                    self.leave();
                }
                return;
            }
            if let Some((found, target)) = reader.encoded(&self.macros, self.options.endian) {
                let span = found.span(reader.file());
                let label = target.map(|target| self.label_of(target));
                if !matches!(label, Some(Err(()))) {
                    reader.accept(&found);
                    let place = self.place_plain(found.made, span);
                    if let (Some(place), Some(Ok(label))) = (place, label) {
                        self.refer(place, label);
                    }
                    if self.ended {
                        return;
                    }
                    continue;
                }
            }
            if let Some(label) = reader.label(&mut self.arena) {
                self.label(label);
                continue;
            }
            if let Some((datum, at, after)) = reader.datum(&self.macros)
                && self.place_datum(&datum, at).is_some()
            {
                reader.pass_to(after);
                if self.ended {
                    return;
                }
                continue;
            }
            let mark = self.arena.mark();
            self.keep_nodes = false;
            if let Some(found) = reader.plain(&mut self.arena, &self.macros) {
                let result = self.instruction(&found.made, found.span(reader.file()));
                self.note(result);
            } else if let Some(statement) = reader.next(&mut self.arena, &self.macros) {
                self.sources.set_position(reader.position());
                self.statement(&statement);
            } else {
                self.leave();
                return;
            }
            if !self.keep_nodes {
                self.arena.rewind(mark);
            }
            if self.ended || self.sources.moved {
                return;
            }
        }
    }

    /// Leaves a text at its end. What a macro opens, it has to close.
    pub fn leave(&mut self) {
        let Some(frame) = self.sources.pop() else {
            return;
        };
        if frame.kind == Kind::Expansion && self.conditionals.len() > frame.conditionals {
            let open = self.conditionals.split_off(frame.conditionals);
            self.unclosed(&open, "the macro or repetition");
            self.skipping = None;
        }
    }

    /// Constants that the caller defines.
    pub fn define_given(&mut self) {
        let at = Span::point(self.sources.main(), 0);
        for (name, value) in std::mem::take(&mut self.options.defines) {
            let name = self.arena.intern(&name);
            let symbol = self.named(name);
            let value = self.arena.leaf(Node::Number(value), at);
            let entry = self.symbols.get_mut(symbol);
            entry.definition = Some(Definition::Variable(value));
            entry.defined_at = None;
            self.symbols.register(symbol);
        }
    }

    /// Carries out a statement whose operands are text.
    pub fn raw(&mut self, raw: &Raw) -> Result<(), Diagnostic> {
        match raw.kind {
            RawKind::Call => self.call_macro(raw),
            RawKind::Macro => self.define_macro(raw),
            RawKind::Repeat => self.repeat_text(raw),
            RawKind::ForEach => self.repeat_for_each(raw),
            RawKind::ForCharacters => self.repeat_for_characters(raw),
            RawKind::If(question) => self.open_conditional(raw, question),
            RawKind::ElseIf => self.else_if(raw),
        }
    }

    /// A statement that was only text so far, with its operands understood.
    pub fn reread(&mut self, raw: &Raw) -> Result<Directive, Diagnostic> {
        let text = self.sources.whole(raw.text.file);
        let text = text.get(..raw.text.end as usize).unwrap_or("");
        let mut reader = Reader::new(text, raw.text.file, raw.text.start as usize);
        Ok(Directive {
            name: raw.name,
            operands: reader.operands_alone(raw.name, &mut self.arena)?,
            span: raw.span,
        })
    }
}
