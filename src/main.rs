//! The command line: reads arguments, runs a command, and exits with its code.

use std::process::ExitCode;

use bpfmill::cli::{Cli, Command};
use bpfmill::commands;
use bpfmill::terminal::Terminal;
use clap::Parser as _;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let terminal = Terminal::new(cli.terminal);
    let result = match &cli.command {
        Command::Asm(options) => commands::asm::run(options, &terminal),
        Command::Bisect(options) => commands::bisect::run(options, &terminal),
        Command::Dis(options) => commands::dis::run(options, &terminal),
        Command::Build(options) => commands::build::run(options, &terminal),
        Command::Check(options) => commands::check::run(options, &terminal),
        Command::Explain(options) => commands::explain::run(options),
        Command::Run(options) => commands::run::run(options, &terminal),
        Command::Passes(options) => commands::passes::run(options),
        Command::Show(options) => commands::show::run(options, &terminal),
        Command::Test(options) => commands::test::run(options, &terminal),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            terminal.failure(&failure);
            ExitCode::from(failure.exit_code())
        }
    }
}
