//! The text that a macro's body becomes when its parameters have values.
//!
//! Cost: one pass over the body; what comes out is bounded by the caller's limit.

use rustc_hash::FxHashMap;

use super::super::raw;

/// The text grew beyond the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

/// What stands for what.
#[derive(Debug)]
pub struct Substitution<'a> {
    /// Values by the names of parameters.
    pub values: FxHashMap<&'a str, &'a str>,
    /// What `\@` stands for, where it stands for something.
    pub counter: Option<u64>,
    /// Whether parameters are recognised without a backslash.
    pub alternate: bool,
    /// Most bytes that may come out.
    pub limit: usize,
}

impl Substitution<'_> {
    /// Appends what a body becomes. `locals` counts the names made for `LOCAL`.
    pub fn expand(&self, body: &str, locals: &mut u64, out: &mut String) -> Result<(), TooLong> {
        match self.alternate {
            true => self.alternate(body, locals, out),
            false => self.plain(body, out),
        }
    }

    fn plain(&self, body: &str, out: &mut String) -> Result<(), TooLong> {
        let mut rest = body;
        while let Some(at) = rest.find('\\') {
            let (before, after) = rest.split_at(at);
            self.push(before, out)?;
            rest = self.backslash(after, &FxHashMap::default(), out)?;
        }
        self.push(rest, out)
    }

    /// What follows a backslash; returns what is left behind it.
    fn backslash<'b>(
        &self,
        text: &'b str,
        locals: &FxHashMap<String, String>,
        out: &mut String,
    ) -> Result<&'b str, TooLong> {
        let after = text.get(1..).unwrap_or("");
        if let (Some(rest), Some(counter)) = (after.strip_prefix('@'), self.counter) {
            self.push(&counter.to_string(), out)?;
            return Ok(rest);
        }
        if let Some(rest) = after.strip_prefix("()") {
            return Ok(rest);
        }
        let name = parameter_name(after);
        let rest = after.get(name.len()..).unwrap_or("");
        match self.value(name, locals) {
            Some(value) => {
                self.push(value, out)?;
                Ok(self.joined(rest))
            }
            None => {
                self.push("\\", out)?;
                self.push(name, out)?;
                Ok(rest)
            }
        }
    }

    fn alternate(&self, body: &str, count: &mut u64, out: &mut String) -> Result<(), TooLong> {
        let mut locals = FxHashMap::default();
        let mut rest = body;
        let mut begins = true;
        while let Some(first) = rest.chars().next() {
            if begins {
                let after = self.locals(rest, count, &mut locals, out)?;
                begins = after.len() < rest.len();
                rest = after;
                continue;
            }
            if first == '\\' {
                rest = self.backslash(rest, &locals, out)?;
                continue;
            }
            let name = parameter_name(rest);
            if name.is_empty() {
                begins = matches!(first, '\n' | ';');
                let (one, after) = rest.split_at(first.len_utf8());
                self.push(one, out)?;
                rest = after;
                continue;
            }
            let after = rest.get(name.len()..).unwrap_or("");
            rest = match self.value(name, &locals) {
                Some(value) => {
                    self.push(value, out)?;
                    self.joined(after)
                }
                None => {
                    self.push(name, out)?;
                    after
                }
            };
        }
        Ok(())
    }

    /// `LOCAL a, b` gives each name a label of its own in this expansion.
    fn locals<'b>(
        &self,
        text: &'b str,
        count: &mut u64,
        locals: &mut FxHashMap<String, String>,
        out: &mut String,
    ) -> Result<&'b str, TooLong> {
        let start = raw::skip_blanks(text, 0);
        let word = raw::word(text, start);
        if !word.eq_ignore_ascii_case("local") {
            return Ok(text);
        }
        let Some(statement) = raw::statement(text, start) else {
            return Ok(text);
        };
        let names = text.get(start + word.len()..statement.range.end);
        let names = names.unwrap_or("").split([',', ' ', '\t']);
        for name in names.filter(|name| !name.is_empty()) {
            locals.insert(name.to_owned(), format!(".LL{count:04x}"));
            *count += 1;
        }
        // The line stays, so that lines of the expansion are lines of the body.
        self.push("\n", out)?;
        Ok(text.get(statement.next..).unwrap_or(""))
    }

    fn value<'v>(&'v self, name: &str, locals: &'v FxHashMap<String, String>) -> Option<&'v str> {
        let local = locals.get(name).map(String::as_str);
        local.or_else(|| self.values.get(name).copied())
    }

    /// In the alternate syntax `&` joins a parameter to what follows.
    fn joined<'b>(&self, rest: &'b str) -> &'b str {
        match self.alternate {
            true => rest.strip_prefix('&').unwrap_or(rest),
            false => rest,
        }
    }

    fn push(&self, text: &str, out: &mut String) -> Result<(), TooLong> {
        if out.len() + text.len() > self.limit {
            return Err(TooLong);
        }
        out.push_str(text);
        Ok(())
    }
}

/// The name at the start of a text, as parameters have them.
fn parameter_name(text: &str) -> &str {
    let length = text
        .bytes()
        .take_while(|byte| *byte != b'@' && raw::is_word_byte(*byte))
        .count();
    text.get(..length).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand(body: &str, alternate: bool) -> String {
        let substitution = Substitution {
            values: [("a", "1"), ("b", "2")].into_iter().collect(),
            counter: Some(7),
            alternate,
            limit: 100,
        };
        let mut out = String::new();
        substitution.expand(body, &mut 0, &mut out).unwrap();
        out
    }

    #[test]
    fn parameters_stand_after_a_backslash() {
        assert_eq!(
            expand(r"\a|x\b\()y|\@|\c|\a.b|a&b", false),
            r"1|x2y|7|\c|\a.b|a&b"
        );
    }

    #[test]
    fn the_alternate_syntax_needs_no_backslash() {
        assert_eq!(expand("x&a a&x a&b a.b _a \\a", true), "x&1 1x 12 a.b _a 1");
        assert_eq!(expand("LOCAL l, m\n l: m", true), "\n .LL0000: .LL0001");
    }

    #[test]
    fn growth_has_a_limit() {
        let long = "x".repeat(60);
        let substitution = Substitution {
            values: [("a", long.as_str())].into_iter().collect(),
            counter: None,
            alternate: false,
            limit: 100,
        };
        let result = substitution.expand(r"\a\a", &mut 0, &mut String::new());
        assert_eq!(result, Err(TooLong));
    }
}
