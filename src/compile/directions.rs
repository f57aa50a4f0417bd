//! Which ways conditional jumps can go: what the verifier's walk tells the passes.
//!
//! A jump goes one way in the passes' eyes if it did so in every program that its function belongs
//! to, in walks that ended in acceptance. Nothing is taken for granted that a loader may still set:
//! where the verdict rests on read-only data or on relocated constants, the program is walked a
//! second time without them. A program whose section names no type may be of any under which it
//! is accepted, so it is walked for all but those whose contexts hold the kernel's types, which
//! sections name. (Types that differ by where they attach have contexts of their own, which a
//! program that fits another type too does not look into.) A program that is not accepted or cannot
//! be put together tells nothing, and neither do the functions that it may share; nor do hidden
//! functions, which a linker of objects may give further callers.
//!
//! Cost: one step a conditional jump, and the second walks.

use std::collections::{BTreeMap, BTreeSet};

use bpf::object::{Object, SectionId};
use bpf::program_type::ProgramType;
use frontend::lift::{LiftedObject, lift_object};
use mir::{Inst, InstData};
use passes::{Directions, Taken};
use verifier::program::{Origin, Program};
use verifier::{Linker, Options, ProgramId, Report, Sides, Verdict};

use super::CompileOptions;
use super::gate::{self, Asked, Verdicts};

/// The `st_other` of symbols that only the object itself may use, once it is complete.
const HIDDEN: u8 = 2;

/// Which ways the jumps of a program can go, unless that depends on more than the program.
pub(super) fn sides(program: &Program, report: &Report) -> Option<Vec<(Origin, Sides)>> {
    let certain = report.verdict == Verdict::Accepted
        && report.assumption.is_none()
        && !report.reads_constants;
    let met = || {
        program
            .origins
            .iter()
            .copied()
            .zip(report.sides.iter().copied())
    };
    certain.then(|| {
        met()
            .filter(|(_, sides)| sides.taken || sides.next)
            .collect()
    })
}

/// What was found out, over all programs of an object.
#[derive(Debug, Default)]
struct Found {
    sides: BTreeMap<Origin, Sides>,
    /// Where functions begin of which nothing is told.
    untold: BTreeSet<(SectionId, u64)>,
    /// Whether there are programs of which not even the functions are known.
    incomplete: bool,
}

/// The branches of an object's functions that go one way only, as its verification tells.
#[must_use]
pub fn directions(object: &Object, options: &CompileOptions) -> Directions {
    let asked = Asked::by(options);
    let verdicts = gate::verdicts(object, asked, None);
    of(object, &lift_object(object), asked, &verdicts)
}

/// The decided jumps of a module's functions, by what was found when its programs were verified.
pub(super) fn of(
    object: &Object,
    lifted: &LiftedObject,
    asked: Asked,
    verdicts: &Verdicts,
) -> Directions {
    let Ok(linker) = Linker::new(object) else {
        return Directions::new();
    };
    let walk = |id: &ProgramId, program_type| {
        let options = Options {
            kernel: asked.kernel,
            program_type,
            loader_decides: true,
            ..Options::default()
        };
        let program = linker.link(id, &options).ok()?;
        let report = verifier::check(&program, &options, object.endian);
        let rejected = matches!(report.verdict, Verdict::Rejected(_));
        Some((rejected, sides(&program, &report)))
    };
    let mut found = Found::default();
    let mut entries = BTreeSet::new();
    for id in linker.programs() {
        let Some(checked) = verdicts.get(&id) else {
            found.incomplete = true;
            continue;
        };
        entries.extend(checked.functions.first().copied());
        let told = match &checked.sides {
            sides if checked.guessed.is_some() => {
                let known = sides.is_some().then_some(checked.guessed).flatten();
                let other = possible_types().filter(|&kind| Some(kind) != known);
                let fits = other.filter_map(|kind| {
                    let (rejected, told) = walk(&id, Some(kind))?;
                    (!rejected).then_some(told)
                });
                let known = sides.iter().cloned().map(Some);
                let told = fits.chain(known).collect::<Option<Vec<_>>>();
                told.map(|told| told.concat())
            }
            None if checked.verdict == Verdict::Accepted => {
                walk(&id, asked.untyped).and_then(|(_, told)| told)
            }
            told => told.clone(),
        };
        let Some(told) = told else {
            found.untold.extend(checked.functions.iter().copied());
            continue;
        };
        for (origin, sides) in told {
            let joined = found.sides.entry(origin).or_default();
            joined.taken |= sides.taken;
            joined.next |= sides.next;
        }
    }
    let mut directions = Directions::new();
    for function in &lifted.functions {
        let range = &function.range;
        let start = (range.section, range.offset);
        let hidden = range
            .symbol
            .and_then(|symbol| object.symbol(symbol))
            .is_none_or(|symbol| symbol.other & 3 == HIDDEN);
        let shared = !entries.contains(&start);
        if hidden || found.untold.contains(&start) || found.incomplete && shared {
            continue;
        }
        let body = &lifted.module.functions[function.func];
        let branches = body
            .layout
            .blocks()
            .filter_map(|block| body.layout.last_inst(block));
        let decided = branches.filter_map(|inst| Some((inst, found.taken(start, body, inst)?)));
        directions.insert(function.func, decided.collect());
    }
    directions
}

/// Types that a program can be of although its section names none. What is accepted as an action is
/// walked the same as a classifier, which may call more.
fn possible_types() -> impl Iterator<Item = ProgramType> {
    use ProgramType::{Ext, Lsm, Netfilter, SchedAct, StructOps, Tracing};
    let all = ProgramType::ALL.iter().copied();
    all.filter(|kind| !matches!(kind, Tracing | Lsm | StructOps | Ext | Netfilter | SchedAct))
}

impl Found {
    /// The only way that a jump goes.
    fn taken(&self, start: (SectionId, u64), body: &mir::Function, inst: Inst) -> Option<Taken> {
        if !matches!(body.dfg.inst(inst), InstData::Branch { .. }) {
            return None;
        }
        let slot = body.origins[inst].checked_sub(1)?;
        let (section, first) = start;
        let offset = first + u64::from(slot) * 8;
        let sides = self.sides.get(&Origin { section, offset })?;
        match (sides.taken, sides.next) {
            (true, false) => Some(Taken::Target),
            (false, true) => Some(Taken::Next),
            _ => None,
        }
    }
}
