//! The way to the present state: which instructions control came from, and what precision must
//! know of them.

use smallvec::SmallVec;

use super::Walker;

/// A register or stack slot whose number is tied to others at a branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Linked {
    pub frame: u8,
    /// Register or slot number.
    pub index: u8,
    pub is_register: bool,
}

/// At most this many are tied; further ones are cut loose.
pub(super) const MAX_LINKED: usize = 6;

/// An instruction on the way, where that is more than coming from the one before.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub insn: u32,
    pub previous: u32,
    /// The stack slot (frame, number) that it spilled to or filled from.
    pub stack: Option<(u8, u8)>,
    /// Whether an operand of a comparison is a stack pointer.
    pub source_is_stack: bool,
    pub destination_is_stack: bool,
    pub linked: SmallVec<[Linked; MAX_LINKED]>,
}

impl Walker<'_> {
    /// The history's entry for the present instruction.
    pub(super) fn entry(&mut self) -> Option<&mut Entry> {
        if !self.entry_open {
            self.history.truncate(self.state.history.1);
            self.history.push(Entry {
                insn: self.insn as u32,
                previous: self.previous_of_entry(),
                stack: None,
                source_is_stack: false,
                destination_is_stack: false,
                linked: SmallVec::new(),
            });
            self.state.history.1 = self.history.len();
            self.entry_open = true;
        }
        self.history.last_mut()
    }

    /// Control came from here; while the instruction is walked, `previous` already names it.
    fn previous_of_entry(&self) -> u32 {
        self.state.last_insn
    }

    /// Writes down that control came here.
    pub(super) fn note_place(&mut self) {
        self.entry();
    }

    /// Writes down that the instruction spilled to or filled from a stack slot.
    pub(super) fn note_stack(&mut self, frame: usize, slot: usize) {
        if let Some(entry) = self.entry() {
            entry.stack = Some((frame as u8, slot as u8));
        }
        self.record_slot(frame, slot);
    }
}
