//! A program of an object, compiled for the simulated card.
//!
//! It takes the way of `build --target nfp`: what keeps the program from a card is told before
//! anything is compiled, and what runs are the words that a loader would put into the code store.

use std::collections::{BTreeMap, BTreeSet};

use backend_nfp::assemble::{Role, Word};
use backend_nfp::capabilities::Capabilities;
use backend_nfp::compile::VERDICT;
use backend_nfp::firmware::Abi;
use backend_nfp::placement::Placement;
use backend_nfp::sim;
use bpf::maps::MapDef;
use bpf::object::FunctionRange;
use bpf::program_type::ProgramType;
use passes::OptLevel;
use verifier::{Linker, ProgramId};

use super::profile::Place;
use crate::card::offloaded::{Job, Refused};
use crate::card::{CardObject, CardProgram};
use crate::compile::CompileOptions;
use crate::failure::Failure;
use crate::input::Assembled;

/// Which program, and how it is compiled.
#[derive(Clone, Copy, Debug)]
pub struct Choice<'a> {
    /// Its level.
    pub level: OptLevel,
    /// Its name; the only one without.
    pub name: Option<&'a str>,
    /// The type of programs whose section says none.
    pub kind: Option<ProgramType>,
}

/// What is compiled.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The file, for messages.
    pub file: &'a str,
    /// Its contents.
    pub assembled: &'a Assembled,
}

/// A program that is ready to run.
pub(super) struct Ready {
    /// What messages call it.
    pub(super) name: String,
    pub(super) program: sim::Program,
    pub(super) maps: Vec<MapDef>,
    /// Where they lie.
    pub(super) placed: Vec<Placement>,
    /// Words of the maps' values that it adds to, by the maps' numbers.
    pub(super) counters: BTreeMap<u32, BTreeSet<usize>>,
    /// Where each word comes from.
    pub(super) places: Vec<Place>,
}

/// Compiles.
pub(super) fn compile(
    choice: Choice<'_>,
    source: Source<'_>,
    capabilities: &Capabilities,
    abi: &Abi,
) -> Result<Ready, Refused> {
    let Source { file, assembled } = source;
    let linker = Linker::new(&assembled.object)
        .map_err(|error| Failure::Usage(format!("{file}: cannot be checked: {error}")))?;
    let id = select(choice.name, &linker)?;
    let object = CardObject::of(&assembled.object)
        .map_err(|error| Failure::refused(format!("{file}: {error}")))?;
    let options = CompileOptions {
        program_type: choice.kind,
        ..CompileOptions::at_level(choice.level)
    };
    let job = Job {
        file,
        assembled,
        linker: &linker,
        object: &object,
        options: &options,
        capabilities,
    };
    let offloaded = job.program(&id, drop)?;
    let name = format!("`{}`", id.function);
    let words = offloaded.program.words(abi);
    let words = words.map_err(|error| Failure::refused(format!("{name}: {error}")))?;
    let program = sim::Program::load(&words, abi.start)
        .map_err(|error| Failure::refused(format!("{name}: {error}")))?;
    let placed = object
        .placements([&offloaded.program], capabilities)
        .map_err(|error| Failure::refused(format!("{file}: {error}")))?;
    Ok(Ready {
        name,
        program,
        maps: object.maps().to_vec(),
        placed,
        counters: offloaded.counters,
        places: places(&offloaded.program, &object, assembled),
    })
}

/// The program that was asked for.
fn select(name: Option<&str>, linker: &Linker<'_>) -> Result<ProgramId, Failure> {
    let mut programs = linker.programs();
    let names: Vec<String> = programs.iter().map(|id| id.function.clone()).collect();
    let list = names.join(", ");
    if let Some(name) = name {
        let found = programs.into_iter().find(|id| id.function == name);
        return found.ok_or_else(|| {
            Failure::Usage(format!("there is no program `{name}`; there are {list}"))
        });
    }
    let last = programs.pop();
    match (last, programs.is_empty()) {
        (Some(only), true) => Ok(only),
        (None, _) => Err(Failure::refused("the object has no program")),
        (Some(_), false) => Err(Failure::Usage(format!(
            "choose a program with --prog: {list}"
        ))),
    }
}

/// Where each word comes from.
fn places(program: &CardProgram, object: &CardObject, assembled: &Assembled) -> Vec<Place> {
    let ranges = assembled.object.functions();
    let functions = program.compiled.functions.iter();
    let functions: Vec<Option<&FunctionRange>> = functions
        .map(|func| {
            let name = &program.module.functions.get(*func)?.name;
            ranges.iter().find(|range| range.name == *name)
        })
        .collect();
    let place = |word: &Word| {
        if word.role == Role::Trailer {
            return Place::default();
        }
        if word.origin == VERDICT {
            return Place {
                at: "the verdict".to_owned(),
                text: "of a number that a program returns".to_owned(),
            };
        }
        let line = word.location.and_then(|at| {
            let (at, text) = object.source(&program.module, at)?;
            Some(Place { at, text })
        });
        line.or_else(|| {
            let slot = word.origin.checked_sub(1)?;
            let function = functions.get(word.function).copied().flatten()?;
            in_assembly(assembled, function, slot).or_else(|| {
                Some(Place {
                    at: format!("{}+{slot}", function.name),
                    text: String::new(),
                })
            })
        })
        .unwrap_or_default()
    };
    program.compiled.assembled.words.iter().map(place).collect()
}

/// The line of an instruction in the text that was assembled.
fn in_assembly(assembled: &Assembled, function: &FunctionRange, slot: u32) -> Option<Place> {
    let known = &assembled.instructions;
    let offset = function.offset + 8 * u64::from(slot);
    let span = known.span(function.section, offset)?;
    let file = assembled.map.file(span.file)?;
    let (line, _) = file.line_column(span.start);
    let text = file.line(line).unwrap_or_default();
    let text = text.split('#').next().unwrap_or_default().trim().to_owned();
    Some(Place {
        at: format!("{}:{line}", file.name),
        text,
    })
}
