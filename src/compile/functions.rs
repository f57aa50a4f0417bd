//! The functions of an object, one by one: passes, emission, and whether the result is better.
//!
//! **On all cores.** No function's code depends on another's: passes and the back end see of others the
//! name and the number of parameters. So workers take functions from one queue, the longest first, each
//! into a module of its own that has the tables and declarations, with a session of its own. What
//! comes out is put together in the order of the object, remarks too, so it is the same for any number
//! of workers. Who watches passes as they run (bisection, texts, validation) sees them in one thread.
//!
//! **Twice.** Where promoted stack slots leave too little room ([`crowded`]), the function is compiled
//! anew without that pass, unless applications of passes are counted.
//!
//! **Cost.** A copy of the module's tables for each worker but one; for objects of fewer than [`MIN_SLOTS`]
//! slots starting one costs more than it saves.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use backend_host::{Allocator, EmitError, EmittedFunction, emit_function, frame};
use bpf::insn::Cpu;
use bpf::program_type::ProgramType;
use frontend::lift::{LiftedFunction, LiftedObject};
use mir::{Func, Function, Module};
use passes::layout::Layout;
use passes::{Changed, OptLevel, PassStats, Pipeline, Remarks, Session, SessionSeed};

use super::{Choices, CompileOptions, FunctionReport, Kept};

/// Slots of an object from which on workers are started: a millisecond of work or two.
const MIN_SLOTS: usize = 256;

/// What all functions are compiled with.
#[derive(Clone, Copy)]
pub(super) struct Settings<'a> {
    pub(super) options: &'a CompileOptions,
    pub(super) pipeline: &'a Pipeline,
    pub(super) cpu: Cpu,
    pub(super) choices: &'a Choices,
    /// Whether somebody watches passes as they run.
    pub(super) watched: bool,
}

/// A compiled function, or why it keeps its input.
pub(super) struct Done {
    pub(super) report: FunctionReport,
    pub(super) emitted: Option<EmittedFunction>,
    /// What is to be said of it.
    pub(super) note: Option<String>,
}

/// A function for a worker.
struct Task {
    index: usize,
    stack_limit: u32,
    body: Function,
    seed: SessionSeed,
    report: FunctionReport,
}

/// What a worker gives back.
struct Finished {
    index: usize,
    body: Function,
    remarks: Remarks,
    done: Done,
}

/// Compiles every function of an object, in its order.
pub(super) fn compile(
    settings: Settings<'_>,
    lifted: &mut LiftedObject,
    session: &mut Session<'_>,
) -> Vec<Done> {
    let workers = workers(settings, lifted);
    if workers > 1 {
        return on_workers(settings, lifted, session, workers);
    }
    let limits = frame::stack_limits(&lifted.module);
    let mut allocator = Allocator::default();
    let LiftedObject {
        module, functions, ..
    } = lifted;
    let each = functions.iter().map(|function| {
        let report = report(&module.functions[function.func], function);
        let mut worker = Worker {
            settings,
            module,
            session,
            allocator: &mut allocator,
        };
        worker.done(function, limits[function.func], report)
    });
    each.collect()
}

/// How many threads are worth starting.
fn workers(settings: Settings<'_>, lifted: &LiftedObject) -> usize {
    let compiled = || {
        let functions = lifted.functions.iter();
        functions.filter(|function| refused(settings, function).is_none())
    };
    let slots: u64 = compiled().map(|function| function.range.size / 8).sum();
    if settings.watched || usize::try_from(slots).is_ok_and(|slots| slots < MIN_SLOTS) {
        return 1;
    }
    let jobs = settings.options.jobs;
    let jobs = jobs.or_else(|| thread::available_parallelism().ok());
    jobs.map_or(1, NonZeroUsize::get).min(compiled().count())
}

fn on_workers(
    settings: Settings<'_>,
    lifted: &mut LiftedObject,
    session: &mut Session<'_>,
    workers: usize,
) -> Vec<Done> {
    let limits = frame::stack_limits(&lifted.module);
    let seeds = session.seeds(&lifted.module);
    let LiftedObject {
        module, functions, ..
    } = lifted;
    let mut tasks: Vec<Task> = functions
        .iter()
        .enumerate()
        .map(|(index, function)| {
            let body = &mut module.functions[function.func];
            let declared = body.declaration();
            let body = std::mem::replace(body, declared);
            Task {
                index,
                stack_limit: limits[function.func],
                report: report(&body, function),
                seed: seeds.of(function.func),
                body,
            }
        })
        .collect();
    // The last is taken first.
    tasks.sort_by_key(|task| task.report.slots_before);
    let queue = Queue {
        settings,
        functions,
        tasks: Mutex::new(tasks),
    };
    let mut finished: Vec<Finished> = thread::scope(|scope| {
        let mut others = Vec::new();
        for _ in 1..workers {
            let mut module = module.clone();
            let queue = &queue;
            others.push(scope.spawn(move || queue.work(&mut module)));
        }
        let mut all = queue.work(module);
        for other in others {
            match other.join() {
                Ok(finished) => all.extend(finished),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    });
    finished.sort_by_key(|finished| finished.index);
    let restored = finished.into_iter().map(|finished| {
        module.functions[functions[finished.index].func] = finished.body;
        session.remarks.append(finished.remarks);
        finished.done
    });
    restored.collect()
}

/// The functions that no worker has taken yet.
struct Queue<'a> {
    settings: Settings<'a>,
    functions: &'a [LiftedFunction],
    tasks: Mutex<Vec<Task>>,
}

impl Queue<'_> {
    fn take(&self) -> Option<Task> {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.pop()
    }

    /// Compiles functions while there are any, in a module that declares all of them.
    fn work(&self, module: &mut Module) -> Vec<Finished> {
        let mut allocator = Allocator::default();
        let mut finished = Vec::new();
        while let Some(task) = self.take() {
            let function = &self.functions[task.index];
            let func = function.func;
            let mut session = task.seed.session();
            let declared = std::mem::replace(&mut module.functions[func], task.body);
            let mut worker = Worker {
                settings: self.settings,
                module,
                session: &mut session,
                allocator: &mut allocator,
            };
            let done = worker.done(function, task.stack_limit, task.report);
            finished.push(Finished {
                index: task.index,
                body: std::mem::replace(&mut module.functions[func], declared),
                remarks: session.remarks,
                done,
            });
        }
        finished
    }
}

fn report(body: &Function, function: &LiftedFunction) -> FunctionReport {
    let section = body.section.clone();
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

/// Why a function is not compiled at all.
fn refused(settings: Settings<'_>, function: &LiftedFunction) -> Option<Kept> {
    if !settings.options.selects(&function.range.name) {
        return Some(Kept::NotSelected);
    }
    let error = function.kept.as_ref()?;
    Some(Kept::NotLifted(error.clone()))
}

/// The pass that makes values of what is in the stack.
const PROMOTION: &str = "promote-stack";

/// Why a function keeps its input, if that is for want of the room that promoted slots had: values
/// that find no register need stack, and instructions to get there.
fn crowded(kept: &Kept, report: &FunctionReport) -> Option<String> {
    let is_crowded = matches!(
        kept,
        Kept::NotEmitted(EmitError::Stack { .. } | EmitError::UnknownFrame) | Kept::Longer { .. }
    );
    let mut passes = report.passes.iter();
    let promoted = passes.any(|pass| pass.name == PROMOTION && pass.changed.any());
    (is_crowded && promoted).then(|| kept.to_string())
}

struct Worker<'w, 's> {
    settings: Settings<'w>,
    module: &'w mut Module,
    session: &'w mut Session<'s>,
    allocator: &'w mut Allocator,
}

impl Worker<'_, '_> {
    fn done(
        &mut self,
        function: &LiftedFunction,
        stack_limit: u32,
        mut report: FunctionReport,
    ) -> Done {
        let func = function.func;
        let counted = self.settings.options.pipeline.bisect_limit.is_some();
        let may_repeat = !counted && refused(self.settings, function).is_none();
        let input = may_repeat.then(|| self.module.functions[func].clone());
        let unheard = Remarks::new(self.session.remarks.are_kept());
        let told = std::mem::replace(&mut self.session.remarks, unheard);
        let mut note = None;
        let mut result = self.function(function, stack_limit, &mut report);
        let reason = result
            .as_ref()
            .err()
            .and_then(|kept| crowded(kept, &report));
        if let (Some(input), Some(reason)) = (input, reason)
            && let Some(pipeline) = self.without_promotion(function)
        {
            self.session.remarks = Remarks::new(told.are_kept());
            self.module.functions[func] = input;
            let mut without = Worker {
                settings: Settings {
                    pipeline: &pipeline,
                    ..self.settings
                },
                module: self.module,
                session: self.session,
                allocator: self.allocator,
            };
            let first = report.micros;
            result = without.function(function, stack_limit, &mut report);
            report.micros += first;
            let name = &report.name;
            note = result
                .is_ok()
                .then(|| format!("`{PROMOTION}` is left out of `{name}`: with it {reason}"));
        }
        let new = std::mem::replace(&mut self.session.remarks, told);
        self.session.remarks.append(new);
        let emitted = match result {
            Ok(emitted) => Some(emitted),
            Err(kept) => {
                report.slots_after = report.slots_before;
                report.kept = Some(kept);
                None
            }
        };
        Done {
            report,
            emitted,
            note,
        }
    }

    /// The passes for a function but for the one that makes values of what is in the stack.
    fn without_promotion(&self, function: &LiftedFunction) -> Option<Pipeline> {
        let mut options = self.settings.options.pipeline.clone();
        options.target.cpu = self.settings.cpu;
        options
            .disable
            .push(format!("{PROMOTION}@{}", function.range.name));
        Pipeline::build(&options).ok()
    }

    fn function(
        &mut self,
        function: &LiftedFunction,
        stack_limit: u32,
        report: &mut FunctionReport,
    ) -> Result<EmittedFunction, Kept> {
        if let Some(kept) = refused(self.settings, function) {
            return Err(kept);
        }
        let start = Instant::now();
        let result = self.passes_and_emission(function.func, stack_limit, report);
        report.micros = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
        let emitted = result?;
        let (before, after) = (report.slots_before, emitted.slots.len());
        let changed = report.passes.iter().any(|pass| pass.changed.any());
        let pipeline = self.settings.pipeline;
        let optimising = !pipeline.steps(&function.range.name).is_empty();
        if after > before {
            return Err(Kept::Longer { before, after });
        }
        if optimising && !changed && after == before {
            return Err(Kept::NothingFound);
        }
        report.slots_after = after;
        if emitted.jumps_saved > 0 {
            self.note_layout(function.func, report);
        }
        Ok(emitted)
    }

    /// Counts what the back end did for the pass that is its own.
    fn note_layout(&mut self, func: Func, report: &mut FunctionReport) {
        self.session
            .applied_in_back_end(self.module, func, Layout::NAME, Layout::APPLIED);
        let named = |pass: &&mut PassStats| pass.name == Layout::NAME;
        if let Some(pass) = report.passes.iter_mut().rev().find(named) {
            pass.changed = Changed::ControlFlow;
        }
    }

    fn passes_and_emission(
        &mut self,
        func: Func,
        stack_limit: u32,
        report: &mut FunctionReport,
    ) -> Result<EmittedFunction, Kept> {
        let Settings {
            options,
            pipeline,
            cpu,
            choices,
            ..
        } = self.settings;
        let stats = pipeline.run_function(self.module, func, self.session);
        let order_blocks = stats.asks_back_end(Layout::NAME);
        report.passes = stats.passes;
        if let Some(failure) = stats.failure {
            return Err(Kept::BrokenByPass(failure));
        }
        let options = backend_host::Options {
            cpu,
            stack_limit,
            check_allocation: options.check_allocation,
            thorough: options.pipeline.level == OptLevel::Os,
            choice: choices.get(&self.module.functions[func].name).copied(),
            order_blocks,
        };
        emit_function(self.module, func, &options, self.allocator).map_err(Kept::NotEmitted)
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;
    use std::path::Path;

    use passes::OptLevel;

    use crate::compile::{CompileOptions, Compiled, compile};

    /// What there is to compare of a compilation.
    fn told(compiled: &Compiled) -> String {
        let functions = compiled.functions.iter().map(|function| {
            let passes = function.passes.iter();
            let passes = passes.map(|pass| (pass.name, pass.changed, pass.insts_after));
            (
                &function.name,
                function.slots_after,
                &function.kept,
                passes.collect::<Vec<_>>(),
            )
        });
        format!(
            "{:?}\n{:?}\n{:?}\n{:?}\n{}",
            functions.collect::<Vec<_>>(),
            compiled.remarks.list(),
            compiled.remarks.counts().collect::<Vec<_>>(),
            compiled.notes,
            compiled.module,
        )
    }

    #[test]
    fn the_number_of_workers_changes_nothing() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testsuite/programs/v3");
        let mut several = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "o") {
                continue;
            }
            let object = bpf::elf::read(&std::fs::read(&path).unwrap()).unwrap();
            let with = |jobs| {
                let options = CompileOptions {
                    jobs: NonZeroUsize::new(jobs),
                    keep_remarks: true,
                    ..CompileOptions::at_level(OptLevel::Os)
                };
                compile(&object, &options, |_| {}).unwrap()
            };
            let (one, four) = (with(1), with(4));
            several += usize::from(one.functions.len() > 1 && one.total_slots().0 >= 256);
            assert_eq!(told(&one), told(&four), "{}", path.display());
            assert!(one.object == four.object, "{}", path.display());
        }
        assert!(several > 0, "some have functions for more than one worker");
    }
}
