//! Reads a file statement by statement.
//!
//! Recovery from errors is by construction: a statement ends at a line break or `;` whatever stands
//! in it, so each broken one gives one diagnostic and the next starts clean. The same loop is where
//! a word gets its meaning, for which one must know what kind of statement it stands in: labels
//! first, then a macro's call or a directive whose operands are text, then a directive if the next
//! word begins with a dot, else an instruction, whose first word may have any case and whose commas
//! are decoration.
//!
//! Cost: linear; one statement's tokens are in memory at a time.

mod instruction;
mod plain;

use std::ops::Range;

use bpf::diagnostic::{Diagnostic, FileId, Span};
use logos::{Lexer, Logos};

use super::Syntax;
use super::ast::{Arena, Body, Directive, Group, Item, Label, NameId, Node, Raw, RawKind, Spanned};
use super::conditional::Question;
use super::grammar::{InstructionParser, OperandsParser};
use super::macros::Macros;
use super::syntax_error;
use super::token::{LexError, Number, Token};

/// A token with its first byte and the byte after it.
pub type Located<'s> = (u32, Token<'s>, u32);

/// Labels, and what follows them if it could be understood.
pub struct Statement {
    /// Labels in front.
    pub labels: Vec<Spanned<Label>>,
    /// The rest; `None` when there is none.
    pub body: Result<Option<Body>, Diagnostic>,
    /// From the first to the last token.
    pub span: Span,
}

/// What is known of a statement when its tokens have been read.
#[derive(Clone, Copy)]
struct Line {
    /// Whether more text follows.
    more: bool,
    /// The first error in it.
    error: Option<(LexError, Span)>,
    /// Where the last token ends, understood or not.
    end: u32,
}

/// The statements of a file.
pub struct Reader<'s> {
    source: &'s str,
    file: FileId,
    lexer: Lexer<'s, Token<'s>>,
    tokens: Vec<Located<'s>>,
    syntax: Syntax,
    instruction: InstructionParser,
    operands: OperandsParser,
}

impl<'s> Reader<'s> {
    /// Starts at a position of `source`, which is the start of a token.
    pub fn new(source: &'s str, file: FileId, position: usize) -> Reader<'s> {
        let mut lexer = Token::lexer(source);
        lexer.bump(position.min(source.len()));
        Reader {
            source,
            file,
            lexer,
            tokens: Vec::new(),
            syntax: Syntax::Llvm,
            instruction: InstructionParser::new(),
            operands: OperandsParser::new(),
        }
    }

    /// The same, of instructions that are written in this way.
    pub fn speaking(self, syntax: Syntax) -> Reader<'s> {
        Reader { syntax, ..self }
    }

    /// The file that is read.
    pub fn file(&self) -> FileId {
        self.file
    }

    /// Where the next statement begins.
    pub fn position(&self) -> usize {
        self.lexer.span().end
    }

    /// The operands of a directive whose name was read before, up to the end of the statement.
    pub fn operands_alone(
        &mut self,
        name: Spanned<NameId>,
        arena: &mut Arena,
    ) -> Result<Vec<Group>, Diagnostic> {
        let mut tokens = std::mem::take(&mut self.tokens);
        let line = self.collect(&mut tokens);
        match line.error {
            Some((kind, at)) => Err(syntax_error::lexical(self.source, kind, at)),
            None => self.operands(name, &mut tokens, arena),
        }
    }

    /// The next statement that is not empty.
    pub fn next(&mut self, arena: &mut Arena, macros: &Macros) -> Option<Statement> {
        loop {
            let mut tokens = std::mem::take(&mut self.tokens);
            tokens.clear();
            let line = self.collect(&mut tokens);
            let statement = match line.error {
                _ if tokens.is_empty() && line.error.is_none() => None,
                _ => Some(self.statement(&mut tokens, line, arena, macros)),
            };
            self.tokens = tokens;
            if statement.is_some() || !line.more {
                return statement;
            }
        }
    }

    /// Collects tokens up to the end of the statement.
    fn collect(&mut self, tokens: &mut Vec<Located<'s>>) -> Line {
        let mut line = Line {
            more: true,
            error: None,
            end: 0,
        };
        while let Some(token) = self.lexer.next() {
            let Range { start, end } = self.lexer.span();
            match token {
                Ok(Token::Newline | Token::Semicolon) => return line,
                Ok(token) if line.error.is_none() => {
                    tokens.push((start as u32, token, end as u32));
                }
                Ok(_) => {}
                Err(kind) => {
                    let end = self.recover(kind, start, end);
                    let at = Span::new(self.file, start as u32, end as u32);
                    line.error.get_or_insert((kind, at));
                }
            }
            line.end = self.position() as u32;
        }
        line.more = false;
        line
    }

    /// Skips what belongs to a token that could not be read; its new end.
    fn recover(&mut self, kind: LexError, start: usize, end: usize) -> usize {
        let rest = self.lexer.remainder();
        match kind {
            LexError::Comment => {
                self.lexer.bump(rest.len());
                start + 2
            }
            // The lexer stops at the quote: the rest of the line belongs to the string.
            LexError::Character if self.source[start..].starts_with(['"', '\'']) => {
                let length = rest.find('\n').unwrap_or(rest.len());
                self.lexer.bump(length);
                end + length
            }
            _ => end,
        }
    }

    fn statement(
        &self,
        tokens: &mut Vec<Located<'s>>,
        line: Line,
        arena: &mut Arena,
        macros: &Macros,
    ) -> Statement {
        let error = line.error;
        let first = tokens.first().map(|token| token.0);
        let last = tokens.last().map(|token| token.2);
        let span = match (first, last, error) {
            (Some(start), _, Some((_, at))) => Span::new(self.file, start, at.end),
            (Some(start), Some(end), None) => Span::new(self.file, start, end),
            (_, _, Some((_, at))) => at,
            _ => Span::point(self.file, 0),
        };
        let mut labels = Vec::new();
        let mut rest = tokens.as_mut_slice();
        while let [(start, name, end), (_, Token::Colon, _), ..] = *rest {
            let value = match name {
                Token::Word(name) | Token::Text(name) => Label::Name(arena.intern(name)),
                Token::Number(Number::Integer(number)) if number >= 0 => {
                    Label::Local(number as u64)
                }
                _ => break,
            };
            let span = Span::new(self.file, start, end);
            labels.push(Spanned { value, span });
            rest = &mut rest[2..];
        }
        let body = match (error, self.raw(rest, line.end, arena, macros)) {
            (None | Some((LexError::Character | LexError::Number(_), _)), Some(raw)) => {
                Ok(Some(Body::Raw(raw)))
            }
            (Some((kind, at)), _) => Err(syntax_error::lexical(self.source, kind, at)),
            (None, None) => self.body(rest, span, arena),
        };
        Statement { labels, body, span }
    }

    /// A statement whose operands are text, whatever they look like.
    fn raw(
        &self,
        tokens: &[Located<'s>],
        end: u32,
        arena: &mut Arena,
        macros: &Macros,
    ) -> Option<Raw> {
        let &(start, Token::Word(word), after) = tokens.first()? else {
            return None;
        };
        let (kind, word) = match raw_directive(word) {
            Some((kind @ (RawKind::If(_) | RawKind::ElseIf), lower)) => (kind, lower),
            _ if macros.has(word) => (RawKind::Call, word.to_owned()),
            Some(found) => found,
            None => return None,
        };
        let name = Spanned {
            value: arena.intern(&word),
            span: Span::new(self.file, start, after),
        };
        Some(Raw {
            kind,
            name,
            text: Span::new(self.file, after, end),
            span: Span::new(self.file, start, end),
        })
    }

    fn body(
        &self,
        tokens: &mut [Located<'s>],
        span: Span,
        arena: &mut Arena,
    ) -> Result<Option<Body>, Diagnostic> {
        let Some(&(start, first, end)) = tokens.first() else {
            return Ok(None);
        };
        let span = Span::new(self.file, start, span.end);
        match first {
            Token::Word(name) if name.starts_with('.') => {
                let name = Spanned {
                    value: arena.intern(&name.to_ascii_lowercase()),
                    span: Span::new(self.file, start, end),
                };
                let operands = self.operands(name, &mut tokens[1..], arena)?;
                Ok(Some(Body::Directive(Directive {
                    name,
                    operands,
                    span,
                })))
            }
            _ if self.syntax == Syntax::Classic => self.classic(tokens, span, arena).map(Some),
            _ => self.instruction(tokens, span, arena).map(Some),
        }
    }

    fn operands(
        &self,
        name: Spanned<NameId>,
        tokens: &mut [Located<'s>],
        arena: &mut Arena,
    ) -> Result<Vec<Group>, Diagnostic> {
        let takes_section = matches!(arena.name(name.value), ".section" | ".pushsection");
        let (first, tokens) = match takes_section {
            true => self.section_name(tokens, arena),
            false => (None, &*tokens),
        };
        let stream = tokens.iter().map(|token| Ok(*token));
        let mut groups = self
            .operands
            .parse(arena, self.file, stream)
            .map_err(|error| {
                let spelled = arena.name(name.value);
                syntax_error::directive(self.source, self.file, spelled, name.span, error)
            })?;
        if let (Some(first), Some(group)) = (first, groups.first_mut()) {
            group.items.insert(0, first);
            group.span = first.span().to(group.span);
        }
        match groups.as_slice() {
            [only] if only.items.is_empty() => Ok(Vec::new()),
            _ => Ok(groups),
        }
    }

    /// A section name may hold characters that are operators elsewhere, such as `tc/ingress`: all
    /// tokens without a blank between them belong to it.
    fn section_name<'t>(
        &self,
        tokens: &'t [Located<'s>],
        arena: &mut Arena,
    ) -> (Option<Item>, &'t [Located<'s>]) {
        let Some(&(start, first, mut end)) = tokens.first() else {
            return (None, tokens);
        };
        if matches!(first, Token::Comma | Token::Text(_)) {
            return (None, tokens);
        }
        let mut rest = &tokens[1..];
        while let Some(&(next, token, next_end)) = rest.first()
            && next == end
            && !matches!(token, Token::Comma | Token::Text(_))
        {
            end = next_end;
            rest = &rest[1..];
        }
        let span = Span::new(self.file, start, end);
        let name = self.source.get(span.range()).unwrap_or("");
        let node = Node::Symbol(arena.intern(name));
        (Some(Item::Expr(arena.leaf(node, span))), rest)
    }
}

/// The directives whose operands are text, and their names in lower case.
fn raw_directive(word: &str) -> Option<(RawKind, String)> {
    // Most words are decided by their second letter.
    match word.as_bytes() {
        [
            b'.',
            b'i' | b'e' | b'm' | b'r' | b'I' | b'E' | b'M' | b'R',
            ..,
        ] => {}
        _ => return None,
    }
    let lower = word.to_ascii_lowercase();
    let kind = match lower.as_str() {
        ".macro" => RawKind::Macro,
        ".rept" | ".rep" => RawKind::Repeat,
        ".irp" => RawKind::ForEach,
        ".irpc" => RawKind::ForCharacters,
        ".elseif" => RawKind::ElseIf,
        name => RawKind::If(Question::named(name)?),
    };
    Some((kind, lower))
}

#[cfg(test)]
mod tests;
