//! The first comment lines of a test file.

use std::collections::BTreeMap;
use std::fmt::{Display, Formatter};

/// What a file asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// The `test:` lines.
    pub commands: Vec<Command>,
    /// What stands after `run:`, `args:` and `map:`, with that word, in order.
    pub settings: Vec<(&'static str, String)>,
}

/// Words besides `test:` that begin a line of the header.
const SETTINGS: &[&str] = &["run", "args", "map"];

/// One `test:` line: `KIND[=VALUE] [KEY=VALUE]…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Which kind of test.
    pub kind: String,
    /// What stands after the kind and `=`.
    pub value: Option<String>,
    /// The other words; one without `=` has an empty value.
    pub options: BTreeMap<String, String>,
}

impl Header {
    /// Reads the comments before the first line that is none: `;`, `#` or `//`.
    ///
    /// # Errors
    /// A `test:` line without a kind.
    pub fn parse(text: &str) -> Result<Header, String> {
        let mut header = Header::default();
        for line in text.lines().map(str::trim) {
            let comment = ["//", ";", "#"]
                .iter()
                .find_map(|mark| line.strip_prefix(mark));
            let Some(comment) = comment.map(str::trim) else {
                if line.is_empty() {
                    continue;
                }
                break;
            };
            if let Some(rest) = comment.strip_prefix("test:") {
                header.commands.push(Command::parse(rest)?);
            } else if let Some((word, rest)) = comment.split_once(':')
                && let Some(word) = SETTINGS.iter().find(|setting| **setting == word)
            {
                header.settings.push((word, rest.trim().to_owned()));
            }
        }
        Ok(header)
    }

    /// What stands after this word, line by line.
    pub fn settings<'header>(
        &'header self,
        word: &'static str,
    ) -> impl Iterator<Item = &'header str> {
        self.settings
            .iter()
            .filter(move |(setting, _)| *setting == word)
            .map(|(_, text)| text.as_str())
    }
}

impl Command {
    fn parse(text: &str) -> Result<Command, String> {
        let mut words = text.split_whitespace();
        let Some(first) = words.next() else {
            return Err("`test:` says no kind".to_owned());
        };
        let (kind, value) = match first.split_once('=') {
            Some((kind, value)) => (kind, Some(value.to_owned())),
            None => (first, None),
        };
        Ok(Command {
            kind: kind.to_owned(),
            value,
            options: words.map(option).collect(),
        })
    }

    /// What stands after `KIND=`.
    ///
    /// # Errors
    /// Nothing stands there.
    pub fn value(&self) -> Result<&str, String> {
        self.value
            .as_deref()
            .ok_or_else(|| format!("`{0}` needs a value: `{0}=…`", self.kind))
    }

    /// The middle of the snapshot's name, where a file has several.
    #[must_use]
    pub fn label(&self) -> String {
        match &self.value {
            Some(value) => format!("{}-{value}", self.kind),
            None => self.kind.clone(),
        }
    }
}

fn option(word: &str) -> (String, String) {
    let (key, value) = word.split_once('=').unwrap_or((word, ""));
    (key.to_owned(), value.to_owned())
}

impl Display for Command {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.kind)?;
        if let Some(value) = &self.value {
            write!(formatter, "={value}")?;
        }
        for (key, value) in &self.options {
            write!(formatter, " {key}={value}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_comments_count() {
        let text =
            "; test: pass=dce cpu=v3\n; run: two(1) == 2\n\n// test: verify\nexit\n; test: no";
        let header = Header::parse(text).expect("a header");
        let [pass, verify] = &header.commands[..] else {
            panic!("two commands, not {:?}", header.commands);
        };
        assert_eq!(pass.value(), Ok("dce"));
        assert_eq!(pass.options["cpu"], "v3");
        assert_eq!(pass.label(), "pass-dce");
        assert_eq!(verify.kind, "verify");
        assert_eq!(header.settings("run").collect::<Vec<_>>(), ["two(1) == 2"]);
        assert!(Header::parse("# test:").is_err());
    }
}
