//! Compares the verifier with recorded kernel verdicts.
//!
//! usage: `verifier_score KERNEL.jsonl [--expect EXPECT.jsonl] [--root DIR] [--list]`
//!
//! `KERNEL.jsonl` has a line for each program with `object`, `section`, `prog`, `type`, and `ok` or
//! `accepted`, as `loadcheck` writes it; `EXPECT.jsonl` is what `expectations.py` writes.

use std::io::Write as _;
use std::path::Path;

use bpf::object::Object;
use bpf::program_type::{AttachType, ProgramType};
use serde_json::Value;
use testsuite::verifier_score::{Sample, Score, expectations, is_held_out, options_of};
use verifier::Options;

#[derive(Default)]
struct Arguments {
    kernel: String,
    expect: Option<String>,
    root: String,
    list: bool,
}

fn arguments() -> Option<Arguments> {
    let mut given = std::env::args().skip(1);
    let mut parsed = Arguments {
        kernel: given.next()?,
        ..Arguments::default()
    };
    while let Some(one) = given.next() {
        match one.as_str() {
            "--expect" => parsed.expect = Some(given.next()?),
            "--root" => parsed.root = given.next()?,
            "--list" => parsed.list = true,
            _ => return None,
        }
    }
    Some(parsed)
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or("")
}

fn options(row: &Value) -> Options {
    let flags = row.get("prog_flags").and_then(Value::as_u64).unwrap_or(0);
    let attach = row.get("expected_attach_type").and_then(Value::as_u64);
    let program_type = ProgramType::ALL
        .iter()
        .find(|kind| kind.name() == text(row, "type"));
    let attach_type = AttachType::ALL
        .iter()
        .find(|kind| Some(u64::from(kind.number())) == attach);
    Options {
        program_type: program_type.copied(),
        attach_type: attach_type.copied(),
        ..options_of(flags as u32)
    }
}

/// The kernel's verdict, if it got so far as to have one.
fn verdict(row: &Value) -> Option<bool> {
    let accepted = row.get("ok").or(row.get("accepted"))?.as_bool()?;
    let stage = text(row, "stage");
    let before = !accepted && !stage.is_empty() && stage != "verifier";
    let forbidden = !accepted
        && row.get("errno").and_then(Value::as_u64) == Some(1)
        && text(row, "log").is_empty();
    (!before && !forbidden).then_some(accepted)
}

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let Some(arguments) = arguments() else {
        return writeln!(
            out,
            "usage: verifier_score KERNEL.jsonl [--expect F] [--root D] [--list]"
        );
    };
    let expected = arguments
        .expect
        .as_ref()
        .map(|path| expectations(Path::new(path)));
    let recorded = std::fs::read_to_string(&arguments.kernel)?;
    let mut score = Score::default();
    let mut loaded: Option<(String, Object)> = None;
    for line in recorded.lines() {
        let Ok(row) = serde_json::from_str::<Value>(line) else {
            continue;
        };
        let Some(accepted) = verdict(&row) else {
            continue;
        };
        let path = format!("{}{}", arguments.root, text(&row, "object"));
        let stem = Path::new(&path).file_stem().unwrap_or_default();
        let stem = stem.to_string_lossy().into_owned();
        let function = text(&row, "prog");
        let expectation = match &expected {
            Some(all) => match all.get(&(stem.clone(), function.to_owned())) {
                Some(one) => Some(one),
                None => continue,
            },
            None => None,
        };
        if loaded.as_ref().is_none_or(|(name, _)| *name != path) {
            loaded = std::fs::read(&path)
                .ok()
                .and_then(|bytes| bpf::elf::read(&bytes).ok())
                .map(|object| (path.clone(), object));
        }
        let Some((_, object)) = &loaded else {
            continue;
        };
        let log = text(&row, "log").lines();
        let said = log
            .rev()
            .find(|line| !line.is_empty() && !line.starts_with("processed "));
        let sample = Sample {
            object: &stem,
            section: text(&row, "section"),
            function,
            program_type: text(&row, "type"),
            accepted,
            said: said.unwrap_or(""),
            messages: expectation.map_or(&[], |one| &one.messages),
            held_out: expectation.is_some() && is_held_out(&stem),
        };
        score.add(object, &sample, &options(&row));
    }
    out.write_all(score.report(arguments.list).as_bytes())
}
