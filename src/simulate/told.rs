//! What a program did with a packet, as text and as JSON.

use backend_nfp::firmware::{Action, Counter};
use backend_nfp::isa::Bank;
use backend_nfp::sim::HazardKind;
use serde_json::{Value, json};

use super::Simulated;
use crate::commands::run::hex;

impl Simulated {
    /// The result, without how long it took.
    #[must_use]
    pub fn result(&self) -> String {
        let outcome = &self.outcome;
        let counted = match outcome.verdict.counter {
            Some(counter) => format!("counted as {}", counter_name(counter)),
            None => "not counted".to_owned(),
        };
        let packet = match self.unchanged {
            true => "as it came".to_owned(),
            false => hex(&outcome.packet),
        };
        let mut text = format!(
            "action: {} ({counted})\npacket: {packet}\n",
            action_name(outcome.verdict.action)
        );
        if let Some(queue) = outcome.queue {
            text.push_str(&format!("queue: {queue}\n"));
        }
        for (map, bytes) in &self.events {
            text.push_str(&format!("event: {map} {}\n", hex(bytes)));
        }
        for warning in self.warnings() {
            text.push_str(&format!("hazard: {warning}\n"));
        }
        text
    }

    /// How long it took.
    #[must_use]
    pub fn time(&self) -> String {
        let (cycles, steps) = (self.outcome.cycles, self.outcome.steps);
        let (latency, issue) = (cycles.latency, cycles.issue);
        format!("{steps} instructions, {latency} cycles until done, {issue} of them issuing")
    }

    /// All of it, for programs.
    #[must_use]
    pub fn json(&self) -> Value {
        let outcome = &self.outcome;
        let hazards = outcome.hazards.iter();
        let hazards: Vec<Value> = hazards
            .map(|hazard| json!({"at": hazard.at, "hazard": hazard_text(hazard.kind)}))
            .collect();
        let clobbered: Vec<String> = outcome.clobbered.iter().map(register).collect();
        let events = self.events.iter();
        let events: Vec<Value> = events
            .map(|(map, bytes)| json!({"map": map, "data": hex(bytes)}))
            .collect();
        json!({
            "action": action_name(outcome.verdict.action),
            "counter": outcome.verdict.counter.map(counter_name),
            "verdict": outcome.verdict.bits,
            "packet_out": hex(&outcome.packet),
            "queue": outcome.queue,
            "events": events,
            "steps": outcome.steps,
            "cycles": {"latency": outcome.cycles.latency, "issue": outcome.cycles.issue},
            "hazards": hazards,
            "clobbered": clobbered,
            "stray": outcome.stray,
        })
    }

    /// What no program should do, a line each.
    fn warnings(&self) -> Vec<String> {
        let outcome = &self.outcome;
        let hazards = outcome.hazards.iter();
        let mut all: Vec<String> = hazards
            .map(|hazard| format!("at {}: {}", hazard.at, hazard_text(hazard.kind)))
            .collect();
        let clobbered = outcome.clobbered.iter();
        all.extend(
            clobbered.map(|found| format!("register {} is the firmware's", register(found))),
        );
        let stray = outcome.stray.iter();
        all.extend(stray.map(|at| format!("local memory at {at:#x} is not the program's")));
        if !outcome.verdict.is_plain() {
            let bits = outcome.verdict.bits;
            all.push(format!("the verdict {bits:#x} is not one action"));
        }
        all
    }
}

fn register((bank, number): &(Bank, u8)) -> String {
    format!("{bank:?}{number}")
}

/// The name of an action.
fn action_name(action: Action) -> &'static str {
    match action {
        Action::Pass => "pass",
        Action::Drop => "drop",
        Action::Transmit => "transmit",
    }
}

fn counter_name(counter: Counter) -> &'static str {
    match counter {
        Counter::Pass => "pass",
        Counter::Drop => "drop",
        Counter::Redirect => "redirect",
        Counter::Abort => "abort",
    }
}

/// A hazard in words.
fn hazard_text(kind: HazardKind) -> String {
    match kind {
        HazardKind::LmIndexNotReady(index) => {
            format!("local-memory index {index} is used too soon after it was written")
        }
        HazardKind::LmIndexMoved(index) => {
            format!("local-memory index {index} moves twice, or while it is being written")
        }
        HazardKind::TransferInFlight(register) => {
            format!("transfer register {register} is written while a command may still read it")
        }
        HazardKind::SameKind => "both sources are of one kind".to_owned(),
        HazardKind::UnknownBranch => "a branch depends on undefined bits".to_owned(),
        HazardKind::UnknownAddress => "an address depends on undefined bits".to_owned(),
        HazardKind::UnknownData => "undefined bits are written to memory".to_owned(),
        HazardKind::UnknownControl => {
            "an undefined number is written to a control register".to_owned()
        }
        HazardKind::UnknownVerdict => "the verdict has undefined bits".to_owned(),
        HazardKind::UnknownArgument => "a helper's argument has undefined bits".to_owned(),
        HazardKind::ShiftAmount => {
            "no instruction right before gives the amount of a shift".to_owned()
        }
        HazardKind::CsrResultLost => "the result of a register read is not taken".to_owned(),
        HazardKind::Multiply => {
            "steps of a product are missing or change their operands".to_owned()
        }
    }
}
