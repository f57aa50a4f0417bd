//! `.if` and its kin: which text is assembled.
//!
//! A branch that is not taken is passed over without being understood, except for the words that
//! open and close conditionals. Whether text is passed over is state of the assembler and not of a
//! text, so that a macro may open a conditional that ends behind its call.
//!
//! Cost: linear in what is passed over, and one entry for each open conditional.

use std::sync::Arc;

use bpf::diagnostic::{Diagnostic, Span};

use super::assembler::Assembler;
use super::ast::{Directive, NameId, Raw, Spanned};
use super::raw;

/// A conditional that is open.
#[derive(Clone, Copy, Debug)]
pub struct Conditional {
    /// Where it was opened.
    at: Span,
    /// Whether a branch has been taken, or none may be.
    settled: bool,
    /// The `.else`, after which no branch may follow.
    otherwise: Option<Span>,
}

/// What a conditional asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Whether a number is … zero.
    Number(Comparison),
    /// Whether a symbol is defined.
    Defined(bool),
    /// Whether nothing follows.
    Blank(bool),
    /// Whether two texts are the same.
    Same(bool),
    /// Whether two strings in quotes are the same.
    SameStrings(bool),
}

/// How a number is compared with zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

impl Question {
    /// What the directive of this name asks.
    pub fn named(name: &str) -> Option<Question> {
        use Comparison::*;
        use Question::*;
        Some(match name {
            ".if" | ".ifne" => Number(NotEqual),
            ".ifeq" => Number(Equal),
            ".ifgt" => Number(Greater),
            ".ifge" => Number(GreaterOrEqual),
            ".iflt" => Number(Less),
            ".ifle" => Number(LessOrEqual),
            ".ifdef" => Defined(true),
            ".ifndef" | ".ifnotdef" => Defined(false),
            ".ifb" => Blank(true),
            ".ifnb" => Blank(false),
            ".ifc" => Same(true),
            ".ifnc" => Same(false),
            ".ifeqs" => SameStrings(true),
            ".ifnes" => SameStrings(false),
            _ => return None,
        })
    }
}

impl Assembler<'_> {
    /// `.if` and all other openings.
    pub fn open_conditional(&mut self, raw: &Raw, question: Question) -> Result<(), Diagnostic> {
        let answer = self.answer(raw, question);
        self.conditionals.push(Conditional {
            at: raw.span,
            // After a condition that is wrong, no branch is better than the others.
            settled: *answer.as_ref().unwrap_or(&true),
            otherwise: None,
        });
        self.choose(answer)
    }

    /// `.elseif`
    pub fn else_if(&mut self, raw: &Raw) -> Result<(), Diagnostic> {
        let Some(open) = self.conditionals.last().copied() else {
            return Err(self.nothing_open(raw.name));
        };
        if let Some(first) = open.otherwise {
            self.skipping = Some(0);
            return Err(self.after_else(raw.name, first));
        }
        if open.settled {
            self.skipping = Some(0);
            return Ok(());
        }
        let answer = self.answer(raw, Question::Number(Comparison::NotEqual));
        if let Some(open) = self.conditionals.last_mut() {
            open.settled = *answer.as_ref().unwrap_or(&true);
        }
        self.choose(answer)
    }

    /// `.else`
    pub fn otherwise(&mut self, directive: &Directive) -> Result<(), Diagnostic> {
        self.no_operands(directive)?;
        let name = directive.name;
        let Some(open) = self.conditionals.last_mut() else {
            return Err(self.nothing_open(name));
        };
        if let Some(first) = open.otherwise {
            self.skipping = Some(0);
            return Err(self.after_else(name, first));
        }
        open.otherwise = Some(name.span);
        if open.settled {
            self.skipping = Some(0);
        }
        open.settled = true;
        Ok(())
    }

    /// `.endif`
    pub fn end_conditional(&mut self, directive: &Directive) -> Result<(), Diagnostic> {
        match self.conditionals.pop() {
            Some(_) => self.no_operands(directive),
            None => Err(self.nothing_open(directive.name)),
        }
    }

    /// Passes over the current text up to the word that ends the branch; false if none does.
    pub fn pass_over(&mut self) -> bool {
        let Some(text) = self.sources.top().map(|frame| Arc::clone(&frame.text)) else {
            return false;
        };
        let mut at = self.sources.top().map_or(0, |frame| frame.position);
        let mut depth = self.skipping.unwrap_or(0);
        while let Some(statement) = raw::statement(&text, at) {
            let word = statement.word;
            if starts_conditional(word) {
                depth += 1;
            } else if word.eq_ignore_ascii_case(".endif") && depth > 0 {
                depth -= 1;
            } else if depth == 0 && ends_branch(word) {
                self.skipping = None;
                self.sources.move_to(statement.range.start);
                return true;
            }
            at = statement.next;
        }
        self.skipping = Some(depth);
        false
    }

    /// Reports conditionals that are open at the end.
    pub fn check_conditionals(&mut self) {
        let open = std::mem::take(&mut self.conditionals);
        if !self.ended {
            self.unclosed(&open, "the file");
        }
    }

    /// Reports conditionals that are open at the end of something.
    pub fn unclosed(&mut self, open: &[Conditional], of: &str) {
        for one in open {
            self.errors.push(
                Diagnostic::error(format!(
                    "a conditional is not closed before the end of {of}"
                ))
                .with_primary(one.at, "no `.endif` follows"),
            );
        }
    }

    fn nothing_open(&self, name: Spanned<NameId>) -> Diagnostic {
        let word = self.arena.name(name.value);
        Diagnostic::error(format!("`{word}` belongs to no `.if`"))
            .with_primary(name.span, "no conditional is open here")
    }

    fn after_else(&self, name: Spanned<NameId>, first: Span) -> Diagnostic {
        let word = self.arena.name(name.value);
        Diagnostic::error(format!("`{word}` cannot follow `.else`"))
            .with_primary(name.span, "")
            .with_secondary(first, "the last branch begins here")
    }

    fn choose(&mut self, answer: Result<bool, Diagnostic>) -> Result<(), Diagnostic> {
        if !matches!(answer, Ok(true)) {
            self.skipping = Some(0);
        }
        answer.map(|_| ())
    }

    fn answer(&mut self, raw: &Raw, question: Question) -> Result<bool, Diagnostic> {
        match question {
            Question::Number(comparison) => {
                let directive = self.reread(raw)?;
                self.at_most(&directive, 1)?;
                let number = self.number(&directive, 0, "a condition")?.value;
                Ok(match comparison {
                    Comparison::Equal => number == 0,
                    Comparison::NotEqual => number != 0,
                    Comparison::Greater => number > 0,
                    Comparison::GreaterOrEqual => number >= 0,
                    Comparison::Less => number < 0,
                    Comparison::LessOrEqual => number <= 0,
                })
            }
            Question::Defined(wanted) => {
                let directive = self.reread(raw)?;
                self.at_most(&directive, 1)?;
                let name = self.symbol(&directive, 0)?;
                let symbol = self.symbols.find(name.value);
                let defined = symbol.is_some_and(|symbol| {
                    let definition = self.symbols.get(symbol).definition;
                    definition.is_some()
                });
                Ok(defined == wanted)
            }
            Question::Blank(wanted) => {
                let text = self.sources.text(raw.text);
                Ok((raw::skip_blanks(text, 0) == text.len()) == wanted)
            }
            Question::Same(wanted) => {
                let text = self.sources.text(raw.text);
                let Some((one, other)) = split(text) else {
                    let name = self.arena.name(raw.name.value);
                    return Err(Diagnostic::error(format!("`{name}` compares two texts"))
                        .with_primary(raw.span, "expected a comma between them"));
                };
                Ok((one.trim() == other.trim()) == wanted)
            }
            Question::SameStrings(wanted) => {
                let directive = self.reread(raw)?;
                self.at_most(&directive, 2)?;
                let one = self.text(&directive, 0, "a string")?.value;
                let other = self.text(&directive, 1, "a second string")?.value;
                Ok((one == other) == wanted)
            }
        }
    }
}

/// Divides at the first comma; strings are not looked into, as in the GNU assembler.
fn split(text: &str) -> Option<(&str, &str)> {
    text.split_once(',')
}

fn starts_conditional(word: &str) -> bool {
    let is_if = word
        .get(..3)
        .is_some_and(|start| start.eq_ignore_ascii_case(".if"));
    is_if && Question::named(&word.to_ascii_lowercase()).is_some()
}

fn ends_branch(word: &str) -> bool {
    [".else", ".elseif", ".endif"]
        .iter()
        .any(|end| word.eq_ignore_ascii_case(end))
}
