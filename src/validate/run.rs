//! One run of a program, and what it did.

use std::collections::BTreeSet;
use std::fmt;

use bpf::interp::{Event, Machine, Options};
use bpf::program_type::ProgramType;
use mir::interp::Coverage;
use mir::{Func, Module};

use super::STEP_LIMIT;
use crate::linked::Linked;

/// What a program is run on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Input {
    /// Packet, or the context's bytes for programs without one.
    pub bytes: Vec<u8>,
    /// What the world is made up from.
    pub seed: u64,
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {:#x} and input ", self.seed)?;
        self.bytes
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What a run did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Done {
    pub result: u64,
    pub packet: Vec<u8>,
    pub maps: Vec<Vec<(Vec<u8>, Vec<u8>)>>,
    pub calls: Vec<Event>,
}

/// An input with what the program did on it before any pass.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub input: Input,
    pub done: Done,
    /// Functions that were run.
    pub reaches: BTreeSet<Func>,
}

/// A run of MIR.
pub(super) struct Run {
    pub done: Done,
    pub coverage: Coverage,
}

fn options(seed: u64) -> Options {
    Options {
        step_limit: STEP_LIMIT,
        seed,
        invent: Some(seed),
        ..Options::default()
    }
}

/// Whether programs of a type are given a packet.
pub(super) fn takes_packet(program_type: ProgramType) -> bool {
    program_type == ProgramType::Xdp || program_type.takes_skb()
}

fn give(machine: &mut Machine, program_type: ProgramType, input: &Input) -> Result<(), String> {
    let given = if takes_packet(program_type) {
        machine.set_packet(&input.bytes)
    } else {
        machine.set_context(&input.bytes)
    };
    given.map_err(|fault| fault.to_string())
}

/// Runs a program of a module.
///
/// # Errors
/// The fault.
pub(super) fn mir(
    linked: &Linked,
    module: &Module,
    (func, program_type): (Func, ProgramType),
    input: &Input,
) -> Result<Run, String> {
    let mut machine = linked.machine(program_type, options(input.seed))?;
    give(&mut machine, program_type, input)?;
    let context = machine.context_address();
    let mut interpreter = linked.interpreter(module, &mut machine)?.with_coverage();
    let run = interpreter
        .run(&mut machine, func, &[context])
        .map_err(|fault| fault.to_string())?;
    Ok(Run {
        done: done(&mut machine, run.result),
        coverage: interpreter.take_coverage(),
    })
}

fn done(machine: &mut Machine, result: u64) -> Done {
    let maps = (0..machine.maps().len())
        .map(|map| machine.map_contents(u32::try_from(map).unwrap_or(u32::MAX)));
    Done {
        result,
        packet: machine.packet().to_vec(),
        maps: maps.collect(),
        calls: machine.take_events(),
    }
}
