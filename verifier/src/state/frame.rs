//! A function's frame.

use super::register::{Kind, Register};
use super::slot_set::SlotSet;
use super::stack::Slot;

/// Numbers that a callback may return.
pub type ReturnRange = (i64, i64);

/// A function's frame.
#[derive(Clone, Debug)]
pub struct Frame {
    /// `r0` to `r10`.
    pub registers: [Register; 11],
    /// The stack, slot 0 at the highest address.
    pub stack: Vec<Slot>,
    /// Slots that something after this state reads.
    pub read: SlotSet,
    /// Slots that were wholly written since the state before.
    pub written: SlotSet,
    /// The instruction that called; `None` for an entry.
    pub call_site: Option<usize>,
    /// Which function.
    pub subprogram: usize,
    /// Set in a callback: what it may return.
    pub callback: Option<ReturnRange>,
    /// Whether it runs later, by itself.
    pub asynchronous: bool,
    /// How many functions that run later led here.
    pub async_entries: u32,
    /// Calls of the callback made so far by the call that is being walked.
    pub callback_depth: u32,
    /// Whether the state before this one has the same frame.
    pub in_parent: bool,
}

impl Frame {
    /// A new frame with this number.
    #[must_use]
    pub fn new(number: usize, subprogram: usize, call_site: Option<usize>) -> Frame {
        let mut registers = [Register::UNSET; 11];
        registers[10] = Register::pointer(Kind::Stack(number as u8));
        Frame {
            registers,
            stack: Vec::new(),
            read: SlotSet::default(),
            written: SlotSet::default(),
            call_site,
            subprogram,
            callback: None,
            asynchronous: false,
            async_entries: 0,
            callback_depth: 0,
            in_parent: false,
        }
    }

    /// Makes the stack at least `bytes` deep.
    pub fn grow(&mut self, bytes: usize) {
        let slots = bytes.div_ceil(super::SLOT_BYTES);
        if slots > self.stack.len() {
            self.stack.resize(slots, Slot::default());
        }
    }
}
