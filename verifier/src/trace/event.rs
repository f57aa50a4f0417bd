//! What one instruction of one path changed.

use crate::state::Register;

/// No event.
pub(crate) const NO_EVENT: u32 = u32::MAX;

/// A place that holds a register's value, in the frame with this number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    Register(u8, u8),
    /// A slot of the stack, counted from the top.
    Slot(u8, u8),
}

impl Place {
    pub fn frame(self) -> u8 {
        match self {
            Place::Register(frame, _) | Place::Slot(frame, _) => frame,
        }
    }
}

/// A value that changed.
#[derive(Clone, Debug)]
pub(crate) struct ValueChange {
    pub place: Place,
    pub before: Register,
    pub after: Register,
    /// Whether the instruction writes the place; otherwise more became known of what it holds.
    pub written: bool,
}

/// Something that was taken and must be given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    Reference(u32),
    Lock,
    Rcu,
    Preempt,
}

/// Where control went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// On to the next instruction.
    On,
    /// A conditional jump, taken or not.
    Branch { to: u32, taken: bool },
    /// Into a function of the program.
    Enter,
    /// Back from one.
    Leave,
}

/// What one instruction of one path changed.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// The event before it on the same path.
    pub parent: u32,
    pub insn: u32,
    /// The frame before the instruction.
    pub frame: u8,
    pub way: Way,
    pub changes: Vec<ValueChange>,
    /// The stack slot that it loaded a spilled register from.
    pub filled_from: Option<Place>,
    pub taken: Vec<Held>,
    pub given_back: Vec<Held>,
}
