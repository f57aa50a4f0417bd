//! `test: pass=NAME[,NAME]… [cpu=v1…v4] [kernel=6.1]`: these passes alone, as a difference of before
//! and after, and both forms executed. `pass=O2` is the pipeline of that level.
//!
//! Numbers of values are those of the file, so that the difference shows what the pass did. What
//! the pass counted stands below. `wide` shows only the surroundings of what changed.

use bpf::insn::Cpu;
use passes::{Maps, OptLevel, Pipeline, PipelineOptions, RemarkKind, Session, Target};

use crate::filetest::execute::{self, World};
use crate::filetest::source::Source;
use crate::filetest::{Command, Input, Outcome, SubTest};
use crate::link::Linked;

/// The kind.
pub(super) struct Pass;

impl SubTest for Pass {
    fn name(&self) -> &'static str {
        "pass"
    }

    fn has_snapshot(&self) -> bool {
        true
    }

    fn run(&self, input: &Input, command: &Command) -> Result<Outcome, String> {
        let linked = Source::read(input, command)?.linked(execute::maps(&input.header)?)?;
        let before = linked.module.clone();
        let value = command.value()?;
        let level = value.strip_prefix('O').and_then(OptLevel::from_name);
        let passes = match level {
            Some(_) => None,
            None => Some(value.split(',').map(str::to_owned).collect()),
        };
        let options = PipelineOptions {
            level: level.unwrap_or(OptLevel::O0),
            passes,
            verify_each: true,
            target: target(command)?,
            ..PipelineOptions::default()
        };
        let pipeline = Pipeline::build(&options).map_err(|error| error.to_string())?;
        let mut after = before.clone();
        let mut session = Session::new().with_maps(maps(&linked));
        let functions: Vec<mir::Func> = after.functions.keys().collect();
        let mut text = String::new();
        for func in functions {
            let stats = pipeline.run_function(&mut after, func, &mut session);
            if let Some(failure) = stats.failure {
                return Err(failure.to_string());
            }
            text.push_str(&difference(
                &print(&before, func),
                &print(&after, func),
                command.options.contains_key("wide"),
            ));
        }
        for (key, count) in session.remarks.counts() {
            if key.kind != RemarkKind::Analysis {
                let kind = key.kind.name();
                text.push_str(&format!("{} {kind} {count}: {}\n", key.pass, key.message));
            }
        }
        let world = World::new(&input.header, linked)?;
        execute::check_expectations(&world, &input.header, &before, "before")?;
        execute::check_expectations(&world, &input.header, &after, "after")?;
        execute::compare(&world.run_all(&before), &world.run_all(&after))?;
        Ok(Outcome::Snapshot(text))
    }
}

/// The maps of the test by the symbols that name them.
fn maps(linked: &Linked) -> Maps {
    let symbols = linked.module.symbols.iter();
    let named = symbols.filter_map(|(id, symbol)| {
        let map = linked.maps.iter().find(|map| map.name == symbol.name)?;
        Some((id, map.clone()))
    });
    named.collect()
}

fn print(module: &mir::Module, func: mir::Func) -> String {
    let function = &module.functions[func];
    let text = mir::print::function(function).without_attributes();
    text.to_string()
}

fn difference(before: &str, after: &str, wide: bool) -> String {
    if before == after {
        let head = before.lines().next().unwrap_or("");
        return format!(" {head} … unchanged\n");
    }
    let radius = if wide { 3 } else { usize::MAX / 4 };
    similar::TextDiff::from_lines(before, after)
        .unified_diff()
        .context_radius(radius)
        .to_string()
}

fn target(command: &Command) -> Result<Target, String> {
    let mut target = Target::default();
    if let Some(name) = command.options.get("cpu") {
        target.cpu = Cpu::from_name(name).ok_or_else(|| format!("no cpu is named {name}"))?;
    }
    if let Some(version) = command.options.get("kernel") {
        target.kernel = passes::KernelVersion::from_text(version)
            .ok_or_else(|| format!("{version} is no kernel version"))?;
    }
    Ok(target)
}
