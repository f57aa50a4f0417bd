//! Local memory: where an operand's address is known, whether it is ready and the program's.
//!
//! Words of the stack are followed, since return addresses lie there. A store whose place on the
//! stack is not known changes what is known of every word, except return addresses of calls under
//! way: that it stays within a program's own data depends on values, as does whether an offset meets
//! clear bits there. Such instructions are counted ([`super::Report::unproved`]).

use super::state::Index;
use super::step::Step;
use super::value::{Base, Value};
use super::violation::{Rule, Use};
use crate::isa::LmemAccess;

/// Words of the packet vector.
const VECTOR: u32 = 8;

/// A word of local memory.
#[derive(Clone, Copy, Debug)]
enum Place {
    Stack(usize),
    Vector(u32),
    Metadata,
    /// Somewhere on the stack, or anywhere.
    Unknown,
    /// Not the program's; already reported.
    Outside,
}

impl Step<'_> {
    pub(super) fn local_read(&mut self, index: u8, access: LmemAccess) -> Value {
        let value = self.local_peek(index, access);
        self.local_move(index, access);
        value
    }

    /// Reads without moving the index.
    pub(super) fn local_peek(&mut self, index: u8, access: LmemAccess) -> Value {
        match self.place(index, access) {
            Place::Stack(word) => self.stack_word(word),
            Place::Metadata => {
                self.broken(Rule::LocalMemory(0));
                Value::ANY
            }
            Place::Vector(_) | Place::Unknown | Place::Outside => Value::ANY,
        }
    }

    pub(super) fn local_write(&mut self, index: u8, access: LmemAccess, value: Value) {
        match self.place(index, access) {
            Place::Stack(word) => {
                if let Some(place) = self.state.stack.get_mut(word) {
                    *place = value;
                }
            }
            Place::Vector(word) => {
                if !self.rules.vector_written.contains(&word) {
                    self.broken(Rule::VectorWord(word));
                }
                // What the firmware reads there afterwards.
                self.used(value, u32::MAX, Use::Index(index));
            }
            Place::Metadata => self.broken(Rule::LocalMemory(0)),
            Place::Unknown => self.store_somewhere(value),
            Place::Outside => {}
        }
        self.local_move(index, access);
    }

    fn stack_word(&self, word: usize) -> Value {
        let found = self.state.stack.get(word).copied();
        found.unwrap_or(Value::ANY)
    }

    fn store_somewhere(&mut self, value: Value) {
        for word in &mut self.state.stack {
            let code = |address| self.code.0 <= address && address < self.code.1;
            if !word.exact().is_some_and(code) {
                *word = word.forgotten();
            }
            *word = word.spoiled(value.undefined);
        }
    }

    /// A new value of an index register.
    pub(super) fn set_index(&mut self, index: usize, value: Value) {
        // The write itself is counted too.
        let wait = self.rules.timing.lm_index.saturating_add(1);
        // The lowest two bits do not exist.
        let undefined = value.undefined & !3;
        let value = if undefined == value.undefined {
            value
        } else {
            Value::UNDEFINED
        };
        if let Some(place) = self.state.indices.get_mut(index) {
            *place = Index { value, wait };
        }
    }

    fn local_move(&mut self, index: u8, access: LmemAccess) {
        let place = &mut self.state.indices[usize::from(index & 3)];
        match access {
            LmemAccess::Offset(_) => {}
            LmemAccess::PostIncrement => place.value = place.value.plus(Value::number(4)),
            LmemAccess::PostDecrement => place.value = place.value.minus(Value::number(4)),
        }
    }

    fn place(&mut self, index: u8, access: LmemAccess) -> Place {
        let register = self.state.indices[usize::from(index & 3)];
        if register.wait > 0 {
            self.broken(Rule::IndexNotReady(index));
        }
        self.used(register.value, u32::MAX, Use::Index(index));
        let offset = match access {
            LmemAccess::Offset(words) => words,
            LmemAccess::PostIncrement | LmemAccess::PostDecrement => 0,
        };
        let address = register.value;
        if !self.aligned(index, address, offset) {
            return Place::Outside;
        }
        let distance = address
            .distance()
            .map(|low| low & !3 | (u32::from(offset) << 2));
        let Some(distance) = distance else {
            self.found.unproved.insert(self.at);
            return Place::Unknown;
        };
        let within = match address.base() {
            Base::Stack if distance < self.rules.stack_size => {
                return Place::Stack(distance as usize / 4);
            }
            Base::Vector if distance < 4 * VECTOR => return Place::Vector(distance / 4),
            Base::Metadata => return Place::Metadata,
            Base::Stack | Base::Vector | Base::None => distance,
        };
        if address.is_defined() {
            self.broken(Rule::LocalMemory(within));
        }
        Place::Outside
    }

    /// Whether an offset, which is *or*ed, meets clear bits.
    fn aligned(&mut self, index: u8, address: Value, offset: u8) -> bool {
        let needed = (u8::BITS - offset.leading_zeros()) as u8;
        if offset == 0 {
            return true;
        }
        match address.low_bits(needed + 2) {
            Some(low) if low >> 2 & u32::from(offset) != 0 => {
                self.broken(Rule::IndexAlignment { index, offset });
                false
            }
            Some(_) => true,
            None => {
                self.found.unproved.insert(self.at);
                true
            }
        }
    }
}
