//! One `test:` line, read by the definitions of the command line.
//!
//! Only the name of the command is looked at here, since tests have commands of their own; its flags
//! are clap's business, so that a flag means the same in a test as after `bpfmill`. What clap says
//! becomes a diagnostic at the word that it is about.

use std::ops::Range;

use bpf::diagnostic::{Diagnostic, FileId};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Parser as _, Subcommand as _};

use super::directives::{Line, span, words};
use super::kinds::{Command, Step as StepLine};
use super::plan::{Keep, Step};

/// Flags of commands that show or write something, and what a test says in their place.
const KEPT_INSTEAD: &[(&str, &str)] = &[
    ("--emit", "`keep: assembly` or `keep: mir`"),
    ("--stats", "`keep: stats`"),
    ("--remarks", "`keep: remarks`"),
    ("--print-after", "`keep: changes=PASS`"),
    ("--print-changed", "`keep: changes`"),
    ("--json", "`keep:` and one of the command's parts"),
    ("-o", "`keep:` and one of the command's parts"),
];

/// Understands a command with the definitions of the command line.
pub(super) fn step(line: &Line, file: FileId) -> Result<Step, Diagnostic> {
    let error = |message: String, range: Range<usize>| {
        Diagnostic::error(message).with_primary(span(file, &range), "")
    };
    let words = words(&line.text).map_err(|message| error(message, line.text_at.clone()))?;
    let names = names();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let known = format!("commands are {}", names.join(", "));
    let Some(first) = words.first() else {
        return Err(error("no command is named".to_owned(), line.word_at.clone()).with_help(known));
    };
    if !names.contains(&first.as_str()) {
        let error = error(
            format!("a test has no command `{first}`"),
            line.place_of(first),
        );
        return Err(match nearest(first, &names) {
            Some(near) => error
                .with_note(known)
                .with_help(format!("did you mean `{near}`?")),
            None => error.with_help(known),
        });
    }
    match StepLine::try_parse_from(&words) {
        Ok(parsed) => Ok(Step {
            title: words.join(" "),
            command: parsed.command,
            keep: Keep::default(),
            at: line.text_at.clone(),
        }),
        Err(refusal) => Err(flags_refused(&refusal, line, file)),
    }
}

/// What clap says, as a diagnostic.
fn flags_refused(refusal: &clap::Error, line: &Line, file: FileId) -> Diagnostic {
    let text = refusal.to_string();
    let first = text.lines().next().unwrap_or("");
    let message = first.strip_prefix("error: ").unwrap_or(first);
    let argument = match refusal.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(argument)) => {
            argument.split([' ', '=']).next().unwrap_or("").to_owned()
        }
        _ => String::new(),
    };
    let place = span(file, &line.place_of(&argument));
    let mut diagnostic = Diagnostic::error(message).with_primary(place, "");
    let tips = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("tip: "));
    let unknown = refusal.kind() == ErrorKind::UnknownArgument;
    let instead = KEPT_INSTEAD.iter().find(|(flag, _)| *flag == argument);
    match instead {
        Some((_, what)) if unknown => {
            let help = format!("a test writes nothing and prints nothing; {what} keeps it");
            diagnostic = diagnostic.with_help(help);
        }
        _ => {
            // clap's hint about `--` is of no use where no file is named.
            for tip in tips.filter(|tip| !tip.contains("as a value")) {
                diagnostic = diagnostic.with_help(tip);
            }
        }
    }
    diagnostic
}

fn names() -> Vec<String> {
    let all = Command::augment_subcommands(clap::Command::new("test"));
    all.get_subcommands()
        .map(|one| one.get_name().to_owned())
        .collect()
}

/// The most similar word, if one is similar at all.
pub(super) fn nearest<'word>(word: &str, known: &[&'word str]) -> Option<&'word str> {
    let likeness = |other: &str| similar::TextDiff::from_chars(word, other).ratio();
    let best = known
        .iter()
        .max_by(|one, other| likeness(one).total_cmp(&likeness(other)))?;
    (likeness(best) >= 0.6).then_some(best)
}
