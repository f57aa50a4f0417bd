//! What passes change, as a difference of MIR before and after.
//!
//! Numbers of values are those of the input, so that the difference shows what a pass did. The
//! change of one pass is found by running the pipeline a pass at a time: passes keep nothing between
//! one another but analyses, which are computed anew, so the result is the same.

use passes::{Maps, Pipeline, RemarkKind, Session};

use crate::compile::{self, CompileOptions};
use crate::linked::Linked;
use crate::render;

/// What was changed.
pub(super) struct Changes {
    /// The functions afterwards.
    pub(super) module: mir::Module,
    /// A difference for each function, and what the passes counted.
    pub(super) text: String,
}

/// Runs the passes; `of` is the one whose changes are shown, or all; `around` is how many lines are
/// shown around each change.
pub(super) fn of(
    linked: &Linked,
    options: &CompileOptions,
    of: Option<&str>,
    around: usize,
) -> Result<Changes, String> {
    let mut after = linked.module.clone();
    let mut session = Session::new().with_maps(maps(linked));
    if let Some(object) = linked.object() {
        session = session.with_directions(compile::directions(object, options));
    }
    let mut pipeline = options.pipeline.clone();
    pipeline.target.cpu = options.cpu.unwrap_or(pipeline.target.cpu);
    pipeline.verify_each = true;
    let whole = Pipeline::build(&pipeline).map_err(|error| error.to_string())?;
    let functions: Vec<mir::Func> = after.functions.keys().collect();
    let mut text = String::new();
    for func in functions {
        let name = after.functions[func].name.clone();
        if !options.selects(&name) {
            continue;
        }
        let Some(wanted) = of else {
            let before = print(&after, func);
            run(&whole, &mut after, func, &mut session)?;
            text.push_str(&difference(&before, &print(&after, func), around));
            continue;
        };
        let (mut runs, mut shown) = (0, false);
        for info in whole.steps(&name) {
            let mut single = pipeline.clone();
            single.passes = Some(vec![info.name.to_owned()]);
            (single.enable, single.disable) = (Vec::new(), Vec::new());
            let single = Pipeline::build(&single).map_err(|error| error.to_string())?;
            let before = print(&after, func);
            run(&single, &mut after, func, &mut session)?;
            let now = print(&after, func);
            if info.name != wanted {
                continue;
            }
            runs += 1;
            if before != now {
                shown = true;
                text.push_str(&format!("; {wanted} on `{name}`, run {runs}\n"));
                text.push_str(&difference(&before, &now, around));
            }
        }
        if !shown {
            text.push_str(&format!(
                "; {wanted} on `{name}`: no change in {runs} runs\n"
            ));
        }
    }
    for (key, count) in session.remarks.counts() {
        if key.kind != RemarkKind::Analysis && of.is_none_or(|pass| pass == key.pass) {
            let kind = key.kind.name();
            text.push_str(&format!("{} {kind} {count}: {}\n", key.pass, key.message));
        }
    }
    Ok(Changes {
        module: after,
        text,
    })
}

fn run(
    pipeline: &Pipeline,
    module: &mut mir::Module,
    func: mir::Func,
    session: &mut Session<'_>,
) -> Result<(), String> {
    let stats = pipeline.run_function(module, func, session);
    stats
        .failure
        .map_or(Ok(()), |failure| Err(failure.to_string()))
}

/// The maps of the input by the symbols that name them.
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

fn difference(before: &str, after: &str, around: usize) -> String {
    if before == after {
        let head = before.lines().next().unwrap_or("");
        return format!(" {head} … unchanged\n");
    }
    render::difference(before, after, around)
}
