//! The state before each instruction, and why it is so, as text.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bpf::insn::Reg;
use verifier::facts::{FactPlace, Facts};
use verifier::program::Program;
use verifier::{Linker, SourceLine};

use super::message::step_lines;
use super::places::insn_text;

/// Every instruction with what is known before it. After a straight line only what the instruction
/// before changed is repeated; where ways meet, all that is still read.
#[must_use]
pub fn listing(linker: &Linker<'_>, program: &Program, facts: &Facts) -> String {
    let mut text = String::new();
    let mut known: BTreeMap<FactPlace, String> = BTreeMap::new();
    let mut line: Option<SourceLine> = None;
    let mut straight = false;
    for (slot, insn) in facts.insns.iter().enumerate() {
        let Some(decoded) = program.ops.get(slot).map(verifier::program::Op::decoded) else {
            continue;
        };
        if decoded.is_none() && insn.visits == 0 {
            continue;
        }
        if let Some(function) = program.subprograms.iter().find(|one| one.start == slot) {
            // Writing to a string cannot fail, here and below.
            let _ = writeln!(text, "{}:", function.name);
            straight = false;
        }
        let here = linker.line_of(program, slot);
        let same_line = |one: &SourceLine| {
            let known = line.as_ref();
            known.is_some_and(|line| (line.line, &line.file) == (one.line, &one.file))
        };
        if here.as_ref().is_some_and(|here| !same_line(here)) {
            if let Some(here) = &here {
                let _ = writeln!(text, "; {} @ {}:{}", here.text.trim(), here.file, here.line);
            }
            line = here;
        }
        if insn.visits == 0 {
            let _ = writeln!(
                text,
                "{slot:5}: {}   ; never walked",
                insn_text(program, slot)
            );
            straight = false;
            continue;
        }
        let now = insn.describe(program);
        let live = facts.live.get(slot).copied().unwrap_or_default();
        let told = now.iter().filter(|(place, value)| {
            let changed = known.get(place) != Some(value);
            match place {
                FactPlace::Register(number) if straight => {
                    changed || {
                        // A new value that looks like the one before.
                        let previous = program.insn(slot.saturating_sub(1));
                        previous.is_some_and(|insn| insn.writes().contains(Reg(*number)))
                    }
                }
                FactPlace::Register(number) => live.contains(Reg(*number)),
                FactPlace::Stack(_) => changed,
            }
        });
        let told: Vec<String> = told
            .map(|(place, value)| format!("{place}={value}"))
            .collect();
        let visits = match insn.visits {
            1 => String::new(),
            times => format!("   ; {times} times"),
        };
        if !told.is_empty() {
            let _ = writeln!(text, "         {}", told.join("  "));
        }
        let _ = writeln!(text, "{slot:5}: {}{visits}", insn_text(program, slot));
        straight =
            decoded.is_some_and(|insn| !insn.is_terminator() && insn.branch_offset().is_none());
        known = now;
    }
    text
}

/// What is known at an instruction, and where it comes from, for each way that was walked.
#[must_use]
pub fn explanation(linker: &Linker<'_>, program: &Program, facts: &Facts, slot: usize) -> String {
    let mut text = format!("{slot}: {}\n", insn_text(program, slot));
    let visits = facts.insns.get(slot).map_or(0, |insn| insn.visits);
    if visits == 0 {
        text.push_str("the walk never comes here\n");
        return text;
    }
    let ways = facts.explanations.len();
    let _ = writeln!(text, "walked {visits} times, {ways} different ways shown");
    for (number, way) in (1..).zip(&facts.explanations) {
        let _ = writeln!(text, "way {number}:");
        for held in &way.held {
            let _ = writeln!(text, "  holds {held}");
        }
        for (register, value, path) in &way.registers {
            let _ = writeln!(text, "  r{register} = {value}");
            for step in path {
                let (insn, what) = step_lines(linker, program, step);
                let _ = writeln!(text, "    {insn}\n           {what}");
            }
        }
    }
    text
}
