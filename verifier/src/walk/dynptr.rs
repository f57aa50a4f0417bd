//! Dynptrs on the stack: bounded memory whose bounds the kernel checks when it is used.
//!
//! One takes two slots. Overwriting any of its bytes ends it, and with it the slices taken of it;
//! one that is a ring buffer's record must be given back instead.

use super::memory::{Access, Operation, Stored};
use super::stack::place;
use super::{Flow, Walker};
use crate::state::{Byte, DynptrKind, Kind, Register, SLOT_BYTES, Slot};
use crate::stop::{Check, gap, refuse, refuse_register};
use crate::verdict::Rule;

const SLOTS: usize = 2;

/// A dynptr that was found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub kind: DynptrKind,
    pub id: u32,
    pub reference: u32,
}

impl Walker<'_> {
    /// Frame and first slot (the one at the higher address) that a register points to.
    fn dynptr_place(&self, register: u8) -> Check<(usize, usize)> {
        let pointer = self.reg(register);
        let Kind::Stack(frame) = pointer.kind else {
            return refuse_register(
                Rule::ArgumentType,
                register,
                format!(
                    "arg#{} expected pointer to stack or const struct bpf_dynptr",
                    register - 1
                ),
            );
        };
        let Some(moved) = pointer.value.as_const() else {
            return refuse_register(
                Rule::VariableOffset,
                register,
                "dynptr has to be at a constant offset",
            );
        };
        let offset = i64::from(pointer.offset) + moved.cast_signed();
        let fits = offset < 0 && offset % SLOT_BYTES as i64 == 0;
        let index = place(offset.min(-1)).0;
        if !fits || index + 1 < SLOTS {
            return refuse_register(
                Rule::ArgumentValue,
                register,
                format!("cannot pass in dynptr at an offset={offset}"),
            );
        }
        Ok((usize::from(frame), index))
    }

    /// Makes a dynptr of the stack that a register points to.
    pub(super) fn make_dynptr(&mut self, register: u8, kind: DynptrKind, shared: u32) -> Check {
        let uninitialised = "Dynptr has to be an uninitialized dynptr";
        let place = self
            .dynptr_place(register)
            .map_err(|stop| stop.and(uninitialised));
        let (frame, index) = place?;
        for half in 0..SLOTS {
            self.access(Access {
                base: register,
                offset: (half * SLOT_BYTES) as i32,
                size: SLOT_BYTES as u32,
                operation: Operation::Store(Stored::Unknown),
                aligned: false,
            })?;
        }
        self.end_dynptr_at(frame, index)?;
        self.end_dynptr_at(frame, index - 1)?;
        let id = self.new_id();
        let reference = match kind {
            DynptrKind::Ringbuf if shared == 0 => {
                let reference = self.new_id();
                self.hold(reference)?;
                reference
            }
            _ => shared,
        };
        for (index, first) in [(index, true), (index - 1, false)] {
            self.state.frames[frame].written.insert(index);
            self.state.frames[frame].stack[index] = Slot {
                bytes: [Byte::Dynptr; SLOT_BYTES],
                spilled: Register {
                    id,
                    reference,
                    ..Register::pointer(Kind::Dynptr { kind, first })
                },
            };
        }
        Ok(())
    }

    /// The dynptr that a register points to.
    pub(super) fn dynptr(&mut self, register: u8, wanted: Option<DynptrKind>) -> Check<Found> {
        let expected = || format!("Expected an initialized dynptr as arg #{}", register - 1);
        let (frame, index) = self
            .dynptr_place(register)
            .map_err(|stop| stop.and(expected()))?;
        let stack = &self.state.frames[frame].stack;
        let halves = (stack.get(index), stack.get(index - 1));
        let (Some(first), Some(second)) = halves else {
            return refuse_register(Rule::ArgumentValue, register, expected());
        };
        let whole = |slot: &Slot| slot.bytes == [Byte::Dynptr; SLOT_BYTES];
        let Kind::Dynptr { kind, first: true } = first.spilled.kind else {
            return refuse_register(Rule::ArgumentValue, register, expected());
        };
        if !whole(first) || !whole(second) {
            return refuse_register(Rule::ArgumentValue, register, expected());
        }
        let found = Found {
            kind,
            id: first.spilled.id,
            reference: first.spilled.reference,
        };
        if wanted.is_some_and(|wanted| wanted != kind) {
            return refuse_register(
                Rule::ArgumentType,
                register,
                format!(
                    "Expected a dynptr of type {} as arg #{}",
                    wanted.unwrap_or(kind).name(),
                    register - 1
                ),
            );
        }
        self.mark_slot_read(frame, index);
        self.mark_slot_read(frame, index - 1);
        Ok(found)
    }

    /// A write to a slot ends the dynptr that lies there.
    pub(super) fn end_dynptr_at(&mut self, frame: usize, index: usize) -> Check {
        let Some(slot) = self.state.frames[frame].stack.get(index) else {
            return Ok(());
        };
        if slot.bytes[0] != Byte::Dynptr {
            return Ok(());
        }
        let Kind::Dynptr { kind, first } = slot.spilled.kind else {
            return gap("a broken dynptr");
        };
        let index = if first { index } else { index + 1 };
        let id = slot.spilled.id;
        if kind == DynptrKind::Ringbuf {
            return refuse(Rule::ReferenceLeak, "cannot overwrite referenced dynptr");
        }
        self.forget_dynptr(frame, index);
        self.forget_slices(id);
        Ok(())
    }

    fn forget_dynptr(&mut self, frame: usize, index: usize) {
        for index in [index, index - 1] {
            let of_frame = &mut self.state.frames[frame];
            if let Some(slot) = of_frame.stack.get_mut(index) {
                slot.bytes = [Byte::Invalid; SLOT_BYTES];
                slot.spilled = Register::UNSET;
                of_frame.written.insert(index);
            }
        }
    }

    fn forget_slices(&mut self, id: u32) {
        self.state.for_each_register(|register| {
            if register.dynptr == id && matches!(register.kind, Kind::Memory { .. }) {
                *register = Register::UNKNOWN;
            }
        });
    }

    /// Gives a ring buffer's record back: all its dynptrs and slices end.
    pub(super) fn give_dynptr(&mut self, register: u8) -> Check {
        let found = self.dynptr(register, Some(DynptrKind::Ringbuf))?;
        if found.reference == 0 {
            return refuse_register(
                Rule::NotAcquired,
                register,
                format!("arg {register} is an unacquired reference"),
            );
        }
        let mut ended = Vec::new();
        for (frame, of_frame) in self.state.frames.iter().enumerate() {
            for (index, slot) in of_frame.stack.iter().enumerate() {
                let is_first = matches!(slot.spilled.kind, Kind::Dynptr { first: true, .. });
                if is_first && slot.spilled.reference == found.reference {
                    ended.push((frame, index, slot.spilled.id));
                }
            }
        }
        for (frame, index, id) in ended {
            self.forget_dynptr(frame, index);
            self.forget_slices(id);
        }
        self.release_reference(found.reference);
        Ok(())
    }

    /// Kernel functions on dynptrs.
    pub(super) fn call_dynptr(&mut self, name: &str) -> Check<Flow> {
        match name {
            "bpf_dynptr_from_skb" | "bpf_dynptr_from_xdp" => {
                let kind = if name.ends_with("skb") {
                    DynptrKind::Skb
                } else {
                    DynptrKind::Xdp
                };
                self.check_packet_dynptr(kind, name)?;
                let context = *self.reg(1);
                if context.kind != Kind::Context {
                    return refuse_register(
                        Rule::ArgumentType,
                        1,
                        format!(
                            "arg#0 expected pointer to ctx, but got {}",
                            context.kind.name()
                        ),
                    );
                }
                self.check_unmoved(&context, 1, context.kind, false)?;
                self.check_number(2)?;
                self.check_readable(bpf::insn::Reg(3))?;
                self.make_dynptr(3, kind, 0)?;
                self.set_number_result();
            }
            "bpf_dynptr_size" | "bpf_dynptr_is_null" | "bpf_dynptr_is_rdonly" => {
                self.check_readable(bpf::insn::Reg(1))?;
                self.dynptr(1, None)?;
                self.set_number_result();
            }
            "bpf_dynptr_adjust" => {
                self.check_readable(bpf::insn::Reg(1))?;
                self.dynptr(1, None)?;
                self.check_number(2)?;
                self.check_number(3)?;
                self.set_number_result();
            }
            "bpf_dynptr_clone" => {
                self.check_readable(bpf::insn::Reg(1))?;
                let found = self.dynptr(1, None)?;
                self.check_readable(bpf::insn::Reg(2))?;
                self.make_dynptr(2, found.kind, found.reference)?;
                self.set_number_result();
            }
            "bpf_dynptr_slice" | "bpf_dynptr_slice_rdwr" => {
                self.slice(name == "bpf_dynptr_slice_rdwr")?;
            }
            _ => return gap(format!("kernel function {name}")),
        }
        Ok(Flow::Next)
    }

    /// Which program types have packets of a kind.
    fn check_packet_dynptr(&self, kind: DynptrKind, name: &str) -> Check {
        use bpf::program_type::ProgramType::*;
        let program_type = self.program.program_type;
        let allowed = match kind {
            DynptrKind::Xdp => program_type == Xdp,
            _ => matches!(
                program_type,
                SchedCls
                    | SchedAct
                    | SkSkb
                    | SocketFilter
                    | LwtIn
                    | LwtOut
                    | LwtXmit
                    | LwtSeg6local
                    | CgroupSkb
            ),
        };
        let known = matches!(
            program_type,
            SchedCls | Xdp | SocketFilter | CgroupSkb | RawTracepoint | Tracepoint | Kprobe
        );
        if allowed && program_type != SchedAct {
            Ok(())
        } else if known {
            refuse(
                Rule::HelperNotAllowed,
                format!("calling kernel function {name} is not allowed"),
            )
        } else {
            gap(format!("kernel function {name} in this type of program"))
        }
    }

    /// A slice of constant size, in the packet or copied to a buffer that the program gives.
    fn slice(&mut self, writable: bool) -> Check {
        self.check_readable(bpf::insn::Reg(1))?;
        let found = self.dynptr(1, None)?;
        self.check_number(2)?;
        self.check_readable(bpf::insn::Reg(3))?;
        self.check_readable(bpf::insn::Reg(4))?;
        if !self.reg(3).is_null() {
            self.check_buffer_pair(3).map_err(|stop| {
                stop.and("arg#2 arg#3 memory, len pair leads to invalid memory access")
            })?;
        }
        self.check_number(4)?;
        let Some(size) = self.reg(4).value.as_const() else {
            return refuse_register(Rule::ArgumentNotConstant, 4, "R4 must be a known constant");
        };
        self.mark_precise(4)?;
        if writable && !self.may_access_packet(true) {
            return refuse(
                Rule::PacketWrite,
                "the prog does not allow writes to packet data",
            );
        }
        let id = self.new_id();
        let slice = Register {
            id,
            dynptr: found.id,
            ..Register::pointer(Kind::Memory {
                size: size as u32,
                nullable: true,
                read_only: !writable,
                ringbuf: false,
            })
        };
        let in_packet = matches!(found.kind, DynptrKind::Skb | DynptrKind::Xdp);
        self.clear_caller_saved();
        self.set(0, Register { in_packet, ..slice });
        Ok(())
    }

    /// Memory and its size in the next register, read and written.
    fn check_buffer_pair(&mut self, register: u8) -> Check {
        let size = self.reg(register + 1).value;
        if !self.reg(register + 1).is_scalar() {
            return gap("a size that is no number");
        }
        if size.smin < 0 {
            return refuse_register(
                Rule::ArgumentSize,
                register + 1,
                format!(
                    "R{} min value is negative, either use unsigned or 'var &= const'",
                    register + 1
                ),
            );
        }
        if size.umax >= 1 << 29 {
            return refuse_register(
                Rule::ArgumentSize,
                register + 1,
                format!(
                    "R{} unbounded memory access, use 'var &= const' or 'if (var < const)'",
                    register + 1
                ),
            );
        }
        let pointer = *self.reg(register);
        self.reg_mut(register).kind = pointer.kind.not_null();
        let mut result = Ok(());
        for write in [false, true] {
            result = result.and_then(|()| {
                self.check_helper_memory(register, size.umax.cast_signed(), write, true, None)
            });
        }
        self.reg_mut(register).kind = pointer.kind;
        result
    }
}
