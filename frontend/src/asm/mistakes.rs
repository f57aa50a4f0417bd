//! Mistakes that people make, told by the tokens around the one that did not fit.
//!
//! Order matters: the first row that matches speaks.

use bpf::diagnostic::{Diagnostic, Span};

use super::parse::Located;
use super::token::{Token, reserved_word};

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
        _ if opened > closed => diagnostic.with_help("a closing parenthesis is missing"),
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

/// Mistakes that are recognised by the tokens around the one that did not fit.
pub fn common(tokens: &[Located<'_>], index: usize, text: &str, at: Span) -> Option<Diagnostic> {
    use Token::*;
    let kind = |index: usize| tokens.get(index).map(|token| token.1);
    let back = |distance: usize| index.checked_sub(distance).and_then(kind);
    let error = |message: &str| Diagnostic::error(message.to_owned()).with_primary(at, "");
    let branch = kind(0) == Some(If);
    let memory = |slice: &[Located<'_>]| slice.iter().any(|token| matches!(token.1, Unsigned(_)));
    let store = kind(0) == Some(Star);
    let lock = kind(0) == Some(Lock);
    Some(match (back(2), back(1), kind(index)?) {
        (_, Some(CloseParen), Plus | Minus | And | Or | Caret) if store && index > 5 => error(
            "memory is updated in place by an atomic instruction only",
        )
        .with_help(format!(
            "write `lock` in front, or load, compute and store: `lock *(u64 *)(r1 + 0) {text}= r2`"
        )),
        (_, Some(CloseParen), Minus) if lock => {
            error("there is no atomic subtraction").with_help("negate the register and write `+=`")
        }
        (_, Some(CloseParen), _) if lock && index > 6 => error("there is no such atomic update")
            .with_help("atomic updates are `+=`, `|=`, `&=` and `^=`"),
        (_, Some(Lock), Register(_)) => error("`lock` is for updates of memory")
            .with_help("write `lock *(u64 *)(r1 + 0) += r2`"),
        (_, Some(Assign), Star) if store => error("memory is not copied by one instruction")
            .with_help("load into a register first, then store it"),
        (_, Some(Fetch(_)), _) => error("the address stands in parentheses"),
        (Some(Fetch(_)), Some(OpenParen), _) => error("the width of the access is missing here")
            .with_help("write `r2 = atomic_fetch_add((u64 *)(r1 + 0), r2)`"),
        (Some(Assign), Some(Word(word)), OpenParen) => {
            let place = tokens
                .get(index - 1)
                .map_or(at, |token| Span::new(at.file, token.0, token.2));
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
                .with_primary(place, "")
                .with_help(help)
        }
        (Some(Word(word)), Some(CloseParen), Register(_)) if index == 5 => {
            let place = tokens
                .get(index - 2)
                .map_or(at, |token| Span::new(at.file, token.0, token.2));
            Diagnostic::error(format!("`{word}` is no conversion"))
                .with_primary(place, "")
                .with_help("conversions are (s8), (s16) and (s32)")
        }
        (Some(Assign), Some(Tilde), Register(_)) => {
            error("there is no such operation on a register")
                .with_help("all bits of a register are inverted by `r1 ^= -1`")
        }
        (Some(Assign), Some(Bang), Register(_)) => {
            error("there is no such operation on a register")
                .with_help("a test for zero is a branch: `if r1 == 0 goto label`")
        }
        (_, Some(Goto | Gotol | MayGoto), Register(_)) => {
            error("a jump's target is a label or a number")
                .with_help("`gotox` jumps through a register")
        }
        (_, Some(Callx | Gotox), _) => error("only a register can stand here")
            .with_help("a known target is written `call f` or `goto f`"),
        (_, Some(Call), Star) => error("a call's target is a name or a number")
            .with_help("a call through a register is `callx r1`"),
        (_, Some(Number(_) | Text(_) | Word(_)), _)
            if matches!(kind(0), Some(Call | Goto)) && index == 2 =>
        {
            error(&format!("the instruction should end before `{text}`"))
        }
        (Some(Less | Greater), Some(Assign), _) | (_, Some(LessEqual | GreaterEqual), Assign) => {
            error("there is no such operator")
        }
        (_, Some(If), OpenParen) => error("a condition stands without parentheses")
            .with_help("write `if r1 == 0 goto label`"),
        (_, Some(If), Bang) => error("a condition compares a register with something")
            .with_help("write `if r1 == 0 goto label`"),
        (_, Some(If), Number(_) | Word(_)) => error("a condition begins with a register")
            .with_help("turn it round: `if r1 == 0 goto label`"),
        (Some(Register(_)), Some(Assign), _) if branch => {
            error("a comparison for equality is written `==`")
        }
        (_, Some(Equal | NotEqual), Assign) => error(&format!(
            "`{}=` is no operator",
            if back(1) == Some(Equal) { "==" } else { "!=" }
        ))
        .with_help("equality is `==`, inequality is `!=`"),
        (_, Some(Register(_)), Bang) => error("inequality is written `!=` without a blank"),
        (_, Some(Register(_)), AndAnd) if branch => error("there is no `&&` between conditions")
            .with_help("`if r1 & r2 goto label` tests bits; two conditions are two branches"),
        (_, Some(S), Assign | Equal) => {
            error("equality has no signed form").with_help("write it without the `s`")
        }
        (_, Some(S), Plus | Minus | Star | ShiftLeft) => error(&format!(
            "`s{text}` is no operator: there is no signed form of it"
        ))
        .with_help("signed operators are `s/=`, `s%=` and `s>>=`"),
        (_, Some(S), _) if branch => error("this comparison has no signed form")
            .with_help("signed comparisons are `s>`, `s>=`, `s<` and `s<=`"),
        (_, Some(Register(_)), Word(_)) if branch => error(&format!("`{text}` is no comparison"))
            .with_help(
                "comparisons are `==` `!=` `>` `>=` `<` `<=` `&`, signed `s>` `s>=` `s<` `s<=`",
            ),
        (_, _, Gotol) if branch => {
            error("a conditional branch is always short").with_help("write `goto`")
        }
        (_, _, Exit) if branch => error("only `goto` can follow a condition"),
        (_, _, Word(word)) if branch && word.eq_ignore_ascii_case("goto") => {
            error("only the first word of an instruction may be in upper case")
                .with_help("write `goto`")
        }
        (_, _, Word(word)) if branch && index > 2 => {
            error(&format!("expected `goto`, found `{word}`"))
        }
        (_, Some(Register(_)), Equal) => error("`==` only stands in `if … goto`")
            .with_help("an assignment is written with one `=`"),
        (_, Some(Register(_)), Number(_) | Register(_)) if index == 1 => {
            error("an operator is missing before this operand").with_help("write `r1 = …`")
        }
        (_, Some(Assign), Tilde | Bang) => error("there is no such operation on a register")
            .with_help("all bits of a register are inverted by `r1 ^= -1`"),
        (Some(Register(_)), Some(Plus | Minus), Plus | Minus) if index == 2 => {
            error("there is no increment or decrement").with_help(format!("write `{text}= 1`"))
        }
        (
            Some(Assign),
            Some(Register(_)),
            Plus | Minus | Star | Slash | Percent | And | Or | Caret | ShiftLeft | ShiftRight,
        ) if kind(0).is_some_and(|token| matches!(token, Register(_))) => {
            error("an instruction has only one operation").with_help(format!(
                "copy first, then write `r1 {text}= …` as an instruction of its own"
            ))
        }
        (_, Some(Number(_) | CloseParen), Word("LL")) => {
            error("the `ll` of a 64-bit immediate is in lower case")
        }
        (_, Some(Assign), Word(word)) if reserved_word(&word.to_ascii_lowercase()).is_some() => {
            error(&format!("`{word}` is reserved in lower case only"))
                .with_help(format!("write `{}`", word.to_ascii_lowercase()))
        }
        (_, Some(Word(word)), Register(_)) if index == 3 => {
            error(&format!("there is no operation `{word}`")).with_help(
                "byte order is changed by be16 be32 be64 le16 le32 le64 bswap16 bswap32 bswap64",
            )
        }
        (Some(Star), Some(OpenParen), Word(word)) | (_, Some(OpenParen), Word(word))
            if matches!(kind(index + 1), Some(Star | CloseParen)) =>
        {
            error(&format!("`{word}` is not the width of an access")).with_help(
                "widths are u8 u16 u32 u64, and s8 s16 s32 for loads that extend the sign",
            )
        }
        (_, Some(CloseParen), OpenBracket) if memory(tokens) => {
            error("an address stands in parentheses").with_help("write `(r1 + 0)`")
        }
        (_, Some(CloseParen), Register(_)) if memory(tokens) => {
            error("an address stands in parentheses").with_help("write `(r1 + 0)`")
        }
        (_, Some(Unsigned(_) | Signed(_)), CloseParen) if kind(index + 1) == Some(OpenParen) => {
            error("a width is written with its star").with_help("write `*(u8 *)(r1 + 0)`")
        }
        (_, Some(CloseParen), Word(word)) if word.eq_ignore_ascii_case("skb") => {
            error("`skb` is in lower case")
        }
        (_, Some(Plus | Minus), Register(_)) if memory(tokens) => {
            error("the offset of an access is a constant")
                .with_help("add the registers first, in an instruction of its own")
        }
        (Some(Call | Callx), _, _) | (_, Some(Call), Register(_))
            if kind(0) == Some(Call) && index == 1 =>
        {
            error("a call through a register is `callx`")
        }
        _ => return None,
    })
}
