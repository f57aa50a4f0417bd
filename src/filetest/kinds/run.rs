//! `run`: what a program does with packets. Files of packets and of map contents are named from the
//! test's folder. With `--target nfp`, what machine words do that stand in a file beside the test.
//!
//! Steps are a part of their own: a result is the same at every level, the way to it is not.

use std::path::Path;

use clap::Args;

use super::{Kind, Section};
use crate::commands::run::{Flags, each, hex};
use crate::filetest::plan::Keep;
use crate::filetest::source::Source;
use crate::filetest::{Input, told};
use crate::map_file;
use crate::simulate::Setup;

/// The command.
#[derive(Debug, Args)]
pub struct Run {
    #[command(flatten)]
    flags: Flags,
}

impl Kind for Run {
    fn parts(&self) -> &'static [&'static str] {
        &["results", "steps", "maps", "diagnostics"]
    }

    fn run(&self, input: &Input, keep: &Keep) -> Result<Vec<Section>, String> {
        let source = Source::read(input, self.flags.endian())?;
        if let Some(refusal) = source.refusal(keep) {
            return Ok(refusal);
        }
        let diagnostics = source.told();
        let flags = self.flags.in_folder(input.folder());
        let setup = flags.simulation().map_err(|failure| told(&failure))?;
        if let Some(setup) = setup {
            return simulated(&setup, input.folder(), keep);
        }
        let object = source.assembled()?.object;
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
            maps = contents(&map_file::contents(machine));
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

/// What words do with packets: results, and how long each took as the steps. What cannot run is
/// told, with files named as the test names them.
fn simulated(setup: &Setup<'_>, folder: &Path, keep: &Keep) -> Result<Vec<Section>, String> {
    let (mut results, mut steps) = (String::new(), String::new());
    let mut number = 0;
    let ran = setup.each(|ran| {
        number += 1;
        results.push_str(&format!("run {number}\n{}", ran.result()));
        steps.push_str(&format!("run {number}: {}\n", ran.time()));
        Ok(())
    });
    let inside = folder.join("").to_string_lossy().into_owned();
    let diagnostics = ran.err().map(|failure| told(&failure)).unwrap_or_default();
    let diagnostics = match inside.as_str() {
        "" => diagnostics,
        inside => diagnostics.replace(inside, ""),
    };
    let mut sections = Vec::new();
    for part in &keep.0 {
        let text = match part.name.as_str() {
            "results" => &results,
            "steps" => &steps,
            "diagnostics" => &diagnostics,
            _ => return Err("`maps` are of bytecode".to_owned()),
        };
        sections.push(Section::new(part.title(), text.clone()));
    }
    if !diagnostics.is_empty() && !keep.0.iter().any(|part| part.name == "diagnostics") {
        return Err(diagnostics);
    }
    Ok(sections)
}

/// The contents of maps after the last run, an entry a line.
fn contents(maps: &serde_json::Value) -> String {
    let mut text = String::new();
    for (name, entries) in maps.as_object().into_iter().flatten() {
        text.push_str(&format!("map {name}\n"));
        for entry in entries.as_array().into_iter().flatten() {
            let (key, value) = (digits(&entry["key"]), digits(&entry["value"]));
            text.push_str(&format!("  {key} = {value}\n"));
        }
    }
    text
}

fn digits(bytes: &serde_json::Value) -> String {
    let bytes = bytes.as_array().into_iter().flatten();
    let digits = bytes.filter_map(|byte| byte.as_str()?.strip_prefix("0x"));
    digits.collect::<Vec<_>>().join(" ")
}
