//! The walk's side of recording: when events are written, and what led to where the walk is.

use super::Walker;
use crate::check::Ask;
use crate::facts::{Explanation, Facts, MAX_WAYS, StackAccess};
use crate::state::{Kind, Register};
use crate::stop::Stop;
use crate::trace::{Before, Recorder, slice};
use crate::verdict::{Category, Rule, Step, StepKind};

/// What is recorded.
pub(super) struct Recording {
    recorder: Recorder,
    /// The state before the present instruction.
    before: Option<Before>,
    facts: Option<Facts>,
    /// The instruction to explain.
    at: Option<usize>,
}

impl Walker<'_> {
    /// Records from now on.
    pub(crate) fn record(&mut self, ask: Option<Ask>) {
        self.recording = Some(Box::new(Recording {
            recorder: Recorder::new(),
            before: None,
            facts: ask.map(|_| Facts::new(self.program.ops.len(), self.live.clone())),
            at: match ask {
                Some(Ask::At(insn)) => Some(insn),
                Some(Ask::Everything) | None => None,
            },
        }));
    }

    /// The walk came to an instruction.
    pub(super) fn record_arrival(&mut self) {
        let explained = self.explanation();
        if let Some(recording) = &mut self.recording
            && let Some(facts) = &mut recording.facts
        {
            facts.meet(self.insn, &self.state);
            facts.explanations.extend(explained);
        }
    }

    /// Why registers hold what they hold, if this is the instruction that was asked for and this
    /// way to it differs from those before.
    fn explanation(&self) -> Option<Explanation> {
        let recording = self.recording.as_ref()?;
        let facts = recording.facts.as_ref()?;
        if recording.at != Some(self.insn) || facts.explanations.len() >= MAX_WAYS {
            return None;
        }
        let frame = self.state.current() as u8;
        let holds = |(number, register): (u8, &Register)| {
            if register.kind == Kind::Unset {
                return None;
            }
            let path = slice(
                &recording.recorder,
                self.program,
                self.state.trace,
                frame,
                [number],
            );
            let about = path.into_iter().filter(is_about);
            Some((
                number,
                register.describe(self.program),
                about.collect::<Vec<_>>(),
            ))
        };
        let state = &self.state;
        let mut held: Vec<String> = state
            .references
            .iter()
            .map(|one| format!("reference {} taken at {}", one.id, one.insn))
            .collect();
        held.extend(state.lock.map(|_| "a lock".to_owned()));
        held.extend((state.rcu > 0).then(|| "an RCU read section".to_owned()));
        held.extend((state.preempt > 0).then(|| "a section without preemption".to_owned()));
        let explanation = Explanation {
            registers: (0..)
                .zip(&state.frame().registers[..10])
                .filter_map(holds)
                .collect(),
            held,
        };
        (!facts.explanations.contains(&explanation)).then_some(explanation)
    }

    /// The present instruction may access this part of a function's stack.
    pub(super) fn record_stack(&mut self, function: usize, least: i64, most: i64) {
        let insn = self.insn as u32;
        if let Some(recording) = &mut self.recording
            && let Some(facts) = &mut recording.facts
            && let (Ok(offset), Ok(size)) = (i16::try_from(least), u16::try_from(most - least))
        {
            facts.stack.insert(StackAccess {
                function,
                offset,
                size,
                insn,
            });
        }
    }

    pub(crate) fn take_facts(&mut self) -> Facts {
        let facts = self
            .recording
            .as_mut()
            .and_then(|recording| recording.facts.take());
        facts.unwrap_or_default()
    }

    pub(super) fn record_before(&mut self) {
        let Some(recording) = &mut self.recording else {
            return;
        };
        if recording.recorder.is_full() {
            let waiting = self.pending.iter_mut().map(|pending| &mut pending.state);
            recording.recorder.shrink(waiting.chain([&mut self.state]));
        }
        recording.before = Some(Before::of(self.insn, &self.state));
    }

    pub(super) fn record_after(&mut self, next: usize) {
        if let Some(recording) = &mut self.recording
            && let Some(before) = recording.before.take()
        {
            recording
                .recorder
                .after(self.program, &before, &mut self.state, next);
        }
    }

    pub(super) fn record_resumed(&mut self, before: Option<&Before>, next: usize) {
        if let Some(recording) = &mut self.recording
            && let Some(before) = before
        {
            recording
                .recorder
                .after(self.program, before, &mut self.state, next);
        }
    }

    /// For a path that will wait.
    pub(super) fn recorded_before(&self) -> Option<Box<Before>> {
        let before = self.recording.as_ref()?.before.as_ref()?;
        Some(Box::new(before.clone()))
    }

    pub(super) fn record_slot(&mut self, frame: usize, slot: usize) {
        if let Some(recording) = &mut self.recording
            && let Some(holder) = self.state.frames.get(frame)
            && let Some(holds) = holder.stack.get(slot)
        {
            recording.recorder.note_slot(frame, slot, holds.spilled);
        }
    }

    /// What the registers of a refusal hold, and what led to it.
    pub(crate) fn causes(&self, stop: &Stop) -> (Vec<String>, Vec<Step>) {
        let Stop::Refused {
            registers, rule, ..
        } = stop
        else {
            return (Vec::new(), Vec::new());
        };
        let Some(recording) = &self.recording else {
            return (Vec::new(), Vec::new());
        };
        // The instruction may have changed what it refuses.
        let held = recording.before.as_ref().map(Before::registers);
        let present = &self.state.frame().registers;
        let held = held.unwrap_or(present);
        let values = registers
            .iter()
            .map(|number| match held.get(usize::from(*number)) {
                Some(register) => register.describe(self.program),
                None => "not a register".to_owned(),
            })
            .collect();
        // What the program's type or licence rules out does not depend on the way.
        if rule.category() == Category::Policy {
            return (values, Vec::new());
        }
        let mut wanted = registers.clone();
        if wanted.is_empty()
            && *rule != Rule::ReferenceLeak
            && let Some(insn) = self.program.insn(self.insn)
        {
            let set = |number: &u8| present[usize::from(*number)].kind != Kind::Unset;
            wanted.extend(insn.reads().iter().map(|register| register.0).filter(set));
        }
        let path = slice(
            &recording.recorder,
            self.program,
            self.state.trace,
            self.state.current() as u8,
            wanted,
        );
        (values, path)
    }
}

/// Whether a step is about the value in question, rather than about the way.
fn is_about(step: &Step) -> bool {
    match step.kind {
        StepKind::Update | StepKind::Call | StepKind::Return => true,
        StepKind::Branch { about, .. } => about,
        StepKind::Held { .. } => false,
    }
}
