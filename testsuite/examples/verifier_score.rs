//! Compares the verifier with recorded kernel verdicts.
//!
//! usage: `verifier_score KERNEL.jsonl [--expect EXPECT.jsonl] [--root DIR] [--list]`
//!
//! `KERNEL.jsonl` has a line for each program with `object`, `section`, `prog`, `type`, and `ok` or
//! `accepted`, as `loadcheck` writes it. With `--list`, disagreements are listed too: for files with
//! expectations only those whose names begin with `verifier_a` to `verifier_m`, so that the others
//! stay unseen.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use bpf::object::Object;
use bpf::program_type::{AttachType, ProgramType};
use serde_json::Value;
use verifier::{Linker, Options, ProgramId, Verdict};

#[derive(Default)]
struct Tally {
    total: u32,
    agree: u32,
    rejects_agreed: u32,
    with_message: u32,
    message_agreed: u32,
    false_accepts: Vec<String>,
    false_rejects: u32,
    undecided_accepts: u32,
    undecided_rejects: u32,
}

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
        expect: None,
        root: String::new(),
        list: false,
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

fn lines(path: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or("")
}

fn options(row: &Value) -> Options {
    let flags = row.get("prog_flags").and_then(Value::as_u64).unwrap_or(0);
    let attach = row.get("expected_attach_type").and_then(Value::as_u64);
    let program_type = ProgramType::ALL
        .iter()
        .find(|kind| kind.name() == text(row, "type"))
        .copied();
    Options {
        program_type,
        attach_type: attach.and_then(|number| {
            AttachType::ALL
                .iter()
                .find(|kind| u64::from(kind.number()) == number)
                .copied()
        }),
        sleepable: flags & 16 != 0,
        strict_alignment: flags & 1 != 0,
        keep_all_states: flags & 8 != 0,
        strict_ranges: flags & 128 != 0,
        ..Options::default()
    }
}

/// Whether a text has an expected message in it; `{{...}}` are regular expressions, taken as gaps.
fn contains(text: &str, message: &str) -> bool {
    let mut rest = text;
    let mut parts = message.split("{{");
    let mut literals: Vec<&str> = parts.next().into_iter().collect();
    literals.extend(parts.filter_map(|part| part.split_once("}}").map(|(_, after)| after)));
    literals.iter().all(|literal| {
        rest.find(literal.trim_end())
            .map(|at| rest = &rest[at + literal.trim_end().len()..])
            .is_some()
    })
}

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let Some(arguments) = arguments() else {
        return writeln!(
            out,
            "usage: verifier_score KERNEL.jsonl [--expect F] [--root D] [--list]"
        );
    };
    let expectations: BTreeMap<(String, String), Vec<String>> = arguments
        .expect
        .iter()
        .flat_map(|path| lines(path))
        .filter(|row| row.get("verdict").is_some_and(|verdict| !verdict.is_null()))
        .map(|row| {
            let file = Path::new(text(&row, "file")).file_stem();
            let file = file.map(|name| name.to_string_lossy().into_owned());
            let messages = row.get("msgs").and_then(Value::as_array);
            let messages = messages.into_iter().flatten();
            let messages = messages.filter_map(|one| {
                one.as_str()
                    .or_else(|| one.get(1).and_then(Value::as_str))
                    .map(str::to_owned)
            });
            (
                (file.unwrap_or_default(), text(&row, "prog").to_owned()),
                messages.collect(),
            )
        })
        .collect();
    let mut tables: [BTreeMap<String, Tally>; 2] = [BTreeMap::new(), BTreeMap::new()];
    let mut disagreements: BTreeMap<String, Vec<String>> = BTreeMap::new();
    // Of the files that are not looked into, only how often something stood in the way.
    let mut constructs: BTreeMap<String, u32> = BTreeMap::new();
    let mut times = Vec::new();
    let mut loaded: Option<(String, Object)> = None;
    for row in lines(&arguments.kernel) {
        let path = format!("{}{}", arguments.root, text(&row, "object"));
        let stem = Path::new(&path).file_stem();
        let stem = stem
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let prog = text(&row, "prog").to_owned();
        let messages = expectations.get(&(stem.clone(), prog.clone()));
        if arguments.expect.is_some() && messages.is_none() {
            continue;
        }
        let accepted = row
            .get("ok")
            .or(row.get("accepted"))
            .and_then(Value::as_bool);
        let stage = text(&row, "stage");
        let Some(accepted) = accepted.filter(|ok| *ok || stage.is_empty() || stage == "verifier")
        else {
            continue;
        };
        let errno = row.get("errno").and_then(Value::as_u64).unwrap_or(0);
        if !accepted && errno == 1 && text(&row, "log").is_empty() {
            // Refused before verification.
            continue;
        }
        if loaded.as_ref().is_none_or(|(name, _)| *name != path) {
            let Ok(bytes) = std::fs::read(&path) else {
                continue;
            };
            let Ok(object) = bpf::elf::read(&bytes) else {
                continue;
            };
            loaded = Some((path.clone(), object));
        }
        let Some((_, object)) = &loaded else {
            continue;
        };
        let id = ProgramId {
            section: text(&row, "section").to_owned(),
            function: prog.clone(),
        };
        let started = Instant::now();
        let result = Linker::new(object)
            .and_then(|linker| linker.link(&id, &options(&row)))
            .map(|program| verifier::check(&program, &options(&row), object.endian));
        let micros = started.elapsed().as_micros();
        let held_out = !stem.starts_with("verifier_")
            || stem.as_bytes().get(9).is_none_or(|letter| *letter > b'm');
        let held_out = held_out && arguments.expect.is_some();
        let name = format!("{stem}:{prog}");
        times.push((micros, name.clone()));
        let tally = tables[usize::from(held_out)]
            .entry(text(&row, "type").to_owned())
            .or_default();
        tally.total += 1;
        let log = text(&row, "log");
        let said = log
            .lines()
            .rfind(|line| !line.is_empty() && !line.starts_with("processed "))
            .unwrap_or("");
        let mut disagree = |sort: &str, ours: &str| {
            if !held_out {
                disagreements
                    .entry(format!("{sort}: {ours}"))
                    .or_default()
                    .push(format!("{name} ({}) kernel: {said}", text(&row, "type")));
            }
        };
        match result.map(|report| report.verdict) {
            Ok(Verdict::Accepted) if accepted => tally.agree += 1,
            Ok(Verdict::Accepted) => {
                tally.false_accepts.push(format!("{name}: {said}"));
                if held_out {
                    *constructs
                        .entry(format!("falsely accepted; the kernel says: {said}"))
                        .or_default() += 1;
                }
                disagree("1 FALSE ACCEPT", "");
            }
            Ok(Verdict::Rejected(finding)) if !accepted => {
                tally.agree += 1;
                tally.rejects_agreed += 1;
                if let Some(messages) = messages.filter(|messages| !messages.is_empty()) {
                    tally.with_message += 1;
                    if messages
                        .iter()
                        .any(|one| contains(&finding.kernel_text, one))
                    {
                        tally.message_agreed += 1;
                    } else {
                        disagree(
                            "4 message",
                            &format!("{} / {messages:?}", finding.kernel_text),
                        );
                    }
                }
            }
            Ok(Verdict::Rejected(finding)) => {
                tally.false_rejects += 1;
                if held_out {
                    *constructs
                        .entry(format!("falsely rejected: {:?}", finding.rule))
                        .or_default() += 1;
                }
                let at = finding.insn.map_or(0, |insn| insn);
                disagree(
                    "2 false reject",
                    &format!("{} at {at}", finding.kernel_text),
                );
            }
            other => {
                if accepted {
                    tally.undecided_accepts += 1;
                } else {
                    tally.undecided_rejects += 1;
                }
                let why = match other {
                    Ok(Verdict::Undecided(gap)) => gap.construct,
                    Err(error) => error.to_string(),
                    _ => String::new(),
                };
                if held_out {
                    *constructs
                        .entry(format!(
                            "{why} ({}, {})",
                            if accepted { "accepted" } else { "rejected" },
                            text(&row, "type")
                        ))
                        .or_default() += 1;
                }
                disagree("3 undecided", &why);
            }
        }
    }
    let mut report = String::new();
    if arguments.list {
        for (sort, names) in &disagreements {
            let _infallible = writeln!(report, "{sort}\n    {}", names.join("\n    "));
        }
    }
    for (table, title) in tables.iter().zip(["developed on", "held out"]) {
        print_table(&mut report, table, title);
    }
    if arguments.list {
        let _infallible = writeln!(report, "held out, by construct: {constructs:#?}");
    }
    times.sort();
    if let (Some(middle), Some(slowest)) = (times.get(times.len() / 2), times.last()) {
        let _infallible = writeln!(
            report,
            "median {} us, slowest {} us ({})",
            middle.0, slowest.0, slowest.1
        );
    }
    out.write_all(report.as_bytes())
}

fn print_table(report: &mut String, table: &BTreeMap<String, Tally>, title: &str) {
    let _infallible = writeln!(
        report,
        "{title}\n{:24} {:>6} {:>6} {:>7} {:>8} {:>8} {:>9} {:>9} {:>9}",
        "type",
        "total",
        "agree",
        "percent",
        "f.accept",
        "f.reject",
        "und.acc",
        "und.rej",
        "messages"
    );
    let mut sum = Tally::default();
    let mut line = |name: &str, one: &Tally| {
        let _infallible = writeln!(
            report,
            "{name:24} {:>6} {:>6} {:>6.1}% {:>8} {:>8} {:>9} {:>9} {:>4}/{:<4}",
            one.total,
            one.agree,
            f64::from(one.agree) * 100.0 / f64::from(one.total.max(1)),
            one.false_accepts.len(),
            one.false_rejects,
            one.undecided_accepts,
            one.undecided_rejects,
            one.message_agreed,
            one.with_message,
        );
    };
    let mut packet = Tally::default();
    for (name, one) in table {
        line(name, one);
        for (sum, counts) in [
            (&mut sum, true),
            (
                &mut packet,
                matches!(name.as_str(), "xdp" | "sched_cls" | "socket_filter"),
            ),
        ] {
            if counts {
                sum.total += one.total;
                sum.agree += one.agree;
                sum.with_message += one.with_message;
                sum.message_agreed += one.message_agreed;
                sum.false_rejects += one.false_rejects;
                sum.undecided_accepts += one.undecided_accepts;
                sum.undecided_rejects += one.undecided_rejects;
                sum.false_accepts.extend(one.false_accepts.iter().cloned());
            }
        }
    }
    line("xdp+sched_cls+socket", &packet);
    line("all", &sum);
}
