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
use verifier::program::Program;
use verifier::{Linker, ProgramId};

use super::{CardError, CardObject, CardProgram, Wanted};
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

/// Whose fault it is that there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The program's: others may do.
    Program,
    /// That of what was asked for.
    Command,
}

/// Why there is none.
#[derive(Debug)]
pub struct Refused {
    /// What keeps it from the card, each with the text that it points into.
    pub obstacles: Vec<(SourceMap, Diagnostic)>,
    /// The answer.
    pub failure: Failure,
    /// Whose fault it is.
    pub cause: Cause,
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Refused {
        Refused {
            obstacles: Vec::new(),
            failure,
            cause: Cause::Command,
        }
    }
}

impl Job<'_> {
    /// How programs are verified.
    #[must_use]
    pub fn checker(&self) -> verifier::Options {
        verifier::Options {
            program_type: self.options.program_type,
            causes: true,
            ..verifier::Options::default()
        }
    }

    /// Examines and compiles a program. What the pass manager has to say comes line by line.
    ///
    /// # Errors
    /// [`Refused`] for a program that cannot be offloaded, with all that is in its way.
    pub fn program(
        &self,
        id: &ProgramId,
        events: impl FnMut(String),
    ) -> Result<Offloaded, Refused> {
        let checker = self.checker();
        let program = self.linker.link(id, &checker).map_err(|error| Refused {
            obstacles: Vec::new(),
            failure: Failure::Usage(format!("{}: cannot be checked: {error}", self.file)),
            cause: Cause::Program,
        })?;
        let (offload, made) = self.attempt(&program, &checker, events)?;
        let Some(made) = made else {
            return Err(Refused {
                obstacles: offload.diagnostics(),
                failure: Failure::refused(format!("`{}` cannot be offloaded", id.function)),
                cause: Cause::Program,
            });
        };
        let counters = offload.counters().iter();
        let counters = counters.filter_map(|(map, words)| {
            let place = program.map(*map).def.place?;
            Some((self.object.number_at(place)?, words.clone()))
        });
        let counters = counters.collect();
        Ok(Offloaded {
            program: made,
            counters,
        })
    }

    /// Examines a program, and compiles it if nothing but the estimate of its size is in its way: then
    /// its size is known, and what the back end refuses is an obstacle like others. There is a program
    /// if there is no obstacle.
    ///
    /// # Errors
    /// What is wrong with more than the program.
    pub fn attempt<'p>(
        &'p self,
        program: &'p Program,
        checker: &verifier::Options,
        mut events: impl FnMut(String),
    ) -> Result<(Offload<'p>, Option<CardProgram>), Failure> {
        let (assembled, linker) = (self.assembled, self.linker);
        let mut offload = Offload::of(assembled, linker, program, checker, self.capabilities);
        if !offload.found().may_be_compiled() {
            return Ok((offload, None));
        }
        let compiled = self.object.compile(
            &Wanted {
                name: &program.name,
                program_type: program.program_type,
                depths: &super::depths(program, offload.found()),
            },
            self.options,
            self.capabilities,
            &nfp::Options::default(),
            |event| events(event.to_string().trim_end().to_owned()),
        );
        match compiled {
            Ok(made) => {
                let words = made.compiled.assembled.statistics.words;
                offload.measured(u32::try_from(words).unwrap_or(u32::MAX), self.capabilities);
                let fits = offload.found().obstacles.is_empty();
                Ok((offload, fits.then_some(made)))
            }
            Err(error @ (CardError::Unknown(_) | CardError::Broken(_))) => {
                Err(Failure::refused(format!("`{}`: {error}", program.name)))
            }
            Err(error) => {
                offload.not_compiled(error.to_string());
                Ok((offload, None))
            }
        }
    }
}
