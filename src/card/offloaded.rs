//! A program of an object examined and compiled for the card: the one way to words that a card gets.
//!
//! Why together: the compiler relies on what the examination shows (which memory an access reaches,
//! that nothing is in the way), so nobody should compile what was not examined. Whoever only runs what
//! is not for a card, such as conformance vectors, uses [`CardObject::compile`].
//!
//! Cost: that of the examination, which is the verifier's, and of the compilation.

use std::collections::{BTreeMap, BTreeSet};

use backend_nfp::capabilities::Capabilities;
use backend_nfp::compile as nfp;
use bpf::diagnostic::{Diagnostic, SourceMap};
use verifier::{Linker, ProgramId};

use super::{CardObject, CardProgram};
use crate::compile::CompileOptions;
use crate::failure::Failure;
use crate::input::Assembled;
use crate::offload::Offload;

/// What programs of an object are compiled with.
pub struct Job<'a> {
    /// The object's file, for messages.
    pub file: &'a str,
    /// The object.
    pub assembled: &'a Assembled,
    /// Its programs.
    pub linker: &'a Linker<'a>,
    /// It again, ready for the card.
    pub object: &'a CardObject,
    /// Passes.
    pub options: &'a CompileOptions,
    /// What the firmware offers.
    pub capabilities: &'a Capabilities,
}

/// A program for the card.
#[derive(Debug)]
pub struct Offloaded {
    /// Its code.
    pub program: CardProgram,
    /// Byte offsets, by the maps' numbers on the card, of the words of their values that it adds to.
    pub counters: BTreeMap<u32, BTreeSet<usize>>,
}

/// Why there is none.
#[derive(Debug)]
pub struct Refused {
    /// What keeps it from the card, each with the text that it points into.
    pub obstacles: Vec<(SourceMap, Diagnostic)>,
    /// The answer.
    pub failure: Failure,
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Refused {
        Refused {
            obstacles: Vec::new(),
            failure,
        }
    }
}

impl Job<'_> {
    /// Examines and compiles a program. What the pass manager has to say comes line by line.
    ///
    /// # Errors
    /// [`Refused`] for a program that cannot be offloaded, with all that is in its way, and for what
    /// the back end cannot do.
    pub fn program(
        &self,
        id: &ProgramId,
        mut events: impl FnMut(String),
    ) -> Result<Offloaded, Refused> {
        let checker = verifier::Options {
            program_type: self.options.program_type,
            causes: true,
            ..verifier::Options::default()
        };
        let program = self.linker.link(id, &checker).map_err(|error| {
            Failure::Usage(format!("{}: cannot be checked: {error}", self.file))
        })?;
        let (assembled, linker) = (self.assembled, self.linker);
        let offload = Offload::of(assembled, linker, &program, &checker, self.capabilities);
        let obstacles = offload.diagnostics();
        let name = &id.function;
        if !obstacles.is_empty() {
            let failure = Failure::refused(format!("`{name}` cannot be offloaded"));
            return Err(Refused { obstacles, failure });
        }
        let compiled = self.object.compile(
            name,
            program.program_type,
            &super::depths(&program, offload.found()),
            self.options,
            self.capabilities,
            &nfp::Options::default(),
            |event| events(event.to_string().trim_end().to_owned()),
        );
        let compiled = compiled.map_err(|error| Failure::refused(format!("`{name}`: {error}")))?;
        self.fits(&compiled)?;
        let counters = offload.counters().iter();
        let counters = counters.filter_map(|(map, words)| {
            let place = program.map(*map).def.place?;
            Some((self.object.number_at(place)?, words.clone()))
        });
        let counters = counters.collect();
        Ok(Offloaded {
            program: compiled,
            counters,
        })
    }

    fn fits(&self, program: &CardProgram) -> Result<(), Failure> {
        let words = program.compiled.assembled.statistics.words;
        let size = self.capabilities.code.size as usize;
        if words > size {
            return Err(Failure::refused(format!(
                "`{}` takes {words} words, and the card's code store has {size} for it",
                program.name
            )));
        }
        Ok(())
    }
}
