//! What the programs of a module do, by the MIR interpreter, as text that can be compared.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bpf::interp::{FaultKind, Machine, Options};
use bpf::program_type::ProgramType;
use mir::{Func, Function, Module};

use crate::fixture::Fixture;
use crate::link::{self, Linked};
use crate::packets::{Packet, Random};

/// Instructions a run may take: real programs stay far below, and a loop that a pass made endless
/// shows soon.
const STEP_LIMIT: u64 = 200_000;
/// Bytes of context for programs that get no packet.
const CONTEXT_BYTES: usize = 512;

/// What was seen, by program and input.
pub type Seen = BTreeMap<String, Result<String, FaultKind>>;

/// The type of a function that a loader would take for a program. Where the section says none, the
/// name of the object may.
#[must_use]
pub fn program_type(function: &Function, object_name: &str) -> Option<ProgramType> {
    if function.is_declaration() || function.section == ".text" {
        return None;
    }
    let guessed = if object_name.contains("xdp") {
        ProgramType::Xdp
    } else {
        ProgramType::SchedCls
    };
    Some(ProgramType::from_section(&function.section).unwrap_or(guessed))
}

/// Runs every program of `module` (which has the symbols of `linked`) on all packets, each program
/// on a fresh machine whose maps keep what earlier packets left.
///
/// # Errors
/// The machine cannot be made.
pub fn observe(
    linked: &Linked,
    module: &Module,
    object_name: &str,
    packets: &[Packet],
    fixture: &Fixture,
) -> Result<Seen, String> {
    let mut seen = Seen::new();
    for (func, function) in &module.functions {
        let Some(kind) = program_type(function, object_name) else {
            continue;
        };
        let takes_packet = kind == ProgramType::Xdp || kind.takes_skb();
        let options = Options {
            step_limit: STEP_LIMIT,
            forgiving_loads: !takes_packet,
            ..Options::default()
        };
        let mut machine = link::machine(linked, kind, options, fixture)?;
        let inputs: Vec<Packet> = if takes_packet {
            packets.to_vec()
        } else {
            contexts()
        };
        for input in &inputs {
            let made = if takes_packet {
                machine.set_packet(&input.bytes)
            } else {
                machine.set_context(&input.bytes)
            };
            made.map_err(|fault| fault.to_string())?;
            let result = run(linked, module, func, &mut machine)?;
            seen.insert(format!("{} on {}", function.name, input.name), result);
        }
        let mut text = String::new();
        for number in 0..machine.maps().len() {
            let contents = machine.map_contents(u32::try_from(number).unwrap_or(u32::MAX));
            // Writing to a string cannot fail.
            let _ = write!(text, "{contents:02x?}");
        }
        seen.insert(format!("{} leaves in maps", function.name), Ok(text));
    }
    Ok(seen)
}

fn contexts() -> Vec<Packet> {
    let mut random = Random::new(3);
    (0..4)
        .map(|number| Packet {
            name: format!("context {number}"),
            bytes: random.bytes(CONTEXT_BYTES),
        })
        .collect()
}

fn run(
    linked: &Linked,
    module: &Module,
    func: Func,
    machine: &mut Machine,
) -> Result<Result<String, FaultKind>, String> {
    let context = machine.context_address();
    let mut interpreter = linked.interpreter(module, machine)?;
    machine.start_run();
    let run = match interpreter.run(machine, func, &[context]) {
        Ok(run) => run,
        Err(fault) => {
            machine.take_events();
            return Ok(Err(fault.kind));
        }
    };
    let events = machine.take_events();
    let packet = machine.packet();
    Ok(Ok(format!(
        "{:#x}, packet {packet:02x?}, calls {events:x?}",
        run.result
    )))
}

/// The first thing in which two observations differ. Where the first one has a fault, what follows
/// it says nothing; neither does it where the program asked for what the interpreter lacks.
#[must_use]
pub fn difference(before: &Seen, after: &Seen) -> Option<String> {
    before.iter().find_map(|(input, first)| {
        let first = first.as_ref().ok()?;
        match after.get(input) {
            Some(Ok(second)) if first == second => None,
            Some(Ok(second)) => Some(format!("{input}:\n  before {first}\n  after  {second}")),
            Some(Err(fault)) => Some(format!(
                "{input}:\n  before {first}\n  after  fault: {fault}"
            )),
            None => Some(format!("{input}: gone")),
        }
    })
}
