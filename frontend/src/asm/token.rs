//! Text to tokens.
//!
//! The lexer knows nothing of instructions: register names and reserved words come out as
//! [`Token::Word`], because the same spelling may be a label or a section name in another place.
//! The statement reader turns words into the instruction tokens (second half of the enum) where it
//! knows that it reads an instruction. Line breaks and `;` are tokens, since they end statements.
//!
//! Cost: one pass over the text, no allocation.

use bpf::insn::{AtomicOp, EndianOp, MemWidth};
use logos::{FilterResult, Lexer, Logos};

use super::ast::Register;

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Logos)]
#[logos(error = LexError)]
#[logos(skip r"[ \t\r\f\v]+")]
#[logos(skip("(#|//)[^\n]*", allow_greedy = true))]
pub enum Token<'s> {
    /// A symbol, directive, register or reserved word.
    #[regex(r"[A-Za-z_.$][A-Za-z0-9_.$@]*", priority = 3)]
    Word(&'s str),
    /// `.` alone: the current place.
    #[token(".", priority = 4)]
    Here,
    /// An integer that fits 64 bits, or a character.
    #[regex("[0-9][0-9A-Za-z_.]*", number)]
    #[regex(r"[0-9]+(\.[0-9]*)?[eE][+-][0-9]+", fraction)]
    #[regex(
        r"0[xX][0-9A-Fa-f]*(\.[0-9A-Fa-f]*)?[pP][+-]?[0-9]+",
        fraction,
        priority = 20
    )]
    #[regex(r"'([^'\\\n]|\\[^\n])'", character)]
    Number(Number<'s>),
    /// What stands between the quotes of a string, escapes not yet resolved.
    #[regex(r#""([^"\\\n]|\\[^\n])*""#, unquote)]
    Text(&'s str),
    #[token("\n")]
    #[token("/*", block_comment)]
    Newline,
    #[token(";")]
    Semicolon,
    #[token(",")]
    Comma,
    #[token(":")]
    Colon,
    #[token("(")]
    OpenParen,
    #[token(")")]
    CloseParen,
    #[token("[")]
    OpenBracket,
    #[token("]")]
    CloseBracket,
    #[token("@")]
    At,
    #[token("=")]
    Assign,
    #[token("==")]
    Equal,
    #[token("!=")]
    NotEqual,
    #[token("<")]
    Less,
    #[token("<=")]
    LessEqual,
    #[token("<<")]
    ShiftLeft,
    #[token(">")]
    Greater,
    #[token(">=")]
    GreaterEqual,
    #[token(">>")]
    ShiftRight,
    #[token("+")]
    Plus,
    #[token("-")]
    Minus,
    #[token("*")]
    Star,
    #[token("/")]
    Slash,
    #[token("%")]
    Percent,
    #[token("&")]
    And,
    #[token("&&")]
    AndAnd,
    #[token("|")]
    Or,
    #[token("||")]
    OrOr,
    #[token("^")]
    Caret,
    #[token("~")]
    Tilde,
    #[token("!")]
    Bang,

    // Only within instructions, where the statement reader makes them from words.
    Register(Register),
    /// `u8` to `u64`
    Unsigned(MemWidth),
    /// `s8` to `s32`
    Signed(MemWidth),
    /// `be16`, `le32`, `bswap64` …
    ByteOrder((EndianOp, u8)),
    /// `atomic_fetch_add` …
    Fetch(AtomicOp),
    /// `xchg_64`, `xchg32_32`
    Exchange(MemWidth),
    /// `cmpxchg_64`, `cmpxchg32_32`
    CompareExchange(MemWidth),
    AddrSpaceCast,
    LoadAcquire,
    StoreRelease,
    If,
    Goto,
    Gotol,
    MayGoto,
    Gotox,
    Call,
    Callx,
    Exit,
    Lock,
    LdPseudo,
    /// `ll`
    Wide,
    /// `skb`
    Packet,
    /// `s`, the prefix of signed operators
    S,
}

/// A literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number<'s> {
    /// Wrapped to 64 bits.
    Integer(i64),
    /// `1f` (`true`) or `1b`
    LocalLabel(u64, bool),
    /// Digits that only some directives take: more than 64 bits, or a fraction.
    Other(&'s str),
}

/// Why a piece of text is no token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LexError {
    /// A character that no token begins with.
    #[default]
    Character,
    /// Digits that belong to no kind of number.
    Number(BadNumber),
    /// `/*` without `*/`
    Comment,
}

/// What is wrong with a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadNumber {
    NoDigits,
    Octal,
    Binary,
    Underscore,
    Suffix,
}

impl BadNumber {
    /// A sentence for the user.
    pub fn advice(self) -> &'static str {
        match self {
            BadNumber::NoDigits => "digits have to follow the prefix",
            BadNumber::Octal => "a leading 0 makes it octal, whose digits are 0 to 7",
            BadNumber::Binary => "a binary number has the digits 0 and 1 only",
            BadNumber::Underscore => "digits are not separated by `_` in assembly",
            BadNumber::Suffix => "the letters after the digits mean nothing here",
        }
    }
}

fn unquote<'s>(lexer: &mut Lexer<'s, Token<'s>>) -> &'s str {
    let text = lexer.slice();
    text.get(1..text.len().saturating_sub(1)).unwrap_or("")
}

fn block_comment<'s>(lexer: &mut Lexer<'s, Token<'s>>) -> FilterResult<(), LexError> {
    match lexer.remainder().find("*/") {
        Some(end) => {
            lexer.bump(end + 2);
            FilterResult::Skip
        }
        None => FilterResult::Error(LexError::Comment),
    }
}

fn character<'s>(lexer: &mut Lexer<'s, Token<'s>>) -> Option<Number<'s>> {
    let text = unquote(lexer);
    let mut characters = text.chars();
    let value = match (characters.next()?, characters.next()) {
        ('\\', Some(escape)) => match escape {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' => '\u{8}',
            'f' => '\u{c}',
            '0' => '\0',
            other => other,
        },
        (plain, _) => plain,
    };
    Some(Number::Integer(i64::from(u32::from(value))))
}

fn fraction<'s>(lexer: &mut Lexer<'s, Token<'s>>) -> Number<'s> {
    Number::Other(lexer.slice())
}

fn number<'s>(lexer: &mut Lexer<'s, Token<'s>>) -> Result<Number<'s>, LexError> {
    read_number(lexer.slice()).map_err(LexError::Number)
}

/// Reads a literal that begins with a digit.
fn read_number(text: &str) -> Result<Number<'_>, BadNumber> {
    if let Some(name) = text.strip_suffix(['b', 'f'])
        && !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_digit())
        && let Ok(number) = name.parse::<u64>()
    {
        return Ok(Number::LocalLabel(number, text.ends_with('f')));
    }
    let plain = strip_c_suffix(text);
    let (digits, radix) = match plain.as_bytes() {
        [b'0', b'x' | b'X', ..] => (&plain[2..], 16),
        [b'0', b'b' | b'B', ..] => (&plain[2..], 2),
        [b'0', _, ..] => (&plain[1..], 8),
        _ => (plain, 10),
    };
    if digits.is_empty() {
        return Err(BadNumber::NoDigits);
    }
    if digits.bytes().all(|byte| (byte as char).is_digit(radix)) {
        return Ok(match u64::from_str_radix(digits, radix) {
            Ok(value) => Number::Integer(value as i64),
            Err(_) => Number::Other(text),
        });
    }
    if radix != 16 && is_fraction(plain) {
        return Ok(Number::Other(text));
    }
    Err(match radix {
        _ if digits.contains('_') => BadNumber::Underscore,
        8 if digits.bytes().all(|byte| byte.is_ascii_digit()) => BadNumber::Octal,
        2 if digits.bytes().all(|byte| byte.is_ascii_digit()) => BadNumber::Binary,
        _ => BadNumber::Suffix,
    })
}

/// Drops the `u`, `l`, `ul`, `ll`, `ull` that C allows after an integer.
fn strip_c_suffix(text: &str) -> &str {
    let digits = text.trim_end_matches(['u', 'U', 'l', 'L']);
    match text
        .get(digits.len()..)
        .unwrap_or("")
        .to_ascii_lowercase()
        .as_str()
    {
        "" | "u" | "l" | "ul" | "ll" | "ull" => digits,
        _ => text,
    }
}

/// Whether the text is a decimal fraction such as `1.5` or `1e3`.
fn is_fraction(text: &str) -> bool {
    text.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E')) && text.parse::<f64>().is_ok()
}

impl Token<'_> {
    /// Whether the token can be the last one of an expression.
    pub fn ends_expression(self) -> bool {
        use Token::*;
        matches!(self, Word(_) | Here | Number(_) | Text(_) | CloseParen)
    }

    /// Whether the token can be the first one of an expression.
    pub fn begins_expression(self) -> bool {
        use Token::*;
        matches!(
            self,
            Word(_) | Here | Number(_) | Text(_) | OpenParen | Plus | Minus | Tilde | Bang
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_in_c() {
        let integer = |text| match read_number(text) {
            Ok(Number::Integer(value)) => Some(value),
            _ => None,
        };
        assert_eq!(integer("017"), Some(15));
        assert_eq!(integer("0x1F"), Some(31));
        assert_eq!(integer("0b101"), Some(5));
        assert_eq!(integer("5ull"), Some(5));
        assert_eq!(integer("18446744073709551615"), Some(-1));
        assert_eq!(integer("0"), Some(0));
        assert_eq!(read_number("1f"), Ok(Number::LocalLabel(1, true)));
        assert_eq!(read_number("0b"), Ok(Number::LocalLabel(0, false)));
        assert_eq!(read_number("08"), Err(BadNumber::Octal));
        assert_eq!(read_number("0b2"), Err(BadNumber::Binary));
        assert_eq!(read_number("0x"), Err(BadNumber::NoDigits));
        assert_eq!(read_number("1_000"), Err(BadNumber::Underscore));
        assert_eq!(read_number("5h"), Err(BadNumber::Suffix));
        assert_eq!(read_number("1.5"), Ok(Number::Other("1.5")));
        assert_eq!(
            read_number("18446744073709551616"),
            Ok(Number::Other("18446744073709551616"))
        );
    }

    #[test]
    fn comments_vanish_but_their_lines_count() {
        let tokens: Vec<_> = Token::lexer("a /* b\nc */ d # e\n// f\ng").collect();
        assert_eq!(
            tokens,
            [
                Ok(Token::Word("a")),
                Ok(Token::Word("d")),
                Ok(Token::Newline),
                Ok(Token::Newline),
                Ok(Token::Word("g"))
            ]
        );
    }
}
