//! What a user can ask of a compilation.

use std::num::NonZeroUsize;

use bpf::insn::Cpu;
use bpf::program_type::ProgramType;
use passes::{OptLevel, PipelineOptions, Session};

/// How to compile an object.
#[derive(Clone, Debug, Default)]
pub struct CompileOptions {
    /// Passes and how to watch them. Its target's instruction set is overridden by `cpu`.
    pub pipeline: PipelineOptions,
    /// The newest instruction set that output may use; by default the newest that the input uses.
    pub cpu: Option<Cpu>,
    /// Type of the programs whose section says none: with it they are verified as such.
    pub program_type: Option<ProgramType>,
    /// Names of the functions to compile; all when empty.
    pub only: Vec<String>,
    /// Maps to make data sections of, by [`super::with_maps_as_data`].
    pub map_as_data: Vec<String>,
    /// Have each register allocation proved by an independent checker.
    pub check_allocation: bool,
    /// Verify programs before and after, and keep the input's code where the verdict got worse.
    pub verify: bool,
    /// Run programs before and after each pass and compare what they do.
    pub validate: bool,
    /// Keep remarks beside counting them.
    pub keep_remarks: bool,
    /// Threads that may work at once; by default as many as the machine runs.
    pub jobs: Option<NonZeroUsize>,
}

impl CompileOptions {
    /// A level with nothing else asked for.
    #[must_use]
    pub fn at_level(level: OptLevel) -> CompileOptions {
        CompileOptions {
            pipeline: PipelineOptions {
                level,
                ..PipelineOptions::default()
            },
            check_allocation: cfg!(debug_assertions),
            verify: true,
            ..CompileOptions::default()
        }
    }

    /// A session that keeps remarks if they were asked for.
    pub(crate) fn session<'sink>(&self) -> Session<'sink> {
        if self.keep_remarks {
            Session::new().keeping_remarks()
        } else {
            Session::new()
        }
    }

    /// Whether a function of this name is to be compiled.
    #[must_use]
    pub fn selects(&self, function: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == function)
    }

    /// The same for those of some functions that are to be compiled.
    pub(super) fn selecting(&self, functions: &[String]) -> CompileOptions {
        let selected = |function: &&String| self.selects(function);
        CompileOptions {
            only: functions.iter().filter(selected).cloned().collect(),
            ..self.clone()
        }
    }
}
