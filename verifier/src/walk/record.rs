//! The walk's side of recording: when events are written, and what led to where the walk is.

use super::Walker;
use crate::state::Kind;
use crate::stop::Stop;
use crate::trace::{Before, Recorder, slice};
use crate::verdict::{Rule, Step};

/// What is recorded.
pub(super) struct Recording {
    recorder: Recorder,
    /// The state before the present instruction.
    before: Option<Before>,
}

impl Walker<'_> {
    /// Records from now on.
    pub(crate) fn record(&mut self) {
        self.recording = Some(Box::new(Recording {
            recorder: Recorder::new(),
            before: None,
        }));
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
