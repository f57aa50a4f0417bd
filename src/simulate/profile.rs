//! What each line of a program costs on the card.
//!
//! The simulator counts for each word ([`backend_nfp::sim::Profile`]); here words become lines: those
//! of C where the object has line information, else those of the assembly that was read, else the
//! instructions of the function. Words that came from no instruction, such as verdicts that several
//! ways out share, are one line of their own; words of a file stand for themselves.
//!
//! Why it adds up: each cycle is counted for one word, and each word belongs to one line.
//!
//! Cost: one step for each word when the program is compiled, and again when the costs are asked for.

use std::collections::BTreeMap;

use backend_nfp::sim::{Count, Profile, Program};
use serde_json::{Value, json};

/// Where a word comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// File and line, or function and instruction.
    pub(super) at: String,
    /// What stands there.
    pub(super) text: String,
}

/// What lines cost, the dearest first.
#[derive(Clone, Debug)]
pub struct Costs(Vec<(Place, Count)>);

impl Place {
    /// A place that something at an instruction is told with.
    pub(super) fn behind(&self) -> String {
        match (self.at.as_str(), self.text.as_str()) {
            ("", _) => String::new(),
            (at, "") => format!(", {at}"),
            (at, text) => format!(", {at}: {text}"),
        }
    }
}

impl Costs {
    pub(super) fn of(profile: &Profile, program: &Program, places: &[Place]) -> Costs {
        let mut lines: BTreeMap<Place, Count> = BTreeMap::new();
        let counts = profile.counts().iter().enumerate();
        for (index, count) in counts.filter(|(_, count)| count.runs > 0) {
            let place = match places.get(index) {
                Some(place) => place.clone(),
                None => Self::word(program, index),
            };
            let line = lines.entry(place).or_default();
            line.runs = line.runs.saturating_add(count.runs);
            line.latency = line.latency.saturating_add(count.latency);
            line.issue = line.issue.saturating_add(count.issue);
            line.accesses = line.accesses.saturating_add(count.accesses);
        }
        let mut lines: Vec<(Place, Count)> = lines.into_iter().collect();
        // Stable: among equals, the order of places stays.
        lines.sort_by_key(|(_, count)| std::cmp::Reverse((count.latency, count.issue)));
        Costs(lines)
    }

    /// A word of a file.
    fn word(program: &Program, index: usize) -> Place {
        let address = u32::try_from(index)
            .unwrap_or(u32::MAX)
            .saturating_add(program.start());
        let insn = program.at(address);
        Place {
            // As wide as the largest address, so that the order of texts is that of numbers.
            at: format!("{address:5}"),
            text: insn.map(|insn| insn.to_string()).unwrap_or_default(),
        }
    }

    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = " latency    issue  accesses  instructions  where\n".to_owned();
        let sum = |get: fn(&Count) -> u64| self.0.iter().map(|(_, count)| get(count)).sum();
        let total = Count {
            runs: sum(|count| count.runs),
            latency: sum(|count| count.latency),
            issue: sum(|count| count.issue),
            accesses: sum(|count| count.accesses),
        };
        let whole = Place {
            at: "in total".to_owned(),
            text: String::new(),
        };
        for (place, count) in self.0.iter().chain([&(whole, total)]) {
            let (at, what) = match (place.at.as_str(), place.text.as_str()) {
                ("", _) => ("no line", String::new()),
                (at, "") => (at, String::new()),
                (at, text) => (at, format!(": {text}")),
            };
            text.push_str(&format!(
                "{:8} {:8} {:9} {:13}  {at}{what}\n",
                count.latency, count.issue, count.accesses, count.runs
            ));
        }
        text
    }

    /// For programs.
    #[must_use]
    pub fn json(&self) -> Value {
        let lines = self.0.iter().map(|(place, count)| {
            json!({
                "at": (!place.at.is_empty()).then_some(&place.at),
                "text": place.text,
                "latency": count.latency,
                "issue": count.issue,
                "accesses": count.accesses,
                "instructions": count.runs,
            })
        });
        Value::Array(lines.collect())
    }
}
