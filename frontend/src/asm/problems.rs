//! What to say about an expression that has no value, or not one of the kind that is needed.

use bpf::diagnostic::{Diagnostic, Span};

use super::assembler::Assembler;
use super::ast::{Expr, Node};
use super::expression::Problem;
use super::symbols::SymbolIndex;

impl Assembler<'_> {
    /// The diagnostic for an expression without a value.
    pub fn no_value(&self, problem: Problem, at: Span) -> Diagnostic {
        let diagnostic = |message: &str| Diagnostic::error(message).with_primary(at, "");
        match problem {
            Problem::NotNumbers => {
                diagnostic("this operator needs numbers that are known here, not addresses")
            }
            Problem::TooManySymbols => {
                diagnostic("an expression can hold one address, or the difference of two")
            }
            Problem::DivideByZero => diagnostic("division by zero"),
            Problem::Digits => {
                let text = self.sources.text(at);
                match text.contains(['.', 'e', 'E']) && !text.starts_with("0x") {
                    true => diagnostic(&format!("`{text}` is not an integer")),
                    false => diagnostic(&format!("`{text}` does not fit 64 bits")),
                }
            }
            Problem::Recursive => diagnostic("this symbol is defined by way of itself"),
        }
    }

    /// The diagnostic for an expression that should have been a number.
    pub fn not_a_number(&self, expr: Expr, what: &str) -> Diagnostic {
        let symbol = self
            .arena
            .nodes(expr)
            .iter()
            .find_map(|node| match node.value {
                Node::Place(index) => Some((SymbolIndex(index), node.span)),
                _ => None,
            });
        let (at, index) = match symbol {
            Some((index, span)) => (span, Some(index)),
            None => (expr.span, None),
        };
        let diagnostic = Diagnostic::error(format!("{what} has to be a number"));
        match index.map(|index| (self.name_of(index), self.symbols.get(index))) {
            Some((name, symbol)) => match symbol.definition {
                None => diagnostic
                    .with_primary(at, format!("`{name}` is not defined up to here"))
                    .with_help(format!(
                        "a constant is defined by `.set {name}, …`, before its use"
                    )),
                _ => diagnostic.with_primary(at, format!("`{name}` is an address")),
            },
            None => diagnostic.with_primary(at, ""),
        }
    }
}
