//! Obstacles on the way to the card, as text and as JSON.
//!
//! What is in the way is found by [`backend_nfp::offload`]; here it gets words ([`advice`]) and its
//! place in the text that the user knows, by the same means as the verifier's verdicts.

mod advice;

use std::collections::BTreeSet;

use backend_nfp::capabilities::{self, Capabilities};
use backend_nfp::offload::{Counters, Examination, Obstacle, Reason, examine};
use bpf::diagnostic::{Diagnostic, SourceMap};
use serde_json::{Value, json};
use verifier::program::Program;
use verifier::{Linker, Verdict};

use crate::failure::Failure;
use crate::input::Assembled;
use crate::render;
use crate::verdict::Checked;
use crate::verdict::message::paragraph;
use crate::verdict::places::{Places, View};

/// Places of one obstacle that are marked in the text.
const MARKED: usize = 6;

/// Reads a capability file.
///
/// # Errors
/// The file cannot be read, or what it says is wrong.
pub fn capabilities(path: &str) -> Result<Capabilities, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::io(path, error))?;
    let mut map = SourceMap::new();
    let file = map
        .add(path, text.clone())
        .ok_or_else(|| Failure::refused(format!("{path}: larger than 4 GiB")))?;
    capabilities::read(&text, file).map_err(|diagnostics| Failure::Refused { map, diagnostics })
}

/// A program with what keeps it from the card.
pub struct Offload<'a> {
    assembled: &'a Assembled,
    linker: &'a Linker<'a>,
    program: &'a Program,
    found: Examination,
}

impl<'a> Offload<'a> {
    /// Examines a program.
    #[must_use]
    pub fn of(
        assembled: &'a Assembled,
        linker: &'a Linker<'a>,
        program: &'a Program,
        options: &verifier::Options,
        capabilities: &Capabilities,
    ) -> Offload<'a> {
        let endian = assembled.object.endian;
        Offload {
            assembled,
            linker,
            program,
            found: examine(program, options, endian, capabilities),
        }
    }

    /// What was found.
    #[must_use]
    pub fn found(&self) -> &Examination {
        &self.found
    }

    /// Puts the words that the program takes in the place of their estimate.
    pub fn measured(&mut self, words: u32, capabilities: &Capabilities) {
        self.found.measured(words, capabilities);
    }

    /// Adds that the back end refuses the program, with its reason.
    pub fn not_compiled(&mut self, why: String) {
        self.found.not_compiled(why);
    }

    /// Words of maps that it adds to.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.found.counters
    }

    /// Whether something is in the way that is known to be.
    #[must_use]
    pub fn is_rejected(&self) -> bool {
        let undecided = |one: &&Obstacle| matches!(one.reason, Reason::Undecided(_));
        let all = &self.found.obstacles;
        all.iter().any(|one| !undecided(&one))
    }

    /// Whether the verifier had no answer.
    #[must_use]
    pub fn is_undecided(&self) -> bool {
        matches!(self.found.report.verdict, Verdict::Undecided(_))
    }

    /// The answer in one line.
    #[must_use]
    pub fn headline(&self) -> String {
        let kind = self.program.program_type.name();
        let answer = match self.found.obstacles.len() {
            0 => "can be offloaded".to_owned(),
            1 => "cannot be offloaded: 1 obstacle".to_owned(),
            more => format!("cannot be offloaded: {more} obstacles"),
        };
        let about = if self.found.is_exact { "" } else { "about " };
        format!(
            "`{}` ({kind}, section {}): {answer}; {about}{} words, {} bytes of stack\n",
            self.program.name, self.program.section, self.found.words, self.found.stack
        )
    }

    /// For people, with colours if they are wanted.
    #[must_use]
    pub fn text(&self, colours: bool) -> String {
        let mut text = self.headline();
        for (map, diagnostic) in self.diagnostics() {
            text.push_str(&render::to_string(&map, &diagnostic, colours));
        }
        text
    }

    /// Each obstacle with the text that it points into.
    #[must_use]
    pub fn diagnostics(&self) -> Vec<(SourceMap, Diagnostic)> {
        let all = self.found.obstacles.iter();
        all.map(|obstacle| self.diagnostic(obstacle)).collect()
    }

    fn checked(&self) -> Checked<'_> {
        Checked {
            assembled: self.assembled,
            linker: self.linker,
            program: self.program,
            report: &self.found.report,
        }
    }

    fn diagnostic(&self, obstacle: &Obstacle) -> (SourceMap, Diagnostic) {
        let words = advice::of(self.program, &obstacle.reason);
        let checked = self.checked();
        let mut diagnostic = Diagnostic::error(words.problem).with_code(obstacle.reason.code());
        let slots: BTreeSet<usize> = obstacle.insns.iter().copied().collect();
        let places = Places::of(self.assembled, self.linker, self.program, &slots);
        // One mark for each place: a line can be many instructions.
        let mut marked = BTreeSet::new();
        for slot in &obstacle.insns {
            let Some(span) = places.span(*slot) else {
                continue;
            };
            let number = marked.len();
            if number == MARKED || !marked.insert(span) {
                continue;
            }
            let label = match places.view {
                View::Source => format!("{slot}: `{}`", checked.insn_text(*slot)),
                View::Assembly | View::Listing => String::new(),
            };
            diagnostic = match number {
                0 => diagnostic.with_primary(span, label),
                _ => diagnostic.with_secondary(span, label),
            };
        }
        diagnostic = diagnostic.with_note(paragraph("Reason: ", &words.reason));
        if let (Reason::Refused, Verdict::Rejected(finding)) =
            (&obstacle.reason, &self.found.report.verdict)
        {
            let text = finding.kernel_text.trim_end().replace('\n', "\n        ");
            diagnostic = diagnostic.with_note(format!("Kernel: {text}"));
        }
        if let Some(slot) = obstacle.insns.first() {
            let more = match obstacle.insns.len() - 1 {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let place = checked.place_text(*slot);
            diagnostic = diagnostic.with_note(format!("At: {place}{more}"));
        }
        diagnostic = diagnostic.with_note(paragraph("Remedy: ", &words.remedy));
        (places.map, diagnostic)
    }

    /// For programs.
    #[must_use]
    pub fn json(&self) -> Value {
        let checked = self.checked();
        let obstacles = self.found.obstacles.iter().map(|obstacle| {
            let words = advice::of(self.program, &obstacle.reason);
            let places = obstacle.insns.iter().map(|slot| checked.place_json(*slot));
            json!({
                "code": obstacle.reason.code(),
                "problem": words.problem,
                "reason": words.reason,
                "remedy": words.remedy,
                "at": places.collect::<Vec<_>>(),
            })
        });
        let obstacles: Vec<Value> = obstacles.collect();
        let verdict = match (self.is_rejected(), self.is_undecided()) {
            (true, _) => "rejected",
            (false, true) => "undecided",
            (false, false) => "accepted",
        };
        json!({
            "name": self.program.name,
            "section": self.program.section,
            "type": self.program.program_type.name(),
            "target": "nfp",
            "verdict": verdict,
            "words": self.found.words,
            "exact": self.found.is_exact,
            "stack": self.found.stack,
            "obstacles": obstacles,
        })
    }
}
