//! One object in, one object out: lift, passes, emission, linking, verification.
//!
//! Every function goes its own way. One that cannot be lifted or emitted, that a pass broke, that
//! came out longer than it was, or whose program the verifier no longer accepts keeps the input's
//! bytes, and [`FunctionReport::kept`] says why; so the result is never worse than the input, and
//! nothing about one function stops another. Where acceptance was lost, the pass that lost it is
//! found and left out of that function first, and a note says so.

mod accepted;
mod again;
pub mod bisect;
mod directions;
mod gate;
mod maps;
mod module;
mod options;
mod report;

pub use directions::directions;
pub use maps::of as maps_of;
pub use module::{OptimiseError, object_of, object_with, optimise};
pub use options::CompileOptions;
pub use report::{Compiled, FunctionReport, Kept, Lost};

use std::cell::RefCell;
use std::time::Instant;

use backend_host::{Allocator, EmittedFunction, FunctionInput, emit_function, frame, link};
use bpf::insn::{Cpu, Insn, read_slots};
use bpf::object::{FunctionRange, Object};
use bpf::program_type::ProgramType;
use frontend::lift::{LiftedFunction, LiftedObject, lift_object};
use mir::Func;
use passes::{Event, Pipeline, PipelineOptions, Session, UnknownPass};

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
    let first = accepted::compile_judged(object, options, sink, &gate::verdicts)?;
    match again::is_wanted(object, options, &first) {
        true => again::rounds(first, options),
        false => Ok(first),
    }
}

/// What says whether programs are accepted.
type Judge = dyn Fn(&Object, gate::Asked) -> gate::Verdicts;

/// Compiles once, with the gate as the options say.
fn compile_once(
    object: &Object,
    options: &CompileOptions,
    sink: impl FnMut(Event<'_>),
) -> Result<Compiled, UnknownPass> {
    compile_with(object, options, sink, &gate::verdicts)
}

fn compile_with(
    object: &Object,
    options: &CompileOptions,
    sink: impl FnMut(Event<'_>),
    judge: &Judge,
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
    let before = if options.verify {
        judge(object, asked)
    } else {
        gate::Verdicts::new()
    };
    let told = |function: &LiftedFunction| pipeline.uses_directions(&function.range.name);
    if options.verify && lifted.functions.iter().any(told) {
        session = session.with_directions(directions::of(object, &lifted, asked, &before));
    }
    let stack_limits = frame::stack_limits(&lifted.module);
    let mut compilation = Compilation {
        options,
        pipeline,
        cpu,
        session,
        lifted,
        allocator: Allocator::default(),
    };
    let mut inputs = Vec::with_capacity(compilation.lifted.functions.len());
    let mut reports = Vec::with_capacity(inputs.capacity());
    for index in 0..compilation.lifted.functions.len() {
        let function = compilation.lifted.functions[index].clone();
        let limit = stack_limits[function.func];
        let mut report = compilation.report(&function);
        let emitted = match compilation.function(&function, limit, &mut report) {
            Ok(emitted) => Some(emitted),
            Err(kept) => {
                report.slots_after = report.slots_before;
                report.kept = Some(kept);
                None
            }
        };
        inputs.push(FunctionInput {
            func: function.func,
            range: function.range,
            emitted,
        });
        reports.push(report);
    }
    let mut compiled = compilation.finish(object, inputs, reports, start, &before, judge);
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
    allocator: Allocator,
}

impl Compilation<'_> {
    fn report(&self, function: &LiftedFunction) -> FunctionReport {
        let section = self.lifted.module.functions[function.func].section.clone();
        let slots = usize::try_from(function.range.size / 8).unwrap_or(usize::MAX);
        FunctionReport {
            name: function.range.name.clone(),
            program_type: ProgramType::from_section(&section),
            section,
            slots_before: slots,
            slots_after: slots,
            kept: None,
            verdict_before: None,
            verdict_after: None,
            passes: Vec::new(),
            micros: 0,
        }
    }

    fn function(
        &mut self,
        function: &LiftedFunction,
        stack_limit: u32,
        report: &mut FunctionReport,
    ) -> Result<EmittedFunction, Kept> {
        if !self.options.selects(&function.range.name) {
            return Err(Kept::NotSelected);
        }
        if let Some(error) = &function.kept {
            return Err(Kept::NotLifted(error.clone()));
        }
        let start = Instant::now();
        let result = self.passes_and_emission(function.func, stack_limit, report);
        report.micros = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
        let emitted = result?;
        let (before, after) = (report.slots_before, emitted.slots.len());
        let changed = report.passes.iter().any(|pass| pass.changed.any());
        let optimising = !self.pipeline.steps(&function.range.name).is_empty();
        if after > before {
            return Err(Kept::Longer { before, after });
        }
        if optimising && !changed && after == before {
            return Err(Kept::NothingFound);
        }
        report.slots_after = after;
        Ok(emitted)
    }

    fn passes_and_emission(
        &mut self,
        func: Func,
        stack_limit: u32,
        report: &mut FunctionReport,
    ) -> Result<EmittedFunction, Kept> {
        let module = &mut self.lifted.module;
        let stats = self.pipeline.run_function(module, func, &mut self.session);
        report.passes = stats.passes;
        if let Some(failure) = stats.failure {
            return Err(Kept::BrokenByPass(failure));
        }
        let options = backend_host::Options {
            cpu: self.cpu,
            stack_limit,
            check_allocation: self.options.check_allocation,
        };
        emit_function(module, func, &options, &mut self.allocator).map_err(Kept::NotEmitted)
    }

    fn finish(
        self,
        object: &Object,
        mut inputs: Vec<FunctionInput>,
        mut reports: Vec<FunctionReport>,
        start: Instant,
        before: &gate::Verdicts,
        judge: &Judge,
    ) -> Compiled {
        let LiftedObject {
            module,
            btf,
            btf_ext,
            btf_problem,
            ..
        } = self.lifted;
        let mut notes: Vec<String> = btf_problem.into_iter().collect();
        let asked = gate::Asked::by(self.options);
        let mut lost = Vec::new();
        let (result, after) = loop {
            let linked = link(object, btf.as_ref(), btf_ext.as_ref(), &module, &inputs);
            let linked = match linked {
                Ok(linked) => linked,
                Err(error) => {
                    let kept = Kept::NotLinked(error);
                    give_up(&mut inputs, &mut reports, |_| true, &kept);
                    break (object.clone(), before.clone());
                }
            };
            let after = if !self.options.verify || linked.object == *object {
                before.clone()
            } else {
                judge(&linked.object, asked)
            };
            let mut given_up = 0;
            for (id, reason) in gate::worsened(before, &after) {
                let functions = &before[id].functions;
                let part =
                    |range: &FunctionRange| functions.contains(&(range.section, range.offset));
                let parts = inputs.iter().filter(|input| part(&input.range));
                lost.push(Lost {
                    id: id.clone(),
                    reason: reason.clone(),
                    functions: parts.map(|input| input.range.name.clone()).collect(),
                });
                let program = id.function.clone();
                let kept = Kept::NotAccepted { program, reason };
                given_up += give_up(&mut inputs, &mut reports, part, &kept);
            }
            if given_up == 0 {
                notes.extend(linked.remarks);
                break (linked.object, after);
            }
        };
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
            cpu: self.cpu,
            micros: u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX),
        }
    }
}
