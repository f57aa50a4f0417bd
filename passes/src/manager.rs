//! Runs a pipeline on a function: everything around a pass that is not the pass.
//!
//! Before a pass: bisection. After it: alias resolution, invalidation of analyses, well-formedness
//! rules (always in debug builds), the check that "no change" was true (debug builds), timing,
//! counting, printing. Libraries never print, so text and bisection lines go to a sink.

use crate::analyses::Analyses;
use crate::change::{Application, Change};
use crate::pass::{Changed, PassInfo};
use crate::pipeline::Pipeline;
use crate::session::Session;
use mir::{Func, Module};
use std::time::Instant;

/// What one application of a pass did to one function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassStats {
    /// Name of the pass.
    pub name: &'static str,
    /// What it changed.
    pub changed: Changed,
    /// Instructions before.
    pub insts_before: usize,
    /// Instructions after.
    pub insts_after: usize,
    /// Time spent in the pass.
    pub micros: u64,
}

/// A pass left an ill-formed function, or lied about having changed it: a defect of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("internal compiler error: pass `{pass}` on function `{function}`: {message}")]
pub struct PassFailure {
    /// The pass.
    pub pass: &'static str,
    /// The function.
    pub function: String,
    /// What is wrong.
    pub message: String,
}

/// What a pipeline did to one function.
#[derive(Clone, Debug, Default)]
pub struct FunctionStats {
    /// Each application, in order.
    pub passes: Vec<PassStats>,
    /// Set when a pass failed; nothing ran after it, and the function must not be emitted.
    pub failure: Option<PassFailure>,
}

impl FunctionStats {
    /// Whether any pass changed anything.
    #[must_use]
    pub fn changed(&self) -> bool {
        self.passes.iter().any(|pass| pass.changed.any())
    }

    /// Whether a pass that the back end makes is to be made.
    #[must_use]
    pub fn asks_back_end(&self, name: &str) -> bool {
        self.passes.iter().any(|pass| pass.name == name)
    }

    /// Time spent in all passes.
    #[must_use]
    pub fn micros(&self) -> u64 {
        self.passes.iter().map(|pass| pass.micros).sum()
    }
}

/// Something for the driver to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'e> {
    /// A pass was about to run while bisecting. Its `Display` is the line to show.
    Bisect {
        /// Number of the application, from 1.
        number: u64,
        /// The pass.
        pass: &'static str,
        /// The function.
        function: &'e str,
        /// Whether it ran.
        ran: bool,
    },
    /// The function after a pass, because it was asked for.
    Text {
        /// The pass.
        pass: &'static str,
        /// The function.
        function: &'e str,
        /// Whether the pass changed it.
        changed: bool,
        /// MIR text.
        text: &'e str,
    },
}

impl std::fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Event::Bisect {
                number,
                pass,
                function,
                ran,
            } => {
                let not = if *ran { "" } else { "NOT " };
                write!(
                    f,
                    "BISECT: {not}running pass ({number}) {pass} on function {function}"
                )
            }
            Event::Text {
                pass,
                function,
                changed,
                text,
            } => {
                let how = if *changed { "" } else { " (no change)" };
                write!(f, "; {function} after {pass}{how}\n{text}")
            }
        }
    }
}

impl Pipeline {
    /// Runs the passes on one function of a module.
    pub fn run_function(
        &self,
        module: &mut Module,
        func: Func,
        session: &mut Session<'_>,
    ) -> FunctionStats {
        let uses_arena = session.uses_arena(module);
        let mut stats = FunctionStats::default();
        let name = match module.functions.get(func) {
            Some(function) if !function.is_declaration() => function.name.clone(),
            _ => return stats,
        };
        let mut analyses = Analyses::default();
        for info in self.steps(&name) {
            if !session.may_run(self.bisect_limit, info, &name) {
                continue;
            }
            let before = cfg!(debug_assertions).then(|| print(module, func));
            let original = session.checker.as_ref();
            let original = original.map(|_| module.functions[func].clone());
            let insts_before = module.functions[func].inst_count();
            let application = Application {
                info,
                target: &self.target,
                maps: &session.maps,
                uses_arena,
                directions: session.directions.get(&func),
            };
            let start = Instant::now();
            let changed = application.run(module, func, &mut analyses, &mut session.remarks);
            let micros = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
            analyses.invalidate(changed);
            stats.passes.push(PassStats {
                name: info.name,
                changed,
                insts_before,
                insts_after: module.functions[func].inst_count(),
                micros,
            });
            let checked = self
                .check(module, func, changed, before.as_deref())
                .and_then(|()| match (&mut session.checker, &original) {
                    (Some(checker), Some(before)) if changed.any() => checker(&Change {
                        module,
                        func,
                        before,
                        application,
                    }),
                    _ => Ok(()),
                });
            if let Err(message) = checked {
                stats.failure = Some(PassFailure {
                    pass: info.name,
                    function: name,
                    message,
                });
                break;
            }
            if changed.any() {
                session.directions.remove(&func);
            }
            self.report(module, func, info, changed, session);
        }
        stats
    }

    /// Whether the pass left a well-formed function and told the truth.
    fn check(
        &self,
        module: &Module,
        func: Func,
        changed: Changed,
        before: Option<&str>,
    ) -> Result<(), String> {
        if cfg!(debug_assertions) || self.verify_each {
            mir::verify::verify_function(module, &module.functions[func])
                .map_err(|errors| errors.to_string())?;
        }
        if let Some(before) = before
            && !changed.any()
        {
            let after = print(module, func);
            if before != after {
                return Err(format!(
                    "it says that it changed nothing\nbefore:\n{before}\nafter:\n{after}"
                ));
            }
        }
        Ok(())
    }

    fn report(
        &self,
        module: &Module,
        func: Func,
        info: &PassInfo,
        changed: Changed,
        session: &mut Session<'_>,
    ) {
        if session.sink.is_none()
            || !(self.prints_after(info.name) || self.print_changed && changed.any())
        {
            return;
        }
        session.show(Event::Text {
            pass: info.name,
            function: &module.functions[func].name,
            changed: changed.any(),
            text: &print(module, func),
        });
    }
}

fn print(module: &Module, func: Func) -> String {
    mir::print::function(&module.functions[func]).to_string()
}
