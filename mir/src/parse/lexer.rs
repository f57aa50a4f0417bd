//! Text to tokens. Cost: one pass, no allocation.

use logos::Logos;

/// A piece of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Logos)]
#[logos(skip r"[ \t\r]+")]
#[logos(skip("(;|//)[^\n]*", allow_greedy = true))]
pub(super) enum Token<'t> {
    /// A keyword, an entity, or an operation with its suffixes.
    #[regex("[A-Za-z_][A-Za-z0-9_.]*")]
    Word(&'t str),
    /// An integer without sign.
    #[regex("[0-9][0-9A-Za-z_]*", integer)]
    Integer(u64),
    /// What stands between quotes, escapes not resolved.
    #[regex(r#""([^"\\\n]|\\[^\n])*""#, between_quotes)]
    Text(&'t str),
    #[token("\n")]
    Newline,
    #[token("(")]
    OpenParen,
    #[token(")")]
    CloseParen,
    #[token("{")]
    OpenBrace,
    #[token("}")]
    CloseBrace,
    #[token(":")]
    Colon,
    #[token(",")]
    Comma,
    #[token("=")]
    Equals,
    #[token("+")]
    Plus,
    #[token("-")]
    Minus,
    #[token("!")]
    Bang,
    /// The end of the text; never made by the lexer.
    End,
    /// Text that is no token; the lexer reports it as an error.
    Unknown,
}

impl Token<'_> {
    /// The token as a message names it.
    pub(super) fn describe(self) -> String {
        let text = match self {
            Token::Word(word) => return format!("`{word}`"),
            Token::Integer(value) => return format!("`{value}`"),
            Token::Text(_) => return "a string".to_owned(),
            Token::Newline => return "the end of the line".to_owned(),
            Token::End => return "the end of the text".to_owned(),
            Token::Unknown => return "something that is no token".to_owned(),
            Token::OpenParen => "(",
            Token::CloseParen => ")",
            Token::OpenBrace => "{",
            Token::CloseBrace => "}",
            Token::Colon => ":",
            Token::Comma => ",",
            Token::Equals => "=",
            Token::Plus => "+",
            Token::Minus => "-",
            Token::Bang => "!",
        };
        format!("`{text}`")
    }
}

fn integer<'t>(lexer: &mut logos::Lexer<'t, Token<'t>>) -> Option<u64> {
    let text = lexer.slice();
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

fn between_quotes<'t>(lexer: &mut logos::Lexer<'t, Token<'t>>) -> &'t str {
    let text = lexer.slice();
    text.get(1..text.len().saturating_sub(1)).unwrap_or("")
}

/// Resolves the escapes of a string: `\"`, `\\` and `\u{…}`.
pub(super) fn unescape(text: &str) -> Option<String> {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        result.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let escape = rest.chars().next()?;
        rest = &rest[escape.len_utf8()..];
        match escape {
            '"' | '\\' => result.push(escape),
            'u' => {
                let (digits, after) = rest.strip_prefix('{')?.split_once('}')?;
                result.push(char::from_u32(u32::from_str_radix(digits, 16).ok()?)?);
                rest = after;
            }
            _ => return None,
        }
    }
    result.push_str(rest);
    Some(result)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::print::words::Quoted;

    #[test]
    fn an_access_is_five_tokens() {
        let tokens: Vec<_> = Token::lexer("load.u32 v0+0x10 !loc3 ; comment").collect();
        assert_eq!(
            tokens,
            [
                Ok(Token::Word("load.u32")),
                Ok(Token::Word("v0")),
                Ok(Token::Plus),
                Ok(Token::Integer(16)),
                Ok(Token::Bang),
                Ok(Token::Word("loc3")),
            ]
        );
    }

    #[test]
    fn integers_fit_64_bits() {
        assert_eq!(
            Token::lexer("18446744073709551615").next(),
            Some(Ok(Token::Integer(u64::MAX)))
        );
        assert!(matches!(
            Token::lexer("18446744073709551616").next(),
            Some(Err(()))
        ));
        assert!(matches!(Token::lexer("12ab").next(), Some(Err(()))));
    }

    #[test]
    fn strings_survive_quoting() {
        for text in ["", "plain", "a\"b\\c", "tab\tnul\0line\n", "é∀\u{7f}"] {
            let quoted = Quoted(text).to_string();
            let Some(Ok(Token::Text(inner))) = Token::lexer(&quoted).next() else {
                panic!("{quoted} is one token");
            };
            assert_eq!(unescape(inner).as_deref(), Some(text));
        }
        for bad in ["\\", "\\q", "\\u", "\\u{", "\\u{d800}", "\\u{1234567890}"] {
            assert_eq!(unescape(bad), None, "{bad}");
        }
    }
}
