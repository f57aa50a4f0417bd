//! Mistakes in what names memory: widths, parentheses, offsets, and operands of atomic operations.
//!
//! Each looks at the few tokens of one statement once.

use bpf::diagnostic::{Diagnostic, Edit, Span};
use bpf::insn::Width;

use super::super::token::Token;
use super::Around;

/// Widths by the names that they have elsewhere, and in disorder.
const WIDTHS: [(&str, &str); 24] = [
    ("__u8", "u8"),
    ("__u16", "u16"),
    ("__u32", "u32"),
    ("__u64", "u64"),
    ("uint8_t", "u8"),
    ("uint16_t", "u16"),
    ("uint32_t", "u32"),
    ("uint64_t", "u64"),
    ("int8_t", "s8"),
    ("int16_t", "s16"),
    ("int32_t", "s32"),
    ("__s8", "s8"),
    ("__s16", "s16"),
    ("__s32", "s32"),
    ("i8", "s8"),
    ("i16", "s16"),
    ("i32", "s32"),
    ("int", "s32"),
    ("char", "s8"),
    ("short", "s16"),
    ("s64", "u64"),
    ("u46", "u64"),
    ("u23", "u32"),
    ("u61", "u16"),
];

/// A mistake in an address.
pub(super) fn common(around: Around<'_, '_>, text: &str) -> Option<Diagnostic> {
    use Token::*;
    let Around { tokens, index, at } = around;
    let before = Span::point(at.file, at.start);
    let has = |wanted: fn(Token<'_>) -> bool| tokens.iter().any(|token| wanted(token.1));
    let memory = has(|token| matches!(token, Unsigned(_) | Signed(_)));
    let packet = has(|token| token == Packet);
    let swap = has(|token| matches!(token, CompareExchange(_)));
    Some(
        match (around.back(2), around.back(1), around.kind(index)?) {
            (_, Some(OpenParen), Word(word))
                if matches!(around.kind(index + 1), Some(Star | CloseParen)) =>
            {
                let diagnostic = around.error(&format!("`{word}` is not the width of an access"));
                match meant_width(word) {
                    Some(meant) => diagnostic.with_replacement(at, meant),
                    None => diagnostic.with_help(
                        "widths are u8 u16 u32 u64, and s8 s16 s32 for loads that extend the sign",
                    ),
                }
            }
            (_, Some(CloseParen), OpenBracket) if memory => {
                let diagnostic = around.error("an address stands in parentheses");
                let closing = tokens.iter().position(|token| token.1 == CloseBracket);
                match closing {
                    Some(closing) => diagnostic.with_suggestion(
                        "write `(` and `)`",
                        vec![edit(at, "("), edit(around.place(closing), ")")],
                    ),
                    None => diagnostic.with_help("write `(r1 + 0)`"),
                }
            }
            (_, Some(CloseParen), Register(register)) if memory => around
                .error("an address stands in parentheses")
                .with_replacement(at, format!("({register} + 0)")),
            (_, Some(Unsigned(_) | Signed(_)), CloseParen)
                if around.kind(index + 1) == Some(OpenParen) =>
            {
                around
                    .error("a width is written with its star")
                    .with_change("write `*)`", at, " *)")
            }
            (Some(OpenParen), Some(Unsigned(_) | Signed(_)), Star) if index == 4 => {
                Diagnostic::error("an access is written with a star in front")
                    .with_primary(around.place(2).to(at), "this is a conversion so far")
                    .with_change(
                        "write `*` in front",
                        Span::point(at.file, around.place(2).start),
                        "*",
                    )
            }
            (Some(Unsigned(_) | Signed(_)), Some(Star), OpenParen) => around
                .error("a parenthesis is not closed before this")
                .with_change("close it: `)`", before, ")"),
            (_, Some(Star), Unsigned(_) | Signed(_)) => around
                .error("a width stands in parentheses, with a star")
                .with_replacement(at, format!("({text} *)")),
            (_, Some(Star), Register(_)) if index == 1 => around
                .error("an access names its width")
                .with_help("write `*(u64 *)(r1 + 0)`"),
            (_, Some(CloseParen), Word(word)) if word.eq_ignore_ascii_case("skb") => around
                .error("`skb` is in lower case")
                .with_replacement(at, "skb"),
            (_, Some(Plus | Minus), Register(_)) if memory => around
                .error("the offset of an access is a constant")
                .with_help("add the registers first, in an instruction of its own"),
            (Some(OpenParen), Some(Register(_)), Star | Slash | Percent | ShiftLeft) if memory => {
                around
                    .error("an address is a register and a constant")
                    .with_help("compute the address first")
            }
            (Some(CloseParen), Some(OpenParen), Number(_) | Word(_)) if memory => {
                let diagnostic = around.error("an address begins with its register");
                match (around.kind(index + 1), around.kind(index + 2)) {
                    (Some(Plus), Some(Register(register))) => diagnostic.with_replacement(
                        at.to(around.place(index + 2)),
                        format!("{register} + {text}"),
                    ),
                    _ => diagnostic.with_help("write `(r1 + 0)`"),
                }
            }
            (Some(OpenBracket), Some(Register(_)), _) if packet => around
                .error("the index of a packet load is a register or a number")
                .with_help("add the number to the register first"),
            (_, Some(Register(_)), CloseParen) if swap => {
                let zero = match around.back(1) {
                    Some(Register(register)) if register.width == Width::W32 => "w0",
                    _ => "r0",
                };
                Diagnostic::error(
                    "a compare-and-exchange names what it compares with, and the new value",
                )
                .with_primary(at, format!("`{zero}` is missing"))
                .with_change(
                    format!("write `{zero}` before the new value"),
                    Span::point(at.file, around.place(index - 1).start),
                    format!("{zero}, "),
                )
            }
            _ => return None,
        },
    )
}

fn meant_width(word: &str) -> Option<&'static str> {
    let lower = word.to_ascii_lowercase();
    let exact = ["u8", "u16", "u32", "u64", "s8", "s16", "s32"];
    let known = WIDTHS.iter().find(|(name, _)| *name == lower);
    let exact = exact.into_iter().find(|name| *name == lower);
    exact.or(known.map(|(_, meant)| *meant))
}

fn edit(span: Span, replacement: &str) -> Edit {
    Edit {
        span,
        replacement: replacement.to_owned(),
    }
}
