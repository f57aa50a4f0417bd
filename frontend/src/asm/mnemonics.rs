//! Instructions by the names that other dialects have for them.
//!
//! They are no part of this language; who writes one is told how it is written here. Where the
//! operands are plain, the whole instruction is translated. Cost: a look at one statement's tokens.

use bpf::diagnostic::Span;
use bpf::insn::Width;

use super::ast::Register;
use super::parse::Located;
use super::token::{Number, Token};
use super::words;

/// The whole of a statement, and what it is in this language.
pub fn translated(word: &str, tokens: &[Located<'_>], at: Span) -> Option<(Span, String)> {
    let lower = word.to_ascii_lowercase();
    let whole = Span::new(at.file, at.start, tokens.last()?.2);
    match (lower.as_str(), tokens.len()) {
        ("ret" | "return", 1) => return Some((whole, "exit".to_owned())),
        ("nop", 1) => return Some((whole, "goto +0".to_owned())),
        _ => {}
    }
    let (base, width) = match lower.strip_suffix("32") {
        Some(base) => (base, Width::W32),
        None => (lower.strip_suffix("64").unwrap_or(&lower), Width::W64),
    };
    let operator = match base {
        "mov" => "=",
        "add" => "+=",
        "sub" => "-=",
        "mul" => "*=",
        "div" => "/=",
        "mod" => "%=",
        "or" => "|=",
        "and" => "&=",
        "xor" => "^=",
        "lsh" => "<<=",
        "rsh" => ">>=",
        "arsh" => "s>>=",
        _ => return None,
    };
    let kept = tokens.get(1..)?.iter().map(|token| token.1);
    let kept = kept.filter(|token| !matches!(token, Token::Percent | Token::Comma));
    let mut operands = kept;
    let (Some(Token::Word(dst)), Some(src), None) =
        (operands.next(), operands.next(), operands.next())
    else {
        return None;
    };
    let named = |name: &str| {
        let register = words::register(name)?;
        Some(Register { width, ..register })
    };
    let src = match src {
        Token::Word(name) => named(name)?.to_string(),
        Token::Number(Number::Integer(number)) if i32::try_from(number).is_ok() => {
            number.to_string()
        }
        _ => return None,
    };
    Some((whole, format!("{} {operator} {src}", named(dst)?)))
}

/// Advice for the words of the other BPF dialects.
pub fn advice(word: &str) -> Option<String> {
    let base = word.trim_end_matches("32").trim_end_matches("64");
    let spelled = match base {
        "mov" => "r1 = r2",
        "add" => "r1 += r2",
        "sub" => "r1 -= r2",
        "mul" => "r1 *= r2",
        "div" => "r1 /= r2",
        "mod" => "r1 %= r2",
        "sdiv" => "r1 s/= r2",
        "smod" => "r1 s%= r2",
        "or" => "r1 |= r2",
        "and" => "r1 &= r2",
        "xor" => "r1 ^= r2",
        "lsh" => "r1 <<= r2",
        "rsh" => "r1 >>= r2",
        "arsh" => "r1 s>>= r2",
        "neg" => "r1 = -r1",
        "lddw" => "r1 = 5 ll",
        "ldxb" => "r1 = *(u8 *)(r2 + 0)",
        "ldxh" => "r1 = *(u16 *)(r2 + 0)",
        "ldxw" => "r1 = *(u32 *)(r2 + 0)",
        "ldxdw" => "r1 = *(u64 *)(r2 + 0)",
        "stb" | "stxb" => "*(u8 *)(r1 + 0) = r2",
        "sth" | "stxh" => "*(u16 *)(r1 + 0) = r2",
        "stw" | "stxw" => "*(u32 *)(r1 + 0) = r2",
        "stdw" | "stxdw" => "*(u64 *)(r1 + 0) = r2",
        "ja" | "jmp" | "b" => "goto label",
        "jeq" | "je" => "if r1 == r2 goto label",
        "jne" => "if r1 != r2 goto label",
        "jgt" => "if r1 > r2 goto label",
        "jge" => "if r1 >= r2 goto label",
        "jlt" => "if r1 < r2 goto label",
        "jle" => "if r1 <= r2 goto label",
        "jset" => "if r1 & r2 goto label",
        "jsgt" => "if r1 s> r2 goto label",
        "jsge" => "if r1 s>= r2 goto label",
        "jslt" => "if r1 s< r2 goto label",
        "jsle" => "if r1 s<= r2 goto label",
        "ret" | "return" => "exit",
        "nop" => "goto +0",
        _ => return None,
    };
    Some(format!("in this language one writes `{spelled}`"))
}
