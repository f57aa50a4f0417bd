//! The command line as clap reads it. Scripts depend on every name here.

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::commands::{asm, bisect, build, check, dis, explain, passes, run, show, test};

/// A compiler toolchain for BPF.
#[derive(Debug, Parser)]
#[command(
    name = "bpfmill",
    version,
    about,
    max_term_width = 100,
    infer_long_args = false
)]
pub struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub terminal: TerminalOptions,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// How to talk to the user.
#[derive(Clone, Copy, Debug, Args)]
pub struct TerminalOptions {
    /// Colours in diagnostics
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub color: Color,
    /// Form of diagnostics on the standard error
    #[arg(long, global = true, value_enum, default_value_t = ErrorFormat::Text, value_name = "FORMAT")]
    pub error_format: ErrorFormat,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Form of diagnostics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ErrorFormat {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

/// Form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For people
    Text,
    /// For programs
    Json,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Assemble text to an object, byte for byte what was written
    Asm(asm::Options),
    /// List an object's code
    Dis(dis::Options),
    /// Compile: lift, optimise, and emit
    Build(Box<build::Options>),
    /// Find the application of a pass after which a test fails
    Bisect(Box<bisect::Options>),
    /// Say whether Linux would load a program, and if not, why
    Check(check::Options),
    /// Say what a code of `check` means, with an example and its repair
    Explain(explain::Options),
    /// Interpret a program on a packet
    Run(Box<run::Options>),
    /// List the optimisation passes
    Passes(passes::Options),
    /// List an object's programs and maps
    Show(show::Options),
    /// Run the tests of a folder and compare what comes out with what was kept
    Test(test::Options),
}
