//! What packets took in the mean, and how many a card could do: a model.
//!
//! A core issues one instruction a cycle, so it does at most one packet each `issue` cycles. It has
//! `contexts` packets in flight, each of which takes `latency` cycles from beginning to end, so it
//! does at most `contexts` packets in that time. The smaller one is the core's rate, and the cores do
//! not wait for each other. What the model leaves out makes a card slower: the firmware's own work for
//! each packet, memories that serve many cores at once, the wire.

use backend_nfp::capabilities::Capabilities;
use backend_nfp::firmware::Outcome;
use serde_json::{Value, json};

/// Sums over packets, and the card that they ran on.
#[derive(Clone, Copy, Debug)]
pub struct Summary {
    packets: u64,
    latency: u64,
    issue: u64,
    clock: f64,
    cores: f64,
    contexts: f64,
}

/// What bounds the rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bound {
    Issue,
    Latency,
}

impl Summary {
    pub(super) fn new(capabilities: &Capabilities) -> Summary {
        Summary {
            packets: 0,
            latency: 0,
            issue: 0,
            clock: capabilities.clock.into(),
            cores: capabilities.cores.into(),
            contexts: capabilities.contexts.into(),
        }
    }

    pub(super) fn add(&mut self, outcome: &Outcome) {
        self.packets += 1;
        self.latency = self.latency.saturating_add(outcome.cycles.latency);
        self.issue = self.issue.saturating_add(outcome.cycles.issue);
    }

    /// Packets so far.
    #[must_use]
    pub fn packets(&self) -> u64 {
        self.packets
    }

    /// Cycles of a packet in the mean: until it is done, and issuing.
    #[must_use]
    pub fn mean(&self) -> (f64, f64) {
        let packets = self.packets.max(1) as f64;
        (self.latency as f64 / packets, self.issue as f64 / packets)
    }

    /// Millions of packets in a second, and what bounds them.
    fn rate(&self) -> (f64, Bound) {
        let (latency, issue) = self.mean();
        // No program ends without an instruction, so nothing is divided by zero but without a packet.
        let by_issue = 1.0 / issue.max(1.0);
        let by_latency = self.contexts / latency.max(1.0);
        let (each, bound) = if by_latency < by_issue {
            (by_latency, Bound::Latency)
        } else {
            (by_issue, Bound::Issue)
        };
        (self.clock * self.cores * each, bound)
    }

    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        let (latency, issue) = self.mean();
        let (rate, bound) = self.rate();
        let (clock, cores, contexts) = (self.clock, self.cores, self.contexts);
        let bound = match bound {
            Bound::Issue => format!(
                "the {issue:.1} cycles of issuing bound it; {contexts} contexts hide the waits"
            ),
            Bound::Latency => {
                format!("waits bound it: {contexts} contexts, {latency:.1} cycles each")
            }
        };
        format!(
            "packets: {}; in the mean {latency:.1} cycles until done, {issue:.1} of them issuing\n\
             model: {rate:.1} million packets a second on {cores} cores of {clock} MHz; {bound}\n",
            self.packets
        )
    }

    /// For programs.
    #[must_use]
    pub fn json(&self) -> Value {
        let (latency, issue) = self.mean();
        let (rate, bound) = self.rate();
        json!({
            "packets": self.packets,
            "mean": {"latency": latency, "issue": issue},
            "model": {
                "million_packets_per_second": rate,
                "bound": match bound {
                    Bound::Issue => "issue",
                    Bound::Latency => "latency",
                },
                "clock": self.clock,
                "cores": self.cores,
                "contexts": self.contexts,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smaller_bound_is_the_rate() {
        let mut summary = Summary::new(&Capabilities::default());
        (summary.packets, summary.latency, summary.issue) = (2, 2000, 400);
        assert_eq!(
            summary.rate(),
            (800.0 * 50.0 * 4.0 / 1000.0, Bound::Latency)
        );
        (summary.latency, summary.issue) = (1000, 400);
        assert_eq!(summary.rate(), (800.0 * 50.0 / 200.0, Bound::Issue));
    }
}
