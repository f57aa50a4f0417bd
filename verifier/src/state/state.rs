//! A state, and its place among the states kept.

use bpf::btf::TypeId;

use super::frame::Frame;
use super::register::Register;
use crate::program::MapId;
use crate::trace::NO_EVENT;

/// No instruction.
pub const NO_INSN: u32 = u32::MAX;

/// A reference that must be given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Its identity.
    pub id: u32,
    /// Where it was acquired.
    pub insn: usize,
}

/// What a lock lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockHolder {
    /// A value of a map.
    Map(MapId),
    /// An object of this type.
    Object(TypeId),
}

/// A lock that is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lock {
    /// What it lies in.
    pub holder: LockHolder,
    /// Identity of the value or object.
    pub id: u32,
}

/// What is known at one point of one path.
#[derive(Clone, Debug)]
pub struct State {
    /// Frames, outermost first; never empty.
    pub frames: Vec<Frame>,
    /// References held.
    pub references: Vec<Reference>,
    /// The lock held.
    pub lock: Option<Lock>,
    /// Depth of RCU read sections.
    pub rcu: u32,
    /// Depth of sections that must not be preempted.
    pub preempt: u32,
    /// Whether it may sleep.
    pub sleepable: bool,
    /// The newest event of its path, where events are recorded.
    pub trace: u32,
    /// The kept state that this one continues.
    pub parent: Option<usize>,
    /// Where a kept state was taken.
    pub insn: u32,
    /// First instruction since the kept state.
    pub first_insn: u32,
    /// Last instruction before this state.
    pub last_insn: u32,
    /// The part of the history that leads from the kept state to here.
    pub history: (usize, usize),
    /// Paths that continue this state and are not finished.
    pub branches: u32,
    /// Rounds of `may_goto`.
    pub may_goto_depth: u32,
    /// Calls of callbacks.
    pub callback_depth: u32,
    /// Kept states before this one.
    pub depth: u32,
    /// Whether what will not be read was dropped.
    pub cleaned: bool,
}

impl State {
    /// The state at the start of a function.
    #[must_use]
    pub fn entry(frame: Frame, insn: u32, sleepable: bool) -> State {
        State {
            frames: vec![frame],
            references: Vec::new(),
            lock: None,
            rcu: 0,
            preempt: 0,
            sleepable,
            trace: NO_EVENT,
            parent: None,
            insn: NO_INSN,
            first_insn: insn,
            last_insn: NO_INSN,
            history: (0, 0),
            branches: 1,
            may_goto_depth: 0,
            callback_depth: 0,
            depth: 0,
            cleaned: false,
        }
    }

    /// The innermost frame's number.
    #[must_use]
    pub fn current(&self) -> usize {
        self.frames.len() - 1
    }

    /// The innermost frame.
    #[must_use]
    pub fn frame(&self) -> &Frame {
        &self.frames[self.frames.len() - 1]
    }

    /// The innermost frame, to be changed.
    pub fn frame_mut(&mut self) -> &mut Frame {
        let last = self.frames.len() - 1;
        &mut self.frames[last]
    }

    /// Calls `visit` with every register and every spilled one.
    pub fn for_each_register(&mut self, mut visit: impl FnMut(&mut Register)) {
        for frame in &mut self.frames {
            frame.registers.iter_mut().for_each(&mut visit);
            let spilled = frame.stack.iter_mut().filter(|slot| slot.is_spilled());
            spilled.for_each(|slot| visit(&mut slot.spilled));
        }
    }

    /// Whether two states are in the same functions called from the same places.
    #[must_use]
    pub fn same_call_sites(&self, other: &State) -> bool {
        self.frames.len() == other.frames.len()
            && self
                .frames
                .iter()
                .zip(&other.frames)
                .all(|(a, b)| a.call_site == b.call_site)
    }
}
