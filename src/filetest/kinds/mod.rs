//! The commands that a test can run, one file each.
//!
//! Those that the command line has take its flags, by its own definitions, and give what it prints;
//! the others look at one stage alone. None starts a process, writes a file or prints.

mod asm;
mod build;
mod build_card;
mod changes;
mod check;
mod diag;
mod dis;
mod execute;
mod lift;
mod pass;
mod roundtrip;
mod run;
mod verify;

use clap::{Parser, Subcommand};

use super::Input;
use super::plan::Keep;

/// A directive as clap reads it.
#[derive(Debug, Parser)]
#[command(
    no_binary_name = true,
    disable_help_flag = true,
    disable_help_subcommand = true,
    infer_long_args = false
)]
pub(super) struct Step {
    #[command(subcommand)]
    pub(super) command: Command,
}

/// A command of a test.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The object that assembly becomes
    Asm(asm::Asm),
    /// What the compiler makes
    Build(Box<build::Build>),
    /// What the verifier says
    Check(check::Check),
    /// What is wrong with a text
    Diag(diag::Diag),
    /// The listing of code
    Dis(dis::Dis),
    /// Functions interpreted on generated inputs
    Execute(execute::Execute),
    /// The MIR that code becomes
    Lift(lift::Lift),
    /// What passes change, with both forms executed
    Pass(Box<pass::Pass>),
    /// Printed MIR is read as the same
    Roundtrip(roundtrip::RoundTrip),
    /// What a program does with packets
    Run(run::Run),
    /// Errors are where the text says
    Verify(verify::Verify),
}

/// A part of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Which part, as after `keep:`.
    pub title: String,
    /// Its text.
    pub text: String,
}

/// A command that can run.
pub trait Kind {
    /// The parts of its result that can be kept.
    fn parts(&self) -> &'static [&'static str];

    /// The parts that are kept when nothing is said.
    fn usual(&self) -> &'static [&'static str] {
        self.parts().get(..1).unwrap_or(&[])
    }

    /// Runs.
    ///
    /// # Errors
    /// What is wrong, for people.
    fn run(&self, input: &Input, keep: &Keep) -> Result<Vec<Section>, String>;
}

impl Command {
    /// What it does.
    #[must_use]
    pub fn kind(&self) -> &dyn Kind {
        match self {
            Command::Asm(kind) => kind,
            Command::Build(kind) => kind.as_ref(),
            Command::Check(kind) => kind,
            Command::Diag(kind) => kind,
            Command::Dis(kind) => kind,
            Command::Execute(kind) => kind,
            Command::Lift(kind) => kind,
            Command::Pass(kind) => kind.as_ref(),
            Command::Roundtrip(kind) => kind,
            Command::Run(kind) => kind,
            Command::Verify(kind) => kind,
        }
    }

    /// Whether `expect:`, `args:` and `map:` mean something to it.
    #[must_use]
    pub fn uses_settings(&self) -> bool {
        matches!(self, Command::Pass(_) | Command::Execute(_))
    }
}

/// How assembly is to be read, as the command line has it.
pub(super) use crate::commands::TextArgs as Text;

impl Section {
    pub(super) fn new(title: impl Into<String>, text: impl Into<String>) -> Section {
        Section {
            title: title.into(),
            text: text.into(),
        }
    }
}
