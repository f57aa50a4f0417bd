//! The stack: spills, fills, and bytes of data.

use super::Walker;
use super::memory::{Access, Operation, Stored};
use super::pointer::MAX_OFFSET;
use crate::state::{Byte, Kind, Register, SLOT_BYTES};
use crate::stop::{Check, gap, refuse_register};
use crate::verdict::Rule;

const MAX_STACK: i64 = 512;

/// Slot and byte of a (negative) stack offset.
pub(super) fn place(offset: i64) -> (usize, usize) {
    let from_top = usize::try_from(-offset - 1).unwrap_or(0);
    (from_top / SLOT_BYTES, from_top % SLOT_BYTES)
}

impl Walker<'_> {
    pub(super) fn access_stack(
        &mut self,
        pointer: &Register,
        frame: usize,
        access: Access,
    ) -> Check {
        let what = if access.operation.is_store() {
            "write to"
        } else {
            "read from"
        };
        self.check_stack_bounds(pointer, frame, &access, what)?;
        let fixed = pointer
            .value
            .as_const()
            .map(|number| i64::from(access.offset) + number.cast_signed());
        let range = (
            pointer.value.smin + i64::from(access.offset),
            pointer.value.smax + i64::from(access.offset) + i64::from(access.size),
        );
        match (access.operation, fixed) {
            (Operation::Load { dst, .. }, Some(offset)) => {
                self.read_stack(frame, offset, access.size, dst)?;
            }
            (Operation::Load { dst: Some(dst), .. }, None) => {
                self.read_stack_range(frame, range, dst)?;
            }
            (Operation::Load { dst: None, .. }, None) => {
                return refuse_register(
                    Rule::VariableOffset,
                    access.base,
                    format!(
                        "variable offset stack pointer cannot be passed into helper function; \
                         var_off={} off={} size={}",
                        pointer.value.bits, access.offset, access.size
                    ),
                );
            }
            (Operation::Store(stored), Some(offset)) => {
                self.write_stack(frame, offset, access.size, stored)?;
            }
            (Operation::Store(stored), None) => self.write_stack_range(frame, range, stored)?,
        }
        self.narrow_loaded(access);
        Ok(())
    }

    /// The access must lie in the frame whatever the offset; the frame becomes that deep.
    pub(super) fn check_stack_bounds(
        &mut self,
        pointer: &Register,
        frame: usize,
        access: &Access,
        what: &str,
    ) -> Check {
        let (offset, size) = (
            i64::from(access.offset),
            i64::from(access.size.cast_signed()),
        );
        let value = pointer.value;
        let (least, most) = match value.as_const() {
            Some(number) => {
                let least = number.cast_signed().saturating_add(offset);
                (least, least.saturating_add(size))
            }
            None => {
                if value.smax >= MAX_OFFSET || value.smin <= -MAX_OFFSET {
                    return refuse_register(
                        Rule::UnboundedOffset,
                        access.base,
                        format!(
                            "invalid unbounded variable-offset {what} stack R{}",
                            access.base
                        ),
                    );
                }
                (value.smin + offset, value.smax + offset + size)
            }
        };
        if !(-MAX_STACK..0).contains(&least) || most > 0 || size < 0 {
            let text = if value.as_const().is_some() {
                format!(
                    "invalid {what} stack R{} off={offset} size={size}",
                    access.base
                )
            } else {
                format!(
                    "invalid variable-offset {what} stack R{} var_off={} off={offset} size={size}",
                    access.base, value.bits
                )
            };
            return refuse_register(Rule::StackBounds, access.base, text);
        }
        let depth = least.unsigned_abs() as usize;
        self.state.frames[frame].grow(depth);
        let subprogram = self.state.frames[frame].subprogram;
        self.record_stack(subprogram, least, most);
        if let Some(used) = self.uses.get_mut(subprogram) {
            let bytes = depth.next_multiple_of(SLOT_BYTES) as u32;
            used.depth = used.depth.max(bytes);
        }
        Ok(())
    }

    /// Reads bytes whose place is known.
    fn read_stack(&mut self, frame: usize, offset: i64, size: u32, dst: Option<u8>) -> Check {
        let (index, byte) = place(offset);
        let slot = self.state.frames[frame].stack[index];
        let bytes = (0..size as usize).map(|at| slot.bytes[(byte + SLOT_BYTES - at) % SLOT_BYTES]);
        if slot.is_iterator() || slot.is_dynptr() {
            return refuse_register(
                Rule::StackUninitialised,
                10,
                format!("invalid read from stack off {offset}+0 size {size}"),
            );
        }
        let spill_size = slot.spill_size();
        let fills =
            slot.is_spilled() && size <= spill_size && self.is_low_part(offset, size, spill_size);
        if !fills {
            self.check_written(bytes.clone(), offset, size)?;
        }
        if !slot.is_spilled() {
            self.mark_slot_read(frame, index);
            if let Some(dst) = dst {
                let zero = bytes.clone().all(|byte| byte == Byte::Zero);
                self.set(
                    dst,
                    if zero {
                        Register::constant(0)
                    } else {
                        Register::UNKNOWN
                    },
                );
            }
            return Ok(());
        }
        if size as usize == SLOT_BYTES && spill_size as usize == SLOT_BYTES {
            self.mark_slot_read(frame, index);
            if let Some(dst) = dst {
                self.set(dst, slot.spilled);
            }
            self.note_stack(frame, index);
            return Ok(());
        }
        if !slot.spilled.is_scalar() {
            return refuse_register(Rule::FillSize, 10, "invalid size of register fill");
        }
        self.mark_slot_read(frame, index);
        let Some(dst) = dst else {
            return Ok(());
        };
        if fills {
            let mut register = slot.spilled;
            if register.value.width() > size * 8 {
                register.clear_scalar_id();
            }
            self.set(dst, register);
            self.note_stack(frame, index);
            return Ok(());
        }
        let all_spilled = bytes.clone().all(|byte| byte == Byte::Spill);
        if all_spilled && slot.spilled.value.is_zero() {
            self.set(dst, Register::constant(0));
            self.note_stack(frame, index);
        } else if bytes.clone().all(|byte| byte == Byte::Zero) {
            self.set(dst, Register::constant(0));
        } else {
            self.set(dst, Register::UNKNOWN);
        }
        Ok(())
    }

    /// Before Linux 6.3 each byte that is read must have been written.
    fn check_written(
        &self,
        mut bytes: impl Iterator<Item = Byte>,
        offset: i64,
        size: u32,
    ) -> Check {
        if self.options.reads_unwritten_stack() {
            return Ok(());
        }
        match bytes.position(|byte| byte == Byte::Invalid) {
            Some(at) => refuse_register(
                Rule::StackUninitialised,
                10,
                format!("invalid read from stack off {offset}+{at} size {size}"),
            ),
            None => Ok(()),
        }
    }

    /// Whether the bytes are the low part of what was spilled.
    fn is_low_part(&self, offset: i64, size: u32, spill_size: u32) -> bool {
        let from = offset.rem_euclid(SLOT_BYTES as i64);
        if self.big_endian {
            from + i64::from(size) == i64::from(spill_size)
        } else {
            from == 0
        }
    }

    /// Reads bytes whose place is not known exactly.
    fn read_stack_range(&mut self, frame: usize, (least, most): (i64, i64), dst: u8) -> Check {
        let mut zero = true;
        for offset in least..most {
            let (index, byte) = place(offset);
            self.mark_slot_read(frame, index);
            let Some(slot) = self.state.frames[frame].stack.get_mut(index) else {
                continue;
            };
            zero &= slot.bytes[byte] == Byte::Zero;
            let held = slot.bytes[byte];
            if slot.is_iterator() || slot.is_dynptr() {
                return gap("reading an object of the kernel by a variable offset");
            }
            self.check_written(std::iter::once(held), offset, 1)?;
        }
        self.set(
            dst,
            if zero {
                Register::constant(0)
            } else {
                Register::UNKNOWN
            },
        );
        Ok(())
    }

    /// Writes bytes whose place is known.
    fn write_stack(&mut self, frame: usize, offset: i64, size: u32, stored: Stored) -> Check {
        let (index, byte) = place(offset);
        let current = self.state.current();
        let at_start = offset.rem_euclid(SLOT_BYTES as i64) == 0;
        self.end_dynptr_at(frame, index)?;
        let register = match stored {
            Stored::Register(register) => {
                let value = *self.reg(register);
                if value.is_scalar() && at_start {
                    let fits = value.value.width() <= size * 8;
                    if fits {
                        self.tie(register);
                    }
                    let mut value = *self.reg(register);
                    if !fits {
                        value.id = 0;
                    }
                    Some(value)
                } else if matches!(value.kind, Kind::Scalar | Kind::Unset) {
                    None
                } else {
                    if size as usize != SLOT_BYTES {
                        return refuse_register(
                            Rule::SpillSize,
                            register,
                            "invalid size of register spill",
                        );
                    }
                    if frame != current && matches!(value.kind, Kind::Stack(_)) {
                        return refuse_register(
                            Rule::SpillToCaller,
                            register,
                            "cannot spill pointers to stack into stack frame of the caller",
                        );
                    }
                    Some(value)
                }
            }
            Stored::Constant(imm) if at_start => {
                Some(Register::constant(i64::from(imm).cast_unsigned()))
            }
            _ => None,
        };
        if let Some(register) = register {
            let of_frame = &mut self.state.frames[frame];
            of_frame.stack[index].spill(register, size);
            if size as usize == SLOT_BYTES {
                of_frame.written.insert(index);
            }
            self.note_stack(frame, index);
            return Ok(());
        }
        let zero = match stored {
            Stored::Register(register) => self.reg(register).is_null(),
            Stored::Constant(imm) => imm == 0,
            Stored::Unknown => false,
        };
        if zero && let Stored::Register(register) = stored {
            self.mark_precise(register)?;
        }
        let of_frame = &mut self.state.frames[frame];
        if size as usize == SLOT_BYTES {
            of_frame.written.insert(index);
        }
        let slot = &mut of_frame.stack[index];
        slot.scrub();
        for at in 0..size as usize {
            slot.bytes[(byte + SLOT_BYTES - at) % SLOT_BYTES] =
                if zero { Byte::Zero } else { Byte::Misc };
        }
        Ok(())
    }

    /// Writes bytes whose place is not known exactly: any of them may have changed.
    fn write_stack_range(
        &mut self,
        frame: usize,
        (least, most): (i64, i64),
        stored: Stored,
    ) -> Check {
        let zero = match stored {
            Stored::Register(register) => self.reg(register).is_null(),
            Stored::Constant(imm) => imm == 0,
            Stored::Unknown => false,
        };
        let mut zero_used = false;
        for offset in least..most {
            self.end_dynptr_at(frame, place(offset).0)?;
        }
        for offset in least..most {
            let (index, byte) = place(offset);
            let Some(slot) = self.state.frames[frame].stack.get_mut(index) else {
                continue;
            };
            if zero
                && slot.bytes[byte] == Byte::Spill
                && slot.is_spilled_scalar()
                && slot.spilled.value.is_zero()
            {
                zero_used = true;
                continue;
            }
            let was_zero = slot.bytes[byte] == Byte::Zero;
            slot.scrub();
            slot.bytes[byte] = if zero && was_zero {
                zero_used = true;
                Byte::Zero
            } else {
                Byte::Misc
            };
        }
        if zero_used && let Stored::Register(register) = stored {
            self.mark_precise(register)?;
        }
        Ok(())
    }
}
