//! `run --target nfp`: a program or words on a simulated network card, or a conformance vector.

use backend_nfp::capabilities::Capabilities;
use serde_json::json;

use super::run::Options;
use crate::conformance::{NoResult, Numbers, on_card};
use crate::failure::Failure;
use crate::simulate::{Code, Setup, Simulation, Source};
use crate::terminal::Terminal;
use crate::{input, map_file, offload, output, packet_file};

/// Runs a program or words in the simulator.
///
/// # Errors
/// [`Failure`] for unreadable input, for a program that the card cannot run, and for one that does what
/// no card does.
pub(super) fn simulate(
    options: &Options,
    setup: Setup<'_>,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let setup = Setup {
        profile: options.profile,
        ..setup
    };
    let assembled = match (setup.code, &options.file) {
        (Code::Words(_), None) => None,
        (Code::Words(_), Some(file)) => {
            return Err(Failure::Usage(format!(
                "{file}: the file that --words names runs, and no other"
            )));
        }
        (Code::Program(_), Some(file)) => {
            let assembled = input::read_object(file, options.flags.text())?;
            terminal.show_warnings(&assembled);
            Some((file, assembled))
        }
        (Code::Program(_), None) => {
            let message = "a file is needed: an object or assembly, or words with --words";
            return Err(Failure::Usage(message.to_owned()));
        }
    };
    let source = assembled
        .as_ref()
        .map(|(file, assembled)| Source { file, assembled });
    let mut simulation = setup.prepare(source).map_err(|refused| {
        for (map, diagnostic) in &refused.obstacles {
            terminal.show(map, diagnostic);
        }
        refused.failure
    })?;
    let mut going = Vec::new();
    for packet in setup.packets()? {
        let ran = simulation.packet(&packet)?;
        let text = if options.json {
            let mut value = ran.json();
            if simulation.has_maps() {
                value["maps"] = simulation.maps();
            }
            format!("{value}\n")
        } else {
            format!("{}cycles: {}\n", ran.result(), ran.time())
        };
        output::print(text.as_bytes())?;
        if ran.goes_on() {
            going.push(ran.outcome.packet);
        }
    }
    output::print(after(&mut simulation, options.json).as_bytes())?;
    match &options.write {
        Some(path) => output::write(path, &packet_file::written(&going)),
        None => Ok(()),
    }
}

/// What is to be said behind all packets.
fn after(simulation: &mut Simulation, as_json: bool) -> String {
    let mut text = String::new();
    let many = simulation.summary().packets() > 1;
    let costs = simulation.costs();
    if as_json {
        if many {
            let summary = json!({"summary": simulation.summary().json()});
            text.push_str(&format!("{summary}\n"));
        }
        if let Some(costs) = costs {
            text.push_str(&format!("{}\n", json!({"profile": costs.json()})));
        }
        return text;
    }
    text.push_str(&map_file::text(&simulation.maps()));
    if many {
        text.push_str(&simulation.summary().text());
    }
    if let Some(costs) = costs {
        text.push_str(&costs.text());
    }
    text
}

/// Runs a conformance vector. What the card cannot run has an exit code of its own.
///
/// # Errors
/// [`Failure`] where there is no result.
pub(super) fn conformance(options: &Options, program: &[u8], memory: &[u8]) -> Result<(), Failure> {
    let Some(Setup {
        code: Code::Program(choice),
        capabilities,
        ..
    }) = options.flags.simulation()?
    else {
        let message = "--conformance takes its program from the standard input, not from --words";
        return Err(Failure::Usage(message.to_owned()));
    };
    let capabilities = match capabilities {
        Some(path) => offload::capabilities(path)?,
        None => Capabilities::default(),
    };
    let numbers = Numbers::Known;
    match on_card(program, memory, choice.level, numbers, &capabilities) {
        Ok(r0) => output::print(format!("{r0:x}\n").as_bytes()),
        Err(NoResult::Unsupported(reason)) => Err(Failure::Unsupported(reason)),
        Err(NoResult::Failed(reason)) => Err(Failure::refused(reason)),
    }
}
