//! Statistics and remarks of a compilation, as text and as JSON.

mod source;

use std::fmt::Write as _;

use bpf::program_type::ProgramType;
use passes::{OptLevel, Remarks};
use serde_json::{Value, json};

use crate::compile::{Compiled, FunctionReport};
use source::Source;

/// The statistics as one JSON object.
#[must_use]
pub fn stats_json(compiled: &Compiled, file: &str, level: OptLevel) -> Value {
    let programs: Vec<Value> = compiled.functions.iter().map(function_json).collect();
    json!({
        "file": file,
        "target": "host",
        "level": level.name(),
        "programs": programs,
        "micros": compiled.micros,
        "validated": compiled.validated.map(|counts| json!({
            "programs": counts.programs,
            "without_input": counts.without,
            "inputs": counts.inputs,
            "runs": counts.runs,
            "blocks_reached": counts.blocks_reached,
            "blocks": counts.blocks,
        })),
    })
}

fn function_json(function: &FunctionReport) -> Value {
    let passes = function.passes.iter().map(|pass| {
        json!({
            "name": pass.name,
            "changed": pass.changed.any(),
            "insns": pass.insts_after,
            "micros": pass.micros,
        })
    });
    json!({
        "name": function.name,
        "section": function.section,
        "type": function.program_type.map(ProgramType::name),
        "insns_before": function.slots_before,
        "insns_after": function.slots_after,
        "kept_input": function.kept.as_ref().map(ToString::to_string),
        "verdict_before": function.verdict_before,
        "verdict_after": function.verdict_after,
        "passes": passes.collect::<Vec<_>>(),
    })
}

/// The statistics as a table, and how often each pass did what.
#[must_use]
pub fn stats_text(compiled: &Compiled) -> String {
    stats(
        compiled,
        &format!("; {:.1} ms", compiled.micros as f64 / 1000.0),
    )
}

/// The same without what differs from run to run.
#[must_use]
pub fn stable_stats_text(compiled: &Compiled) -> String {
    stats(compiled, "")
}

fn stats(compiled: &Compiled, time: &str) -> String {
    let mut text = String::new();
    let width = compiled
        .functions
        .iter()
        .map(|function| function.name.len())
        .chain([8])
        .max()
        .unwrap_or(8);
    // Writing to a string cannot fail, here and below.
    let _ = writeln!(
        text,
        "{:width$}  {:>7}  {:>7}  {:>7}",
        "function", "before", "after", "saved"
    );
    let mut row = |name: &str, before: usize, after: usize, note: &str| {
        let saved = percent(before, after);
        let line = format!("{name:width$}  {before:7}  {after:7}  {saved:>7}  {note}");
        let _ = writeln!(text, "{}", line.trim_end());
    };
    for function in &compiled.functions {
        let note = match &function.kept {
            Some(kept) => format!("input kept: {kept}"),
            None => String::new(),
        };
        row(
            &function.name,
            function.slots_before,
            function.slots_after,
            &note,
        );
    }
    let (before, after) = compiled.total_slots();
    row("total", before, after, "");
    let _ = writeln!(text, "slots of 8 bytes; -mcpu={}{time}", compiled.cpu);
    let counts: Vec<_> = compiled.remarks.counts().collect();
    for (key, count) in counts {
        let _ = writeln!(
            text,
            "{count:7}  {:13} {}: {}",
            key.pass,
            key.kind.name(),
            key.message
        );
    }
    text
}

fn percent(before: usize, after: usize) -> String {
    if before == 0 {
        return "-".to_owned();
    }
    let saved = (before as f64 - after as f64) * 100.0 / before as f64;
    format!("{saved:.1}%")
}

/// Time spent in each pass, as a table with the most expensive first.
#[must_use]
pub fn times_text(compiled: &Compiled) -> String {
    let mut sums: Vec<(&str, u64, usize)> = Vec::new();
    for pass in compiled
        .functions
        .iter()
        .flat_map(|function| &function.passes)
    {
        match sums.iter_mut().find(|(name, ..)| *name == pass.name) {
            Some(sum) => {
                sum.1 += pass.micros;
                sum.2 += 1;
            }
            None => sums.push((pass.name, pass.micros, 1)),
        }
    }
    sums.sort_by_key(|&(_, micros, _)| std::cmp::Reverse(micros));
    let in_passes: u64 = sums.iter().map(|(_, micros, _)| micros).sum();
    let mut text = format!("{:>10}  {:>6}  {:>5}  pass\n", "time/us", "share", "runs");
    let rest = compiled.micros.saturating_sub(in_passes);
    let runs = compiled.functions.len();
    let others = [("(lift, emission, linking)", rest, runs)];
    for (name, micros, runs) in sums.into_iter().chain(others) {
        let share = micros as f64 * 100.0 / compiled.micros.max(1) as f64;
        let _ = writeln!(text, "{micros:10}  {share:5.1}%  {runs:5}  {name}");
    }
    let _ = writeln!(text, "{:10}  100.0%         total", compiled.micros);
    text
}

/// Remarks of passes and of the compiler. In text, the source lines that one is about follow it; as
/// JSON, each is one object.
#[must_use]
pub fn remarks(compiled: &Compiled, file: &str, as_json: bool) -> Vec<String> {
    let mut lines = Vec::new();
    for remark in compiled.remarks.list() {
        let source = Source {
            btf: compiled.btf.as_ref(),
            file,
            function: &remark.function,
        };
        if as_json {
            lines.push(source.json(remark).to_string());
        } else {
            lines.extend(source.text(remark));
        }
    }
    for function in &compiled.functions {
        let Some(kept) = function.kept.as_ref().filter(|kept| kept.is_remarkable()) else {
            continue;
        };
        let name = &function.name;
        lines.push(if as_json {
            json!({"kind": "kept", "function": name, "message": kept.to_string()}).to_string()
        } else {
            format!("{file}: remark: `{name}` keeps the input's code: {kept}")
        });
    }
    for note in &compiled.notes {
        lines.push(if as_json {
            json!({"kind": "object", "message": note}).to_string()
        } else {
            format!("{file}: remark: {note}")
        });
    }
    lines
}

/// Remarks of passes over MIR text, a line each.
#[must_use]
pub fn module_remarks(remarks: &Remarks, file: &str) -> Vec<String> {
    let lines = remarks.list().iter().map(|remark| {
        let (function, message, pass) = (&remark.function, remark.message, remark.pass);
        let kind = remark.kind.name();
        format!("{file}: {function}: remark: {kind}: {message} [{pass}]")
    });
    lines.collect()
}
