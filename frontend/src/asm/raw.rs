//! Text that is passed over or kept without being understood: the branch of a conditional that is
//! not taken, and the body of a macro or a repetition.
//!
//! Such text may hold what no token is, `\name` above all, so that only its first words, its
//! strings and its comments are told apart here: what ends a statement must not stand in either.
//!
//! Cost: linear, no allocation.

use std::ops::Range;

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawStatement<'s> {
    /// Its first word, empty if it begins otherwise.
    pub word: &'s str,
    /// From its first byte up to what ends it.
    pub range: Range<usize>,
    /// Where the next one begins.
    pub next: usize,
}

/// The statement that begins at `from`; `None` at the end of the text.
pub fn statement(text: &str, from: usize) -> Option<RawStatement<'_>> {
    if from >= text.len() {
        return None;
    }
    let start = skip_blanks(text, from);
    let word = word(text, start);
    let bytes = text.as_bytes();
    let mut at = start + word.len();
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\n' | b';' => {
                return Some(RawStatement {
                    word,
                    range: start..at,
                    next: at + 1,
                });
            }
            _ => at = after(text, at),
        }
    }
    Some(RawStatement {
        word,
        range: start..text.len(),
        next: text.len(),
    })
}

/// The position after blanks and block comments.
pub fn skip_blanks(text: &str, from: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = from;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b' ' | b'\t' | b'\r' | 0xb | 0xc => at += 1,
            b'/' if bytes.get(at + 1) == Some(&b'*') => at = after(text, at),
            _ => break,
        }
    }
    at
}

/// The word that begins at a position; empty if none does.
pub fn word(text: &str, at: usize) -> &str {
    let rest = text.get(at..).unwrap_or("");
    match rest.as_bytes().first() {
        Some(first) if !first.is_ascii_digit() => {}
        _ => return "",
    }
    let length = rest.bytes().take_while(|byte| is_word_byte(*byte)).count();
    rest.get(..length).unwrap_or("")
}

/// Whether a byte can stand in a word.
pub fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'$' | b'@')
}

/// The position after the string, the comment or the byte at `at`. A string ends with its line at
/// the latest, a comment that ends with its line does not include the line break.
pub fn after(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    let pair = (bytes.get(at).copied(), bytes.get(at + 1).copied());
    let end_of_line = || match text.get(at..).and_then(|rest| rest.find('\n')) {
        Some(length) => at + length,
        None => text.len(),
    };
    match pair {
        (Some(b'"'), _) => after_string(bytes, at),
        (Some(b'\''), _) => after_character(bytes, at),
        (Some(b'#'), _) | (Some(b'/'), Some(b'/')) => end_of_line(),
        (Some(b'/'), Some(b'*')) => match text.get(at + 2..).and_then(|rest| rest.find("*/")) {
            Some(length) => at + 2 + length + 2,
            None => text.len(),
        },
        _ => {
            let mut next = at + 1;
            while next < text.len() && !text.is_char_boundary(next) {
                next += 1;
            }
            next
        }
    }
}

fn after_string(bytes: &[u8], at: usize) -> usize {
    let mut next = at + 1;
    while let Some(&byte) = bytes.get(next) {
        match byte {
            b'"' => return next + 1,
            b'\n' => return next,
            b'\\' if bytes.get(next + 1).is_some_and(|byte| *byte != b'\n') => next += 2,
            _ => next += 1,
        }
    }
    bytes.len()
}

/// A lone quote is a byte like any other.
fn after_character(bytes: &[u8], at: usize) -> usize {
    match (bytes.get(at + 1), bytes.get(at + 2), bytes.get(at + 3)) {
        (Some(b'\\'), Some(escaped), Some(b'\'')) if *escaped != b'\n' => at + 4,
        (Some(plain), Some(b'\''), _) if plain.is_ascii() && *plain != b'\n' => at + 3,
        _ => at + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_end_outside_of_strings_and_comments() {
        let text = "  a ';' \";\\\";\" ; /* ;\n */ .b \\x # ; no\n\n1 'x";
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(next) = statement(text, at) {
            found.push((next.word, &text[next.range.clone()]));
            at = next.next;
        }
        assert_eq!(
            found,
            [
                ("a", "a ';' \";\\\";\" "),
                (".b", ".b \\x # ; no"),
                ("", ""),
                ("", "1 'x"),
            ]
        );
    }
}
