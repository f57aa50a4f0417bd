//! A refusal as a diagnostic, in the shape that Linux 7.3 gave its messages: category and problem,
//! reason, place, causal path, suggestion; with the kernel's own line, since that is what one
//! searches for.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use bpf::diagnostic::{Diagnostic, SourceMap};
use bpf::insn::Insn;
use verifier::program::Program;
use verifier::{Change, Finding, Linker, Rule, Step, StepKind};

use super::places::{Places, View, insn_text};
use super::{Checked, cost, particular};
use crate::explain;

/// Steps that are marked in the text itself: the last ones.
const MARKED: usize = 6;
/// Columns of a paragraph: what Linux wraps at, less the margin.
const WIDTH: usize = 94;
/// Lines that are named where the walk grew too long.
const HOTTEST: usize = 5;

/// The diagnostic for a finding, and the text that it points into.
#[must_use]
pub fn of(checked: &Checked<'_>, finding: &Finding) -> (SourceMap, Diagnostic) {
    let rule = finding.rule;
    let words = particular::of(checked.program, finding);
    let problem = explain::title(rule);
    let mut diagnostic = Diagnostic::error(format!(
        "Verification failed: {}: {problem}",
        rule.category()
    ))
    .with_code(rule.code());
    let marked: Vec<&Step> = marked(finding);
    let mut slots: BTreeSet<usize> = marked.iter().map(|step| step.insn).collect();
    slots.extend(finding.insn);
    let places = Places::of(checked.assembled, checked.linker, checked.program, &slots);
    let label = |slot: usize, what: String| match places.view {
        View::Source => format!("{slot}: `{}`: {what}", checked.insn_text(slot)),
        View::Assembly | View::Listing => what,
    };
    if let Some(slot) = finding.insn
        && let Some(span) = places.span(slot)
    {
        diagnostic = diagnostic.with_primary(span, label(slot, here(checked, finding)));
    }
    for step in marked {
        if let Some(span) = places.span(step.insn) {
            diagnostic = diagnostic.with_secondary(span, label(step.insn, told(step)));
        }
    }
    diagnostic = diagnostic.with_note(paragraph("Reason: ", &words.reason));
    diagnostic = diagnostic.with_note(format!(
        "Kernel: {}",
        finding.kernel_text.trim_end().replace('\n', "\n        ")
    ));
    if let Some(slot) = finding.insn {
        diagnostic = diagnostic.with_note(format!("At: {}", checked.place_text(slot)));
    }
    if rule == Rule::StackDepth && !checked.report.depths.is_empty() {
        let chain = cost::chain_text(checked.program, &checked.report.depths);
        diagnostic = diagnostic.with_note(paragraph("Stack: ", &chain));
    }
    if rule == Rule::TooComplex {
        diagnostic = diagnostic.with_note(walked_most(checked));
    }
    if !finding.path.is_empty() {
        diagnostic = diagnostic.with_note(causal_path(checked, finding));
    }
    let more = format!("More: bpfmill explain {}", rule.code());
    diagnostic = diagnostic
        .with_note(paragraph("Suggestion: ", &words.suggestion))
        .with_note(more);
    (places.map, diagnostic)
}

/// A text under its name, in lines that fit a terminal.
#[must_use]
pub fn paragraph(name: &str, text: &str) -> String {
    let indent = " ".repeat(name.len());
    let options = textwrap::Options::new(WIDTH)
        .initial_indent(name)
        .subsequent_indent(&indent);
    textwrap::fill(text, options)
}

/// What is wrong, in the fewest words: what the registers hold.
fn here(checked: &Checked<'_>, finding: &Finding) -> String {
    if let Some(text) = still_held(finding) {
        return text;
    }
    let held = finding.registers.iter().zip(&finding.values);
    let held: Vec<String> = held
        .map(|(register, value)| format!("r{register} is {value}"))
        .collect();
    let access = finding.insn.and_then(|slot| access(checked, slot));
    match (held.is_empty(), access) {
        (true, _) => finding.kernel_text.lines().next().unwrap_or("").to_owned(),
        (false, None) => held.join(", "),
        (false, Some(access)) => format!("{}; {access}", held.join(", ")),
    }
}

/// What a function ends with.
fn still_held(finding: &Finding) -> Option<String> {
    let (_, rest) = finding.kernel_text.split_once("Unreleased reference id=")?;
    let (reference, rest) = rest.split_once(" alloc_insn=")?;
    let from = rest.lines().next()?;
    Some(format!(
        "reference {reference}, taken by instruction {from}, is still held"
    ))
}

/// What an instruction accesses through its base register.
fn access(checked: &Checked<'_>, slot: usize) -> Option<String> {
    let (base, offset, width, verb) = match checked.program.insn(slot)? {
        Insn::Load {
            base,
            offset,
            width,
            ..
        } => (base, offset, width, "reads"),
        Insn::Store {
            base,
            offset,
            width,
            ..
        } => (base, offset, width, "writes"),
        Insn::Atomic {
            base,
            offset,
            width,
            ..
        } => (base, offset, width, "changes"),
        _ => return None,
    };
    let bytes = width.bytes();
    let unit = if bytes == 1 { "byte" } else { "bytes" };
    Some(format!("this {verb} {bytes} {unit} at {base}{offset:+}"))
}

/// The steps that are marked in the text: those about the values in question, each instruction
/// once, and not the one that is refused.
fn marked(finding: &Finding) -> Vec<&Step> {
    let mut seen: BTreeSet<usize> = finding.insn.into_iter().collect();
    // What is forgotten is forgotten on one way: the jumps say which.
    let ways = matches!(finding.rule, Rule::ReferenceLeak | Rule::LockHeld);
    let about = finding.path.iter().rev().filter(|step| match step.kind {
        StepKind::Update | StepKind::Held { .. } => true,
        StepKind::Branch { about, .. } => about || ways,
        StepKind::Call | StepKind::Return => false,
    });
    about
        .filter(|step| seen.insert(step.insn))
        .take(MARKED)
        .collect()
}

/// What a step did.
fn told(step: &Step) -> String {
    let changes: Vec<String> = step.changes.iter().map(changed).collect();
    let changes = changes.join(", ");
    let what = match &step.kind {
        StepKind::Update => return changes,
        StepKind::Branch {
            to,
            taken,
            relative,
            ..
        } => {
            let way = if *taken {
                format!("taken, to {to}")
            } else {
                "not taken".to_owned()
            };
            match relative {
                Some(tested) => format!("{way}: this tests {tested}, made from the same value"),
                None => way,
            }
        }
        StepKind::Call => "into the function".to_owned(),
        StepKind::Return => "back to the caller".to_owned(),
        StepKind::Held { what, taken: true } => format!("takes {what}"),
        StepKind::Held { what, .. } => format!("gives back {what}"),
    };
    if changes.is_empty() {
        what
    } else {
        format!("{what}: {changes}")
    }
}

fn changed(change: &Change) -> String {
    let Change {
        place,
        before,
        after,
        written,
        anew,
    } = change;
    match (written, *anew || before == "not set") {
        (true, true) => format!("{place} becomes {after}"),
        (true, false) => format!("{place} becomes {after} (was {before})"),
        (false, _) => format!("{place} is {after} here (was {before})"),
    }
}

/// Where the walk spent itself.
fn walked_most(checked: &Checked<'_>) -> String {
    let visits = &checked.report.visits;
    let mut text = "Walked most:".to_owned();
    if let Some((first, last)) = cost::hottest_loop(checked.program, visits) {
        let function = checked.program.subprogram_at(first);
        let name = checked.program.subprograms.get(function);
        let name = name.map_or("?", |function| function.name.as_str());
        // Writing to a string cannot fail, here and below.
        let _ = write!(
            text,
            " the loop of instructions {first} to {last} in {name}"
        );
    }
    for hot in cost::hottest(checked.linker, checked.program, visits, HOTTEST) {
        let _ = write!(text, "\n{:8} times {}: {}", hot.visits, hot.place, hot.text);
    }
    text
}

/// A step's instruction, with its source line, and what it did.
#[must_use]
pub fn step_lines(linker: &Linker<'_>, program: &Program, step: &Step) -> (String, String) {
    let line = linker.line_of(program, step.insn);
    let line = line.map_or_else(String::new, |line| {
        format!("   ; {}:{}", line.file, line.line)
    });
    let insn = insn_text(program, step.insn);
    (format!("{:5}: {insn}{line}", step.insn), told(step))
}

fn causal_path(checked: &Checked<'_>, finding: &Finding) -> String {
    let mut text = "Causal path:".to_owned();
    for step in &finding.path {
        let (insn, what) = step_lines(checked.linker, checked.program, step);
        // Writing to a string cannot fail.
        let _ = write!(text, "\n{insn}\n         {what}");
    }
    text
}
