//! Programs of an object compiled for a network card.
//!
//! ```text
//!   object ─[lift]► MIR ─[passes]► ─[divisions]► ─[passes]► ─[backend_nfp::compile]► words
//! ```
//! Each XDP and TC program is compiled by itself, with the functions that it calls. Maps get numbers in
//! the order of the object, from [`FIRST_MAP`] on: what a loader puts in place of them when the
//! firmware has created the maps.
//!
//! Nothing is verified here: who asks for a program's words asks first whether it can be offloaded
//! ([`crate::offload`]).

pub mod offloaded;
pub mod report;
pub mod split;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use backend_nfp::capabilities::Capabilities;
use backend_nfp::compile::{self as nfp, CompileError, Compiled};
use backend_nfp::firmware::Abi;
use backend_nfp::isa::relocation::RelocationError;
use backend_nfp::legalize;
use backend_nfp::offload::Examination;
use backend_nfp::placement::{self, MapUse, NoRoom, Placement};
use backend_nfp::space::Spaces;
use backend_nfp::tail_call;
use bpf::insn::Cpu;
use bpf::maps::{MapDef, MapPlace, definitions};
use bpf::object::Object;
use bpf::program_type::ProgramType;
use frontend::lift::lift_object;
use mir::{Func, Module, SymbolKind};
use passes::packet_cache::PacketCache;
use passes::{Event, Maps, OptLevel, Pipeline, UnknownPass};

use crate::compile::CompileOptions;

/// The number of an object's first map (NFP.md, section 6: the open firmware's are 1 to 127).
pub const FIRST_MAP: u32 = 1;
/// The pass that says whether stores are written together.
const MEMCPY: &str = "memcpy";

/// The pass that makes additions atomic.
const ATOMIC_ADD: &str = "atomic-add";

/// The pass that says whether look-ups in arrays are made by the program.
const INLINE_LOOKUP: &str = "inline-lookup";

/// A program for the card.
#[derive(Debug)]
pub struct CardProgram {
    /// Its function's name.
    pub name: String,
    /// Its type.
    pub program_type: ProgramType,
    /// Its code.
    pub compiled: Compiled,
    /// The module that it was made from, after the passes.
    pub module: Module,
    /// How long it took: passes and back end, without the verifier.
    pub time: Duration,
    /// How it uses maps.
    pub map_uses: BTreeMap<mir::Symbol, MapUse>,
    /// Whether accesses were put together.
    pub together: Together,
}

/// Which passes of the back end ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Together {
    /// Loads read together.
    pub reads: bool,
    /// Stores written together.
    pub writes: bool,
}

/// A program to compile.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Its function's name.
    pub name: &'a str,
    /// Its type.
    pub program_type: ProgramType,
    /// How much stack its functions use, as far as that is known: [`depths`].
    pub depths: &'a BTreeMap<String, u32>,
}

/// Why there is no program.
#[derive(Debug, thiserror::Error)]
pub enum CardError {
    /// A function could not be lifted.
    #[error("function `{name}` cannot be lifted: {reason}")]
    Lift {
        /// Its name.
        name: String,
        /// Why.
        reason: String,
    },
    /// The maps are not as they must be.
    #[error("{0}")]
    Maps(String),
    /// There is no such function.
    #[error("there is no program `{0}`")]
    Missing(String),
    /// There is no such pass.
    #[error(transparent)]
    Unknown(#[from] UnknownPass),
    /// A defect of a pass.
    #[error(transparent)]
    Broken(#[from] passes::PassFailure),
    /// The card cannot run it.
    #[error("{error}{place}")]
    Compile {
        /// Why.
        error: CompileError,
        /// Where, in words.
        place: String,
    },
}

/// An object that is ready to be compiled for the card.
#[derive(Debug)]
pub struct CardObject {
    module: Module,
    maps: Vec<MapDef>,
    /// Definitions and numbers of maps, by their symbols.
    known: Maps,
    numbers: BTreeMap<mir::Symbol, u32>,
    kept: Vec<(String, String)>,
    strings: Option<bpf::btf::Btf>,
}

impl CardObject {
    /// Lifts an object.
    ///
    /// # Errors
    /// [`CardError::Maps`]
    pub fn of(object: &Object) -> Result<CardObject, CardError> {
        let lifted = lift_object(object);
        let maps = definitions(object, lifted.btf.as_ref())
            .map_err(|error| CardError::Maps(error.to_string()))?;
        let known = crate::compile::maps_of(object, &lifted);
        let symbols = lifted.module.symbols.iter();
        let named = symbols.filter(|(_, symbol)| symbol.kind == SymbolKind::Map);
        let numbers = named
            .filter_map(|(id, symbol)| Some((id, number(&maps, symbol.place(object)?)?)))
            .collect();
        let kept = lifted.functions.iter().filter_map(|function| {
            let reason = function.kept.as_ref()?;
            Some((function.range.name.clone(), reason.to_string()))
        });
        let kept = kept.collect();
        Ok(CardObject {
            module: lifted.module,
            maps,
            known,
            numbers,
            kept,
            strings: lifted.btf,
        })
    }

    /// The maps; the first has the number [`FIRST_MAP`].
    #[must_use]
    pub fn maps(&self) -> &[MapDef] {
        &self.maps
    }

    /// Changes a function before it is compiled; nothing happens if there is none of that name.
    pub fn change(&mut self, name: &str, change: impl FnOnce(&mut Module, Func)) {
        let mut functions = self.module.functions.iter();
        let found = functions.find(|(_, function)| function.name == name);
        if let Some(func) = found.map(|(func, _)| func) {
            change(&mut self.module, func);
        }
    }

    /// The number on the card of the map that is defined at a place.
    #[must_use]
    pub fn number_at(&self, place: MapPlace) -> Option<u32> {
        number(&self.maps, place)
    }

    /// Where an instruction stands in the source, in words.
    fn place(&self, module: &Module, error: &CompileError) -> String {
        let CompileError::Select(error) = error else {
            return String::new();
        };
        let line = error.location.and_then(|at| {
            let (place, _) = self.source(module, at)?;
            Some(format!(", at {place}"))
        });
        match (line, error.origin) {
            (Some(line), _) => line,
            (None, 0) => String::new(),
            (None, origin) => format!(", at instruction {}", origin - 1),
        }
    }

    /// Compiles a program.
    ///
    /// # Errors
    /// [`CardError`]
    pub fn compile(
        &self,
        wanted: &Wanted<'_>,
        options: &CompileOptions,
        capabilities: &Capabilities,
        back_end: &nfp::Options,
        mut sink: impl FnMut(Event<'_>),
    ) -> Result<CardProgram, CardError> {
        let Wanted {
            name, program_type, ..
        } = *wanted;
        let start = Instant::now();
        let mut module = self.module.clone();
        let entry = module
            .functions
            .iter()
            .find(|(_, function)| function.name == name)
            .map(|(func, _)| func)
            .ok_or_else(|| CardError::Missing(name.to_owned()))?;
        let functions = backend_nfp::space::reached(&module, entry);
        for func in &functions {
            let name = &module.functions[*func].name;
            if let Some((name, reason)) = self.kept.iter().find(|(kept, _)| kept == name) {
                return Err(CardError::Lift {
                    name: name.clone(),
                    reason: reason.clone(),
                });
            }
        }
        let pipeline = pipeline(options)?;
        if capabilities.tail_call {
            tail_call::tail_calls(&mut module.functions[entry], program_type);
        }
        for func in &functions {
            legalize::random_numbers(&mut module.functions[*func]);
        }
        self.optimise(&mut module, &functions, &pipeline, options, &mut sink)?;
        for func in &functions {
            legalize::divisions(&mut module.functions[*func]);
        }
        self.optimise(&mut module, &functions, &pipeline, options, &mut sink)?;
        let back_end = nfp::Options {
            read_together: pipeline.runs(PacketCache::NAME, name),
            write_together: pipeline.runs(MEMCPY, name),
            // Waits that are put together cost a word each, and time is what they save.
            overlap: pipeline.runs(PacketCache::NAME, name)
                && options.pipeline.level != OptLevel::Os,
            check_allocation: options.check_allocation,
            ..back_end.clone()
        };
        let arrays = match pipeline.runs(INLINE_LOOKUP, name) {
            true => self.arrays(capabilities),
            false => BTreeMap::new(),
        };
        let program = nfp::Program {
            module: &module,
            entry,
            program_type,
            maps: self.numbers.clone(),
            arrays,
            depths: wanted.depths.clone(),
        };
        let abi = Abi::from(capabilities);
        let compiled = nfp::compile(&program, capabilities, &abi, &back_end);
        let compiled = compiled.map_err(|error| CardError::Compile {
            place: self.place(&module, &error),
            error,
        })?;
        let spaces = Spaces::compute(&module, entry, program_type);
        let map_uses = placement::uses(&module, &functions, &spaces);
        Ok(CardProgram {
            name: name.to_owned(),
            program_type,
            compiled,
            module,
            time: start.elapsed(),
            map_uses,
            together: Together {
                reads: back_end.read_together,
                writes: back_end.write_together,
            },
        })
    }

    /// Arrays whose place the capability file gives, by their symbols.
    fn arrays(&self, capabilities: &Capabilities) -> BTreeMap<mir::Symbol, (u64, u32, u32)> {
        let places = placement::arrays(&self.maps, capabilities.maps.arrays);
        let named = self.numbers.iter().filter_map(|(symbol, number)| {
            let index = usize::try_from(number.checked_sub(FIRST_MAP)?).ok()?;
            let (address, stride) = places.get(index).copied().flatten()?;
            Some((
                *symbol,
                (address, stride, self.maps.get(index)?.max_entries),
            ))
        });
        named.collect()
    }

    /// Where the object's maps lie, when these programs use them.
    ///
    /// # Errors
    /// [`NoRoom`]
    pub fn placements<'a>(
        &self,
        programs: impl IntoIterator<Item = &'a CardProgram>,
        capabilities: &Capabilities,
    ) -> Result<Vec<Placement>, NoRoom> {
        self.placements_of(programs, |_| true, capabilities)
    }

    /// The same when only those of these numbers are on the card: others take no room there.
    ///
    /// # Errors
    /// [`NoRoom`]
    pub fn placements_of<'a>(
        &self,
        programs: impl IntoIterator<Item = &'a CardProgram>,
        is_there: impl Fn(u32) -> bool,
        capabilities: &Capabilities,
    ) -> Result<Vec<Placement>, NoRoom> {
        let numbers = (FIRST_MAP..).take(self.maps.len());
        let there = |number| is_there(number).then(MapUse::default);
        let mut uses: Vec<Option<MapUse>> = numbers.map(there).collect();
        for program in programs {
            for (symbol, found) in &program.map_uses {
                let number = self
                    .numbers
                    .get(symbol)
                    .and_then(|id| id.checked_sub(FIRST_MAP));
                let place = number.and_then(|number| uses.get_mut(number as usize));
                if let Some(Some(place)) = place {
                    place.join(*found);
                }
            }
        }
        placement::place(&self.maps, &uses, capabilities)
    }

    fn optimise(
        &self,
        module: &mut Module,
        functions: &[Func],
        pipeline: &Pipeline,
        options: &CompileOptions,
        sink: &mut impl FnMut(Event<'_>),
    ) -> Result<(), CardError> {
        let mut session = options.session().with_sink(sink);
        session = session.with_maps(self.known.clone());
        for func in functions {
            let stats = pipeline.run_function(module, *func, &mut session);
            if let Some(failure) = stats.failure {
                return Err(failure.into());
            }
        }
        Ok(())
    }
}

/// Bytes of stack that a program's functions use, by name, as the verifier found.
#[must_use]
pub fn depths(program: &verifier::program::Program, found: &Examination) -> BTreeMap<String, u32> {
    let functions = program.subprograms.iter().zip(&found.report.depths);
    functions
        .map(|(function, bytes)| (function.name.clone(), *bytes))
        .collect()
}

fn number(maps: &[MapDef], place: MapPlace) -> Option<u32> {
    let index = maps.iter().position(|map| map.place == Some(place))?;
    FIRST_MAP.checked_add(u32::try_from(index).ok()?)
}

/// The passes for the card: it has no verifier behind it, and every instruction.
fn pipeline(options: &CompileOptions) -> Result<Pipeline, UnknownPass> {
    let mut pipeline = options.pipeline.clone();
    pipeline.target.cpu = Cpu::V4;
    // Words that are added to lie the other way around on the card: what was plain must stay so.
    pipeline.disable.push(ATOMIC_ADD.to_owned());
    if pipeline.passes.is_none() && pipeline.level != OptLevel::O0 {
        pipeline.enable.push(PacketCache::NAME.to_owned());
    }
    Pipeline::build(&pipeline)
}

impl CardProgram {
    /// The words as they are loaded.
    ///
    /// # Errors
    /// [`RelocationError`]
    pub fn words(&self, abi: &Abi) -> Result<Vec<u64>, RelocationError> {
        self.compiled.assembled.relocated(&abi.places())
    }
}
