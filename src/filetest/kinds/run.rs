//! `run`: what a program does with packets. Files of packets and of map contents are named from the
//! test's folder.
//!
//! Steps are a part of their own: a result is the same at every level, the way to it is not.

use clap::Args;

use super::{Kind, Section};
use crate::commands::run::{Flags, each, hex};
use crate::filetest::plan::Keep;
use crate::filetest::source::Source;
use crate::filetest::{Input, told};
use crate::map_file;

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
        let object = source.assembled()?.object;
        let (mut results, mut steps, mut maps) = (String::new(), String::new(), String::new());
        let flags = self.flags.in_folder(input.folder());
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
