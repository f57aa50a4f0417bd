//! Random programs through the back end, and what they do there against the interpreter.
//!
//! A program is compiled without passes and with them, with and without its result shown, with
//! loads and stores taken together and each by itself. The words must keep to every rule that the
//! checker knows, and do on the simulated card what the bytecode does in the interpreter, without
//! depending on anything undefined. A program that the verifier refuses, or that the card cannot run,
//! says nothing.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use backend_nfp::capabilities::Capabilities;
use backend_nfp::check::{Rules, check};
use backend_nfp::compile::{Options, SHOWN};
use backend_nfp::firmware::{Abi, Watch};
use backend_nfp::offload::examine;
use bpf::insn::{CallTarget, Endian, Insn, Operand, Reg, Slot};
use bpf::program_type::{AttachType, ProgramType};
use bpfmill::compile::CompileOptions;
use passes::OptLevel;
use passes::packet_cache::PacketCache;
use verifier::Ask;
use verifier::facts::{FactPlace, Facts};
use verifier::program::{Map, Program};
use verifier::state::Kind;

use super::programs::generous;
use super::translate::{compile_for, module_with, words_of};
use super::{Case, Input, Seen, compare_with, expectations, inputs};
use crate::random_program::reduce_slots;

/// Inputs that a program runs on.
const INPUTS: usize = 20;
/// Helpers that move the packet's beginning and end, and how far programs move the first.
const ADJUST_HEAD: i32 = 44;
const ADJUST_TAIL: i32 = 65;
const MOST_HEAD: i32 = 40;
/// Shortest frames: of any packet, and of those whose beginning is moved, for which the card counts
/// on frames as a wire has them.
const SHORTEST: (usize, usize) = (14, 60);

/// What became of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nobody would run it; why.
    Refused(String),
    /// The back end says that the card cannot run it: too large, or dead code that nobody dropped.
    Unable(String),
    /// It does the same, each time that it was compiled; so many words.
    Same(usize),
    /// It does not, or its words are wrong.
    Wrong(String),
}

/// A way to compile.
#[derive(Clone, Copy, Debug)]
struct Way {
    level: OptLevel,
    show: bool,
    together: bool,
}

/// Compiles a program in all ways and compares.
#[must_use]
pub fn run(case: &Case) -> Outcome {
    let panicked = |_| Outcome::Wrong("panicked".to_owned());
    catch_unwind(AssertUnwindSafe(|| run_all(case))).unwrap_or_else(panicked)
}

fn run_all(case: &Case) -> Outcome {
    let capabilities = generous();
    let depths = match accepted(case, &capabilities) {
        Ok(depths) => depths,
        Err(reason) => return Outcome::Refused(reason),
    };
    let moves = |slot: &Slot| (slot.opcode, slot.src, slot.imm) == (0x85, 0, ADJUST_HEAD);
    let shortest = match case.slots.iter().any(moves) {
        true => SHORTEST.1,
        false => SHORTEST.0,
    };
    let all = inputs(&case.name, shortest);
    let step = (all.len() / INPUTS).max(1);
    let inputs: Vec<Input> = all.into_iter().step_by(step).take(INPUTS).collect();
    let expected = match expectations(case, &inputs) {
        Ok(expected) => inputs
            .iter()
            .map(|input| input.seed)
            .zip(expected)
            .collect(),
        Err(reason) => return Outcome::Refused(reason),
    };
    let mut size = 0;
    for level in [OptLevel::O2, OptLevel::O0] {
        for show in [true, false] {
            for together in [true, false] {
                let way = Way {
                    level,
                    show,
                    together,
                };
                match run_way(case, way, &capabilities, &depths, &inputs, &expected) {
                    Ok(words) => size = words,
                    Err(reason) if is_refusal(&reason) => return Outcome::Unable(reason),
                    Err(reason) => return Outcome::Wrong(format!("{way:?}: {reason}")),
                }
            }
        }
    }
    Outcome::Same(size)
}

/// Whether a message is of the back end's: not of what its words do.
fn is_refusal(reason: &str) -> bool {
    [
        "the stack takes",
        "values are too many",
        "the card cannot run",
    ]
    .iter()
    .any(|part| reason.contains(part))
}

/// Bytes of stack of a program's functions, if it can go to the card.
fn accepted(case: &Case, capabilities: &Capabilities) -> Result<BTreeMap<String, u32>, String> {
    let maps = case.maps.iter().map(|map| Map::new(map.def.clone(), None));
    let attach = match case.program_type {
        ProgramType::Xdp => Some(AttachType::Xdp),
        _ => None,
    };
    let mut slots = case.slots.clone();
    for slot in &mut slots {
        // What the interpreter takes for a map's descriptor is here a place in a list.
        if (slot.opcode, slot.src) == (0x18, 1) {
            slot.src = 5;
        }
    }
    let program = Program::from_slots(case.program_type, attach, &slots, maps.collect());
    let program = program.ok_or("no program")?;
    let options = verifier::Options {
        written_stack: true,
        ..verifier::Options::default()
    };
    let found = examine(&program, &options, Endian::Little, capabilities);
    if let Some(first) = found.obstacles.first() {
        return Err(match &found.report.verdict {
            verifier::Verdict::Rejected(finding) => format!("refused: {}", finding.kernel_text),
            _ => format!("{:?}", first.reason),
        });
    }
    let (_, facts) = verifier::facts(&program, &options, Endian::Little, Ask::Everything);
    if let Some(slot) = (0..slots.len()).find(|slot| shows_address(&program, &facts, *slot)) {
        return Err(format!("it shows an address, at {slot}"));
    }
    if let Some(slot) = (0..slots.len()).find(|slot| moves_far(&program, &facts, *slot)) {
        return Err(format!("a move that cards differ in, at {slot}"));
    }
    let names = (0..).map(|index| format!("f{index}"));
    Ok(names.zip(found.report.depths.iter().copied()).collect())
}

/// Whether what an instruction leaves depends on where memory lies, which is the machine's matter.
fn shows_address(program: &Program, facts: &Facts, slot: usize) -> bool {
    let Some(found) = facts.insns.get(slot).filter(|found| found.visits > 0) else {
        return false;
    };
    let all = |reg: Reg, wanted: fn(Kind) -> bool| {
        reg == Reg(10)
            || found
                .forms(FactPlace::Register(reg.0))
                .all(|form| wanted(form.kind))
    };
    let number = |reg: Reg| reg != Reg(10) && all(reg, |kind| kind == Kind::Scalar);
    match program.insn(slot) {
        Some(Insn::Exit) => !number(Reg(0)),
        Some(Insn::Store {
            base,
            src: Operand::Reg(src),
            ..
        }) => !number(src) && !all(base, |kind| matches!(kind, Kind::Stack(_))),
        Some(Insn::Atomic { src, .. }) => !number(src),
        Some(Insn::Branch { dst, src, .. }) => match src {
            Operand::Imm(imm) => imm != 0 && !number(dst),
            Operand::Reg(src) => number(dst) != number(src),
        },
        _ => false,
    }
}

/// Whether a move of the packet's beginning or end may be one that a host can do and a card cannot.
fn moves_far(program: &Program, facts: &Facts, slot: usize) -> bool {
    let Some(Insn::Call {
        target: CallTarget::Helper(id @ (ADJUST_HEAD | ADJUST_TAIL)),
    }) = program.insn(slot)
    else {
        return false;
    };
    let possible = match id {
        ADJUST_HEAD => (-MOST_HEAD, MOST_HEAD),
        _ => (i32::MIN, -1),
    };
    let Some(found) = facts.insns.get(slot) else {
        return false;
    };
    let fits = |by: (i32, i32)| possible.0 <= by.0 && by.1 <= possible.1;
    !found
        .forms(FactPlace::Register(2))
        .all(|form| fits((form.value.smin32, form.value.smax32)))
}

/// Compiles one way and compares; gives how many words that took.
fn run_way(
    case: &Case,
    way: Way,
    capabilities: &Capabilities,
    depths: &BTreeMap<String, u32>,
    inputs: &[Input],
    expected: &BTreeMap<u64, (Seen, u64)>,
) -> Result<usize, String> {
    let mut passes = CompileOptions::at_level(way.level);
    if way.level != OptLevel::O0 {
        passes.pipeline.enable.push(PacketCache::NAME.to_owned());
    }
    let (module, entry) = module_with(case, &passes)?;
    let options = Options {
        show_result: way.show,
        read_together: way.together,
        write_together: way.together,
        check_allocation: true,
        ..Options::default()
    };
    let compiled = compile_for(case, &module, entry, depths.clone(), capabilities, &options)?;
    let abi = Abi::from(capabilities);
    let words = words_of(&compiled, &abi)?;
    if let Err(violations) = check(&words, abi.start, &Rules::from(&abi)) {
        let first = violations.first().map(ToString::to_string);
        return Err(format!("a rule is broken: {}", first.unwrap_or_default()));
    }
    let watch = match way.show {
        true => Watch::Out(SHOWN),
        false => Watch::Nowhere,
    };
    let expect = |input: &Input| expected.get(&input.seed).cloned().ok_or_else(String::new);
    let report = compare_with(case, &words, &abi, watch, inputs, expect)?;
    if let Some(first) = report.differences.first() {
        let count = report.differences.len();
        return Err(format!(
            "{count} of {} inputs differ: {first}",
            inputs.len()
        ));
    }
    if let Some(hazard) = report.hazards.first() {
        return Err(format!("hazard: {hazard:?}"));
    }
    Ok(words.len())
}

/// The kind of mistake in a message: what must stay while a program gets smaller.
fn kind(reason: &str) -> &'static str {
    ["a rule is broken", "hazard", "differ", "panicked"]
        .into_iter()
        .find(|kind| reason.contains(kind))
        .unwrap_or("")
}

/// A smaller program that is wrong in the same kind of way.
#[must_use]
pub fn reduce(case: &Case, reason: &str) -> Case {
    let with = |slots: &[Slot]| Case {
        slots: slots.to_vec(),
        ..case.clone()
    };
    let slots = reduce_slots(&case.slots, |slots| match run(&with(slots)) {
        Outcome::Wrong(found) => kind(&found) == kind(reason),
        _ => false,
    });
    with(&slots)
}
