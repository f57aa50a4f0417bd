//! Verdicts as text and as JSON.
//!
//! The text has the shape that Linux 7.3 gave its messages: category and rule, reason, place with
//! the instructions around it, the branches that led there, and what to do; the kernel's own line
//! is quoted, since that is what one searches for.

use std::fmt::Write as _;

use serde_json::{Value, json};
use verifier::program::Program;
use verifier::{Finding, Linker, Report, Verdict};

use crate::advice;

/// Instructions shown before and after the one that fails.
const AROUND: usize = 2;
/// Branches shown: the last ones.
const BRANCHES: usize = 12;

/// A program with its verdict.
pub struct Checked<'a> {
    /// What knows the object's source lines.
    pub linker: &'a Linker<'a>,
    /// The program.
    pub program: &'a Program,
    /// The answer.
    pub report: &'a Report,
}

impl Checked<'_> {
    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
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
            Verdict::Undecided(gap) => {
                let mut text = format!("{head}: undecided: not modelled: {}\n", gap.construct);
                if let Some(insn) = gap.insn {
                    self.place(insn, "this", &mut text);
                }
                text
            }
            Verdict::Rejected(finding) => format!("{head}: rejected\n{}", self.rejection(finding)),
        }
    }

    fn rejection(&self, finding: &Finding) -> String {
        let rule = finding.rule;
        let mut text = format!(
            "Verification failed: {}: {}\n",
            rule.category(),
            rule.code()
        );
        let advice = advice::of(rule);
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(text, "Reason: {}", advice.reason);
        let _ = writeln!(text, "Kernel: {}", finding.kernel_text);
        if let Some(insn) = finding.insn {
            let _ = writeln!(text, "At:");
            self.place(insn, "error", &mut text);
        }
        if !finding.path.is_empty() {
            let _ = writeln!(text, "Path:");
            let skipped = finding.path.len().saturating_sub(BRANCHES);
            if skipped > 0 {
                let _ = writeln!(text, "    … {skipped} branches before");
            }
            for step in finding.path.iter().skip(skipped) {
                let shown = self.insn_text(step.from);
                let line = self
                    .source(step.from)
                    .map_or_else(String::new, |line| format!("   ; {line}"));
                let _ = writeln!(text, "  {:5}: {shown}   → {}{line}", step.from, step.to);
            }
        }
        let _ = writeln!(text, "Suggestion: {}", advice.suggestion);
        text
    }

    /// The instructions around one, with its source line.
    fn place(&self, insn: usize, what: &str, text: &mut String) {
        let origin = self.program.origins.get(insn);
        if let Some(line) = origin.and_then(|origin| self.linker.source_line(*origin)) {
            let _ = writeln!(text, "    {}:{}:{}", line.file, line.line, line.column);
            if !line.text.trim().is_empty() {
                let _ = writeln!(text, "    | {}", line.text.trim());
            }
        }
        let first = insn.saturating_sub(AROUND);
        for slot in first..=insn.saturating_add(AROUND) {
            if self.program.insn(slot).is_none() {
                continue;
            }
            let mark = if slot == insn { ">>>" } else { "   " };
            let note = if slot == insn {
                format!("   <-- {what}")
            } else {
                String::new()
            };
            let _ = writeln!(text, "{mark} {slot:4}: {}{note}", self.insn_text(slot));
        }
    }

    fn insn_text(&self, slot: usize) -> String {
        self.program
            .insn(slot)
            .map_or_else(|| "?".to_owned(), |insn| insn.to_string())
    }

    fn source(&self, slot: usize) -> Option<String> {
        let line = self.linker.source_line(*self.program.origins.get(slot)?)?;
        Some(format!("{}:{}", line.file, line.line))
    }

    /// For programs.
    #[must_use]
    pub fn json(&self) -> Value {
        let place = |insn: Option<usize>| {
            let line = insn
                .and_then(|insn| self.program.origins.get(insn))
                .and_then(|origin| self.linker.source_line(*origin));
            json!({
                "insn": insn,
                "text": insn.map(|insn| self.insn_text(insn)),
                "file": line.as_ref().map(|line| line.file.as_str()),
                "line": line.as_ref().map(|line| line.line),
                "column": line.as_ref().map(|line| line.column),
            })
        };
        let (verdict, finding) = match &self.report.verdict {
            Verdict::Accepted => ("accepted", Value::Null),
            Verdict::Undecided(gap) => (
                "undecided",
                json!({"construct": gap.construct, "at": place(gap.insn)}),
            ),
            Verdict::Rejected(finding) => {
                let advice = advice::of(finding.rule);
                let path = finding
                    .path
                    .iter()
                    .map(|step| json!({"from": place(Some(step.from)), "to": step.to}));
                (
                    "rejected",
                    json!({
                        "category": finding.rule.category().to_string(),
                        "code": finding.rule.code(),
                        "kernel_text": finding.kernel_text,
                        "reason": advice.reason,
                        "suggestion": advice.suggestion,
                        "registers": finding.registers,
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
