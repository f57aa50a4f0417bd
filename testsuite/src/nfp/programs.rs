//! Programs of objects on the card: which can go there, and whether they do there what the
//! interpreter of MIR does with them as they were lifted.

use std::collections::BTreeMap;

use backend_nfp::capabilities::{Capabilities, Maps};
use backend_nfp::check::{Rules, check};
use backend_nfp::compile::Options;
use backend_nfp::firmware::{Abi, DeviceMapKind, Watch};
use backend_nfp::offload::examine;
use bpf::interp::Options as MachineOptions;
use bpf::maps::MapKind;
use bpf::object::Object;
use bpf::program_type::ProgramType;
use bpfmill::card::{CardObject, CardProgram, FIRST_MAP, depths};
use bpfmill::compile::CompileOptions;
use bpfmill::linked::Linked;
use verifier::Linker;

use super::{Case, CaseMap, Input, Report, Seen, compare_with, fill};

/// Instructions that the interpreter may take.
const STEP_LIMIT: u64 = 200_000;

/// A firmware without the open one's limits on maps, which is of nobody: for programs that were
/// written with no card in mind.
#[must_use]
pub fn generous() -> Capabilities {
    let usual = Capabilities::default();
    let kinds = [
        MapKind::Hash,
        MapKind::Array,
        MapKind::PercpuHash,
        MapKind::PercpuArray,
        MapKind::LruHash,
        MapKind::LruPercpuHash,
        MapKind::PerfEventArray,
    ];
    Capabilities {
        helpers: BTreeMap::from([(1, 200), (2, 300), (3, 400), (5, 600), (25, 500)]),
        maps: Maps {
            kinds: kinds.into_iter().collect(),
            elements: 1 << 40,
            key: 512,
            value: 4096,
            element: 8192,
            stores: true,
            ..usual.maps.clone()
        },
        tc_accept: true,
        code: backend_nfp::capabilities::Code {
            size: 8000,
            ..usual.code
        },
        memories: {
            let mut memories = usual.memories;
            memories.emem.capacity = 1 << 44;
            memories
        },
        ..usual
    }
}

/// What became of a program.
#[derive(Debug)]
pub enum Outcome {
    /// These are in its way.
    Obstacles(Vec<&'static str>),
    /// The back end refuses it.
    Refused(String),
    /// It is compiled.
    Compiled(Box<CardProgram>, Vec<u64>),
}

/// Every XDP and TC program of an object, compiled for a firmware.
///
/// # Errors
/// In words: what keeps an object's programs from being looked at.
pub fn compile_all(
    object: &Object,
    capabilities: &Capabilities,
    options: &CompileOptions,
) -> Result<Vec<(String, ProgramType, Outcome)>, String> {
    let linker = Linker::new(object).map_err(|error| error.to_string())?;
    let checker = verifier::Options::default();
    let on_card = CardObject::of(object).map_err(|error| error.to_string())?;
    let mut all = Vec::new();
    for id in linker.programs() {
        let Ok(program) = linker.link(&id, &checker) else {
            continue;
        };
        let kind = program.program_type;
        if !matches!(kind, ProgramType::Xdp | ProgramType::SchedCls) {
            continue;
        }
        let found = examine(&program, &checker, object.endian, capabilities);
        let mut codes: Vec<_> = found
            .obstacles
            .iter()
            .map(|one| one.reason.code())
            .collect();
        codes.sort_unstable();
        codes.dedup();
        let outcome = if codes.is_empty() {
            let depths = depths(&program, &found);
            compile(&on_card, &id.function, kind, &depths, capabilities, options)
        } else {
            Outcome::Obstacles(codes)
        };
        all.push((id.function, kind, outcome));
    }
    Ok(all)
}

fn compile(
    object: &CardObject,
    name: &str,
    kind: ProgramType,
    depths: &BTreeMap<String, u32>,
    capabilities: &Capabilities,
    options: &CompileOptions,
) -> Outcome {
    let back_end = Options::default();
    let program = object.compile(name, kind, depths, options, capabilities, &back_end, |_| {});
    let program = match program {
        Ok(program) => program,
        Err(error) => return Outcome::Refused(error.to_string()),
    };
    let abi = Abi::from(capabilities);
    let words = match program.words(&abi) {
        Ok(words) => words,
        Err(error) => return Outcome::Refused(error.to_string()),
    };
    Outcome::Compiled(Box::new(program), words)
}

/// The maps of an object as the card has them.
pub(super) fn maps(object: &CardObject) -> Vec<CaseMap> {
    let maps = object.maps().iter().zip(FIRST_MAP..);
    maps.map(|(def, id)| {
        let kind = match def.kind {
            MapKind::Hash | MapKind::LruHash | MapKind::PercpuHash | MapKind::LruPercpuHash => {
                DeviceMapKind::Hash
            }
            MapKind::Array | MapKind::PercpuArray => DeviceMapKind::Array,
            // Others are of other programs of the object: this one could not go to the card.
            _ => DeviceMapKind::PerfEvents,
        };
        CaseMap {
            file: 0,
            id,
            def: def.clone(),
            kind,
        }
    })
    .collect()
}

/// Compares a program's words with what the interpreter of MIR does with it as it was lifted.
///
/// # Errors
/// In words: rules that words break, or what cannot be run.
pub fn differences(
    object: &Object,
    program: &CardProgram,
    words: &[u64],
    capabilities: &Capabilities,
    inputs: &[Input],
) -> Result<Report, String> {
    let abi = Abi::from(capabilities);
    check(words, abi.start, &Rules::from(capabilities)).map_err(|found| format!("{found:?}"))?;
    let on_card = CardObject::of(object).map_err(|error| error.to_string())?;
    let linked = Linked::from_object(object)?;
    let (func, _) = linked
        .module
        .functions
        .iter()
        .find(|(_, function)| function.name == program.name)
        .ok_or("no function")?;
    let case = Case {
        name: program.name.clone(),
        program_type: program.program_type,
        maps: maps(&on_card),
        slots: Vec::new(),
        unrelocated: Vec::new(),
        words: Vec::new(),
    };
    let expect = |input: &Input| {
        let options = MachineOptions {
            seed: input.seed,
            step_limit: STEP_LIMIT,
            ..MachineOptions::default()
        };
        let mut machine = linked.machine(case.program_type, options)?;
        fill(&case, &mut machine, input)?;
        let context = machine.context_address();
        let mut interpreter = linked.interpreter(&linked.module, &mut machine)?;
        machine.start_run();
        let run = interpreter
            .run(&mut machine, func, &[context])
            .map_err(|fault| format!("{fault:?}"))?;
        Ok((Seen::of(&case, &machine, run.result), run.result))
    };
    compare_with(&case, words, &abi, Watch::Nowhere, inputs, expect)
}
