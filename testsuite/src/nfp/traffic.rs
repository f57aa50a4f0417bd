//! A program on a stream of packets, on the card and on the host: maps keep what earlier packets left.
//!
//! What both make of each packet is compared, with the packet itself and all maps, and cycles are
//! summed up.

use backend_nfp::capabilities::Capabilities;
use backend_nfp::firmware::{Abi, Action, Card, DeviceMap};
use backend_nfp::sim::Program;
use bpf::interp::Options;
use bpf::object::Object;
use bpfmill::card::{CardObject, CardProgram};

use super::programs::maps;
use super::{Case, Seen};
use crate::fixture::{Fixture, Value};
use crate::link::{self, Linked};
use crate::packets::Packet;

/// Bytes of an Ethernet header: the card takes no shorter frame.
const SHORTEST: usize = 14;
/// Bytes of a frame that programs reach.
const LONGEST: usize = 1800;

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Traffic {
    /// Packets that ran.
    pub packets: usize,
    /// Those that were passed, dropped, transmitted.
    pub actions: [usize; 3],
    /// Cycles until packets were done.
    pub latency: u64,
    /// Cycles in which instructions issued.
    pub issue: u64,
}

impl Traffic {
    /// Cycles of a packet: until it is done, and of issue.
    #[must_use]
    pub fn cycles(&self) -> (f64, f64) {
        let packets = self.packets.max(1) as f64;
        (self.latency as f64 / packets, self.issue as f64 / packets)
    }

    /// Packets in a second, in millions, by the model: a core issues one instruction a cycle, and its
    /// contexts wait at the same time.
    #[must_use]
    pub fn rate(&self, capabilities: &Capabilities) -> f64 {
        let (latency, issue) = self.cycles();
        let per_cycle = (1.0 / issue).min(f64::from(capabilities.contexts) / latency);
        per_cycle * f64::from(capabilities.clock) * f64::from(capabilities.cores)
    }
}

/// Runs packets one after the other.
///
/// # Errors
/// In words: the first difference, a hazard, or what cannot be run.
pub fn run(
    object: &Object,
    program: &CardProgram,
    words: &[u64],
    capabilities: &Capabilities,
    fixture: &Fixture,
    packets: &[Packet],
) -> Result<Traffic, String> {
    let abi = Abi::from(capabilities);
    let on_card = CardObject::of(object).map_err(|error| error.to_string())?;
    let linked = Linked::from_object(object)?;
    let named = |(_, function): &(mir::Func, &mir::Function)| function.name == program.name;
    let (func, _) = linked
        .module
        .functions
        .iter()
        .find(named)
        .ok_or("no function")?;
    let case = Case {
        name: program.name.clone(),
        program_type: program.program_type,
        maps: maps(&on_card),
        slots: Vec::new(),
        unrelocated: Vec::new(),
        words: Vec::new(),
    };
    let mut machine = link::machine(&linked, case.program_type, Options::default(), fixture)?;
    let mut card = Card::new(abi.clone());
    let placed = on_card.placements([program], capabilities);
    let placed = placed.map_err(|error| error.to_string())?;
    for (map, place) in case.maps.iter().zip(placed) {
        let (key, value) = (map.def.key_size as usize, map.def.value_size as usize);
        let mut on_card = DeviceMap::new(map.id, map.kind, key, value, map.def.max_entries);
        on_card.latency = Some(place.latency.into());
        on_card.array = place.array;
        card.add_map(on_card);
    }
    for entry in &fixture.entries {
        let map = case.maps.iter().find(|map| map.def.name == entry.map);
        if let (Some(map), Value::Bytes(value)) = (map, &entry.value) {
            card.map_update(map.id, &entry.key, value);
        }
    }
    let loaded = Program::load(words, abi.start).map_err(|error| error.to_string())?;
    let mut traffic = Traffic::default();
    for packet in packets {
        if !(SHORTEST..=LONGEST).contains(&packet.bytes.len()) {
            continue;
        }
        machine
            .set_packet(&packet.bytes)
            .map_err(|fault| fault.to_string())?;
        let context = machine.context_address();
        let result = {
            let mut interpreter = linked.interpreter(&linked.module, &mut machine)?;
            machine.start_run();
            interpreter
                .run(&mut machine, func, &[context])
                .map_err(|fault| format!("{}: {fault:?}", packet.name))?
                .result
        };
        let expected = Seen::of(&case, &machine, result);
        let outcome = card
            .run(&loaded, &packet.bytes)
            .map_err(|fault| format!("{}: {fault}", packet.name))?;
        if let Some(hazard) = outcome.hazards.first() {
            return Err(format!("{}: {hazard:?}", packet.name));
        }
        let seen = Seen::on_card(&case, &mut card, &outcome);
        if seen != expected {
            return Err(format!("{}: {seen:x?} instead of {expected:x?}", packet.name));
        }
        traffic.packets += 1;
        let action = match outcome.verdict.action {
            Action::Pass => 0,
            Action::Drop => 1,
            Action::Transmit => 2,
        };
        traffic.actions[action] += 1;
        traffic.latency += outcome.cycles.latency;
        traffic.issue += outcome.cycles.issue;
    }
    Ok(traffic)
}
