//! Which warnings of the assembler are shown, and which of them are errors: `-W`.
//!
//! The words are those of compilers: `-W no-NAME` switches a warning off, `-W NAME` on again,
//! `-W error=NAME` makes it an error, `-W no-error=NAME` takes that back, and `-W error` makes errors
//! of all that are on. The last word about a warning holds.

use bpf::diagnostic::{Diagnostic, Severity, SourceMap};
use clap::Args;
use frontend::asm::warnings::{self, Warning};

use crate::explain;
use crate::failure::Failure;
use crate::input::Assembled;

/// What the command line says about warnings.
#[derive(Clone, Debug, Default, Args)]
pub struct WarningOptions {
    /// Switch a warning on or off (NAME, no-NAME), or make it an error (error=NAME, no-error=NAME;
    /// error for all); may be repeated
    #[arg(short = 'W', value_name = "WORD", value_parser = word)]
    words: Vec<Word>,
}

/// One word about warnings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Word {
    /// `None` for all.
    warning: Option<Warning>,
    what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    On,
    Off,
    Error,
    NoError,
}

fn word(text: &str) -> Result<Word, String> {
    let (what, name) = match text.split_once('=') {
        Some(("error", name)) => (What::Error, Some(name)),
        Some(("no-error", name)) => (What::NoError, Some(name)),
        Some((other, _)) => {
            return Err(format!(
                "`{other}=` means nothing: write error=NAME or no-error=NAME"
            ));
        }
        None => match (text, text.strip_prefix("no-")) {
            ("error", _) => (What::Error, None),
            ("no-error", _) => (What::NoError, None),
            (_, Some(name)) => (What::Off, Some(name)),
            (name, None) => (What::On, Some(name)),
        },
    };
    let warning = name.map(named).transpose()?;
    Ok(Word { warning, what })
}

fn named(name: &str) -> Result<Warning, String> {
    Warning::named(name).ok_or_else(|| {
        let names = Warning::ALL.map(Warning::name);
        match explain::nearest_of(name, names) {
            Some(nearest) => format!("there is no warning `{name}`; did you mean `{nearest}`?"),
            None => format!(
                "there is no warning `{name}`; there are {}",
                names.join(", ")
            ),
        }
    })
}

impl WarningOptions {
    /// Looks for what is suspicious in code that was assembled, and keeps of its warnings those
    /// that are wanted.
    ///
    /// # Errors
    /// [`Failure::Refused`] when one of them is to be an error.
    pub fn judge(&self, assembled: &mut Assembled) -> Result<(), Failure> {
        if assembled.from_text {
            let found = warnings::check(&assembled.object, &assembled.instructions);
            let found = found.into_iter();
            let explained = found.map(|warning| assembled.origins.explain(warning));
            assembled.warnings.extend(explained);
        }
        let all = std::mem::take(&mut assembled.warnings);
        let mut kept: Vec<Diagnostic> = all
            .into_iter()
            .filter_map(|diagnostic| self.level(diagnostic))
            .collect();
        kept.sort_by_cached_key(|diagnostic| assembled.origins.order(diagnostic.span()));
        if kept.iter().any(Diagnostic::is_error) {
            let map: SourceMap = std::mem::take(&mut assembled.map);
            return Err(Failure::Refused {
                map,
                diagnostics: kept,
            });
        }
        assembled.warnings = kept;
        Ok(())
    }

    fn level(&self, mut diagnostic: Diagnostic) -> Option<Diagnostic> {
        let warning = diagnostic.code.and_then(Warning::named);
        let (mut on, mut error) = (true, false);
        for word in &self.words {
            if word.warning.is_some() && word.warning != warning {
                continue;
            }
            match word.what {
                What::On => on = true,
                What::Off => on = false,
                What::Error => {
                    error = true;
                    // Who wants an error wants to see it; who wants errors of all wants no more.
                    on |= word.warning.is_some();
                }
                What::NoError => error = false,
            }
        }
        if error {
            diagnostic.severity = Severity::Error;
        }
        on.then_some(diagnostic)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn severity(words: &[&str], of: Warning) -> Option<Severity> {
        let words = words.iter().map(|text| word(text).unwrap()).collect();
        let diagnostic = Diagnostic::warning("").with_code(of.name());
        let options = WarningOptions { words };
        options
            .level(diagnostic)
            .map(|diagnostic| diagnostic.severity)
    }

    #[test]
    fn the_last_word_holds() {
        let (warning, other) = (Warning::Unreachable, Warning::WriteR10);
        assert_eq!(severity(&[], warning), Some(Severity::Warning));
        assert_eq!(severity(&["no-unreachable"], warning), None);
        assert_eq!(
            severity(&["no-unreachable"], other),
            Some(Severity::Warning)
        );
        assert_eq!(
            severity(&["no-unreachable", "unreachable"], warning),
            Some(Severity::Warning)
        );
        assert_eq!(severity(&["error"], warning), Some(Severity::Error));
        assert_eq!(
            severity(&["error", "no-error=unreachable"], warning),
            Some(Severity::Warning)
        );
        assert_eq!(severity(&["no-unreachable", "error"], warning), None);
        assert_eq!(
            severity(&["no-unreachable", "error=unreachable"], warning),
            Some(Severity::Error)
        );
    }

    #[test]
    fn a_name_that_nobody_knows_is_refused_with_the_nearest() {
        let message = word("no-unreachabel").unwrap_err();
        assert!(message.contains("did you mean `unreachable`?"), "{message}");
        assert!(word("error=xyzzy").unwrap_err().contains("write-r10"));
        assert!(word("warning=unreachable").is_err());
    }
}
