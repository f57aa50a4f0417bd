//! What to say about a statement that is no statement.
//!
//! The parser knows only which token it did not expect. What the writer of the text needs is what
//! was meant to stand there, so the shapes of common mistakes (other assemblers' syntax, C habits,
//! a missing piece) are recognised here from the tokens around the place.

use bpf::diagnostic::{Diagnostic, FileId, Span};
use bpf::insn::Width;
use lalrpop_util::ParseError;

use super::classic;
use super::mistakes;
use super::mnemonics;
use super::parse::Located;
use super::token::{LexError, Number, Token};

type Failure<'s> = ParseError<u32, Token<'s>, ()>;

/// A piece of text that is no token.
pub fn lexical(source: &str, kind: LexError, at: Span) -> Diagnostic {
    let text = source.get(at.range()).unwrap_or("");
    match kind {
        LexError::Number(reason) => {
            let diagnostic = Diagnostic::error(format!("`{text}` is not a number"));
            let diagnostic = diagnostic.with_primary(at, reason.advice());
            let joined = text.replace('_', "");
            match joined != text && joined.bytes().all(|byte| byte.is_ascii_digit()) {
                true => diagnostic.with_replacement(at, joined),
                false => diagnostic,
            }
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
pub fn no_statement(
    tokens: &[Located<'_>],
    found: Token<'_>,
    source: &str,
    at: Span,
) -> Diagnostic {
    let text = source.get(at.range()).unwrap_or("");
    let diagnostic = Diagnostic::error(format!("a statement cannot begin with `{text}`"))
        .with_primary(at, "expected a label, a directive or an instruction");
    match found {
        Token::Number(Number::LocalLabel(number, _))
            if matches!(tokens.get(1), Some((_, Token::Colon, _))) =>
        {
            diagnostic
                .with_replacement(at, number.to_string())
                .with_help(format!("`{number}b` and `{number}f` refer to it"))
        }
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
        let unknown = diagnostic(format!("there is no register `{word}`"));
        let known = word.get(1..).and_then(|number| number.parse::<u8>().ok());
        let letter = word.chars().next().unwrap_or('r').to_ascii_lowercase();
        return match known.filter(|number| *number <= 10) {
            Some(number) => unknown.with_replacement(at, format!("{letter}{number}")),
            None => unknown.with_help(help),
        };
    }
    if let Some(&(_, Token::Assign, end)) = tokens.get(1) {
        let assignment = Span::new(at.file, at.start, end);
        let defined = format!(".set {word},");
        return diagnostic(format!(
            "`{word}` is neither a register nor a place in memory"
        ))
        .with_change("`.set` gives a value to a symbol", assignment, defined);
    }
    let found = diagnostic(format!("there is no instruction `{word}`"));
    let found = match classic::is_mnemonic(&word.to_ascii_lowercase()) {
        true => found.with_note("instructions such as `mov %r1, 5` are read by `--syntax=classic`"),
        false => found,
    };
    if let Some((whole, text)) = mnemonics::translated(word, tokens, at) {
        return found.with_replacement(whole, text);
    }
    match mnemonics::advice(&word.to_ascii_lowercase()) {
        Some(help) => found.with_help(help),
        None if tokens.len() == 1 => found.with_change(
            format!("a label needs a colon: `{word}:`"),
            Span::point(at.file, at.end),
            ":",
        ),
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

/// The number behind `#` right where an instruction ends too early, as other assemblers write it.
fn behind_comment_sign(source: &str, file: FileId, end: u32) -> Option<Span> {
    let rest = source.get(end as usize..)?;
    let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
    let number = rest.get(blanks..)?.strip_prefix('#')?;
    let length = number.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let start = end + blanks as u32;
    let is_number = number.starts_with(|one: char| one.is_ascii_digit());
    is_number.then(|| Span::new(file, start, start + 1 + length as u32))
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
            if let Some(number) = behind_comment_sign(source, file, at.start) {
                let shown = source
                    .get(number.range())
                    .unwrap_or("")
                    .trim_start_matches('#');
                return diagnostic
                    .with_note("`#` begins a comment")
                    .with_replacement(number, shown);
            }
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
    if let Some(diagnostic) = mistakes::common(source, tokens, index, at) {
        return diagnostic;
    }
    if let ([(_, Token::Exit, exit), (_, value, _)], true) = (tokens, index == 1) {
        let all = Span::new(file, span.start, end);
        let diagnostic = Diagnostic::error("`exit` takes nothing: the result is in `r0`")
            .with_primary(at, "this is too much");
        return match value {
            Token::Number(_) => diagnostic.with_replacement(all, format!("r0 = {text}; exit")),
            Token::Register(register) if register.reg.0 == 0 => {
                diagnostic.with_change("leave it out", Span::new(file, *exit, end), "")
            }
            Token::Register(register) if register.width == Width::W64 => {
                diagnostic.with_replacement(all, format!("r0 = {text}; exit"))
            }
            _ => diagnostic,
        };
    }
    let before = index.checked_sub(1).and_then(|before| tokens.get(before));
    let is_complete = is_complete(index);
    if is_complete
        && index + 1 == tokens.len()
        && let Some(before) = before
        && tokens.get(index).is_some_and(|token| token.1 == before.1)
    {
        return Diagnostic::error(format!("`{text}` stands here twice"))
            .with_primary(at, "once is enough")
            .with_change("leave one out", Span::new(file, before.2, end), "");
    }
    if is_complete {
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
