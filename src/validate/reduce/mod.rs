//! A difference made small: the least of a function, and of an input, for which a pass still changes
//! what the program does.
//!
//! The function before the pass is made smaller step by step ([`steps`]). A step is kept when the
//! function is well-formed, the program around it runs to its end on the input, and the same pass,
//! run on the smaller function, still makes a difference. Then the input is reduced ([`input`]),
//! and with it the function once more.
//!
//! Other functions of the program stay as they are in the module, so a step is judged by what the
//! program does. What is shown proves itself: nothing about a step has to be sound.
//!
//! Cost: at most [`MAX_TRIES`] steps are tried and for at most [`PATIENCE`], each a run of the pass
//! and two of the program; the report says how many there were, and whether that was the end.

mod input;
mod steps;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use bpf::program_type::ProgramType;
use mir::{Func, Function, Module};
use passes::Change;

use super::difference;
use super::run::{self, Input};
use crate::filetest::panics;
use crate::linked::Linked;
use steps::Step;

/// Smaller functions that are tried.
const MAX_TRIES: usize = 4_000;
/// How long smaller functions are tried.
const PATIENCE: Duration = Duration::from_secs(20);

/// The report of a change that makes a program differ on an input, `found` in words.
pub(super) fn report(
    linked: &Linked,
    change: &Change<'_>,
    program: (Func, ProgramType),
    input: &Input,
    found: String,
) -> String {
    let name = &change.module.functions[program.0].name;
    let mut trial = Trial {
        linked,
        change,
        program,
        module: change.module.clone(),
        tries: 0,
        end: Instant::now() + PATIENCE,
    };
    let whole = change.before.compacted();
    let Some(difference) = trial.differs(&whole, input) else {
        // An earlier pass made it, and the inputs did not show it then.
        return format!("program `{name}` on {input}:\n{found}");
    };
    let mut smallest = Smallest {
        function: whole,
        input: input.clone(),
        difference,
    };
    smallest.reduce_function(&mut trial);
    let (input, difference) =
        input::smallest(&smallest.input, smallest.difference.clone(), |input| {
            trial.differs(&smallest.function, input)
        });
    (smallest.input, smallest.difference) = (input, difference);
    smallest.reduce_function(&mut trial);
    let (tries, is_over) = (trial.tries, trial.is_over());
    let how = if is_over {
        ", where the search ends"
    } else {
        ""
    };
    let Smallest {
        function,
        input,
        difference,
    } = smallest;
    trial.put(&function);
    let before = text(&trial.module, change.func);
    change.repeat(&mut trial.module);
    let after = text(&trial.module, change.func);
    format!(
        "program `{name}` on {input}:\n{difference}the smallest function found in {tries} \
         tries{how}, before `{pass}`:\n{before}and after it:\n{after}",
        pass = change.pass(),
    )
}

fn text(module: &Module, func: Func) -> String {
    let function = module.functions[func].compacted();
    let printer = mir::print::function(&function).with_id(func);
    printer.without_attributes().to_string()
}

/// The least that makes a difference so far.
struct Smallest {
    function: Function,
    input: Input,
    difference: String,
}

impl Smallest {
    /// Takes steps until none makes the function smaller.
    fn reduce_function(&mut self, trial: &mut Trial<'_>) {
        let mut changing = true;
        while changing {
            changing = false;
            for step in Step::all(&self.function) {
                let mut place = 0;
                while place < step.places(&self.function) && !trial.is_over() {
                    let smaller = step.take(&self.function, place);
                    if smaller.is_some_and(|smaller| self.accept(trial, smaller)) {
                        changing = true;
                    } else {
                        place += 1;
                    }
                }
            }
        }
    }

    /// Takes a smaller function in place of this one if it makes a difference too. Each is lighter
    /// than the one before, so that there is a last one.
    fn accept(&mut self, trial: &mut Trial<'_>, smaller: Function) -> bool {
        if steps::weight(&smaller) >= steps::weight(&self.function) {
            return false;
        }
        trial.tries += 1;
        let Some(difference) = trial.differs(&smaller, &self.input) else {
            return false;
        };
        (self.function, self.difference) = (smaller, difference);
        true
    }
}

/// What a smaller function is tried in.
struct Trial<'t> {
    linked: &'t Linked,
    change: &'t Change<'t>,
    program: (Func, ProgramType),
    module: Module,
    tries: usize,
    end: Instant,
}

impl Trial<'_> {
    fn is_over(&self) -> bool {
        self.tries >= MAX_TRIES || Instant::now() >= self.end
    }

    fn put(&mut self, function: &Function) {
        self.module.functions[self.change.func] = function.clone();
    }

    /// What the pass changes in what the program does, if it does anything with this function.
    fn differs(&mut self, function: &Function, input: &Input) -> Option<String> {
        mir::verify::verify_function(&self.module, function).ok()?;
        self.put(function);
        let run = |module: &Module| {
            let run = run::mir(self.linked, module, self.program, input);
            run.map(|run| run.done)
        };
        let before = run(&self.module).ok()?;
        // A pass that cannot bear what it is given is another defect.
        panics::caught(|| self.change.repeat(&mut self.module)).ok()?;
        difference(&before, &run(&self.module))
    }
}
