//! Translation validation by execution: after each pass, programs run as before.
//!
//! Before the first pass, inputs are searched for each program with the interpreter of MIR: packets,
//! contexts, map contents and helper results that reach as many blocks as they can ([`search`]).
//! What each run did is remembered: result, packet, maps, and the calls of helpers in order with
//! what they were given. After each pass that changed a function the inputs that reached it run
//! again; a difference is a defect of the pass, and the report names it with the smallest function
//! and the smallest input found ([`reduce`]). After emission the finished object is lifted again
//! and runs on all of them.
//!
//! An input on which the program faulted before proves nothing, since such a program would not
//! load, and is not kept.
//!
//! Cost: at most [`search::MAX_INPUTS`] inputs for each program, each at most [`STEP_LIMIT`]
//! instructions, run again after each pass that changed one of its functions.

mod reduce;
mod run;
mod search;

use std::collections::BTreeMap;

use bpf::object::Object;
use bpf::program_type::ProgramType;
use mir::Func;
use passes::Change;

use crate::linked::Linked;
use run::{Case, Done};

/// Instructions that a run may take.
const STEP_LIMIT: u64 = 1 << 18;

/// A program with its inputs.
#[derive(Clone, Debug)]
struct Program {
    func: Func,
    program_type: ProgramType,
    cases: Vec<Case>,
    /// Blocks that the inputs reach, and blocks that there are in what they reach.
    blocks: (usize, usize),
}

/// What was compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Programs with at least one input.
    pub programs: usize,
    /// Programs without one: every input ends in a fault.
    pub without: usize,
    /// Inputs.
    pub inputs: usize,
    /// Runs that were compared.
    pub runs: usize,
    /// Blocks reached, of the functions that are reached.
    pub blocks_reached: usize,
    /// Blocks of those functions.
    pub blocks: usize,
}

/// Compares what programs do before and after passes.
#[derive(Debug)]
pub struct Validator {
    linked: Linked,
    programs: Vec<Program>,
    counts: Counts,
}

impl Validator {
    /// Searches inputs for every program of an object, or of those that a name selects.
    ///
    /// # Errors
    /// The object's maps cannot be read.
    pub fn new(object: &Object, wanted: impl Fn(&str) -> bool) -> Result<Validator, String> {
        let linked = Linked::from_object(object)?;
        Ok(Validator::of(linked, wanted))
    }

    /// The same for a module that can be run.
    #[must_use]
    pub fn of(linked: Linked, wanted: impl Fn(&str) -> bool) -> Validator {
        let mut validator = Validator {
            programs: Vec::new(),
            counts: Counts::default(),
            linked,
        };
        for (func, function) in &validator.linked.module.functions {
            let kind = ProgramType::from_section(&function.section);
            let Some(program_type) = kind.filter(|_| !function.is_declaration()) else {
                continue;
            };
            if !wanted(&function.name) {
                continue;
            }
            let program = search::program(&validator.linked, func, program_type);
            if program.cases.is_empty() {
                validator.counts.without += 1;
            } else {
                validator.counts.programs += 1;
                validator.counts.inputs += program.cases.len();
                validator.counts.blocks_reached += program.blocks.0;
                validator.counts.blocks += program.blocks.1;
                validator.programs.push(program);
            }
        }
        validator
    }

    /// What was compared so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Compares programs that reach a function, after a pass on it.
    ///
    /// # Errors
    /// A difference, for people.
    pub fn check(&mut self, change: &Change<'_>) -> Result<(), String> {
        for program in &self.programs {
            let place = (program.func, program.program_type);
            for case in program
                .cases
                .iter()
                .filter(|case| case.reaches.contains(&change.func))
            {
                self.counts.runs += 1;
                let after = run::mir(&self.linked, change.module, place, &case.input);
                if let Some(found) = difference(&case.done, &after.map(|run| run.done)) {
                    let input = &case.input;
                    return Err(reduce::report(&self.linked, change, place, input, found));
                }
            }
        }
        Ok(())
    }

    /// Compares all programs with those of the finished object, lifted again.
    ///
    /// # Errors
    /// A difference, for people.
    pub fn check_object(&mut self, object: &Object) -> Result<(), String> {
        let finished = Linked::from_object(object)?;
        for program in &self.programs {
            let function = &self.linked.module.functions[program.func];
            let (name, section) = (&function.name, &function.section);
            let mut functions = finished.module.functions.iter();
            let found = functions.find(|(_, one)| one.name == *name && one.section == *section);
            let Some((func, _)) = found else {
                return Err(format!("the program `{name}` in section {section} is gone"));
            };
            for case in &program.cases {
                self.counts.runs += 1;
                let place = (func, program.program_type);
                let after = run::mir(&finished, &finished.module, place, &case.input);
                if let Some(found) = difference(&case.done, &after.map(|run| run.done)) {
                    return Err(format!("program `{name}` on {}:\n{found}", case.input));
                }
            }
        }
        Ok(())
    }
}

/// What differs, if anything does.
fn difference(before: &Done, after: &Result<Done, String>) -> Option<String> {
    let after = match after {
        Ok(after) => after,
        Err(fault) => return Some(format!("  before: runs to its end\n  after: {fault}")),
    };
    let mut lines = String::new();
    let mut compare = |what: &str, before: String, after: String| {
        if before != after {
            lines.push_str(&format!(
                "  {what} before: {before}\n  {what} after:  {after}\n"
            ));
        }
    };
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    compare(
        "result",
        format!("{:#x}", before.result),
        format!("{:#x}", after.result),
    );
    compare("packet", hex(&before.packet), hex(&after.packet));
    compare(
        "calls",
        format!("{:x?}", before.calls),
        format!("{:x?}", after.calls),
    );
    let maps: BTreeMap<usize, _> = before.maps.iter().enumerate().collect();
    for (number, contents) in maps {
        let other = after.maps.get(number);
        if other != Some(contents) {
            compare(
                &format!("map {number}"),
                format!("{contents:02x?}"),
                format!("{other:02x?}"),
            );
        }
    }
    (!lines.is_empty()).then_some(lines)
}
