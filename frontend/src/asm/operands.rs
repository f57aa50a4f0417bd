//! The operands of a directive, taken one by one with a message for each way they can be wrong.

use bpf::diagnostic::{Diagnostic, Edit, Span};

use super::assembler::Assembler;
use super::ast::{Directive, Expr, Group, Item, NameId, Node, Spanned};

impl Assembler<'_> {
    /// A directive's name as written in lower case.
    pub fn directive_name(&self, directive: &Directive) -> &str {
        self.arena.name(directive.name.value)
    }

    /// No operands.
    pub fn no_operands(&self, directive: &Directive) -> Result<(), Diagnostic> {
        self.at_most(directive, 0)
    }

    /// At most this many operands.
    pub fn at_most(&self, directive: &Directive, count: usize) -> Result<(), Diagnostic> {
        match directive.operands.get(count) {
            None => Ok(()),
            Some(group) => {
                let name = self.directive_name(directive);
                let takes = match count {
                    0 => "no operand".to_owned(),
                    1 => "one operand".to_owned(),
                    count => format!("at most {count} operands"),
                };
                Err(Diagnostic::error(format!("`{name}` takes {takes}"))
                    .with_primary(group.span, "one too many"))
            }
        }
    }

    /// The only item of an operand, or `None` where the operand is left out.
    pub fn item(&self, directive: &Directive, index: usize) -> Result<Option<Item>, Diagnostic> {
        match directive.operands.get(index) {
            None => Ok(None),
            Some(group) => self.only(group),
        }
    }

    /// The only item of a group.
    pub fn only(&self, group: &Group) -> Result<Option<Item>, Diagnostic> {
        match group.items.as_slice() {
            [] => Ok(None),
            [item] => Ok(Some(*item)),
            [before @ .., _] => {
                let second = group.items.get(1).map_or(group.span, Item::span);
                let commas = before.iter().map(|item| Edit {
                    span: Span::point(item.span().file, item.span().end),
                    replacement: ",".to_owned(),
                });
                Err(Diagnostic::error("operands are separated by commas")
                    .with_primary(second, "expected `,` before this")
                    .with_suggestion("write `,` between them", commas.collect()))
            }
        }
    }

    /// The diagnostic for an operand that is not there.
    pub fn missing(&self, directive: &Directive, index: usize, what: &str) -> Diagnostic {
        let name = self.directive_name(directive);
        let at = match directive.operands.get(index) {
            Some(group) => group.span,
            None => Span::point(directive.span.file, directive.span.end),
        };
        let message = match index {
            0 => format!("`{name}` needs {what}"),
            _ => format!("`{name}` needs {what}, after a comma"),
        };
        Diagnostic::error(message).with_primary(at, format!("expected {what}"))
    }

    /// An expression that has to be there.
    pub fn expr(
        &self,
        directive: &Directive,
        index: usize,
        what: &str,
    ) -> Result<Expr, Diagnostic> {
        match self.item(directive, index)? {
            Some(Item::Expr(expr)) => Ok(expr),
            Some(Item::Tag(tag)) => {
                Err(Diagnostic::error(format!("expected {what}")).with_primary(tag.span, ""))
            }
            None => Err(self.missing(directive, index, what)),
        }
    }

    /// A number that may be left out.
    pub fn optional_number(
        &mut self,
        directive: &Directive,
        index: usize,
        what: &str,
    ) -> Result<Option<Spanned<i64>>, Diagnostic> {
        match self.item(directive, index)? {
            None => Ok(None),
            Some(_) => self.number(directive, index, what).map(Some),
        }
    }

    /// A number that has to be there.
    pub fn number(
        &mut self,
        directive: &Directive,
        index: usize,
        what: &str,
    ) -> Result<Spanned<i64>, Diagnostic> {
        let expr = self.expr(directive, index, what)?;
        Ok(Spanned {
            value: self.absolute(expr, what)?,
            span: expr.span,
        })
    }

    /// A symbol's name that has to be there.
    pub fn symbol(
        &mut self,
        directive: &Directive,
        index: usize,
    ) -> Result<Spanned<NameId>, Diagnostic> {
        let item = self.item(directive, index)?;
        match item {
            Some(item) => self.symbol_item(item),
            None => Err(self.missing(directive, index, "a symbol")),
        }
    }

    /// A symbol's name.
    pub fn symbol_item(&mut self, item: Item) -> Result<Spanned<NameId>, Diagnostic> {
        let span = item.span();
        let node = match item {
            Item::Expr(expr) => self.arena.single(expr),
            Item::Tag(_) => None,
        };
        let value = match node {
            Some(Node::Symbol(name)) => name,
            Some(Node::Quoted(name)) => self.unquoted(name),
            _ => {
                return Err(Diagnostic::error("expected the name of a symbol")
                    .with_primary(span, "this is not a name"));
            }
        };
        Ok(Spanned { value, span })
    }

    /// The contents of a string, escapes resolved.
    pub fn text_item(&self, item: Item) -> Result<Vec<u8>, Diagnostic> {
        let node = match item {
            Item::Expr(expr) => self.arena.single(expr),
            Item::Tag(_) => None,
        };
        match node {
            Some(Node::Quoted(text)) => {
                let span = item.span();
                unescape(self.arena.name(text)).map_err(|at| {
                    let start = span.start + 1 + at as u32;
                    Diagnostic::error("there is no such escape in a string")
                        .with_primary(Span::new(span.file, start, start + 2), "")
                        .with_help(r#"escapes are \n \t \b \f \r \\ \" \NNN (octal) and \xHH"#)
                })
            }
            _ => {
                let diagnostic = Diagnostic::error("expected a string in quotes");
                let diagnostic = diagnostic.with_primary(item.span(), "");
                Err(match node {
                    Some(Node::Symbol(name)) => {
                        let quoted = format!("\"{}\"", self.arena.name(name));
                        diagnostic.with_replacement(item.span(), quoted)
                    }
                    _ => diagnostic,
                })
            }
        }
    }

    /// The contents of a string that has to be there, as text.
    pub fn text(
        &self,
        directive: &Directive,
        index: usize,
        what: &str,
    ) -> Result<Spanned<String>, Diagnostic> {
        let Some(item) = self.item(directive, index)? else {
            return Err(self.missing(directive, index, what));
        };
        Ok(Spanned {
            value: String::from_utf8_lossy(&self.text_item(item)?).into_owned(),
            span: item.span(),
        })
    }
}

/// Resolves escapes; the position of one that means nothing otherwise.
pub fn unescape(text: &str) -> Result<Vec<u8>, usize> {
    let bytes = text.as_bytes();
    let mut result = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte != b'\\' {
            result.push(byte);
            at += 1;
            continue;
        }
        let escape = bytes.get(at + 1).copied().unwrap_or(0);
        let digits = |from: usize, most: usize, radix: u32| {
            let rest = bytes.get(from..).unwrap_or(&[]);
            rest.iter()
                .take(most)
                .take_while(|byte| (**byte as char).is_digit(radix))
                .count()
        };
        let plain = match escape {
            b'n' => b'\n',
            b't' => b'\t',
            b'b' => 8,
            b'f' => 12,
            b'r' => b'\r',
            b'\\' | b'"' => escape,
            b'0'..=b'7' => {
                let count = digits(at + 1, 3, 8);
                let value = bytes[at + 1..at + 1 + count]
                    .iter()
                    .fold(0_u32, |value, digit| value * 8 + u32::from(digit - b'0'));
                result.push(u8::try_from(value).map_err(|_| at)?);
                at += 1 + count;
                continue;
            }
            b'x' | b'X' => {
                let count = digits(at + 2, usize::MAX, 16);
                let last = &bytes[at + 2..at + 2 + count];
                let value = last.iter().fold(0_u32, |value, digit| {
                    (value << 4 | (*digit as char).to_digit(16).unwrap_or(0)) & 0xff
                });
                if count == 0 {
                    return Err(at);
                }
                result.push(value as u8);
                at += 2 + count;
                continue;
            }
            _ => return Err(at),
        };
        result.push(plain);
        at += 2;
    }
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::unescape;

    #[test]
    fn escapes_are_those_of_the_gnu_assembler() {
        assert_eq!(unescape(r#"a\n\t\"\\"#), Ok(b"a\n\t\"\\".to_vec()));
        assert_eq!(unescape(r"\1018\0"), Ok(b"A8\0".to_vec()));
        assert_eq!(unescape(r"\x141g"), Ok(b"Ag".to_vec()));
        assert_eq!(unescape(r"ab\q"), Err(2));
        assert_eq!(unescape(r"\x"), Err(0));
        assert_eq!(unescape(r"\777"), Err(0));
    }
}
