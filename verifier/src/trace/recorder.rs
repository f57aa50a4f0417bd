//! Writes events down during a walk.

use bpf::insn::{Insn, Reg};

use super::event::{Event, Held, NO_EVENT, Place, ValueChange, Way};
use crate::program::Program;
use crate::state::{Kind, Reference, Register, State};

/// Events kept before those of no use are dropped.
const ROOM: usize = 1 << 16;
/// Events of one path that are kept then.
const KEPT_OF_A_PATH: usize = 1 << 10;
/// If so many are in use even so, all are dropped.
const TOO_MANY: usize = 1 << 19;

/// A state before an instruction, as far as changes are told from it.
#[derive(Clone, Debug)]
pub(crate) struct Before {
    insn: usize,
    frames: usize,
    registers: [Register; 11],
    references: Vec<Reference>,
    lock: bool,
    rcu: u32,
    preempt: u32,
}

impl Before {
    pub fn of(insn: usize, state: &State) -> Before {
        Before {
            insn,
            frames: state.frames.len(),
            registers: state.frame().registers,
            references: state.references.clone(),
            lock: state.lock.is_some(),
            rcu: state.rcu,
            preempt: state.preempt,
        }
    }

    pub fn registers(&self) -> &[Register; 11] {
        &self.registers
    }
}

/// Writes events down.
#[derive(Debug)]
pub(crate) struct Recorder {
    events: Vec<Event>,
    room: usize,
    /// The slot that the present instruction spilled to or filled from.
    slot: Option<Place>,
    slot_before: Register,
}

impl Recorder {
    pub fn new() -> Recorder {
        Recorder {
            events: Vec::new(),
            room: ROOM,
            slot: None,
            slot_before: Register::UNSET,
        }
    }

    pub fn event(&self, id: u32) -> Option<&Event> {
        self.events.get(usize::try_from(id).ok()?)
    }

    /// The present instruction spills to or fills from a slot that holds this so far.
    pub fn note_slot(&mut self, frame: usize, slot: usize, holds: Register) {
        self.slot = Some(Place::Slot(frame as u8, slot as u8));
        self.slot_before = holds;
    }

    /// The present instruction led on to `next`, in this state.
    pub fn after(&mut self, program: &Program, before: &Before, state: &mut State, next: usize) {
        let Some(insn) = program.insn(before.insn) else {
            return;
        };
        let slot = self.slot.take();
        let frame = (before.frames - 1) as u8;
        let mut changes = Vec::new();
        let way = way_of(&insn, before, state, next, program.ops[before.insn].slots());
        if !matches!(way, Way::Enter | Way::Leave) {
            self.register_changes(&insn, frame, before, state, &mut changes);
        }
        let mut filled_from = None;
        if let Some(Place::Slot(in_frame, index)) = slot {
            let place = Place::Slot(in_frame, index);
            if matches!(insn, Insn::Store { .. } | Insn::StoreRelease { .. }) {
                let frame = state.frames.get(usize::from(in_frame));
                if let Some(slot) = frame.and_then(|frame| frame.stack.get(usize::from(index))) {
                    changes.push(ValueChange {
                        place,
                        before: self.slot_before,
                        after: slot.spilled,
                        written: true,
                    });
                }
            } else {
                filled_from = Some(place);
            }
        }
        let (taken, given_back) = held(before, state);
        if changes.is_empty() && way == Way::On && taken.is_empty() && given_back.is_empty() {
            return;
        }
        let id = self.events.len() as u32;
        self.events.push(Event {
            parent: state.trace,
            insn: before.insn as u32,
            frame,
            way,
            changes,
            filled_from,
            taken,
            given_back,
        });
        state.trace = id;
    }

    fn register_changes(
        &self,
        insn: &Insn,
        frame: u8,
        before: &Before,
        state: &State,
        changes: &mut Vec<ValueChange>,
    ) {
        let writes = insn.writes();
        let registers = &state.frame().registers;
        for (number, (before, after)) in (0..).zip(before.registers.iter().zip(registers)) {
            let written = writes.contains(Reg(number));
            let untouched = before.kind == Kind::Unset && after.kind == Kind::Unset;
            if untouched || !(written || is_different(before, after)) {
                continue;
            }
            changes.push(ValueChange {
                place: Place::Register(frame, number),
                before: *before,
                after: *after,
                written,
            });
        }
    }

    /// Whether events should be dropped.
    pub fn is_full(&self) -> bool {
        self.events.len() > self.room
    }

    /// Drops the events that none of these paths needs.
    pub fn shrink<'s>(&mut self, paths: impl Iterator<Item = &'s mut State>) {
        let paths: Vec<&mut State> = paths.collect();
        let mut needed = vec![false; self.events.len()];
        for path in &paths {
            let mut at = path.trace;
            for _ in 0..KEPT_OF_A_PATH {
                match needed.get_mut(at as usize) {
                    Some(mark) if !*mark => *mark = true,
                    _ => break,
                }
                at = self.events[at as usize].parent;
            }
        }
        let count = needed.iter().filter(|mark| **mark).count();
        if count > TOO_MANY {
            needed.fill(false);
        }
        let mut new_ids = vec![NO_EVENT; needed.len()];
        let kept = needed.iter().enumerate().filter(|(_, mark)| **mark);
        for (new, (old, _)) in (0..).zip(kept) {
            new_ids[old] = new;
        }
        let renamed = |id: u32| new_ids.get(id as usize).copied().unwrap_or(NO_EVENT);
        let mut marks = needed.iter();
        self.events
            .retain(|_| marks.next().copied().unwrap_or(false));
        for event in &mut self.events {
            event.parent = renamed(event.parent);
        }
        for path in paths {
            path.trace = renamed(path.trace);
        }
        self.room = ROOM.max(self.events.len() * 2);
    }
}

/// Whether what is known differs in what people are told.
fn is_different(before: &Register, after: &Register) -> bool {
    before.kind != after.kind
        || before.value != after.value
        || (before.offset != after.offset && before.kind != Kind::Scalar)
}

fn way_of(insn: &Insn, before: &Before, state: &State, next: usize, slots: usize) -> Way {
    if state.frames.len() > before.frames {
        return Way::Enter;
    }
    if state.frames.len() < before.frames {
        return Way::Leave;
    }
    match insn {
        Insn::Branch { .. } | Insn::MayGoto { .. } => Way::Branch {
            to: next as u32,
            taken: next != before.insn + slots,
        },
        _ => Way::On,
    }
}

fn held(before: &Before, state: &State) -> (Vec<Held>, Vec<Held>) {
    let (mut taken, mut given_back) = (Vec::new(), Vec::new());
    let has = |list: &[Reference], id| list.iter().any(|one| one.id == id);
    for reference in &state.references {
        if !has(&before.references, reference.id) {
            taken.push(Held::Reference(reference.id));
        }
    }
    for reference in &before.references {
        if !has(&state.references, reference.id) {
            given_back.push(Held::Reference(reference.id));
        }
    }
    let mut counted = |held, before: u32, after: u32| {
        if after > before {
            taken.push(held);
        } else if after < before {
            given_back.push(held);
        }
    };
    counted(Held::Lock, before.lock.into(), state.lock.is_some().into());
    counted(Held::Rcu, before.rcu, state.rcu);
    counted(Held::Preempt, before.preempt, state.preempt);
    (taken, given_back)
}
