//! Runs the functions of a module on generated inputs, so that two forms of it can be compared.
//!
//! A program (a function whose section names a type that takes packets) gets packets; other
//! functions get numbers, with the values at the edges of widths among them, or memory where the
//! test says so. A run starts from a fresh machine with the same maps each time.

use std::collections::BTreeMap;

use bpf::interp::{Machine, Options};
use bpf::maps::{MapDef, MapKind};
use bpf::program_type::ProgramType;
use mir::{Func, Function, Module};

use super::plan::Settings;
use crate::linked::Linked;
use crate::packets::{self, Random};

/// Runs of a function that gets no packet.
const RUNS: usize = 64;
/// Instructions that a run may take; a test is small.
const STEP_LIMIT: u64 = 1 << 16;
/// Numbers at which operations of 8, 16, 32 and 64 bits change what they do.
const EDGES: &[u64] = &[
    0,
    1,
    2,
    31,
    32,
    63,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0x8000,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x1_0000_0000,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
    0xffff_ffff_8000_0000,
    0xffff_ffff_ffff_ff80,
    0xffff_ffff_ffff_ffff,
];

/// What a run showed, by the input's name: a result with everything that it left, or a fault.
pub(super) type Results = BTreeMap<String, Result<String, String>>;

/// What runs need besides the module.
#[derive(Clone, Debug)]
pub(super) struct World {
    linked: Linked,
    arguments: Option<Vec<Argument>>,
}

#[derive(Clone, Copy, Debug)]
enum Argument {
    Number,
    Memory(usize),
}

impl World {
    /// Reads the `args:` lines.
    pub(super) fn new(settings: &Settings, linked: Linked) -> Result<World, String> {
        let arguments = match &settings.args {
            Some(text) => Some(
                text.split_whitespace()
                    .map(argument)
                    .collect::<Result<_, _>>()?,
            ),
            None => None,
        };
        Ok(World { linked, arguments })
    }

    /// Runs every function that has a body.
    pub(super) fn run_all(&self, module: &Module) -> Results {
        let mut results = Results::new();
        for (id, function) in &module.functions {
            if function.is_declaration() {
                continue;
            }
            match packet_type(function) {
                Some(program_type) => {
                    for packet in packets::all() {
                        let name = format!("{} on {}", function.name, packet.name);
                        results.insert(
                            name,
                            self.run_on_packet(module, id, program_type, &packet.bytes),
                        );
                    }
                }
                None => {
                    let mut random = Random::new(1);
                    for run in 0..RUNS {
                        let inputs = self.inputs(function, run, &mut random);
                        let name = format!("{}, run {run}", function.name);
                        results.insert(name, self.run_on_inputs(module, id, &inputs));
                    }
                }
            }
        }
        results
    }

    /// Runs one function on numbers.
    pub(super) fn result(
        &self,
        module: &Module,
        name: &str,
        numbers: &[u64],
    ) -> Result<u64, String> {
        let (id, _) = module
            .functions
            .iter()
            .find(|(_, function)| function.name == name)
            .ok_or_else(|| format!("no function is named {name}"))?;
        let mut machine = self.machine(ProgramType::Xdp)?;
        self.linked
            .interpreter(module, &mut machine)?
            .run(&mut machine, id, numbers)
            .map(|run| run.result)
            .map_err(|fault| fault.to_string())
    }

    fn inputs(&self, function: &Function, run: usize, random: &mut Random) -> Vec<Input> {
        let count = usize::from(function.parameter_count);
        (0..count)
            .map(|index| {
                let argument = self.arguments.as_ref().and_then(|list| list.get(index));
                match argument.copied().unwrap_or(Argument::Number) {
                    Argument::Memory(size) => Input::Memory(random.bytes(size)),
                    // The first runs walk over the edges, each argument at its own pace.
                    Argument::Number if run < EDGES.len() => {
                        Input::Number(EDGES[(run * (index * 2 + 1) + index) % EDGES.len()])
                    }
                    Argument::Number => {
                        let shift = random.below(64);
                        Input::Number(random.next_u64() >> shift)
                    }
                }
            })
            .collect()
    }

    fn machine(&self, program_type: ProgramType) -> Result<Machine, String> {
        let options = Options {
            step_limit: STEP_LIMIT,
            ..Options::default()
        };
        self.linked.machine(program_type, options)
    }

    fn run_on_packet(
        &self,
        module: &Module,
        func: Func,
        program_type: ProgramType,
        packet: &[u8],
    ) -> Result<String, String> {
        let mut machine = self.machine(program_type)?;
        machine
            .set_packet(packet)
            .map_err(|fault| fault.to_string())?;
        let context = machine.context_address();
        let mut interpreter = self.linked.interpreter(module, &mut machine)?;
        let run = interpreter.run(&mut machine, func, &[context]);
        let run = run.map_err(|fault| fault.kind.to_string())?;
        let packet = machine.packet().to_vec();
        Ok(format!(
            "{} packet {packet:02x?} {}",
            run.result,
            left(&mut machine)
        ))
    }

    fn run_on_inputs(
        &self,
        module: &Module,
        func: Func,
        inputs: &[Input],
    ) -> Result<String, String> {
        let mut machine = self.machine(ProgramType::Xdp)?;
        let mut arguments = Vec::new();
        for input in inputs {
            arguments.push(match input {
                Input::Number(number) => *number,
                Input::Memory(bytes) => machine
                    .add_memory(bytes)
                    .map_err(|fault| fault.to_string())?,
            });
        }
        let mut interpreter = self.linked.interpreter(module, &mut machine)?;
        let run = interpreter.run(&mut machine, func, &arguments);
        let run = run.map_err(|fault| fault.kind.to_string())?;
        let mut text = run.result.to_string();
        for (input, address) in inputs.iter().zip(&arguments) {
            if let Input::Memory(bytes) = input {
                let after = machine.memory().slice(*address, bytes.len() as u64);
                text.push_str(&format!(" memory {after:02x?}"));
            }
        }
        text.push_str(&left(&mut machine));
        Ok(text)
    }
}

#[derive(Clone, Debug)]
enum Input {
    Number(u64),
    Memory(Vec<u8>),
}

/// What a run leaves besides its result: maps and calls.
fn left(machine: &mut Machine) -> String {
    let maps: Vec<_> = (0..machine.maps().len())
        .map(|map| machine.map_contents(u32::try_from(map).unwrap_or(u32::MAX)))
        .collect();
    let events = machine.take_events();
    format!(" maps {maps:02x?} calls {events:x?}")
}

fn packet_type(function: &Function) -> Option<ProgramType> {
    let program_type = ProgramType::from_section(&function.section)?;
    (program_type == ProgramType::Xdp || program_type.takes_skb()).then_some(program_type)
}

fn argument(word: &str) -> Result<Argument, String> {
    match word.split_once('=') {
        None if word == "number" => Ok(Argument::Number),
        Some(("memory", size)) => size
            .parse()
            .map(Argument::Memory)
            .map_err(|_| format!("`{word}` has no size")),
        _ => Err(format!(
            "an argument is `number` or `memory=SIZE`, not `{word}`"
        )),
    }
}

/// The maps of the `map:` lines.
pub(super) fn maps(settings: &Settings) -> Result<Vec<MapDef>, String> {
    settings.map.iter().map(|text| map(text)).collect()
}

fn map(text: &str) -> Result<MapDef, String> {
    let wrong =
        || format!("a map is `NAME hash|array|percpu_array KEY VALUE ENTRIES`, not `{text}`");
    let words: Vec<&str> = text.split_whitespace().collect();
    let [name, kind, key, value, entries] = words[..] else {
        return Err(wrong());
    };
    let kind = match kind {
        "hash" => MapKind::Hash,
        "array" => MapKind::Array,
        "percpu_array" => MapKind::PercpuArray,
        _ => return Err(wrong()),
    };
    let number = |word: &str| word.parse::<u32>().map_err(|_| wrong());
    Ok(MapDef::new(
        name,
        kind,
        number(key)?,
        number(value)?,
        number(entries)?,
    ))
}

/// Compares what two forms of a module did. An input on which the first form faults says nothing.
pub(super) fn compare(before: &Results, after: &Results) -> Result<(), String> {
    let mut compared = 0;
    for (input, first) in before {
        let Ok(first) = first else { continue };
        compared += 1;
        match after.get(input) {
            Some(Ok(second)) if first == second => {}
            Some(Ok(second)) => {
                return Err(format!("{input}:\n  before {first}\n  after  {second}"));
            }
            Some(Err(fault)) => {
                return Err(format!(
                    "{input}:\n  before {first}\n  after  fault: {fault}"
                ));
            }
            None => return Err(format!("{input}: the function is gone")),
        }
    }
    if compared > 0 {
        return Ok(());
    }
    let fault = before.values().find_map(|result| result.as_ref().err());
    Err(format!(
        "no generated input runs through; the first stops with: {}",
        fault.map_or("nothing to run", String::as_str)
    ))
}

/// Checks the `expect:` lines.
pub(super) fn check_expectations(
    world: &World,
    settings: &Settings,
    module: &Module,
    form: &str,
) -> Result<(), String> {
    for line in &settings.expect {
        let (name, numbers, expected) = expectation(line)
            .ok_or_else(|| format!("`{line}` is not `NAME(NUMBER, …) == NUMBER`"))?;
        let result = world.result(module, name, &numbers)?;
        if result != expected {
            return Err(format!("{line}: {form} it gives {result:#x}"));
        }
    }
    Ok(())
}

fn expectation(line: &str) -> Option<(&str, Vec<u64>, u64)> {
    let (call, expected) = line.split_once("==")?;
    let (name, numbers) = call.trim().strip_suffix(')')?.split_once('(')?;
    let numbers = numbers
        .split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .map(number)
        .collect::<Option<_>>()?;
    Some((name, numbers, number(expected.trim())?))
}

fn number(word: &str) -> Option<u64> {
    let (digits, negative) = match word.strip_prefix('-') {
        Some(digits) => (digits, true),
        None => (word, false),
    };
    let value = match digits.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok()?,
        None => digits.parse().ok()?,
    };
    Some(if negative {
        value.wrapping_neg()
    } else {
        value
    })
}
