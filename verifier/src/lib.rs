//! Would Linux load it: the kernel verifier's verdict, computed without a kernel.
//!
//! The walk is over bytecode, path by path as the kernel walks it, since verdict, message and cost
//! depend on registers, stack slots and the order of paths. Privileged rules only.
//!
//! - [`domain`]: what is known of a number; usable by itself
//! - [`state`]: what is known at one point: registers, stack, references
//! - [`program`]: one program as a loader hands it to the kernel, its shape and stack use
//! - `context`, `helpers`: what each program type may access and call
//! - `walk`: the walk; `compare`: when a path need not be walked further
//! - [`verdict`]: the answer; [`mod@facts`]: what is known at each instruction, for people
//!
//! What is not modelled is never accepted: the answer is then [`Verdict::Undecided`] with the
//! construct's name.

mod check;
mod compare;
mod context;
pub mod domain;
pub mod facts;
mod forget;
mod helpers;
mod options;
pub mod program;
pub mod state;
mod stop;
mod trace;
pub mod verdict;
mod version;
mod walk;

pub use check::{Ask, check, check_program, facts, programs};
pub use options::Options;
pub use program::{LinkError, Linker, ProgramId, SourceLine};
pub use verdict::{
    Category, Change, Finding, Gap, Report, Rule, Sides, Stats, Step, StepKind, Verdict,
};
pub use version::Kernel;
