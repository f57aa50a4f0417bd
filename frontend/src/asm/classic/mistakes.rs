//! What to say about a statement that is no classic instruction.

use bpf::diagnostic::{Diagnostic, Span};

use super::super::ast::{Arena, Expr};
use super::super::parse::Located;
use super::super::syntax_error;
use super::super::token::Token;
use super::super::words::first_word;
use super::operands::Piece;
use super::table::{self, Shape, Wanted};

/// One letter may be wrong in this many.
const LETTERS_PER_MISTAKE: usize = 3;
const LONGEST: usize = 24;
const UPDATES: &str = "after `lock` or `lock fetch` stand add, or, and, xor, xchg and cmpxchg, with `32` behind for 4 bytes";

/// Whether a word is a mnemonic of this dialect alone.
pub fn is_mnemonic(word: &str) -> bool {
    first_word(word).is_none() && table::find(word).is_some()
}

/// The diagnostic if the operands are not those that the mnemonic takes.
pub fn check(
    word: &str,
    shape: Shape,
    pieces: &[Piece],
    span: Span,
    arena: &Arena,
) -> Result<(), Diagnostic> {
    let wanted = shape.operands();
    let told = |at: Span, label: String| {
        let diagnostic = Diagnostic::error(takes(word, wanted)).with_primary(at, label);
        Err(diagnostic.with_help(advice(word, shape, pieces)))
    };
    for (index, wanted) in wanted.iter().enumerate() {
        match pieces.get(index) {
            Some(piece) if !fits(piece, *wanted, arena) => {
                let label = match (piece, wanted) {
                    (Piece::Value(_), Wanted::SignBits | Wanted::OrderBits | Wanted::Zero) => {
                        format!("this has to be {}", wanted.described())
                    }
                    _ => format!("this is {}", piece.described()),
                };
                return told(piece.span(), label);
            }
            None if !wanted.is_optional() => {
                let end = Span::point(span.file, span.end);
                return told(end, format!("{} is missing", wanted.described()));
            }
            _ => {}
        }
    }
    match pieces.get(wanted.len()) {
        Some(piece) => told(piece.span(), "this is one too many".to_owned()),
        None => Ok(()),
    }
}

fn fits(piece: &Piece, wanted: Wanted, arena: &Arena) -> bool {
    let literal = |value: &Expr| arena.literal(*value);
    match (piece, wanted) {
        (Piece::Register(_), Wanted::Register | Wanted::RegisterOrNumber | Wanted::Callee) => true,
        (Piece::Address(_), Wanted::Address) => true,
        (Piece::Value(value), Wanted::SignBits) => matches!(literal(value), Some(8 | 16 | 32)),
        (Piece::Value(value), Wanted::OrderBits) => matches!(literal(value), Some(16 | 32 | 64)),
        (Piece::Value(value), Wanted::Zero) => literal(value) == Some(0),
        (Piece::Value(_), wanted) => !matches!(wanted, Wanted::Register | Wanted::Address),
        _ => false,
    }
}

/// "`mov` takes a register, and a register or a number"
fn takes(word: &str, wanted: &[Wanted]) -> String {
    let kinds: Vec<&str> = wanted.iter().map(|wanted| wanted.described()).collect();
    let list = match kinds.as_slice() {
        [] => "no operands".to_owned(),
        [only] => (*only).to_owned(),
        [first, second] => format!("{first}, and {second}"),
        [most @ .., last] => format!("{}, and {last}", most.join(", ")),
    };
    format!("`{word}` takes {list}")
}

fn advice(word: &str, shape: Shape, pieces: &[Piece]) -> String {
    let usage = || {
        let wanted = shape.operands().iter().enumerate();
        let wanted = wanted.filter(|(_, wanted)| !wanted.is_optional());
        let operands: Vec<String> = wanted
            .map(|(index, wanted)| wanted.example(index))
            .collect();
        match operands.is_empty() {
            true => format!("write `{word}`"),
            false => format!("write `{word} {}`", operands.join(", ")),
        }
    };
    match (shape, pieces) {
        (Shape::Store(_), [Piece::Address(_), Piece::Value(_)]) => {
            format!("a number is stored by `{}`", word.replacen("stx", "st", 1))
        }
        (Shape::StoreNumber(_), [Piece::Address(_), Piece::Register(_)]) => {
            format!(
                "a register is stored by `{}`",
                word.replacen("st", "stx", 1)
            )
        }
        (Shape::Store(_) | Shape::StoreNumber(_), [Piece::Register(_), Piece::Address(_)]) => {
            format!("what is written to comes first: {}", usage())
        }
        (Shape::Load(..), [Piece::Address(_), Piece::Register(_)]) => {
            format!("what is written to comes first: {}", usage())
        }
        _ => usage(),
    }
}

/// A statement that begins with no word.
pub fn no_mnemonic(tokens: &[Located<'_>], at: Span, source: &str) -> Diagnostic {
    match tokens.first().map(|token| token.1) {
        Some(Token::Star) => default_dialect(at),
        Some(Token::Percent) => Diagnostic::error("an instruction begins with its mnemonic")
            .with_primary(at, "")
            .with_help("write `mov %r1, %r2`"),
        Some(other) => syntax_error::no_statement(tokens, other, source, at),
        None => Diagnostic::error("an instruction is missing").with_primary(at, ""),
    }
}

/// A word that is no mnemonic.
pub fn unknown(word: &str, tokens: &[Located<'_>], at: Span) -> Diagnostic {
    let error = |message: &str| Diagnostic::error(message.to_owned()).with_primary(at, "");
    if first_word(word).is_some() {
        return default_dialect(at);
    }
    match word {
        "ldxsdw" => return error("8 bytes have no sign to extend").with_help("write `ldxdw`"),
        "ldabsdw" | "ldinddw" => {
            return error("a packet load reads at most 4 bytes")
                .with_help("write `ldabsw` or `ldindw`");
        }
        _ => {}
    }
    let found = error(&format!("there is no instruction `{word}`"));
    match nearest(word) {
        Some(near) => found.with_help(format!("did you mean `{near}`?")),
        None if tokens.len() == 1 => found.with_help(format!("a label needs a colon: `{word}:`")),
        None => found,
    }
}

/// `lock` with something behind that it does not go with.
pub fn unknown_update(tokens: &[Located<'_>], lock: Span, source: &str) -> Diagnostic {
    let is_word = |token: &&Located<'_>| matches!(token.1, Token::Word(word) if word != "fetch");
    let at = |token: &Located<'_>| Span::new(lock.file, token.0, token.2);
    match tokens.get(1) {
        Some((_, Token::Star, _)) => return default_dialect(lock),
        None => {
            return Diagnostic::error("`lock` is followed by an operation")
                .with_primary(lock, "")
                .with_help(UPDATES);
        }
        Some(_) => {}
    }
    let place = tokens.iter().skip(1).take(2).find(is_word);
    let place = place.or(tokens.get(1)).map_or(lock, at);
    let text = source.get(place.range()).unwrap_or("");
    Diagnostic::error(format!("`{text}` is no atomic operation"))
        .with_primary(place, "")
        .with_help(UPDATES)
}

fn default_dialect(at: Span) -> Diagnostic {
    Diagnostic::error("this instruction is not in the classic dialect")
        .with_primary(at, "an instruction begins with its mnemonic, such as `mov`")
        .with_help("without `--syntax=classic`, the kernel's syntax is read")
}

/// The mnemonic that was perhaps meant.
fn nearest(word: &str) -> Option<String> {
    // No mnemonic is as long, and the comparison takes memory.
    if word.len() > LONGEST {
        return None;
    }
    let distances = table::names().map(|name| (strsim::damerau_levenshtein(word, &name), name));
    let (distance, name) = distances.min()?;
    (distance * LETTERS_PER_MISTAKE <= word.len().max(LETTERS_PER_MISTAKE)).then_some(name)
}
