//! `run`: what a program does with packets. Files of packets and of map contents are named from the
//! test's folder. With `--target nfp`, what it does on a card, or what machine words do that stand in a
//! file beside the test.
//!
//! Steps are a part of their own: a result is the same at every level, the way to it is not. So are
//! what packets took together and what each line cost.

use std::path::Path;

use clap::Args;

use super::{Kind, Section};
use crate::commands::run::{Flags, each, hex};
use crate::filetest::plan::Keep;
use crate::filetest::source::Source;
use crate::filetest::{Input, told};
use crate::simulate::{Code, Setup, Source as Bytecode};
use crate::{map_file, render};

/// The command.
#[derive(Debug, Args)]
pub struct Run {
    #[command(flatten)]
    flags: Flags,
}

impl Kind for Run {
    fn parts(&self) -> &'static [&'static str] {
        &[
            "results",
            "steps",
            "maps",
            "diagnostics",
            "summary",
            "profile",
        ]
    }

    fn run(&self, input: &Input, keep: &Keep) -> Result<Vec<Section>, String> {
        let source = Source::read(input, self.flags.text())?;
        if let Some(refusal) = source.refusal(keep) {
            return Ok(refusal);
        }
        let diagnostics = source.told();
        let flags = self.flags.in_folder(input.folder());
        let setup = flags.simulation().map_err(|failure| told(&failure))?;
        let assembled = source.assembled()?;
        if let Some(setup) = setup {
            let setup = Setup {
                profile: keep.has("profile"),
                ..setup
            };
            let source = Bytecode {
                file: &input.name,
                assembled: &assembled,
            };
            return simulated(&setup, source, input.folder(), keep);
        }
        if keep.has("summary") || keep.has("profile") {
            return Err("`summary` and `profile` are of the card: `--target nfp`".to_owned());
        }
        let object = assembled.object;
        let (mut results, mut steps, mut maps) = (String::new(), String::new(), String::new());
        let mut number = 0;
        let ran = each(&flags, &input.name, object, |ran, machine| {
            number += 1;
            let r0 = ran.named_r0();
            let packet = match ran.unchanged {
                true => "as it came".to_owned(),
                false => hex(&ran.packet),
            };
            let trace = ran.traced();
            results.push_str(&format!(
                "run {number}\n{trace}r0: {r0}\npacket: {packet}\n"
            ));
            steps.push_str(&format!("run {number}: {} steps\n", ran.steps));
            maps = map_file::text(&map_file::contents(machine));
            Ok(())
        });
        ran.map_err(|failure| told(&failure))?;
        let mut sections = Vec::new();
        for part in &keep.0 {
            let text = match part.name.as_str() {
                "results" => &results,
                "steps" => &steps,
                "maps" => &maps,
                _ => &diagnostics,
            };
            sections.push(Section::new(part.title(), text.clone()));
        }
        Ok(sections)
    }
}

/// What a program or words do with packets: results, and how long each took as the steps. What cannot
/// run is told, with files named as the test names them.
fn simulated(
    setup: &Setup<'_>,
    source: Bytecode<'_>,
    folder: &Path,
    keep: &Keep,
) -> Result<Vec<Section>, String> {
    let mut seen = Seen::default();
    let diagnostics = match seen.run(setup, source) {
        Ok(()) => String::new(),
        Err(told) => told,
    };
    let inside = folder.join("").to_string_lossy().into_owned();
    let diagnostics = match inside.as_str() {
        "" => diagnostics,
        inside => diagnostics.replace(inside, ""),
    };
    let mut sections = Vec::new();
    for part in &keep.0 {
        let text = match part.name.as_str() {
            "results" => &seen.results,
            "steps" => &seen.steps,
            "summary" => &seen.summary,
            "profile" => &seen.profile,
            "diagnostics" => &diagnostics,
            _ if matches!(setup.code, Code::Words(_)) => {
                return Err("`maps` are of bytecode".to_owned());
            }
            _ => &seen.maps,
        };
        sections.push(Section::new(part.title(), text.clone()));
    }
    if !diagnostics.is_empty() && !keep.0.iter().any(|part| part.name == "diagnostics") {
        return Err(diagnostics);
    }
    Ok(sections)
}

/// What a simulation shows.
#[derive(Debug, Default)]
struct Seen {
    results: String,
    steps: String,
    maps: String,
    summary: String,
    profile: String,
}

impl Seen {
    fn run(&mut self, setup: &Setup<'_>, source: Bytecode<'_>) -> Result<(), String> {
        let prepared = setup.prepare(Some(source)).map_err(|refused| {
            let obstacles = refused.obstacles.iter();
            let mut text: String = obstacles
                .map(|(map, diagnostic)| render::text(map, std::slice::from_ref(diagnostic)))
                .collect();
            text.push_str(&told(&refused.failure));
            text
        });
        let mut simulation = prepared?;
        let packets = setup.packets().map_err(|failure| told(&failure))?;
        for (number, packet) in (1..).zip(packets) {
            let ran = simulation.packet(&packet);
            let ran = ran.map_err(|failure| told(&failure))?;
            self.results
                .push_str(&format!("run {number}\n{}", ran.result()));
            self.steps
                .push_str(&format!("run {number}: {}\n", ran.time()));
        }
        self.maps = map_file::text(&simulation.maps());
        self.summary = simulation.summary().text();
        self.profile = simulation
            .costs()
            .map(|costs| costs.text())
            .unwrap_or_default();
        Ok(())
    }
}
