//! The causal path: of all that happened on the way, what the registers in question depend on.
//!
//! Backward from the newest event. A place is wanted until the instruction that wrote it is met;
//! then what that instruction read is wanted instead, if the value came from there. What became
//! known of a wanted place without a write is kept too, and so is a conditional jump on one. Of
//! other jumps the newest few are kept, since they say which way led here.

use std::collections::{BTreeMap, BTreeSet};

use bpf::insn::{AluOp, Insn, Operand, Reg};

use super::event::{Event, Held, Place, ValueChange, Way};
use super::recorder::Recorder;
use crate::program::Program;
use crate::state::Kind;
use crate::verdict::{Change, Step, StepKind};

/// Steps of a path that are told.
const MAX_STEPS: usize = 24;
/// Jumps among them that say only which way was taken.
const MAX_WAYS: usize = 6;
/// Times that one instruction is told of: a loop's last rounds say enough.
const MAX_ROUNDS: u32 = 2;
/// Events looked at.
const MAX_EVENTS: usize = 1 << 20;

/// What led to a state: oldest first. `wanted` are registers of the frame with this number.
pub(crate) fn slice(
    recorder: &Recorder,
    program: &Program,
    newest: u32,
    frame: u8,
    wanted: impl IntoIterator<Item = u8>,
) -> Vec<Step> {
    let mut slicer = Slicer {
        program,
        wanted: wanted
            .into_iter()
            .map(|register| Place::Register(frame, register))
            .collect(),
        steps: Vec::new(),
        ways: 0,
        tested: Vec::new(),
        rounds: BTreeMap::new(),
    };
    let mut at = newest;
    for _ in 0..MAX_EVENTS {
        let Some(event) = recorder.event(at) else {
            break;
        };
        if slicer.steps.len() >= MAX_STEPS {
            break;
        }
        slicer.meet(event);
        at = event.parent;
    }
    slicer.steps.reverse();
    slicer.steps
}

struct Slicer<'p> {
    program: &'p Program,
    wanted: BTreeSet<Place>,
    steps: Vec<Step>,
    ways: usize,
    /// What the jumps among the steps tested that were not about a wanted place.
    tested: Vec<Tested>,
    rounds: BTreeMap<usize, u32>,
}

/// A value that a jump tested, as it is followed backward.
struct Tested {
    /// The jump's step.
    step: usize,
    /// The place that was tested.
    place: Place,
    /// Where what it was made from lies.
    made_from: BTreeSet<Place>,
}

impl Slicer<'_> {
    fn meet(&mut self, event: &Event) {
        let slot = event.insn as usize;
        let Some(insn) = self.program.insn(slot) else {
            return;
        };
        let on_wanted = insn
            .reads()
            .iter()
            .any(|register| self.wants(event, register));
        let mut changes = Vec::new();
        let mut sources = BTreeSet::new();
        for change in &event.changes {
            if !self.wanted.contains(&change.place) {
                continue;
            }
            changes.push(self.told(&insn, change));
            if change.written {
                self.wanted.remove(&change.place);
                sources.extend(sources_of(&insn, event, change));
            }
        }
        self.wanted.extend(sources);
        self.follow_tested(&insn, event);
        let told = self.rounds.entry(slot).or_default();
        let again = *told >= MAX_ROUNDS;
        if !changes.is_empty() || event.way != Way::On {
            *told += 1;
        }
        if again && matches!(event.way, Way::On | Way::Branch { .. }) {
            return;
        }
        let mut push = |kind, changes| {
            self.steps.push(Step {
                insn: slot,
                kind,
                changes,
            });
        };
        for held in event.given_back.iter().chain(&event.taken) {
            let taken = event.taken.contains(held);
            push(
                StepKind::Held {
                    what: name_of(*held),
                    taken,
                },
                Vec::new(),
            );
        }
        match event.way {
            Way::On if changes.is_empty() => {}
            Way::On => push(StepKind::Update, changes),
            Way::Branch { to, taken } => {
                let about = on_wanted || !changes.is_empty();
                if !about {
                    if self.ways >= MAX_WAYS {
                        return;
                    }
                    self.ways += 1;
                }
                let kind = StepKind::Branch {
                    to: to as usize,
                    taken,
                    about,
                    relative: None,
                };
                push(kind, changes);
                if !about {
                    self.note_tested(&insn, event);
                }
            }
            Way::Enter => {
                push(StepKind::Call, Vec::new());
                self.tested.clear();
                self.leave_callee(event.frame);
            }
            Way::Leave => {
                if self.wanted.remove(&Place::Register(event.frame - 1, 0)) {
                    self.wanted.insert(Place::Register(event.frame, 0));
                }
                push(StepKind::Return, Vec::new());
                self.tested.clear();
            }
        }
    }

    fn note_tested(&mut self, insn: &Insn, event: &Event) {
        let step = self.steps.len() - 1;
        self.tested.extend(insn.reads().iter().map(|register| {
            let place = Place::Register(event.frame, register.0);
            Tested {
                step,
                place,
                made_from: BTreeSet::from([place]),
            }
        }));
    }

    /// Goes back by one event with what was tested, up to where it meets what is wanted.
    fn follow_tested(&mut self, insn: &Insn, event: &Event) {
        let computes = !matches!(insn, Insn::Load { .. } | Insn::LoadAcquire { .. })
            || event.filled_from.is_some();
        for tested in &mut self.tested {
            for change in event.changes.iter().filter(|change| change.written) {
                if tested.made_from.remove(&change.place) && computes {
                    tested.made_from.extend(sources_of(insn, event, change));
                }
            }
        }
        let (wanted, steps) = (&self.wanted, &mut self.steps);
        self.tested.retain(|tested| {
            if tested.made_from.is_disjoint(wanted) {
                return !tested.made_from.is_empty();
            }
            if let Some(step) = steps.get_mut(tested.step)
                && let StepKind::Branch {
                    about, relative, ..
                } = &mut step.kind
            {
                *about = true;
                *relative = Some(name_of_place(tested.place));
            }
            false
        });
    }

    fn wants(&self, event: &Event, register: Reg) -> bool {
        self.wanted
            .contains(&Place::Register(event.frame, register.0))
    }

    /// What is wanted of a callee's arguments is wanted of its caller, whose frame this is.
    fn leave_callee(&mut self, caller: u8) {
        let callee: Vec<Place> = self.wanted.iter().copied().collect();
        for place in callee {
            if place.frame() <= caller {
                continue;
            }
            self.wanted.remove(&place);
            if let Place::Register(_, register @ 1..=5) = place {
                self.wanted.insert(Place::Register(caller, register));
            }
        }
    }

    fn told(&self, insn: &Insn, change: &ValueChange) -> Change {
        let anew = match change.place {
            Place::Register(_, register) => !insn.reads().contains(Reg(register)),
            Place::Slot(..) => true,
        };
        Change {
            place: name_of_place(change.place),
            written: change.written,
            // A load through the register that it writes reads an address, not the value.
            anew: change.written && (anew || matches!(insn, Insn::Load { .. })),
            before: change.before.describe(self.program),
            after: change.after.describe(self.program),
        }
    }
}

fn name_of_place(place: Place) -> String {
    match place {
        Place::Register(_, register) => format!("r{register}"),
        Place::Slot(_, slot) => format!("fp-{}", (u32::from(slot) + 1) * 8),
    }
}

fn name_of(held: Held) -> String {
    match held {
        Held::Reference(id) => format!("reference {id}"),
        Held::Lock => "lock".to_owned(),
        Held::Rcu => "RCU read section".to_owned(),
        Held::Preempt => "section without preemption".to_owned(),
    }
}

/// The places that a written value was made from.
fn sources_of(insn: &Insn, event: &Event, change: &ValueChange) -> Vec<Place> {
    let register = |register: Reg| Place::Register(event.frame, register.0);
    match insn {
        Insn::Alu {
            op: AluOp::Mov,
            src: Operand::Reg(src),
            ..
        } => vec![register(*src)],
        Insn::Alu { .. } | Insn::Neg { .. } | Insn::Endian { .. } | Insn::Movsx { .. } => {
            insn.reads().iter().map(register).collect()
        }
        Insn::Store {
            src: Operand::Reg(src),
            ..
        } => vec![register(*src)],
        Insn::StoreRelease { src, .. } => vec![register(*src)],
        Insn::Load { base, .. } | Insn::LoadAcquire { base, .. } => match event.filled_from {
            Some(place) => vec![place],
            // What is loaded from the context is a pointer by itself; a number could be anything.
            None if change.after.kind == Kind::Scalar => Vec::new(),
            None => vec![register(*base)],
        },
        _ => Vec::new(),
    }
}
