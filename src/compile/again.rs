//! More rounds, for size: the result is compiled again.
//!
//! What was emitted lifts to other code than the passes saw last: blocks with shared ends are one,
//! and values have the places that they got. The verifier walks less of it, so it tells of more
//! branches, and the passes find more. In a last round no pass runs but [`LAST`]: values that lie well
//! leave the allocator less to split, and what passes would do is done. Each round is gated like the
//! first, and one that gains nothing is dropped. More would gain next to nothing: over the corpus the
//! second saves 1.1 % of the slots that the first leaves, the last 0.2 %, and another 0.01 %.
//!
//! Where applications of passes are counted, those of the second round go on where the first ended,
//! if all of them together make a round that is kept: so the last of them gives what is compiled
//! without counting; the last round follows without being counted. A limit within the second round
//! keeps what it gives, gain or not, and one that the first does not go beyond leaves no second round.
//!
//! Remarks are those of the first round, whose places are the input's. Where functions are shown
//! between passes there is one round only.

use bpf::insn::Cpu;
use bpf::object::Object;
use passes::{Event, OptLevel, UnknownPass};

use super::report::{Compiled, FunctionReport};
use super::{Basis, Choices, CompileOptions, Judge, accepted, judged};

/// Compiles for the first time, and a second where that is wanted and gains something.
///
/// # Errors
/// The options name a pass that does not exist.
pub(super) fn compile(
    object: &Object,
    options: &CompileOptions,
    mut sink: impl FnMut(Event<'_>),
    basis: Basis<'_>,
) -> Result<Compiled, UnknownPass> {
    let mut applications = 0;
    let counted = |event: Event<'_>| {
        applications += u64::from(matches!(event, Event::Bisect { .. }));
        sink(event);
    };
    let first = accepted::compile_judged(object, options, counted, basis)?;
    if !is_wanted(object, options, &first) {
        return Ok(first);
    }
    let judge = basis.judge;
    let ungated = judge.is_none().then(|| judged(&first.object, options));
    let basis = Basis {
        before: ungated.as_ref().unwrap_or(&first.verdicts),
        choices: &Choices::new(),
        ..basis
    };
    let Some(limit) = options.pipeline.bisect_limit else {
        let again = round(&first.object, first.cpu, options, |_| {}, basis)?;
        return last(better(first, again), options, judge);
    };
    let left = limit.saturating_sub(applications);
    if left == 0 || !gains(&first, &limited(&first, options, u64::MAX, |_| {}, basis)?) {
        return Ok(first);
    }
    let mut of_second = 0;
    let numbered = |event: Event<'_>| {
        of_second += u64::from(matches!(event, Event::Bisect { .. }));
        sink(after(event, applications));
    };
    let again = limited(&first, options, left, numbered, basis)?;
    let result = match are_comparable(&first, &again) {
        true => joined(first, again),
        false => without(first, again),
    };
    match left >= of_second {
        true => last(result, options, judge),
        false => Ok(result),
    }
}

/// The passes of the last round.
const LAST: &[&str] = &["dce"];

/// A result after the last round, if that gains something.
fn last(
    result: Compiled,
    options: &CompileOptions,
    judge: Option<&Judge>,
) -> Result<Compiled, UnknownPass> {
    let mut options = options.clone();
    options.pipeline.passes = Some(LAST.iter().map(|&pass| pass.to_owned()).collect());
    options.pipeline.bisect_limit = None;
    let ungated = judge.is_none().then(|| judged(&result.object, &options));
    let basis = Basis {
        before: ungated.as_ref().unwrap_or(&result.verdicts),
        judge,
        choices: &Choices::new(),
    };
    let again = round(&result.object, result.cpu, &options, |_| {}, basis)?;
    Ok(better(result, again))
}

/// The later of two rounds if it gains something.
fn better(first: Compiled, again: Compiled) -> Compiled {
    match gains(&first, &again) {
        true => joined(first, again),
        false => without(first, again),
    }
}

/// Both rounds, the second without any pass, if so many applications are those of the first.
///
/// # Errors
/// As there.
pub(super) fn begun(
    object: &Object,
    options: &CompileOptions,
    limit: u64,
    basis: Basis<'_>,
) -> Result<Option<Compiled>, UnknownPass> {
    let mut options = options.clone();
    options.pipeline.bisect_limit = Some(limit);
    let mut applications = 0;
    let counted =
        |event: Event<'_>| applications += u64::from(matches!(event, Event::Bisect { .. }));
    let first = accepted::compile_judged(object, &options, counted, basis)?;
    if applications != limit || !is_wanted(object, &options, &first) {
        return Ok(None);
    }
    let verdicts = judged(&first.object, &options);
    let basis = Basis {
        before: &verdicts,
        choices: &Choices::new(),
        ..basis
    };
    let again = limited(&first, &options, 0, |_| {}, basis)?;
    Ok(are_comparable(&first, &again).then(|| joined(first, again)))
}

/// Whether to go on after a first round.
fn is_wanted(object: &Object, options: &CompileOptions, first: &Compiled) -> bool {
    let pipeline = &options.pipeline;
    let watched = pipeline.print_changed || !pipeline.print_after.is_empty();
    pipeline.level == OptLevel::Os
        && pipeline.passes.is_none()
        && !watched
        && first.differences.is_empty()
        && first.object != *object
}

/// Compiles a result once more.
fn round(
    first: &Object,
    cpu: Cpu,
    options: &CompileOptions,
    sink: impl FnMut(Event<'_>),
    basis: Basis<'_>,
) -> Result<Compiled, UnknownPass> {
    let options = CompileOptions {
        cpu: Some(cpu),
        keep_remarks: false,
        ..options.clone()
    };
    accepted::compile_judged(first, &options, sink, basis)
}

/// The same with the first applications of passes only.
fn limited(
    first: &Compiled,
    options: &CompileOptions,
    limit: u64,
    sink: impl FnMut(Event<'_>),
    basis: Basis<'_>,
) -> Result<Compiled, UnknownPass> {
    let mut options = options.clone();
    options.pipeline.bisect_limit = Some(limit);
    round(&first.object, first.cpu, &options, sink, basis)
}

/// What a second round shows, with applications numbered from the end of the first.
fn after(event: Event<'_>, applications: u64) -> Event<'_> {
    match event {
        Event::Bisect {
            number,
            pass,
            function,
            ran,
        } => Event::Bisect {
            number: applications.saturating_add(number),
            pass,
            function,
            ran,
        },
        event @ Event::Text { .. } => event,
    }
}

/// Whether both rounds compiled the same functions.
fn are_comparable(first: &Compiled, again: &Compiled) -> bool {
    let same = |(one, other): (&FunctionReport, &FunctionReport)| {
        (&one.name, &one.section) == (&other.name, &other.section)
    };
    first.functions.len() == again.functions.len()
        && first.functions.iter().zip(&again.functions).all(same)
}

fn gains(first: &Compiled, again: &Compiled) -> bool {
    are_comparable(first, again) && again.total_slots().1 < first.total_slots().1
}

/// The first round, where the second is dropped.
fn without(mut first: Compiled, again: Compiled) -> Compiled {
    first.micros += again.micros;
    first.differences.extend(again.differences);
    first
}

/// The second round, with what the first told.
fn joined(first: Compiled, again: Compiled) -> Compiled {
    let mut result = first;
    result.micros += again.micros;
    result.differences.extend(again.differences);
    for (report, after) in result.functions.iter_mut().zip(again.functions) {
        report.slots_after = after.slots_after;
        report.verdict_after = after.verdict_after;
        report.passes.extend(after.passes);
        report.micros += after.micros;
        if after.kept.is_none() {
            report.kept = None;
        }
    }
    result.object = again.object;
    result.verdicts = again.verdicts;
    result.module = again.module;
    result.btf = again.btf;
    let new = again.notes.into_iter();
    let new: Vec<String> = new.filter(|note| !result.notes.contains(note)).collect();
    result.notes.extend(new);
    result.rounds += again.rounds;
    result
}
