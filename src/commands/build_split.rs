//! `build --target nfp --split`: what can go to the card goes there, the rest stays on the host.
//!
//! Both objects are made before either is written, so a step that fails leaves old files as they were.

use std::cell::RefCell;

use verifier::ProgramId;

use super::build::{Emit, Options};
use super::build_card::Writer;
use crate::card::offloaded::Job;
use crate::card::report::stats;
use crate::card::split::{Side, Split, host, report, split};
use crate::cli::ReportFormat;
use crate::compile;
use crate::failure::Failure;
use crate::terminal::Terminal;
use crate::{output, report as host_report};

/// Whether flags make sense together.
///
/// # Errors
/// [`Failure::Usage`]
pub(super) fn refuse(options: &Options) -> Result<(), Failure> {
    let Some(host) = &options.split else {
        return Ok(());
    };
    let refused = |message: &str| Err(Failure::Usage(message.to_owned()));
    let Some(card) = &options.output else {
        return refused("--split: -o says where the card's half goes, and is missing");
    };
    if card == "-" || host == "-" {
        return refused("--split writes two files, and the standard output is one");
    }
    if card == host {
        return refused("--split: both halves would go to the same file");
    }
    if options.emit.is_some_and(|emit| emit != Emit::Obj) {
        return refused("--split writes two objects: leave --emit out");
    }
    Ok(())
}

/// Compiles each program for the card, or for the host if it cannot go there.
///
/// # Errors
/// [`Failure`] if no program can go, with all that is in the way, and for what neither can do.
pub(super) fn run(
    options: &Options,
    job: &Job<'_>,
    writer: &Writer<'_>,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let (Some(card_file), Some(host_file)) = (&options.output, &options.split) else {
        return Ok(());
    };
    let programs = host::programs(&job.assembled.object);
    let only = &job.options.only;
    let wanted = |id: &ProgramId| only.is_empty() || only.contains(&id.function);
    let split = split(job, &programs, wanted, |event| terminal.line(&event))?;
    if split.card().next().is_none() {
        return Err(nothing_goes(&split, terminal));
    }
    let made = split.card();
    let card = writer.bytes(made, Emit::Obj)?;
    let half = host::without(&job.assembled.object, &split.going())
        .map_err(|error| Failure::refused(format!("{}: {error}", job.file)))?;
    let events = RefCell::new(Vec::new());
    let refused = |error: String| Failure::refused(format!("{host_file}: {error}"));
    let object = compile::with_maps_as_data(&half.object, job.options)
        .map_err(|error| refused(error.to_string()))?;
    let compiled = compile::compile(&object, job.options, |event| {
        events.borrow_mut().push(event.to_string());
    })?;
    for event in events.into_inner() {
        terminal.line(event.trim_end());
    }
    if !compiled.differences.is_empty() {
        return Err(refused(compiled.differences.join("\n")));
    }
    let host = bpf::elf::write(&compiled.object).map_err(|error| refused(error.to_string()))?;
    output::write_together(&[(card_file, &card), (host_file, &host)])?;

    let as_json = terminal.is_json() || options.stats == Some(ReportFormat::Json);
    let slots = report::slots(&compiled.object, &job.checker());
    for line in report::lines(&split, job.object, &slots, as_json) {
        terminal.line(&line);
    }
    if let Some(format) = options.remarks {
        let as_json = format == ReportFormat::Json;
        for remark in half.remarks.iter().filter(|_| !as_json) {
            terminal.line(&format!("remark: {remark}"));
        }
        for line in host_report::remarks(&compiled, host_file, as_json) {
            terminal.line(&line);
        }
    }
    let Some(format) = options.stats else {
        return Ok(());
    };
    let mut text: String = split.card().map(|one| stats(one, Some(format))).collect();
    text.push_str(&match format {
        ReportFormat::Text => host_report::stats_text(&compiled),
        ReportFormat::Json => {
            let level = job.options.pipeline.level;
            let json = host_report::stats_json(&compiled, host_file, level);
            format!("{json}\n")
        }
    });
    output::print(text.as_bytes())
}

/// All that is in the way of all programs.
fn nothing_goes(split: &Split, terminal: &Terminal) -> Failure {
    let mut others = Vec::new();
    for decision in &split.programs {
        let Side::Host(stays) = &decision.side else {
            continue;
        };
        for (map, diagnostic) in &stays.obstacles {
            terminal.show(map, diagnostic);
        }
        if stays.obstacles.is_empty() {
            let why: Vec<&str> = stays.reasons.iter().map(|(_, why)| why.as_str()).collect();
            others.push(format!("; `{}`: {}", decision.id.function, why.join("; ")));
        }
    }
    let others = others.concat();
    Failure::refused(format!(
        "no program can be offloaded, nothing is written{others}"
    ))
}
