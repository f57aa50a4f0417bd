//! Words on the simulated card against bytecode in the interpreter.
//!
//! Compared are the verdict, the packet, what maps hold, and records; and, where the caller knows at
//! which address the BPF result register is whole, that register: most cases return what they
//! computed, of which a verdict shows next to nothing.

use std::collections::BTreeSet;

use backend_nfp::firmware::{Abi, Action, Card, Counter, DeviceMap, DeviceMapKind, Outcome, Watch};
use backend_nfp::sim::{Hazard, Program, Value};
use bpf::insn::Endian;
use bpf::interp::{Image, Interpreter, Machine, Options, Program as Bytecode};
use bpf::program_type::ProgramType;

use super::cases::Case;
use super::inputs::Input;
use crate::packets::Random;

/// What came out of a comparison.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Inputs that were run.
    pub inputs: usize,
    /// Differences, an input each.
    pub differences: Vec<String>,
    /// All hazards of all runs.
    pub hazards: Vec<Hazard>,
    /// Sum of the cycles until packets were done.
    pub latency: u64,
    /// Sum of the cycles in which instructions issued.
    pub issue: u64,
}

/// What the host sees of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    action: Action,
    counter: Option<Counter>,
    packet: Vec<u8>,
    maps: Vec<Vec<(Vec<u8>, Vec<u8>)>>,
}

impl Seen {
    /// What a machine shows after a program ended with a result.
    #[must_use]
    pub fn of(case: &Case, machine: &Machine, result: u64) -> Seen {
        let (action, counter) = verdict(case.program_type, result);
        Seen {
            action,
            counter,
            packet: machine.packet().to_vec(),
            maps: (0..case.maps.len() as u32)
                .map(|map| machine.map_contents(map))
                .collect(),
        }
    }
}

impl Seen {
    /// What a card shows after a run.
    #[must_use]
    pub fn on_card(case: &Case, card: &mut Card, outcome: &Outcome) -> Seen {
        let mut maps: Vec<_> = case
            .maps
            .iter()
            .map(|map| card.map_contents(map.id))
            .collect();
        for record in card.take_records() {
            let place = case.maps.iter().position(|map| map.id == record.map);
            if let Some(contents) = place.and_then(|place| maps.get_mut(place)) {
                contents.push((Vec::new(), record.bytes));
            }
        }
        Seen {
            action: outcome.verdict.action,
            counter: outcome.verdict.counter,
            packet: outcome.packet.clone(),
            maps,
        }
    }
}

/// Puts into a machine what is in an input: maps and packet.
///
/// # Errors
/// In words: what the machine cannot do.
pub fn fill(case: &Case, machine: &mut Machine, input: &Input) -> Result<(), String> {
    for (map, key, value) in contents(case, input) {
        machine
            .map_update(map as u32, &key, &value)
            .map_err(|fault| fault.to_string())?;
    }
    machine
        .set_packet(&input.packet)
        .map_err(|fault| fault.to_string())
}

/// Runs a case's bytecode and these words on inputs. `watch` says where the result is found, if
/// it is compared.
///
/// # Errors
/// When words cannot be loaded, or the bytecode cannot be interpreted.
pub fn compare(
    case: &Case,
    words: &[u64],
    abi: &Abi,
    watch: Watch,
    inputs: &[Input],
) -> Result<Report, String> {
    let image = image(case);
    let interpreter = Interpreter::new(&image);
    let expect = |input: &Input| interpret(case, &image, &interpreter, input);
    compare_with(case, words, abi, watch, inputs, expect)
}

/// What the host sees of a case's bytecode on each input, and the results.
///
/// # Errors
/// When the bytecode cannot be interpreted.
pub fn expectations(case: &Case, inputs: &[Input]) -> Result<Vec<(Seen, u64)>, String> {
    let image = image(case);
    let interpreter = Interpreter::new(&image);
    inputs
        .iter()
        .map(|input| interpret(case, &image, &interpreter, input))
        .collect()
}

fn image(case: &Case) -> Image {
    Image {
        endian: Endian::Little,
        maps: case.maps.iter().map(|map| map.def.clone()).collect(),
        programs: vec![Bytecode {
            name: case.name.clone(),
            program_type: Some(case.program_type),
            slots: case.slots.clone(),
            functions: Vec::new(),
            kernel_functions: Vec::new(),
        }],
        links: Vec::new(),
    }
}

/// Runs words on inputs, of which `expect` says what the host sees and what the result is. Of the case,
/// only name, type and maps count.
///
/// # Errors
/// When words cannot be loaded, or nobody can say what to expect.
pub fn compare_with(
    case: &Case,
    words: &[u64],
    abi: &Abi,
    watch: Watch,
    inputs: &[Input],
    expect: impl Fn(&Input) -> Result<(Seen, u64), String>,
) -> Result<Report, String> {
    let program = Program::load(words, abi.start).map_err(|error| error.to_string())?;
    // The driver knows from the program which words are added to; here a first round tells.
    let empty = card(case, abi, watch, &[]);
    let mut atomic: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); case.maps.len()];
    for input in inputs {
        let mut learned = empty.clone();
        // A fault will show in the second round.
        let _ = simulate(case, &mut learned, &program, input);
        learned.learn_atomic_words();
        for (words, map) in atomic.iter_mut().zip(learned.maps()) {
            words.extend(map.atomic.iter().copied());
        }
    }
    let card = card(case, abi, watch, &atomic);

    let mut report = Report::default();
    for input in inputs {
        let (expected, result) = expect(input)?;
        let mut card = card.clone();
        let outcome = simulate(case, &mut card, &program, input);
        report.inputs += 1;
        match outcome {
            Err(fault) => report.differences.push(fault),
            Ok((outcome, seen)) => {
                report.latency += outcome.cycles.latency;
                report.issue += outcome.cycles.issue;
                report
                    .differences
                    .extend(difference(&outcome, &seen, &expected, result));
                report.hazards.extend(outcome.hazards);
            }
        }
    }
    report.hazards.sort_unstable();
    report.hazards.dedup();
    Ok(report)
}

/// A card with the case's maps, of which these words are added to.
fn card(case: &Case, abi: &Abi, watch: Watch, atomic: &[BTreeSet<usize>]) -> Card {
    let mut card = Card::new(abi.clone());
    card.watch = watch;
    for (index, map) in case.maps.iter().enumerate() {
        let (key, value) = (map.def.key_size as usize, map.def.value_size as usize);
        let mut on_card = DeviceMap::new(map.id, map.kind, key, value, map.def.max_entries);
        on_card.atomic = atomic.get(index).cloned().unwrap_or_default();
        card.add_map(on_card);
    }
    card
}

/// Contents of the maps before the run: element, value.
fn contents(case: &Case, input: &Input) -> Vec<(usize, Vec<u8>, Vec<u8>)> {
    let mut random = Random::new(input.maps);
    let mut all = Vec::new();
    for (index, map) in case.maps.iter().enumerate() {
        if map.kind == DeviceMapKind::PerfEvents {
            continue;
        }
        for element in 0..map.def.max_entries.min(64) {
            let mut key = element.to_le_bytes().to_vec();
            key.resize(map.def.key_size as usize, 0);
            all.push((index, key, random.bytes(map.def.value_size as usize)));
        }
    }
    all
}

fn interpret(
    case: &Case,
    image: &Image,
    interpreter: &Interpreter,
    input: &Input,
) -> Result<(Seen, u64), String> {
    let options = Options {
        seed: input.seed,
        ..Options::default()
    };
    let mut machine = image
        .machine(case.program_type, options)
        .map_err(|fault| fault.to_string())?;
    fill(case, &mut machine, input)?;
    let run = interpreter
        .run(&mut machine, 0)
        .map_err(|fault| fault.to_string())?;
    let seen = Seen::of(case, &machine, run.r0);
    Ok((seen, run.r0))
}

/// What the card does for a program's result (NFP.md, section 5).
fn verdict(program_type: ProgramType, result: u64) -> (Action, Option<Counter>) {
    let result = result as u32;
    if program_type == ProgramType::Xdp {
        return match result {
            1 => (Action::Drop, Some(Counter::Drop)),
            2 => (Action::Pass, Some(Counter::Pass)),
            3 => (Action::Transmit, Some(Counter::Redirect)),
            _ => (Action::Drop, Some(Counter::Abort)),
        };
    }
    match result {
        2 => (Action::Drop, Some(Counter::Drop)),
        4 | 5 => (Action::Drop, None),
        7 => (Action::Transmit, Some(Counter::Redirect)),
        _ => (Action::Pass, Some(Counter::Pass)),
    }
}

fn simulate(
    case: &Case,
    card: &mut Card,
    program: &Program,
    input: &Input,
) -> Result<(Outcome, Seen), String> {
    card.seed = input.seed;
    card.pattern = (input.maps >> 32) as u32;
    for (map, key, value) in contents(case, input) {
        card.map_update(case.maps[map].id, &key, &value);
    }
    let outcome = card
        .run(program, &input.packet)
        .map_err(|fault| fault.to_string())?;
    let seen = Seen::on_card(case, card, &outcome);
    Ok((outcome, seen))
}

/// The first difference that matters, in words.
fn difference(outcome: &Outcome, seen: &Seen, expected: &Seen, result: u64) -> Option<String> {
    if let Some((low, high)) = outcome.result {
        let known = Value::from(result as u32) == low && Value::from((result >> 32) as u32) == high;
        if !known {
            return Some(format!("result is {high:x?} {low:x?}, not {result:#x}"));
        }
    }
    if !outcome.clobbered.is_empty() || !outcome.stray.is_empty() {
        let (registers, words) = (&outcome.clobbered, &outcome.stray);
        return Some(format!(
            "the firmware's {registers:?} and {words:?} changed"
        ));
    }
    if seen.maps != expected.maps {
        return Some(map_difference(seen, expected));
    }
    if seen.packet != expected.packet {
        return Some(format!(
            "packet is {:x?}, not {:x?}",
            seen.packet, expected.packet
        ));
    }
    (seen != expected).then(|| {
        let (is, not) = (
            (seen.action, seen.counter),
            (expected.action, expected.counter),
        );
        format!("verdict is {is:?}, not {not:?}")
    })
}

/// The first place where maps differ, in words.
fn map_difference(seen: &Seen, expected: &Seen) -> String {
    for (map, (is, not)) in seen.maps.iter().zip(&expected.maps).enumerate() {
        let longest = is.len().max(not.len());
        let place = (0..longest).find(|at| is.get(*at) != not.get(*at));
        if let Some(at) = place {
            return format!(
                "element {at} of map {map} is {:x?}, not {:x?}",
                is.get(at),
                not.get(at)
            );
        }
    }
    "maps differ".to_owned()
}
