//! A position in the tokens, with what every rule of the grammar asks of it.

use super::lexer::{Token, unescape};
use super::{Statement, error};
use bpf::diagnostic::{FileId, Span};
use logos::{Lexer, Logos};

/// Tokens from a position on; one of look-ahead.
pub(super) struct Tokens<'t> {
    file: FileId,
    lexer: Lexer<'t, Token<'t>>,
    token: Token<'t>,
    span: Span,
    /// The end of the token before.
    last_end: u32,
    stopped: bool,
}

impl<'t> Tokens<'t> {
    pub(super) fn new(file: FileId, text: &'t str) -> Self {
        let mut tokens = Tokens {
            file,
            lexer: Token::lexer(text),
            token: Token::End,
            span: Span::point(file, 0),
            last_end: 0,
            stopped: false,
        };
        tokens.advance();
        tokens
    }

    fn advance(&mut self) {
        self.last_end = self.span.end;
        self.token = match self.lexer.next() {
            _ if self.stopped => Token::End,
            None => Token::End,
            Some(Ok(token)) => token,
            Some(Err(())) => Token::Unknown,
        };
        let range = self.lexer.span();
        self.span = Span::new(self.file, range.start as u32, range.end as u32);
    }

    /// Lets the text end here.
    pub(super) fn stop(&mut self) {
        self.stopped = true;
        self.token = Token::End;
    }

    pub(super) fn peek(&self) -> Token<'t> {
        self.token
    }

    /// The span of the next token.
    pub(super) fn span(&self) -> Span {
        self.span
    }

    /// From a span to the end of the token before the next.
    pub(super) fn since(&self, start: Span) -> Span {
        Span::new(self.file, start.start, self.last_end)
    }

    pub(super) fn next(&mut self) -> (Token<'t>, Span) {
        let current = (self.token, self.span);
        self.advance();
        current
    }

    /// Takes the next token if it is this one.
    pub(super) fn accept(&mut self, token: Token<'_>) -> bool {
        let found = self.token == token;
        if found {
            self.advance();
        }
        found
    }

    /// Takes the next word if it is this one.
    pub(super) fn accept_word(&mut self, word: &str) -> bool {
        self.accept(Token::Word(word))
    }

    pub(super) fn unexpected<T>(&self, wanted: &str) -> Statement<T> {
        let found = self.token.describe();
        Err(error(
            self.span,
            format!("expected {wanted}, found {found}"),
        ))
    }

    pub(super) fn expect(&mut self, token: Token<'_>) -> Statement<()> {
        if self.accept(token) {
            Ok(())
        } else {
            self.unexpected(&token.describe())
        }
    }

    pub(super) fn expect_word(&mut self, word: &str) -> Statement<()> {
        self.expect(Token::Word(word))
    }

    pub(super) fn word(&mut self, wanted: &str) -> Statement<(&'t str, Span)> {
        match self.token {
            Token::Word(word) => Ok((word, self.next().1)),
            _ => self.unexpected(wanted),
        }
    }

    /// The end of a statement.
    pub(super) fn end_of_line(&mut self) -> Statement<()> {
        match self.token {
            Token::Newline => {
                self.advance();
                Ok(())
            }
            Token::End => Ok(()),
            _ => self.unexpected("the end of the line"),
        }
    }

    pub(super) fn skip_blank_lines(&mut self) {
        while self.accept(Token::Newline) {}
    }

    /// Goes behind the next newline.
    pub(super) fn skip_line(&mut self) {
        while !matches!(self.token, Token::Newline | Token::End) {
            self.advance();
        }
        self.accept(Token::Newline);
    }

    pub(super) fn text(&mut self) -> Statement<String> {
        let Token::Text(text) = self.token else {
            return self.unexpected("a string");
        };
        let span = self.next().1;
        unescape(text).ok_or_else(|| {
            let mut diagnostic = error(span, "a string has an escape that is not known");
            diagnostic.help =
                vec!["escapes are \\\", \\\\ and \\u{…} with a code point in hex".to_owned()];
            diagnostic
        })
    }

    /// An integer, possibly negative, that fits the type.
    pub(super) fn integer<T: TryFrom<i128>>(&mut self) -> Statement<T> {
        let start = self.span;
        let negative = self.accept(Token::Minus);
        let Token::Integer(value) = self.token else {
            return self.unexpected("an integer");
        };
        let span = start.to(self.next().1);
        let value = i128::from(value);
        let value = if negative { -value } else { value };
        T::try_from(value).map_err(|_| {
            let bits = 8 * size_of::<T>();
            error(span, format!("{value} does not fit the {bits} bits here"))
        })
    }

    /// The number of an entity such as `block3`, below the reserved last one.
    pub(super) fn entity(&mut self, prefix: &str) -> Statement<(u32, Span)> {
        if let Token::Word(word) = self.token
            && let Some(number) = entity_number(word, prefix)
        {
            return Ok((number, self.next().1));
        }
        self.unexpected(&format!("`{prefix}` with a number"))
    }
}

/// The number of a word such as `block3`.
pub(super) fn entity_number(word: &str, prefix: &str) -> Option<u32> {
    let digits = word.strip_prefix(prefix)?;
    let canonical = digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits == "0" || !digits.starts_with('0'));
    let number: u32 = digits.parse().ok()?;
    (canonical && number < u32::MAX).then_some(number)
}
