//! Verdicts as text and as JSON.

pub mod context;
pub mod cost;
pub mod facts;
pub mod message;
pub mod particular;
pub mod places;

use std::fmt::Write as _;

use serde_json::{Value, json};
use verifier::program::Program;
use verifier::{Finding, Gap, Linker, Report, Step, StepKind, Verdict};

use crate::explain;
use crate::input::Assembled;
use crate::render;

/// A program with its verdict.
pub struct Checked<'a> {
    /// The object, and the text that it came from.
    pub assembled: &'a Assembled,
    /// What knows the object's source lines.
    pub linker: &'a Linker<'a>,
    /// The program.
    pub program: &'a Program,
    /// The answer.
    pub report: &'a Report,
}

impl Checked<'_> {
    /// For people, with colours if they are wanted.
    #[must_use]
    pub fn text(&self, colours: bool) -> String {
        let kind = self.program.program_type.name();
        let head = format!(
            "`{}` ({kind}, section {})",
            self.program.name, self.program.section
        );
        let stats = &self.report.stats;
        match &self.report.verdict {
            Verdict::Accepted => {
                let assuming = self.report.assumption.map_or_else(String::new, |what| {
                    format!("; what a loading kernel decides was taken as it stands: {what}")
                });
                format!(
                    "{head}: accepted; {} instructions walked, {} bytes of stack{assuming}\n",
                    stats.processed, stats.stack_depth
                )
            }
            Verdict::Undecided(gap) => format!("{head}: undecided\n{}", self.undecided(gap)),
            Verdict::Rejected(finding) => {
                let (map, diagnostic) = message::of(self, finding);
                let shown = render::to_string(&map, &diagnostic, colours);
                format!("{head}: rejected\n{shown}")
            }
        }
    }

    fn undecided(&self, gap: &Gap) -> String {
        let mut text = format!("not modelled: {}\n", gap.construct);
        if let Some(slot) = gap.insn {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "at {}", self.place_text(slot));
            let _ = writeln!(text, "  {slot}: {}", self.insn_text(slot));
        }
        text
    }

    /// Where an instruction is, in words.
    #[must_use]
    pub fn place_text(&self, slot: usize) -> String {
        let function = self
            .program
            .subprograms
            .get(self.program.subprogram_at(slot));
        let name = function.map_or("?", |function| function.name.as_str());
        match self.linker.line_of(self.program, slot) {
            Some(line) => {
                let column = match line.column {
                    0 => String::new(),
                    column => format!(":{column}"),
                };
                let (file, line) = (line.file, line.line);
                format!("{name} @ {file}:{line}{column}, instruction {slot}")
            }
            None => format!("{name}, instruction {slot}"),
        }
    }

    /// An instruction, with symbols by name.
    #[must_use]
    pub fn insn_text(&self, slot: usize) -> String {
        places::insn_text(self.program, slot)
    }

    /// The line of the text that an instruction stands in: of the assembly that was read, or of
    /// the source.
    #[must_use]
    pub fn line(&self, slot: usize) -> Option<u32> {
        places::line(self.assembled, self.linker, self.program, slot)
    }

    /// Where an instruction is, for programs.
    #[must_use]
    pub fn place_json(&self, insn: usize) -> Value {
        self.optional_place(Some(insn))
    }

    fn optional_place(&self, insn: Option<usize>) -> Value {
        let line = insn.and_then(|insn| self.linker.line_of(self.program, insn));
        json!({
            "insn": insn,
            "text": insn.map(|insn| self.insn_text(insn)),
            "file": line.as_ref().map(|line| line.file.as_str()),
            "line": line.as_ref().map(|line| line.line),
            "column": line.as_ref().map(|line| line.column),
        })
    }

    /// For programs.
    #[must_use]
    pub fn json(&self) -> Value {
        let place = |insn: Option<usize>| self.optional_place(insn);
        let (verdict, finding) = match &self.report.verdict {
            Verdict::Accepted => ("accepted", Value::Null),
            Verdict::Undecided(gap) => (
                "undecided",
                json!({"construct": gap.construct, "at": place(gap.insn)}),
            ),
            Verdict::Rejected(finding) => {
                let words = particular::of(self.program, finding);
                let path = finding.path.iter().map(|step| {
                    let mut value = step_json(step);
                    value["at"] = place(Some(step.insn));
                    value
                });
                (
                    "rejected",
                    json!({
                        "category": finding.rule.category().to_string(),
                        "code": finding.rule.code(),
                        "problem": explain::title(finding.rule),
                        "kernel_text": finding.kernel_text,
                        "reason": words.reason,
                        "suggestion": words.suggestion,
                        "registers": registers(finding),
                        "at": place(finding.insn),
                        "path": path.collect::<Vec<_>>(),
                    }),
                )
            }
        };
        json!({
            "name": self.program.name,
            "section": self.program.section,
            "type": self.program.program_type.name(),
            "verdict": verdict,
            "assumption": self.report.assumption,
            "processed": self.report.stats.processed,
            "states": self.report.stats.states,
            "stack": self.report.stats.stack_depth,
            "finding": finding,
        })
    }
}

fn registers(finding: &Finding) -> Vec<Value> {
    let values = finding.registers.iter().enumerate();
    values
        .map(|(index, register)| json!({"register": register, "value": finding.values.get(index)}))
        .collect()
}

fn step_json(step: &Step) -> Value {
    let changes = step.changes.iter().map(|change| {
        json!({
            "place": change.place,
            "written": change.written,
            "before": change.before,
            "after": change.after,
        })
    });
    let changes: Vec<Value> = changes.collect();
    match &step.kind {
        StepKind::Update => json!({"kind": "update", "changes": changes}),
        StepKind::Branch {
            to,
            taken,
            relative,
            ..
        } => {
            let mut value = json!({"kind": "branch", "to": to, "taken": taken, "changes": changes});
            if let Some(tested) = relative {
                value["made_from_same"] = json!(tested);
            }
            value
        }
        StepKind::Call => json!({"kind": "call"}),
        StepKind::Return => json!({"kind": "return"}),
        StepKind::Held { what, taken } => json!({
            "kind": if *taken { "acquire" } else { "release" },
            "what": what,
        }),
    }
}
