//! What to say about a statement that is no statement.
//!
//! The parser knows only which token it did not expect. What the writer of the text needs is what
//! was meant to stand there, so the shapes of common mistakes (other assemblers' syntax, C habits,
//! a missing piece) are recognised here from the tokens around the place.

use bpf::diagnostic::{Diagnostic, FileId, Span};
use lalrpop_util::ParseError;

use super::classic;
use super::mistakes;
use super::parse::Located;
use super::token::{LexError, Number, Token};

type Failure<'s> = ParseError<u32, Token<'s>, ()>;

/// A piece of text that is no token.
pub fn lexical(source: &str, kind: LexError, at: Span) -> Diagnostic {
    let text = source.get(at.range()).unwrap_or("");
    match kind {
        LexError::Number(reason) => {
            let diagnostic = Diagnostic::error(format!("`{text}` is not a number"));
            diagnostic.with_primary(at, reason.advice())
        }
        LexError::Comment => {
            Diagnostic::error("a comment is never closed").with_primary(at, "it begins here")
        }
        LexError::Character if text.starts_with('"') => {
            Diagnostic::error("a string is not closed before the end of its line")
                .with_primary(at, "it begins here")
        }
        LexError::Character if text.starts_with('\'') => {
            Diagnostic::error("a character constant is not closed")
                .with_primary(at, "one character between quotes is meant, such as `'a'`")
        }
        LexError::Character => {
            let shown = text.chars().next().unwrap_or(' ');
            let diagnostic = Diagnostic::error(format!(
                "the character `{}` has no meaning here",
                shown.escape_debug()
            ))
            .with_primary(at, "");
            match shown {
                '\\' => diagnostic.with_help("a statement cannot be continued on the next line"),
                '{' | '}' | '?' | '`' => diagnostic,
                _ if !shown.is_ascii() => {
                    diagnostic.with_help("quote a name that is not plain ASCII: \"…\"")
                }
                _ => diagnostic,
            }
        }
    }
}

/// A statement that begins with a token which begins none.
pub fn no_statement(found: Token<'_>, source: &str, at: Span) -> Diagnostic {
    let text = source.get(at.range()).unwrap_or("");
    let diagnostic = Diagnostic::error(format!("a statement cannot begin with `{text}`"))
        .with_primary(at, "expected a label, a directive or an instruction");
    match found {
        Token::Number(Number::LocalLabel(number, _)) => diagnostic.with_help(format!(
            "a local label is defined as `{number}:` and referred to as `{number}b` or `{number}f`"
        )),
        Token::Percent => diagnostic.with_help("registers are written without `%`: `r1`"),
        _ => diagnostic,
    }
}

/// A statement that begins with a word that names no instruction.
pub fn unknown_instruction(word: &str, tokens: &[Located<'_>], at: Span) -> Diagnostic {
    let diagnostic = |message: String| Diagnostic::error(message).with_primary(at, "");
    if let Some(help) = bad_register(word) {
        return diagnostic(format!("there is no register `{word}`")).with_help(help);
    }
    if matches!(tokens.get(1), Some((_, Token::Assign, _))) {
        return diagnostic(format!(
            "`{word}` is neither a register nor a place in memory"
        ))
        .with_help(format!("`.set {word}, …` gives a value to a symbol"));
    }
    let found = diagnostic(format!("there is no instruction `{word}`"));
    let found = match classic::is_mnemonic(&word.to_ascii_lowercase()) {
        true => found.with_note("instructions such as `mov %r1, 5` are read by `--syntax=classic`"),
        false => found,
    };
    match mnemonic_advice(&word.to_ascii_lowercase()) {
        Some(help) => found.with_help(help),
        None if tokens.len() == 1 => found.with_help(format!("a label needs a colon: `{word}:`")),
        None => found,
    }
}

/// Advice for a word that looks like a register and is none.
pub fn bad_register(word: &str) -> Option<&'static str> {
    let lower = word.to_ascii_lowercase();
    let number = lower.strip_prefix(['r', 'w'])?;
    let looks =
        number.is_empty() || number.bytes().all(|byte| byte.is_ascii_digit()) || number == "x";
    looks.then_some("registers are r0 to r10, and w0 to w10 for their lower halves")
}

/// Advice for the words of the other BPF dialects.
fn mnemonic_advice(word: &str) -> Option<String> {
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

/// An instruction that the grammar does not take. `is_complete` says whether the first so many
/// tokens are one that it takes.
pub fn instruction(
    source: &str,
    file: FileId,
    tokens: &[Located<'_>],
    span: Span,
    error: Failure<'_>,
    is_complete: impl FnOnce(usize) -> bool,
) -> Diagnostic {
    let (start, end, expected) = match &error {
        ParseError::UnrecognizedToken {
            token: (start, _, end),
            expected,
        } => (*start, *end, expected.as_slice()),
        ParseError::ExtraToken {
            token: (start, _, end),
        } => (*start, *end, [].as_slice()),
        ParseError::UnrecognizedEof { expected, .. } => {
            let at = Span::point(file, span.end);
            let diagnostic = Diagnostic::error("the instruction is incomplete")
                .with_primary(at, expectation(expected));
            return mistakes::missing(tokens, diagnostic);
        }
        _ => (span.start, span.end, [].as_slice()),
    };
    let at = Span::new(file, start, end);
    let index = tokens
        .iter()
        .position(|token| token.0 == start)
        .unwrap_or(0);
    let text = source.get(at.range()).unwrap_or("");
    if let Some(diagnostic) = mistakes::common(tokens, index, text, at) {
        return diagnostic;
    }
    if is_complete(index) {
        return Diagnostic::error(format!("the instruction should end before `{text}`"))
            .with_primary(at, "this is too much");
    }
    Diagnostic::error(format!("`{text}` does not belong here"))
        .with_primary(at, expectation(expected))
}

/// An operand list that the grammar does not take.
pub fn directive(
    source: &str,
    file: FileId,
    name: &str,
    at: Span,
    error: Failure<'_>,
) -> Diagnostic {
    match error {
        ParseError::UnrecognizedToken {
            token: (start, _, end),
            expected,
        } => {
            let at = Span::new(file, start, end);
            let text = source.get(at.range()).unwrap_or("");
            Diagnostic::error(format!(
                "`{text}` does not belong into the operands of `{name}`"
            ))
            .with_primary(at, expectation(&expected))
        }
        ParseError::UnrecognizedEof { location, expected } => {
            let at = Span::point(file, location);
            Diagnostic::error(format!("the operands of `{name}` are incomplete"))
                .with_primary(at, expectation(&expected))
        }
        _ => Diagnostic::error(format!("the operands of `{name}` are not understood"))
            .with_primary(at, ""),
    }
}

/// What could have stood there, in words.
fn expectation(expected: &[String]) -> String {
    let has = |name: &str| expected.iter().any(|found| found.trim_matches('"') == name);
    let mut words: Vec<&str> = Vec::new();
    if has("register") {
        words.push("a register");
    }
    if has("number") && has("word") {
        words.push("a value");
    }
    if has("u-width") {
        words.push("u8, u16, u32 or u64");
    }
    let comparison = has("==") && has("!=") && !has("number");
    let operator = has("=") && has("+") && !comparison;
    if operator {
        words.push("an operator");
    }
    if comparison && !has("+") {
        words.push("a comparison");
    }
    // Inside an expression any operator could follow; that helps nobody.
    let in_expression = has("+") && has("-") && !has("number");
    for (name, word) in [
        ("=", "`=`"),
        (",", "`,`"),
        ("(", "`(`"),
        (")", "`)`"),
        ("]", "`]`"),
        ("[", "`[`"),
        ("*", "`*`"),
        ("goto", "`goto`"),
        ("skb", "`skb`"),
    ] {
        let skip = match name {
            "=" => operator || comparison,
            "*" => operator || in_expression || has("register"),
            "(" => has("number"),
            _ => false,
        };
        if has(name) && !skip {
            words.push(word);
        }
    }
    match words.as_slice() {
        [] => String::new(),
        [only] => format!("expected {only}"),
        [first @ .., last] => format!("expected {} or {last}", first.join(", ")),
    }
}
