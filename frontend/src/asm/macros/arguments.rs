//! The operands of a macro's call, and of `.irp`, which are pieces of text and not expressions.
//!
//! A comma or a blank ends an argument, except in parentheses and around an operator: `a + 4, b`
//! are two arguments, `a b` as well. A string in quotes is one piece and loses its quotes. All
//! this is what LLVM does, and nearly what the GNU assembler does.

use std::ops::Range;

use bpf::diagnostic::{Diagnostic, Span};

use super::super::raw;

/// What an argument stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// This text.
    Text(String),
    /// The number that the expression at this place is, after `%` in the alternate syntax.
    Number(Span),
}

/// One argument.
#[derive(Clone, Debug)]
pub struct Argument {
    /// The parameter that it names, with `name=`.
    pub name: Option<(String, Span)>,
    /// Its value; `None` when it is left out.
    pub value: Option<Value>,
    /// Its place.
    pub span: Span,
}

/// A piece of an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    Blank,
    Comma,
    Assign,
    Open,
    Close,
    Text,
    Operator,
    Other,
}

/// Reads arguments one after the other.
#[derive(Debug)]
pub struct Arguments<'t> {
    text: &'t str,
    base: Span,
    at: usize,
    alternate: bool,
}

impl<'t> Arguments<'t> {
    /// Ready to read `text`, which stands at `base`.
    pub fn new(text: &'t str, base: Span, alternate: bool) -> Arguments<'t> {
        let mut arguments = Arguments {
            text,
            base,
            at: 0,
            alternate,
        };
        arguments.skip_blanks();
        arguments
    }

    /// Whether nothing is left.
    pub fn is_done(&self) -> bool {
        self.at >= self.text.len()
    }

    /// A word, if one is next.
    pub fn word(&mut self) -> Option<(&'t str, Span)> {
        let word = raw::word(self.text, self.at);
        let span = self.span(self.at..self.at + word.len());
        self.at += word.len();
        self.skip_blanks();
        (!word.is_empty()).then_some((word, span))
    }

    /// Takes a character, if it is next.
    pub fn take(&mut self, character: char) -> bool {
        let found = self.rest().starts_with(character);
        if found {
            self.at += character.len_utf8();
            self.skip_blanks();
        }
        found
    }

    /// The next argument. `names` says whether a word before `=` names a parameter, `variadic`
    /// whether the parameter of that name, or the next one, takes all that is left.
    pub fn argument(
        &mut self,
        names: impl Fn(&str) -> bool,
        variadic: impl FnOnce(&str) -> bool,
    ) -> Result<Argument, Diagnostic> {
        let start = self.at;
        let name = self.name(names);
        let variadic = variadic(name.as_ref().map_or("", |name| &name.0));
        let from = self.at;
        let value = match self.rest().chars().next() {
            _ if variadic => {
                let rest = self.rest().trim_end().to_owned();
                self.at = self.text.len();
                Some(Value::Text(rest))
            }
            Some('%') if self.alternate => Some(self.number()),
            Some('<') if self.alternate => match self.in_angles() {
                Some(text) => Some(Value::Text(text)),
                None => Some(Value::Text(self.plain()?)),
            },
            _ => Some(Value::Text(self.plain()?)),
        };
        let value = value.filter(|value| *value != Value::Text(String::new()) || self.at > from);
        let span = self.span(start..self.at);
        self.take(',');
        Ok(Argument { name, value, span })
    }

    /// A default value, which is written like an argument.
    pub fn default_value(&mut self) -> Result<String, Diagnostic> {
        self.plain()
    }

    /// Place of what is left.
    pub fn rest_span(&self) -> Span {
        self.span(self.at..self.text.len())
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn span(&self, range: Range<usize>) -> Span {
        let start = self.base.start + range.start as u32;
        Span::new(self.base.file, start, self.base.start + range.end as u32)
    }

    fn skip_blanks(&mut self) {
        self.at = raw::skip_blanks(self.text, self.at);
    }

    /// `name=`
    fn name(&mut self, names: impl Fn(&str) -> bool) -> Option<(String, Span)> {
        let word = raw::word(self.text, self.at);
        let end = self.at + word.len();
        let after = raw::skip_blanks(self.text, end);
        let rest = self.text.get(after..).unwrap_or("");
        let named = !word.is_empty() && rest.starts_with('=') && !rest.starts_with("==");
        if !named || !names(word) {
            return None;
        }
        let name = (word.to_owned(), self.span(self.at..end));
        self.at = raw::skip_blanks(self.text, after + 1);
        Some(name)
    }

    /// `%expression`, up to a comma outside of parentheses
    fn number(&mut self) -> Value {
        let from = self.at + 1;
        let mut depth = 0_u32;
        self.at = from;
        while let Some((piece, range)) = self.piece() {
            match piece {
                Piece::Comma if depth == 0 => break,
                Piece::Open => depth += 1,
                Piece::Close => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.at = range.end;
        }
        Value::Number(self.span(from..self.at))
    }

    /// `<text>`, in which `!` makes the next character an ordinary one
    fn in_angles(&mut self) -> Option<String> {
        let mut text = String::new();
        let mut characters = self.rest().char_indices().skip(1);
        loop {
            match characters.next()? {
                (end, '>') => {
                    self.at += end + 1;
                    self.skip_blanks();
                    return Some(text);
                }
                (_, '!') => text.push(characters.next()?.1),
                (_, other) => text.push(other),
            }
        }
    }

    fn plain(&mut self) -> Result<String, Diagnostic> {
        let mut value = String::new();
        let mut opened: Vec<usize> = Vec::new();
        while let Some((piece, range)) = self.piece() {
            if piece == Piece::Assign {
                return Err(Diagnostic::error("an argument of a macro cannot hold `=`")
                    .with_primary(self.span(range), "")
                    .with_help("put the argument in quotes: \"r1 = 5\""));
            }
            if opened.is_empty() {
                match piece {
                    Piece::Comma => break,
                    Piece::Blank => {
                        self.at = range.end;
                        match self.piece() {
                            Some((Piece::Operator, range)) => self.operator(range, &mut value),
                            _ => break,
                        }
                        continue;
                    }
                    Piece::Operator => {
                        self.operator(range, &mut value);
                        continue;
                    }
                    _ => {}
                }
            }
            match piece {
                Piece::Open => opened.push(range.start),
                Piece::Close => drop(opened.pop()),
                _ => {}
            }
            self.at = range.end;
            let text = self.text.get(range).unwrap_or("");
            value.push_str(match piece {
                Piece::Text => unquoted(text),
                _ => text,
            });
        }
        match opened.first() {
            None => Ok(value),
            Some(&open) => Err(Diagnostic::error(
                "the parentheses of this argument are not balanced",
            )
            .with_primary(self.span(open..open + 1), "this one is not closed")),
        }
    }

    /// An operator keeps what is on both sides together, blanks or not.
    fn operator(&mut self, range: Range<usize>, value: &mut String) {
        self.at = range.end;
        value.push_str(self.text.get(range).unwrap_or(""));
        self.skip_blanks();
    }

    fn piece(&self) -> Option<(Piece, Range<usize>)> {
        let rest = self.rest();
        let first = *rest.as_bytes().first()?;
        let blanks = raw::skip_blanks(self.text, self.at);
        if blanks > self.at {
            return Some((Piece::Blank, self.at..blanks));
        }
        let one = |piece| (piece, self.at..self.at + 1);
        Some(match first {
            b',' => one(Piece::Comma),
            b'(' => one(Piece::Open),
            b')' => one(Piece::Close),
            b'"' => (Piece::Text, self.at..raw::after(self.text, self.at)),
            _ if raw::is_word_byte(first) => {
                let length = rest.bytes().take_while(|byte| raw::is_word_byte(*byte));
                (Piece::Other, self.at..self.at + length.count())
            }
            _ => match operator(rest) {
                Some(1) if first == b'=' => one(Piece::Assign),
                Some(length) => (Piece::Operator, self.at..self.at + length),
                None => (Piece::Other, self.at..raw::after(self.text, self.at)),
            },
        })
    }
}

/// The length of the operator that a text begins with.
fn operator(text: &str) -> Option<usize> {
    const LONG: [&str; 8] = ["==", "!=", "<=", ">=", "<<", ">>", "<>", "&&"];
    if LONG.iter().any(|long| text.starts_with(long)) || text.starts_with("||") {
        return Some(2);
    }
    text.starts_with(['+', '-', '~', '/', '*', '=', '|', '^', '&', '!', '<', '>'])
        .then_some(1)
}

fn unquoted(text: &str) -> &str {
    let inner = text.strip_prefix('"').unwrap_or(text);
    inner.strip_suffix('"').unwrap_or(inner)
}

#[cfg(test)]
mod tests {
    use bpf::diagnostic::FileId;

    use super::*;

    fn texts(text: &str, alternate: bool) -> Vec<String> {
        let base = Span::new(FileId(0), 0, text.len() as u32);
        let mut arguments = Arguments::new(text, base, alternate);
        let mut found = Vec::new();
        while !arguments.is_done() {
            let argument = arguments.argument(|_| true, |_| false).unwrap();
            found.push(match argument.value {
                Some(Value::Text(text)) => text,
                Some(Value::Number(span)) => format!("%{}", &text[span.range()]),
                None => "nothing".to_owned(),
            });
        }
        found
    }

    #[test]
    fn blanks_and_commas_part_arguments_unless_an_operator_joins_them() {
        assert_eq!(texts("1 + 2, 3 -4", false), ["1+2", "3-4"]);
        assert_eq!(texts("1 2 3", false), ["1", "2", "3"]);
        assert_eq!(texts("1,,3", false), ["1", "nothing", "3"]);
        assert_eq!(texts("\"a b\", (1 + 2)", false), ["a b", "(1 + 2)"]);
        assert_eq!(texts("r1, *(r2)", false), ["r1", "*(r2)"]);
        assert_eq!(texts("'x', ';' a'b'", false), ["'x'", "';'", "a'b'"]);
        assert_eq!(texts("%1 + 2, <a!> b>", true), ["%1 + 2", "a> b"]);
        assert_eq!(texts("<x <y", true), ["<x<y"]);
    }
}
