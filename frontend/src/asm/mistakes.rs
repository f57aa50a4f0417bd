//! Mistakes that people make, told by the tokens around the one that did not fit.
//!
//! Order matters: the first row that matches speaks.

use bpf::diagnostic::{Diagnostic, Span};

use super::parse::Located;
use super::token::Token;
use super::words::reserved_word;

mod addresses;
mod operators;

/// Advice for an instruction that ends too early.
pub fn missing(tokens: &[Located<'_>], diagnostic: Diagnostic) -> Diagnostic {
    let kinds: Vec<Token<'_>> = tokens.iter().map(|token| token.1).collect();
    let opened = kinds
        .iter()
        .filter(|token| **token == Token::OpenParen)
        .count();
    let closed = kinds
        .iter()
        .filter(|token| **token == Token::CloseParen)
        .count();
    match kinds.as_slice() {
        _ if opened == closed + 1 && kinds.last() != Some(&Token::OpenParen) => {
            let end = diagnostic.span().unwrap_or_default();
            diagnostic.with_change("close the parenthesis: `)`", end, ")")
        }
        _ if opened > closed => diagnostic.with_help("a closing parenthesis is missing"),
        [.., Token::Packet, Token::OpenBracket, _] => {
            let end = diagnostic.span().unwrap_or_default();
            diagnostic.with_change("close the bracket: `]`", end, "]")
        }
        [Token::Register(_)] => diagnostic.with_help("an assignment is written `r1 = r2`"),
        [Token::If, ..] => diagnostic.with_help("a branch is written `if r1 == 0 goto label`"),
        [Token::Lock, ..] => {
            diagnostic.with_help("an atomic update is written `lock *(u64 *)(r1 + 0) += r2`")
        }
        [.., Token::Register(_), Token::Assign, Token::Wide] => {
            diagnostic.with_help("`ll` is a reserved word and cannot be a symbol here")
        }
        _ => diagnostic,
    }
}

/// A token that did not fit, and those around it.
#[derive(Clone, Copy)]
struct Around<'t, 's> {
    /// The statement.
    tokens: &'t [Located<'s>],
    /// Which of them it is.
    index: usize,
    /// Its place.
    at: Span,
}

impl<'s> Around<'_, 's> {
    /// The token with this number.
    fn kind(self, index: usize) -> Option<Token<'s>> {
        self.tokens.get(index).map(|token| token.1)
    }

    /// The token so many before this one.
    fn back(self, distance: usize) -> Option<Token<'s>> {
        self.kind(self.index.checked_sub(distance)?)
    }

    /// Where the token with this number stands; where this one stands if there is none.
    fn place(self, index: usize) -> Span {
        let token = self.tokens.get(index);
        token.map_or(self.at, |token| Span::new(self.at.file, token.0, token.2))
    }

    /// A mistake at this token.
    fn error(self, message: &str) -> Diagnostic {
        Diagnostic::error(message.to_owned()).with_primary(self.at, "")
    }
}

/// Mistakes that are recognised by the tokens around the one that did not fit.
pub fn common(source: &str, tokens: &[Located<'_>], index: usize, at: Span) -> Option<Diagnostic> {
    use Token::*;
    let text = source.get(at.range()).unwrap_or("");
    let around = Around { tokens, index, at };
    // The token and the one before it as one mistake.
    let both = index
        .checked_sub(1)
        .map_or(at, |before| around.place(before).to(at));
    let branch = around.kind(0) == Some(If);
    if let Some(diagnostic) = operators::common(source, tokens, index, at) {
        return Some(diagnostic);
    }
    let store = around.kind(0) == Some(Star);
    let lock = around.kind(0) == Some(Lock);
    Some(
        match (around.back(2), around.back(1), around.kind(index)?) {
            (_, Some(CloseParen), Plus | Minus | And | Or | Caret) if store && index > 5 => around
                .error("memory is updated in place by an atomic instruction only")
                .with_change(
                    "write `lock` in front",
                    Span::point(at.file, around.place(0).start),
                    "lock ",
                )
                .with_help("or load, compute and store"),
            (_, Some(CloseParen), Minus) if lock => around
                .error("there is no atomic subtraction")
                .with_help("negate the register and write `+=`"),
            (_, Some(CloseParen), _) if lock && index > 6 => around
                .error("there is no such atomic update")
                .with_help("atomic updates are `+=`, `|=`, `&=` and `^=`"),
            (_, Some(Lock), Register(_)) => around
                .error("`lock` is for updates of memory")
                .with_help("write `lock *(u64 *)(r1 + 0) += r2`"),
            (_, Some(Assign), Star) if store => around
                .error("memory is not copied by one instruction")
                .with_help("load into a register first, then store it"),
            (_, Some(Fetch(_)), _) => around.error("the address stands in parentheses"),
            (Some(Fetch(_)), Some(OpenParen), Star)
                if matches!(around.kind(index + 1), Some(OpenParen)) =>
            {
                around
                    .error("the width stands here without its star in front")
                    .with_change("leave the `*` out", at, "")
            }
            (Some(Fetch(_)), Some(OpenParen), _) => around
                .error("the width of the access is missing here")
                .with_help("write `r2 = atomic_fetch_add((u64 *)(r1 + 0), r2)`"),
            (Some(Assign), Some(Word(word)), OpenParen) => {
                let help = match word {
                    "atomic_fetch_sub" => "negate the operand and use `atomic_fetch_add`",
                    _ if word.contains("xchg") => {
                        "exchanges are xchg_64, xchg32_32, cmpxchg_64 and cmpxchg32_32"
                    }
                    _ => {
                        "atomic operations are atomic_fetch_add, atomic_fetch_or, atomic_fetch_and and atomic_fetch_xor"
                    }
                };
                Diagnostic::error(format!("there is no operation `{word}`"))
                    .with_primary(around.place(index - 1), "")
                    .with_help(help)
            }
            (Some(Word(word)), Some(CloseParen), Register(_)) if index == 5 => {
                let diagnostic = Diagnostic::error(format!("`{word}` is no conversion"))
                    .with_primary(around.place(index - 2), "");
                match word.to_ascii_lowercase().as_str() {
                    lower @ ("s8" | "s16" | "s32") => {
                        diagnostic.with_replacement(around.place(index - 2), lower)
                    }
                    "s64" | "u64" => diagnostic.with_change(
                        "a whole register is copied without a conversion",
                        around.place(index - 3).to(around.place(index - 1)),
                        "",
                    ),
                    _ => diagnostic.with_help("conversions are (s8), (s16) and (s32)"),
                }
            }
            (Some(Assign), Some(Tilde), Register(src)) => {
                let diagnostic = Diagnostic::error("there is no such operation on a register")
                    .with_primary(both, "");
                match around.kind(0) {
                    Some(Register(dst)) if dst == src => {
                        diagnostic.with_replacement(around.place(1).to(at), "^= -1")
                    }
                    Some(Register(dst)) if dst.width == src.width => {
                        diagnostic.with_replacement(both, format!("{src}; {dst} ^= -1"))
                    }
                    _ => diagnostic.with_help("all bits of a register are inverted by `r1 ^= -1`"),
                }
            }
            (Some(Assign), Some(Bang), Register(_)) => {
                Diagnostic::error("there is no such operation on a register")
                    .with_primary(both, "")
                    .with_help("a test for zero is a branch: `if r1 == 0 goto label`")
            }
            (_, Some(Goto | Gotol | MayGoto), Register(_)) => {
                let diagnostic = around.error("a jump's target is a label or a number");
                match around.kind(0) {
                    Some(Goto) => diagnostic.with_replacement(around.place(0), "gotox"),
                    _ => diagnostic.with_help("`gotox` jumps through a register"),
                }
            }
            (_, Some(Callx), Number(_) | Word(_)) => around
                .error("only a register can stand here")
                .with_replacement(around.place(0), "call"),
            (_, Some(Gotox), Number(_) | Word(_)) => around
                .error("only a register can stand here")
                .with_replacement(around.place(0), "goto"),
            (_, Some(Callx | Gotox), _) => around
                .error("only a register can stand here")
                .with_help("a known target is written `call f` or `goto f`"),
            (_, Some(Call), Star) => around
                .error("a call's target is a name or a number")
                .with_change("leave the `*` out", at, "")
                .with_help("a call through a register is `callx r1`"),
            (_, Some(Number(_) | Text(_) | Word(_)), _)
                if matches!(around.kind(0), Some(Call | Goto)) && index == 2 =>
            {
                around.error(&format!("the instruction should end before `{text}`"))
            }
            (Some(Less | Greater), Some(Assign), _)
            | (_, Some(LessEqual | GreaterEqual), Assign) => {
                around.error("there is no such operator")
            }
            (_, _, Gotol) if branch => around
                .error("a conditional branch is always short")
                .with_replacement(at, "goto"),
            (_, _, Exit) if branch => around.error("only `goto` can follow a condition"),
            (_, _, Word(word)) if branch && word.eq_ignore_ascii_case("goto") => around
                .error("only the first word of an instruction may be in upper case")
                .with_replacement(at, "goto"),
            (_, _, Word(word)) if branch && index > 2 => {
                let diagnostic = around.error(&format!("expected `goto`, found `{word}`"));
                match around.kind(index + 1) {
                    Some(Goto) => {
                        let both = Span::new(at.file, at.start, around.place(index + 1).end);
                        diagnostic.with_change(format!("leave `{word}` out"), both, "goto")
                    }
                    _ => diagnostic,
                }
            }
            (_, Some(Register(_)), Number(_) | Register(_)) if index == 1 => {
                let start = Span::point(at.file, at.start);
                around
                    .error("an operator is missing before this operand")
                    .with_change("an assignment has a `=` here", start, "= ")
            }
            (_, Some(Assign), Tilde | Bang) => around
                .error("there is no such operation on a register")
                .with_help("all bits of a register are inverted by `r1 ^= -1`"),
            (Some(Register(_)), Some(one @ (Plus | Minus)), other)
                if index == 2 && one == other =>
            {
                Diagnostic::error("there is no increment or decrement")
                    .with_primary(both, "")
                    .with_replacement(both, format!("{text}= 1"))
            }
            (
                Some(Assign),
                Some(Register(_)),
                Plus | Minus | Star | Slash | Percent | And | Or | Caret | ShiftLeft | ShiftRight,
            ) if around
                .kind(0)
                .is_some_and(|token| matches!(token, Register(_))) =>
            {
                operators::second(tokens, index, text, at)
            }
            (_, Some(CloseParen), Plus | Minus | And | Or | Caret | ShiftLeft | ShiftRight)
                if matches!(
                    (around.kind(0), around.kind(2)),
                    (Some(Register(_)), Some(Star))
                ) && index > 7 =>
            {
                operators::second(tokens, index, text, at)
            }
            (_, Some(Number(_) | CloseParen), Word("LL")) => around
                .error("the `ll` of a 64-bit immediate is in lower case")
                .with_replacement(at, "ll"),
            (_, Some(Assign), Word(word))
                if reserved_word(&word.to_ascii_lowercase()).is_some() =>
            {
                around
                    .error(&format!("`{word}` is reserved in lower case only"))
                    .with_replacement(at, word.to_ascii_lowercase())
            }
            (_, Some(Word(word)), Register(_)) if index == 3 => {
                let diagnostic = Diagnostic::error(format!("there is no operation `{word}`"))
                    .with_primary(around.place(2), "");
                let lower = word.to_ascii_lowercase();
                let meant = match lower.as_str() {
                    "htons" | "ntohs" => Some("be16"),
                    "htonl" | "ntohl" => Some("be32"),
                    lower => reserved_word(lower).map(|_| lower),
                };
                match meant {
                Some(meant) => diagnostic.with_replacement(around.place(2), meant),
                None => diagnostic.with_help(
                    "byte order is changed by be16 be32 be64 le16 le32 le64 bswap16 bswap32 bswap64",
                ),
            }
            }
            (Some(Call | Callx), _, _) | (_, Some(Call), Register(_))
                if around.kind(0) == Some(Call) && index == 1 =>
            {
                around
                    .error("a call through a register is `callx`")
                    .with_replacement(around.place(0), "callx")
            }
            (Some(Register(_)), Some(Assign), Assign) => around
                .error("one `=` is enough")
                .with_change("leave this one out", at, ""),
            _ => return addresses::common(around, text),
        },
    )
}
