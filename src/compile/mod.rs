//! One object in, one object out: lift, passes, emission, linking, verification.
//!
//! Every function goes its own way. One that cannot be lifted or emitted, that a pass broke, that
//! came out longer than it was, or whose program the verifier no longer accepts or walks much longer
//! keeps the input's bytes, and [`FunctionReport::kept`] says why; so the result is never worse than
//! the input, and nothing about one function stops another. The pass that made a program worse for
//! the verifier is found and left out of that function first, and a note says so.

mod accepted;
mod again;
pub mod bisect;
mod directions;
mod functions;
mod gate;
mod map_as_data;
mod maps;
mod module;
mod options;
mod report;

pub use directions::directions;
pub use map_as_data::{MapAsDataError, with_maps_as_data};
pub use maps::of as maps_of;
pub use module::{OptimiseError, object_of, object_with, optimise};
pub use options::CompileOptions;
pub use report::{Compiled, FunctionReport, Kept, Lost, Worse};

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Instant;

use backend_host::{FunctionInput, link};
use bpf::insn::{Cpu, Insn, read_slots};
use bpf::object::{FunctionRange, Object};
use frontend::lift::{LiftedFunction, LiftedObject, lift_object};
use passes::{Event, Pipeline, PipelineOptions, Session, UnknownPass};
use verifier::ProgramId;

use crate::validate::Validator;

/// Compiles every selected function of an object. `sink` gets what the pass manager shows.
///
/// # Errors
/// When the options name a pass that does not exist.
pub fn compile(
    object: &Object,
    options: &CompileOptions,
    sink: impl FnMut(Event<'_>),
) -> Result<Compiled, UnknownPass> {
    let basis = Basis {
        before: &judged(object, options),
        judge: options.verify.then_some(&gate::verdicts),
        choices: &Choices::new(),
    };
    again::compile(object, options, sink, basis)
}

/// What says whether programs are accepted: all of an object's, or one.
type Judge = dyn Fn(&Object, gate::Asked, Option<&ProgramId>) -> gate::Verdicts;

/// What the verifier says of an input, and what to ask of the output, if that is gated.
#[derive(Clone, Copy)]
struct Basis<'a> {
    before: &'a gate::Verdicts,
    judge: Option<&'a Judge>,
    /// By function the choice to emit with, where not the shortest is taken.
    choices: &'a Choices,
}

type Choices = BTreeMap<String, usize>;

/// The verdicts on an input, where options want them.
fn judged(object: &Object, options: &CompileOptions) -> gate::Verdicts {
    match options.verify {
        true => gate::verdicts(object, gate::Asked::by(options), None),
        false => gate::Verdicts::new(),
    }
}

/// Compiles once, with the gate if the basis has one.
fn compile_with(
    object: &Object,
    options: &CompileOptions,
    sink: impl FnMut(Event<'_>),
    basis: Basis<'_>,
) -> Result<Compiled, UnknownPass> {
    let start = Instant::now();
    let cpu = options.cpu.unwrap_or_else(|| newest_used(object));
    let mut pipeline = options.pipeline.clone();
    pipeline.target.cpu = cpu;
    let pipeline = Pipeline::build(&pipeline)?;
    let validator = if options.validate {
        let validator = Validator::new(object, |name| options.selects(name));
        Some(validator.map(RefCell::new))
    } else {
        None
    };
    let mut session = options.session();
    if shows_something(&options.pipeline) {
        session = session.with_sink(sink);
    }
    if let Some(Ok(validator)) = &validator {
        session = session.with_checker(|change| validator.borrow_mut().check(change));
    }
    let lifted = lift_object(object);
    session = session.with_maps(maps::of(object, &lifted));
    let asked = gate::Asked::by(options);
    let told = |function: &LiftedFunction| pipeline.uses_directions(&function.range.name);
    if options.verify && lifted.functions.iter().any(told) {
        session = session.with_directions(directions::of(object, &lifted, asked, basis.before));
    }
    let mut compilation = Compilation {
        options,
        pipeline,
        cpu,
        session,
        lifted,
        choices: basis.choices,
        notes: Vec::new(),
    };
    let watched = validator.is_some() || shows_something(&options.pipeline);
    let (inputs, reports) = compilation.functions(watched);
    let mut compiled = compilation.finish(object, inputs, reports, start, basis);
    match validator {
        Some(Ok(validator)) => {
            let mut validator = validator.into_inner();
            if let Err(difference) = validator.check_object(&compiled.object) {
                compiled
                    .differences
                    .push(format!("after emission, {difference}"));
            }
            compiled.validated = Some(validator.counts());
        }
        Some(Err(message)) => compiled
            .notes
            .push(format!("nothing was validated: {message}")),
        None => {}
    }
    for function in &compiled.functions {
        if let Some(Kept::BrokenByPass(failure)) = &function.kept {
            compiled.differences.push(failure.to_string());
        }
    }
    Ok(compiled)
}

/// Gives the functions of some ranges their input back; says how many had lost it.
fn give_up(
    inputs: &mut [FunctionInput],
    reports: &mut [FunctionReport],
    part: impl Fn(&FunctionRange) -> bool,
    kept: &Kept,
) -> usize {
    let mut count = 0;
    for (input, report) in inputs.iter_mut().zip(reports) {
        if input.emitted.is_some() && part(&input.range) {
            input.emitted = None;
            report.slots_after = report.slots_before;
            report.kept = Some(kept.clone());
            count += 1;
        }
    }
    count
}

/// The newest instruction set level that an object's code needs; the oldest for an object without
/// code that is understood.
#[must_use]
pub fn newest_used(object: &Object) -> Cpu {
    let code = object.section_ids().filter(|&id| object.is_executable(id));
    let mut newest = Cpu::V1;
    for section in code {
        let Some(slots) = read_slots(object.data(section), object.endian) else {
            continue;
        };
        let mut rest = slots.as_slice();
        while !rest.is_empty() {
            let used = match Insn::decode(rest) {
                Ok((insn, used)) => {
                    newest = newest.max(insn.min_cpu());
                    used
                }
                Err(_) => 1,
            };
            rest = rest.get(used..).unwrap_or(&[]);
        }
    }
    newest
}

/// Whether the manager would have anything for the sink: printing has a cost even when ignored.
fn shows_something(options: &PipelineOptions) -> bool {
    options.print_changed || !options.print_after.is_empty() || options.bisect_limit.is_some()
}

struct Compilation<'a> {
    options: &'a CompileOptions,
    pipeline: Pipeline,
    cpu: Cpu,
    session: Session<'a>,
    lifted: LiftedObject,
    choices: &'a Choices,
    notes: Vec<String>,
}

impl Compilation<'_> {
    fn functions(&mut self, watched: bool) -> (Vec<FunctionInput>, Vec<FunctionReport>) {
        let settings = functions::Settings {
            options: self.options,
            pipeline: &self.pipeline,
            cpu: self.cpu,
            choices: self.choices,
            watched,
        };
        let done = functions::compile(settings, &mut self.lifted, &mut self.session);
        let notes = done.iter().filter_map(|done| done.note.clone());
        self.notes.extend(notes);
        let input = |(function, done): (&LiftedFunction, functions::Done)| {
            let input = FunctionInput {
                func: function.func,
                range: function.range.clone(),
                emitted: done.emitted,
            };
            (input, done.report)
        };
        self.lifted.functions.iter().zip(done).map(input).unzip()
    }

    fn finish(
        self,
        object: &Object,
        mut inputs: Vec<FunctionInput>,
        mut reports: Vec<FunctionReport>,
        start: Instant,
        basis: Basis<'_>,
    ) -> Compiled {
        let before = basis.before;
        let LiftedObject {
            module,
            btf,
            btf_ext,
            btf_problem,
            ..
        } = self.lifted;
        let mut notes: Vec<String> = btf_problem.into_iter().chain(self.notes).collect();
        let asked = gate::Asked::by(self.options);
        let mut lost = Vec::new();
        let (result, mut after) = loop {
            let linked = link(object, btf.as_ref(), btf_ext.as_ref(), &module, &inputs);
            let linked = match linked {
                Ok(linked) => linked,
                Err(error) => {
                    let kept = Kept::NotLinked(error);
                    give_up(&mut inputs, &mut reports, |_| true, &kept);
                    break (object.clone(), before.clone());
                }
            };
            let after = match basis.judge {
                _ if linked.object == *object => before.clone(),
                Some(judge) => judge(&linked.object, asked, None),
                None => gate::Verdicts::new(),
            };
            let mut given_up = 0;
            for (id, worse) in gate::worsened(before, &after).filter(|_| basis.judge.is_some()) {
                let functions = &before[id].functions;
                let part =
                    |range: &FunctionRange| functions.contains(&(range.section, range.offset));
                let parts = inputs.iter().filter(|input| part(&input.range));
                lost.push(Lost {
                    id: id.clone(),
                    worse: worse.clone(),
                    functions: parts.map(|input| input.range.name.clone()).collect(),
                });
                let program = id.function.clone();
                let kept = Kept::Worse { program, worse };
                given_up += give_up(&mut inputs, &mut reports, part, &kept);
            }
            if given_up == 0 {
                notes.extend(linked.remarks);
                break (linked.object, after);
            }
        };
        // A further round may not make more of the walk than the first.
        for (id, checked) in &mut after {
            checked.may_walk = before.get(id).map_or(checked.may_walk, |one| one.may_walk);
        }
        for report in &mut reports {
            let word = |verdicts: &gate::Verdicts| {
                let mut found = verdicts
                    .iter()
                    .filter(|(id, _)| id.function == report.name && id.section == report.section);
                found
                    .next()
                    .map(|(_, checked)| gate::word(&checked.verdict))
            };
            (report.verdict_before, report.verdict_after) = (word(before), word(&after));
        }
        Compiled {
            object: result,
            module,
            btf,
            functions: reports,
            remarks: self.session.remarks,
            notes,
            validated: None,
            differences: Vec::new(),
            lost,
            verdicts: after,
            cpu: self.cpu,
            rounds: 1,
            micros: u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX),
        }
    }
}
