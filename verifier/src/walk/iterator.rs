//! Iterators over numbers, on the stack.
//!
//! `bpf_iter_num_next` is walked like the head of a loop: on one path the iterator is drained and the
//! result is null, on the other there is a number. Numbers that changed since an earlier round and
//! that no check depends on are forgotten, so that rounds become alike.

use super::stack::place;
use super::{Flow, Walker};
use crate::forget;
use crate::program::Meaning;
use crate::state::{Byte, Kind, Register, SLOT_BYTES, Slot};
use crate::stop::{Check, gap, refuse_register};
use crate::verdict::Rule;

const NEXT: &str = "bpf_iter_num_next";
const MAX_STACK: i64 = 512;

impl Walker<'_> {
    /// Whether a slot takes the next number of an iterator.
    pub(super) fn takes_next(&self, slot: usize) -> bool {
        matches!(&self.program.ops[slot].meaning, Meaning::Kfunc(name) if name == NEXT)
    }

    /// Frame and slot of the iterator that `r1` points to.
    fn iterator_place(&self) -> Check<(usize, usize)> {
        self.check_readable(bpf::insn::Reg(1))?;
        let pointer = self.reg(1);
        let Kind::Stack(frame) = pointer.kind else {
            return refuse_register(
                Rule::ArgumentType,
                1,
                "arg#0 expected pointer to an iterator on stack",
            );
        };
        let Some(moved) = pointer.value.as_const() else {
            return refuse_register(
                Rule::VariableOffset,
                1,
                "iter has to be at a constant offset",
            );
        };
        let offset = i64::from(pointer.offset) + moved.cast_signed();
        if offset % SLOT_BYTES as i64 != 0 || !(-MAX_STACK..0).contains(&offset) {
            return refuse_register(
                Rule::ArgumentValue,
                1,
                format!("cannot pass in iter at an offset={offset}"),
            );
        }
        Ok((usize::from(frame), place(offset).0))
    }

    fn iterator(&self, (frame, index): (usize, usize)) -> Option<&Slot> {
        let slot = self.state.frames.get(frame)?.stack.get(index)?;
        slot.is_iterator().then_some(slot)
    }

    fn initialised(&self) -> Check<(usize, usize)> {
        let place = self.iterator_place()?;
        if self.iterator(place).is_none() {
            return refuse_register(
                Rule::ArgumentValue,
                1,
                "expected an initialized iter_num as arg #0",
            );
        }
        Ok(place)
    }

    /// Whether the iterator that `r1` points to may have numbers left.
    pub(super) fn iterator_goes_on(&self) -> bool {
        self.iterator_place().is_ok_and(|place| {
            self.iterator(place).is_some_and(|slot| {
                matches!(slot.spilled.kind, Kind::Iterator { drained: false, .. })
            })
        })
    }

    pub(super) fn new_iterator(&mut self) -> Check<Flow> {
        let (frame, index) = self.iterator_place()?;
        let access = super::memory::Access {
            base: 1,
            offset: self.reg(1).offset,
            size: SLOT_BYTES as u32,
            operation: super::memory::Operation::Store(super::memory::Stored::Unknown),
            aligned: true,
        };
        let pointer = *self.reg(1);
        self.check_stack_bounds(&pointer, frame, &access, "write to")?;
        if self.iterator((frame, index)).is_some() {
            return refuse_register(
                Rule::ArgumentValue,
                1,
                "expected uninitialized iter_num as arg #0",
            );
        }
        self.check_number(2)?;
        self.check_number(3)?;
        let id = self.new_id();
        self.hold(id)?;
        let of_frame = &mut self.state.frames[frame];
        of_frame.written.insert(index);
        let slot = &mut of_frame.stack[index];
        slot.bytes = [Byte::Iterator; SLOT_BYTES];
        slot.spilled = Register {
            reference: id,
            ..Register::pointer(Kind::Iterator {
                drained: false,
                depth: 0,
            })
        };
        self.set_number_result();
        Ok(Flow::Next)
    }

    pub(super) fn next_of_iterator(&mut self) -> Check<Flow> {
        let (frame, index) = self.initialised()?;
        self.mark_slot_read(frame, index);
        let iterator = self.state.frames[frame].stack[index].spilled;
        let kind = iterator.kind;
        self.clear_caller_saved();
        if let Kind::Iterator {
            drained: false,
            depth,
        } = kind
        {
            let earlier = self.earlier_at(self.insn, self.state.depth.saturating_sub(1));
            let id = self.new_id();
            let next = self.insn + 1;
            self.push_branch(next)?;
            let Some(mut pending) = self.pending.pop() else {
                return gap("no path to go on with");
            };
            let slot = &mut pending.state.frames[frame].stack[index];
            slot.spilled.kind = Kind::Iterator {
                drained: false,
                depth: depth + 1,
            };
            if let Some(old) = earlier.and_then(|id| self.kept[id].as_ref()) {
                forget::widen(old, &mut pending.state, self.last_id);
            }
            pending.state.frame_mut().registers[0] = Register {
                id,
                reference: iterator.reference,
                ..Register::pointer(Kind::Memory {
                    size: 4,
                    nullable: false,
                    read_only: true,
                    ringbuf: false,
                })
            };
            self.pending.push(pending);
            self.state.frames[frame].stack[index].spilled.kind = Kind::Iterator {
                drained: true,
                depth,
            };
        }
        self.set(0, Register::constant(0));
        Ok(Flow::Next)
    }

    pub(super) fn destroy_iterator(&mut self) -> Check<Flow> {
        let (frame, index) = self.initialised()?;
        self.mark_slot_read(frame, index);
        let of_frame = &mut self.state.frames[frame];
        of_frame.written.insert(index);
        let slot = &mut of_frame.stack[index];
        let id = slot.spilled.reference;
        slot.spilled = Register::UNSET;
        slot.bytes = [Byte::Invalid; SLOT_BYTES];
        // Pointers to its numbers end with it.
        self.release_reference(id);
        self.clear_caller_saved();
        Ok(Flow::Next)
    }
}
