//! What a test does: its directives, understood and checked.
//!
//! A step is one command with its flags, read by the definitions of the command line itself, and
//! the parts of its result that are kept. Everything that makes no sense is reported at once, each
//! with its place and what could be written instead; nothing runs before all of it is right.

use std::ops::Range;

use bpf::diagnostic::{Diagnostic, FileId};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Parser as _, Subcommand as _};

use super::directives::{Line, span, words};
use super::kinds::{Command, Step as StepLine};

/// Words that a directive may begin with.
const WORDS: &[&str] = &["test", "keep", "expect", "args", "map"];

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

/// All that a file asks for.
#[derive(Debug, Default)]
pub struct Plan {
    /// What runs, in order.
    pub steps: Vec<Step>,
    /// What steps that run functions on numbers and memory are told.
    pub settings: Settings,
}

/// One command.
#[derive(Debug)]
pub struct Step {
    /// The command and its flags, with one space between words: the title of its results.
    pub title: String,
    /// The command.
    pub command: Command,
    /// What is kept of its result.
    pub keep: Keep,
    /// Where the directive stands.
    pub at: Range<usize>,
}

/// What is kept of a result.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keep(pub Vec<Part>);

/// A kind of result, or that of one pass: `PART[=PASS]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// The pass.
    pub of: Option<String>,
}

/// What stands after `expect:`, `args:` and `map:`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Results of functions: `NAME(NUMBER, …) == NUMBER`.
    pub expect: Vec<String>,
    /// Kinds of arguments of generated runs.
    pub args: Option<String>,
    /// Maps that MIR text names and cannot define.
    pub map: Vec<String>,
}

impl Keep {
    /// Whether a part is kept, whatever it is of.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|part| part.name == name)
    }
}

impl Part {
    /// As it was written.
    #[must_use]
    pub fn title(&self) -> String {
        match &self.of {
            Some(of) => format!("{}={of}", self.name),
            None => self.name.clone(),
        }
    }
}

impl Plan {
    /// Whether anything is compared with a snapshot.
    #[must_use]
    pub fn keeps_something(&self) -> bool {
        self.steps.iter().any(|step| !step.keep.0.is_empty())
    }

    /// Understands the directives of a file.
    ///
    /// # Errors
    /// Everything that makes no sense.
    pub fn of(lines: &[Line], file: FileId) -> Result<Plan, Vec<Diagnostic>> {
        let mut plan = Plan::default();
        let mut errors = Vec::new();
        let mut settings = None;
        for line in lines {
            let result = match line.word.as_str() {
                "test" => step(line, file).map(|step| plan.steps.push(step)),
                "keep" => keep(line, file, plan.steps.last_mut()),
                word => {
                    settings = settings.or(Some(line));
                    plan.settings.add(word, line, file)
                }
            };
            errors.extend(result.err());
        }
        let has_steps = lines.iter().any(|line| line.word == "test");
        if !has_steps {
            errors.push(without_steps(file));
        } else if errors.is_empty()
            && let Some(line) = settings
            && !plan.steps.iter().any(|step| step.command.uses_settings())
        {
            let word = &line.word;
            let message = format!("`{word}` is for `pass` and `execute`, and neither is here");
            errors.push(Diagnostic::error(message).with_primary(span(file, &line.word_at), ""));
        }
        for step in &mut plan.steps {
            if step.keep.0.is_empty() {
                let usual = step.command.kind().usual().iter();
                step.keep.0.extend(usual.map(|name| Part {
                    name: (*name).to_owned(),
                    of: None,
                }));
            }
        }
        if errors.is_empty() {
            Ok(plan)
        } else {
            Err(errors)
        }
    }
}

impl Settings {
    fn add(&mut self, word: &str, line: &Line, file: FileId) -> Result<(), Diagnostic> {
        let text = line.text.clone();
        match word {
            "expect" => self.expect.push(text),
            "map" => self.map.push(text),
            "args" => self.args = Some(text),
            _ => {
                let message = format!("there is no directive `{word}`");
                let help = match nearest(word, WORDS) {
                    Some(known) => format!("did you mean `{known}:`?"),
                    None => "prose does not begin with one small word and a colon".to_owned(),
                };
                return Err(Diagnostic::error(message)
                    .with_primary(span(file, &line.word_at), "")
                    .with_note(format!("directives are {}", WORDS.join(", ")))
                    .with_help(help));
            }
        }
        Ok(())
    }
}

fn without_steps(file: FileId) -> Diagnostic {
    Diagnostic::error("this test does not say what runs")
        .with_primary(span(file, &(0..0)), "")
        .with_help(
            "the first comments of a text need a line such as `test: build -O2`; an object needs a \
             NAME.test.toml beside it, with `[[test]]` and `run = \"build -O2\"`",
        )
}

/// Understands a command with the definitions of the command line.
fn step(line: &Line, file: FileId) -> Result<Step, Diagnostic> {
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

/// Understands what is kept of the step before.
fn keep(line: &Line, file: FileId, step: Option<&mut Step>) -> Result<(), Diagnostic> {
    let error = |message: String, range: &Range<usize>| {
        Diagnostic::error(message).with_primary(span(file, range), "")
    };
    let Some(step) = step else {
        let message = "`keep` belongs to the `test` before it, and there is none".to_owned();
        return Err(error(message, &line.word_at));
    };
    let command = step.title.split(' ').next().unwrap_or("");
    let known = step.command.kind().parts();
    if known.is_empty() {
        let message = format!("`{command}` gives nothing that could be kept");
        return Err(error(message, &line.word_at).with_help("leave this line out"));
    }
    let parts = line.text.split([' ', ',']).filter(|word| !word.is_empty());
    for word in parts {
        let (name, of) = match word.split_once('=') {
            Some((name, of)) => (name, Some(of)),
            None => (word, None),
        };
        if !known.contains(&name) {
            let message = format!("`{command}` has no `{name}` to keep");
            let mut error = error(message, &line.place_of(word))
                .with_note(format!("`{command}` has {}", known.join(", ")));
            if let Some(near) = nearest(name, known) {
                error = error.with_help(format!("did you mean `{near}`?"));
            }
            return Err(error);
        }
        let passes: Vec<&str> = passes::pass_names().into_iter().collect();
        match of {
            Some(_) if name != "changes" => {
                let message = format!("only `changes` can be of one pass, not `{name}`");
                return Err(error(message, &line.place_of(word)));
            }
            Some(of) if !passes.contains(&of) => {
                let message = format!("there is no pass `{of}`");
                let error = error(message, &line.place_of(word));
                return Err(error.with_help(format!("passes are {}", passes.join(", "))));
            }
            _ => {}
        }
        step.keep.0.push(Part {
            name: name.to_owned(),
            of: of.map(str::to_owned),
        });
    }
    Ok(())
}

fn names() -> Vec<String> {
    let all = Command::augment_subcommands(clap::Command::new("test"));
    all.get_subcommands()
        .map(|one| one.get_name().to_owned())
        .collect()
}

/// The most similar word, if one is similar at all.
fn nearest<'word>(word: &str, known: &[&'word str]) -> Option<&'word str> {
    let likeness = |other: &str| similar::TextDiff::from_chars(word, other).ratio();
    let best = known
        .iter()
        .max_by(|one, other| likeness(one).total_cmp(&likeness(other)))?;
    (likeness(best) >= 0.6).then_some(best)
}
