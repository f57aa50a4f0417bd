//! Stack that helpers read and write.

use super::Walker;
use super::memory::{Access, Operation};
use super::stack::place;
use crate::state::{Byte, Register};
use crate::stop::{Check, refuse, refuse_register};
use crate::verdict::Rule;

impl Walker<'_> {
    /// A helper accesses `size` bytes of stack. With `raw` it only writes them; then the place is
    /// remembered, to be written when the call is done.
    pub(super) fn check_helper_stack(
        &mut self,
        register: u8,
        frame: usize,
        size: i64,
        (write, zero_ok): (bool, bool),
        raw: Option<&mut Option<(u8, i64)>>,
    ) -> Check {
        if size == 0 && !zero_ok {
            return refuse(Rule::ArgumentSize, "invalid zero-sized read");
        }
        let pointer = *self.reg(register);
        let access = Access {
            base: register,
            offset: pointer.offset,
            size: size as u32,
            operation: Operation::Load {
                dst: None,
                signed: false,
            },
            aligned: false,
        };
        let what = match write {
            _ if self.options.kernel.tells_indirect_accesses() => "indirect access to",
            true => "write to",
            false => "read from",
        };
        self.check_stack_bounds(&pointer, frame, &access, what)?;
        let fixed = pointer.value.as_const();
        let offset = i64::from(pointer.offset);
        let (least, most) = match fixed {
            Some(number) => {
                let at = number.cast_signed() + offset;
                (at, at)
            }
            None => (pointer.value.smin + offset, pointer.value.smax + offset),
        };
        if let (Some(raw), Some(_)) = (raw, fixed) {
            for offset in least..most + size {
                let (index, byte) = place(offset);
                let slot = self.state.frames[frame].stack.get(index);
                if slot.is_some_and(|slot| slot.bytes[byte] == Byte::Dynptr) {
                    return refuse_register(
                        Rule::StackBounds,
                        register,
                        format!("potential write to dynptr at off={offset} disallowed"),
                    );
                }
            }
            *raw = Some((register, size));
            return Ok(());
        }
        let changes = write || !self.options.kernel.keeps_stack_that_helpers_read();
        for offset in least..most + size {
            let (index, byte) = place(offset);
            let Some(slot) = self.state.frames[frame].stack.get_mut(index) else {
                return refuse_register(
                    Rule::StackUninitialised,
                    register,
                    format!(
                        "invalid indirect read from stack R{register} off {least}+0 size {size}"
                    ),
                );
            };
            let held = slot.bytes[byte];
            let unwritten = held == Byte::Invalid && !self.options.reads_unwritten_stack();
            if unwritten || matches!(held, Byte::Iterator | Byte::Dynptr) {
                return refuse_register(
                    Rule::StackUninitialised,
                    register,
                    format!(
                        "invalid indirect read from stack R{register} off {least}+{} size {size}",
                        offset - least
                    ),
                );
            }
            match held {
                Byte::Misc | Byte::Iterator | Byte::Dynptr => {}
                Byte::Zero | Byte::Invalid | Byte::Spill if !changes => {}
                Byte::Zero | Byte::Invalid => slot.bytes[byte] = Byte::Misc,
                Byte::Spill => {
                    slot.scrub();
                    slot.spilled = Register::UNSET;
                }
            }
            self.mark_slot_read(frame, index);
        }
        Ok(())
    }
}
