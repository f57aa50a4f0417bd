//! What went where, a line each: programs with their size and what kept them from the card, then the
//! maps of the card, with those that the host's half has too.
//!
//! A map that both halves use is two maps when they are loaded, one on each side: they have the name and
//! nothing else in common, unless user space copies.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use verifier::{Linker, ProgramId};

use super::{Decision, Side, Split};
use crate::card::{CardObject, FIRST_MAP};

/// Slots that programs of the host's half take, with all that they call.
#[must_use]
pub fn slots(
    host: &bpf::object::Object,
    checker: &verifier::Options,
) -> BTreeMap<ProgramId, usize> {
    let Ok(linker) = Linker::new(host) else {
        return BTreeMap::new();
    };
    let programs = linker.programs().into_iter();
    let sized = programs.filter_map(|id| {
        let slots = linker.link(&id, checker).ok()?.ops.len();
        Some((id, slots))
    });
    sized.collect()
}

/// The report in lines, as text or as JSON.
#[must_use]
pub fn lines(
    split: &Split,
    object: &CardObject,
    slots: &BTreeMap<ProgramId, usize>,
    as_json: bool,
) -> Vec<String> {
    let mut lines = Vec::new();
    for decision in &split.programs {
        match as_json {
            true => lines.push(program_json(decision, slots).to_string()),
            false => program_text(decision, slots, &mut lines),
        }
    }
    for (number, map) in (FIRST_MAP..).zip(object.maps()) {
        let uses = |on_card: bool| {
            let mut side = split
                .programs
                .iter()
                .filter(|one| one.is_on_card() == on_card);
            side.any(|one| one.maps.contains(&number))
        };
        if !uses(true) {
            continue;
        }
        let (name, shared) = (&map.name, uses(false));
        let index = (number - FIRST_MAP) as usize;
        let place = split.placed.get(index).map(|one| one.place.name());
        if as_json {
            let line = json!({"map": name, "number": number, "memory": place, "shared": shared});
            lines.push(line.to_string());
            continue;
        }
        let both = if shared {
            ", and the host's half has one, too"
        } else {
            ""
        };
        let place = place.map_or_else(String::new, |place| format!(" in {place}"));
        lines.push(format!(
            "map `{name}`: number {number} on the card{place}{both}"
        ));
    }
    lines
}

fn program_text(decision: &Decision, slots: &BTreeMap<ProgramId, usize>, lines: &mut Vec<String>) {
    let id = &decision.id;
    let kind = decision.program_type.unwrap_or("of no known type");
    let head = format!("`{}` ({kind}, section {})", id.function, id.section);
    match &decision.side {
        Side::Card(made) => {
            let words = made.program.compiled.assembled.statistics.words;
            lines.push(format!("{head}: card, {words} words"));
        }
        Side::Host(stays) => {
            let size = slots
                .get(id)
                .map_or_else(String::new, |slots| format!(", {slots} slots"));
            lines.push(format!("{head}: host{size}"));
            for (code, problem) in &stays.reasons {
                lines.push(match code {
                    Some(code) => format!("  {code}: {problem}"),
                    None => format!("  {problem}"),
                });
            }
        }
    }
}

fn program_json(decision: &Decision, slots: &BTreeMap<ProgramId, usize>) -> Value {
    let id = &decision.id;
    let mut line = json!({
        "program": id.function,
        "section": id.section,
        "type": decision.program_type,
    });
    match &decision.side {
        Side::Card(made) => {
            line["side"] = json!("card");
            line["words"] = json!(made.program.compiled.assembled.statistics.words);
        }
        Side::Host(stays) => {
            line["side"] = json!("host");
            line["slots"] = json!(slots.get(id));
            let reasons = stays.reasons.iter();
            let reasons = reasons.map(|(code, problem)| json!({"code": code, "problem": problem}));
            line["reasons"] = reasons.collect();
        }
    }
    line
}
