//! What names in an expression mean at a point of the text.
//!
//! A name that is set to a number means that number here, and may be set to another one later; all other
//! names mean symbols, whatever these will stand for.

use bpf::diagnostic::{Diagnostic, Span};

use super::assembler::Assembler;
use super::ast::{Expr, NameId, Node};
use super::expression::Value;
use super::symbols::Definition;

impl Assembler<'_> {
    /// Replaces the names in an expression by what they mean at this point of the file: symbols
    /// that are set to numbers by their numbers, others by their symbols.
    pub fn bind(&mut self, expr: Expr) -> Result<(), Diagnostic> {
        let count = self.arena.nodes(expr).len();
        for position in 0..count {
            let Some(node) = self.arena.nodes(expr).get(position).copied() else {
                break;
            };
            let bound = match node.value {
                Node::Symbol(name) => self.bind_symbol(name),
                Node::Quoted(name) => {
                    let name = self.unquoted(name);
                    self.bind_symbol(name)
                }
                Node::Here => self.bind_here(node.span)?,
                Node::LocalLabel(number, true) => {
                    let symbols = &mut self.symbols;
                    let (index, _) = *self
                        .forward
                        .entry(number)
                        .or_insert_with(|| (symbols.anonymous(), node.span));
                    Node::Place(index.0)
                }
                Node::LocalLabel(number, false) => match self.backward.get(&number) {
                    Some(index) => Node::Place(index.0),
                    None => {
                        return Err(Diagnostic::error(format!(
                            "no label `{number}:` comes before"
                        ))
                        .with_primary(node.span, "referred to here"));
                    }
                },
                other => other,
            };
            if let Some(node) = self.arena.nodes_mut(expr).get_mut(position) {
                node.value = bound;
            }
        }
        Ok(())
    }

    fn bind_symbol(&mut self, name: NameId) -> Node {
        let index = self.named(name);
        let symbol = self.symbols.get_mut(index);
        symbol.mentioned = true;
        if let Some(target) = symbol.weakly {
            return Node::Place(target.0);
        }
        if let Some(Definition::Variable(value)) = self.symbols.get(index).definition
            && let Some(Node::Number(number)) = self.arena.single(value)
        {
            return Node::Number(number);
        }
        Node::Place(index.0)
    }

    fn bind_here(&mut self, at: Span) -> Result<Node, Diagnostic> {
        let index = self.symbols.anonymous();
        let place = self.sections.here();
        self.define(index, Definition::Label(place), at)?;
        Ok(Node::Place(index.0))
    }

    /// A name that was written in quotes, without its escapes: `\"` and `\\`. LLVM 19 leaves them.
    pub fn unquoted(&mut self, name: NameId) -> NameId {
        let text = self.arena.name(name);
        if self.options.llvm_compat || !text.contains('\\') {
            return name;
        }
        let mut plain = String::with_capacity(text.len());
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            let escaped = letters.next_if(|next| letter == '\\' && matches!(next, '"' | '\\'));
            plain.push(escaped.unwrap_or(letter));
        }
        self.arena.intern(&plain)
    }

    /// The value of a bound expression at this point.
    pub fn value(&self, expr: Expr) -> Result<Value, Diagnostic> {
        let value = self.scope().evaluate(expr);
        value.map_err(|(problem, at)| self.no_value(problem, at))
    }

    /// Binds an expression that has to be a number at this point.
    pub fn absolute(&mut self, expr: Expr, what: &str) -> Result<i64, Diagnostic> {
        self.bind(expr)?;
        match self.value(expr)?.as_number() {
            Some(number) => Ok(number),
            None => Err(self.not_a_number(expr, what)),
        }
    }
}
