//! What a test does: its directives, understood and checked.
//!
//! A step is one command with its flags, read by the definitions of the command line itself, and
//! the parts of its result that are kept. Everything that makes no sense is reported at once, each
//! with its place and what could be written instead; nothing runs before all of it is right.

use std::ops::Range;

use bpf::diagnostic::{Diagnostic, FileId};

use super::directives::{Line, span};
use super::kinds::Command;
use super::step::{nearest, step};

/// Words that a directive may begin with.
const WORDS: &[&str] = &["test", "keep", "expect", "args", "map"];

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
        let (mut settings, mut misread) = (None, false);
        for line in lines {
            let result = match line.word.as_str() {
                "test" => {
                    let step = step(line, file);
                    misread = step.is_err();
                    step.map(|step| plan.steps.push(step))
                }
                // It belongs to a command that is not known, and says nothing by itself.
                "keep" if misread => Ok(()),
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
        .with_help("a text says it in its first comments: `test: build -O2`")
        .with_help(
            "an object has a NAME.test.toml beside it: `[[test]]` with `run = \"build -O2\"`",
        )
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filetest::directives::in_comments;

    fn errors(text: &str) -> Vec<Diagnostic> {
        Plan::of(&in_comments(text), FileId(0)).expect_err("this makes no sense")
    }

    #[test]
    fn steps_have_flags_of_the_command_line_and_parts() {
        let text = "; test: build  -O2 --disable gvn\n; keep: assembly, changes=dce\n; keep: stats\n\
                    ; test: pass dce\n; expect: f() == 1\n; test: verify\n";
        let plan = Plan::of(&in_comments(text), FileId(0)).expect("a plan");
        let titles: Vec<&str> = plan.steps.iter().map(|step| step.title.as_str()).collect();
        assert_eq!(titles, ["build -O2 --disable gvn", "pass dce", "verify"]);
        let kept = |index: usize| -> Vec<String> {
            let parts = plan.steps[index].keep.0.iter();
            parts.map(Part::title).collect()
        };
        assert_eq!(kept(0), ["assembly", "changes=dce", "stats"]);
        assert_eq!(kept(1), ["changes"]);
        assert!(kept(2).is_empty() && plan.keeps_something());
        assert_eq!(plan.settings.expect, ["f() == 1"]);
    }

    #[test]
    fn what_makes_no_sense_is_told_with_its_place_and_a_hint() {
        // The text, a part of the message, the marked part of the text, a part of the hint.
        let cases = [
            ("; tset: asm\n; test: asm", "`tset`", "tset", "`test:`"),
            ("; test: bulid -O2", "`bulid`", "bulid", "`build`"),
            (
                "; test: build --disabel gvn",
                "--disabel",
                "--disabel",
                "--disable",
            ),
            ("; test: build -O7", "'7'", "-O", ""),
            (
                "; test: build --emit asm",
                "--emit",
                "--emit",
                "`keep: assembly`",
            ),
            ("; test: build x.o", "'x.o'", "x.o", ""),
            (
                "; test: asm\n; keep: objetc",
                "`objetc`",
                "objetc",
                "`object`",
            ),
            (
                "; test: build\n; keep: changes=gnv",
                "`gnv`",
                "changes=gnv",
                "gvn",
            ),
            (
                "; test: build\n; keep: stats=gvn",
                "`changes`",
                "stats=gvn",
                "",
            ),
            ("; test: verify\n; keep: mir", "nothing", "keep", "leave"),
            ("; keep: mir\n; test: lift", "belongs", "keep", ""),
            ("; test: lift\n; args: number", "`pass`", "args", ""),
            ("; test: 'run", "quote", "'run", ""),
            ("; test:", "no command", "test", "build"),
            ("; nothing", "what runs", "", "test: build"),
        ];
        for (text, message, marked, hint) in cases {
            let errors = errors(text);
            assert_eq!(errors.len(), 1, "{text}: {errors:?}");
            let error = &errors[0];
            assert!(error.message.contains(message), "{text}: {error:?}");
            let span = error.span().expect("a place");
            assert_eq!(&text[span.range()], marked, "{text}: {error:?}");
            assert!(error.help.concat().contains(hint), "{text}: {error:?}");
        }
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        assert_eq!(errors("; test: built\n; keep: x\n; tset: asm\n").len(), 2);
    }
}
