//! The lines that say what a test does: the first comments of a text, or a file beside a binary.
//!
//! Only lines are found here; what they mean is the business of [`super::plan`]. A comment begins
//! with `;`, `#` or `//`. A line of it is a directive when it begins with one word in small letters
//! and a colon. Every such word has to be known: a misspelt directive that is taken for prose would
//! be a test that silently tests less. Prose that begins like one can be written in another way.
//!
//! One pass over the first lines of the file; the rest is not looked at.

use std::ops::Range;

use bpf::diagnostic::{Diagnostic, FileId, Span};
use serde::Deserialize;
use toml::Spanned;

/// One directive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What stands before the colon.
    pub word: String,
    /// What stands after it.
    pub text: String,
    /// Where the word stands, in bytes.
    pub word_at: Range<usize>,
    /// Where the text stands, in bytes.
    pub text_at: Range<usize>,
}

impl Line {
    /// The place of a part of the text, if it stands in the file as it is here; else of the text.
    #[must_use]
    pub fn place_of(&self, part: &str) -> Range<usize> {
        let at = (self.text_at.len() == self.text.len())
            .then(|| self.text.find(part))
            .flatten();
        match at {
            Some(at) if !part.is_empty() => {
                let start = self.text_at.start + at;
                start..start + part.len()
            }
            _ => self.text_at.clone(),
        }
    }
}

/// A span of a file from a range of bytes; a place past 4 GiB is the file's end.
pub(super) fn span(file: FileId, range: &Range<usize>) -> Span {
    let small = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Span::new(file, small(range.start), small(range.end))
}

/// The directives among the comments before the first line that is none.
#[must_use]
pub fn in_comments(text: &str) -> Vec<Line> {
    let mut found = Vec::new();
    let mut start = 0;
    for whole in text.split_inclusive('\n') {
        let here = start;
        start += whole.len();
        let line = whole.trim();
        if line.is_empty() {
            continue;
        }
        let comment = ["//", ";", "#"]
            .iter()
            .find_map(|mark| line.strip_prefix(mark));
        let Some(comment) = comment else { break };
        let Some((word, rest)) = comment.trim().split_once(':') else {
            continue;
        };
        let is_word = word.starts_with(|first: char| first.is_ascii_lowercase())
            && word
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        // `https://…` is an address, `a::b` a path.
        if !is_word || rest.starts_with(['/', ':']) {
            continue;
        }
        // Both are parts of the line, so they are found in it.
        let word_start = here + whole.find(word).unwrap_or(0);
        let after = word_start + word.len() + 1;
        let text_start = after + (rest.len() - rest.trim_start().len());
        found.push(Line {
            word: word.to_owned(),
            text: rest.trim().to_owned(),
            word_at: word_start..word_start + word.len(),
            text_at: text_start..text_start + rest.trim().len(),
        });
    }
    found
}

/// The file beside a binary: the same words, in TOML.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Beside {
    #[serde(default)]
    test: Vec<Step>,
    #[serde(default)]
    expect: Vec<Spanned<String>>,
    args: Option<Spanned<String>>,
    #[serde(default)]
    map: Vec<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    run: Spanned<String>,
    #[serde(default)]
    keep: Vec<Spanned<String>>,
}

/// The directives of a `NAME.test.toml`:
///
/// ```toml
/// [[test]]
/// run = "build -O2"
/// keep = ["assembly", "stats"]
/// ```
///
/// # Errors
/// What is wrong with the file.
pub fn in_toml(file: FileId, text: &str) -> Result<Vec<Line>, Diagnostic> {
    let parsed: Beside = toml::from_str(text).map_err(|error| {
        let range = error.span().unwrap_or(0..0);
        Diagnostic::error(error.message())
            .with_primary(span(file, &range), "")
            .with_help("each `[[test]]` has `run = \"COMMAND FLAGS\"` and may have `keep = […]`")
    })?;
    let line = |word: &str, value: &Spanned<String>| Line {
        word: word.to_owned(),
        text: value.get_ref().trim().to_owned(),
        word_at: value.span(),
        text_at: value.span(),
    };
    let mut found = Vec::new();
    for step in &parsed.test {
        found.push(line("test", &step.run));
        found.extend(step.keep.iter().map(|part| line("keep", part)));
    }
    found.extend(parsed.expect.iter().map(|value| line("expect", value)));
    found.extend(parsed.args.iter().map(|value| line("args", value)));
    found.extend(parsed.map.iter().map(|value| line("map", value)));
    Ok(found)
}

/// The words of a line, as a shell would part them: quotes hold a word together.
///
/// # Errors
/// A quote that is not closed.
pub fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' | '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next() {
                        Some(end) if end == character => break,
                        Some(inside) => word.push(inside),
                        None => return Err(format!("the quote {character} is not closed")),
                    }
                }
            }
            space if space.is_whitespace() => words.extend(word.take()),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_comments_count() {
        let text = "; test: pass dce --mcpu v3\n;  expect: two(1) == 2\n; See: prose, https://x\n\n\
                    // test: verify\nexit\n; test: no";
        let lines = in_comments(text);
        let shown: Vec<_> = lines
            .iter()
            .map(|line| (line.word.as_str(), line.text.as_str()))
            .collect();
        let wanted = [
            ("test", "pass dce --mcpu v3"),
            ("expect", "two(1) == 2"),
            ("test", "verify"),
        ];
        assert_eq!(shown, wanted);
        for line in &lines {
            assert_eq!(&text[line.word_at.clone()], line.word);
            assert_eq!(&text[line.text_at.clone()], line.text);
        }
        assert_eq!(&text[lines[0].place_of("--mcpu")], "--mcpu");
    }

    #[test]
    fn a_file_beside_a_binary_says_the_same() {
        let text = "map = ['a array 4 8 1']\n[[test]]\nrun = 'build -O2'\nkeep = ['stats']\n";
        let lines = in_toml(FileId(0), text).unwrap();
        let shown: Vec<_> = lines.iter().map(|line| line.word.as_str()).collect();
        assert_eq!(shown, ["test", "keep", "map"]);
        assert_eq!(&text[lines[0].text_at.clone()], "'build -O2'");
        assert!(in_toml(FileId(0), "[[test]]\nrnu = 'build'\n").is_err());
    }

    #[test]
    fn quotes_hold_words_together() {
        assert_eq!(
            words("run --packet '00 11' a\"b c\"").unwrap(),
            ["run", "--packet", "00 11", "ab c"]
        );
        assert!(words("'open").is_err());
        assert_eq!(words("").unwrap(), Vec::<String>::new());
    }
}
