//! Loads and stores: what each kind of pointer may be used for.

use bpf::insn::{Insn, MemWidth, Operand, Reg};

use super::Walker;
use crate::state::{Kind, Register};
use crate::stop::{Check, gap, refuse, refuse_register};
use crate::verdict::Rule;

/// What is written.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stored {
    Register(u8),
    Constant(i32),
    Unknown,
}

/// What an access does.
#[derive(Clone, Copy, Debug)]
pub(super) enum Operation {
    /// Reads, into a register if one is given.
    Load { dst: Option<u8>, signed: bool },
    /// Writes.
    Store(Stored),
}

impl Operation {
    pub(super) fn is_store(self) -> bool {
        matches!(self, Operation::Store(_))
    }
}

/// An access by an instruction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Access {
    pub base: u8,
    pub offset: i32,
    pub size: u32,
    pub operation: Operation,
    /// Whether it must be aligned whatever the machine.
    pub aligned: bool,
}

pub(super) fn bytes(width: MemWidth) -> u32 {
    match width {
        MemWidth::B8 => 1,
        MemWidth::B16 => 2,
        MemWidth::B32 => 4,
        MemWidth::B64 => 8,
    }
}

impl Walker<'_> {
    pub(super) fn memory_instruction(&mut self, insn: Insn) -> Check {
        match insn {
            Insn::Load {
                width,
                signed,
                dst,
                base,
                offset,
            } => self.load(width, signed, dst, (base, offset), false),
            Insn::LoadAcquire {
                width,
                dst,
                base,
                offset,
            } => {
                self.check_readable(base)?;
                self.check_atomic_target(base, "BPF_ATOMIC loads from")?;
                self.load(width, false, dst, (base, offset), true)
            }
            Insn::Store {
                width,
                base,
                offset,
                src,
            } => self.store(width, (base, offset), src, false),
            Insn::StoreRelease {
                width,
                base,
                offset,
                src,
            } => {
                self.check_readable(src)?;
                self.check_readable(base)?;
                self.check_atomic_target(base, "BPF_ATOMIC stores into")?;
                self.store(width, (base, offset), Operand::Reg(src), true)
            }
            Insn::Atomic {
                width,
                op,
                fetch,
                base,
                offset,
                src,
            } => self.atomic(width, (op, fetch), (base, offset), src),
            _ => Ok(()),
        }
    }

    fn load(
        &mut self,
        width: MemWidth,
        signed: bool,
        dst: Reg,
        (base, offset): (Reg, i16),
        aligned: bool,
    ) -> Check {
        self.check_readable(base)?;
        self.check_writable(dst)?;
        let kind = self.reg(base.0).kind;
        self.access(Access {
            base: base.0,
            offset: offset.into(),
            size: bytes(width),
            operation: Operation::Load {
                dst: Some(dst.0),
                signed,
            },
            aligned,
        })?;
        self.remember_kind(kind)?;
        self.settle_register(dst.0, "ldx")
    }

    fn store(
        &mut self,
        width: MemWidth,
        (base, offset): (Reg, i16),
        src: Operand,
        aligned: bool,
    ) -> Check {
        let stored = match src {
            Operand::Reg(src) => {
                self.check_readable(src)?;
                Stored::Register(src.0)
            }
            Operand::Imm(imm) => Stored::Constant(imm),
        };
        self.check_readable(base)?;
        let kind = self.reg(base.0).kind;
        self.access(Access {
            base: base.0,
            offset: offset.into(),
            size: bytes(width),
            operation: Operation::Store(stored),
            aligned,
        })?;
        self.remember_kind(kind)
    }

    /// An instruction is rewritten for the kind of context or socket that it accesses, so it cannot
    /// be used with two.
    pub(super) fn remember_kind(&mut self, kind: Kind) -> Check {
        let rewritten = |kind: Kind| matches!(kind, Kind::Context | Kind::Socket { .. });
        match self.pointer_kinds[self.insn] {
            Some(old) if !old.same_type(kind) && (rewritten(old) || rewritten(kind)) => refuse(
                Rule::MixedPointers,
                "same insn cannot be used with different pointers",
            ),
            Some(_) => Ok(()),
            None => {
                self.pointer_kinds[self.insn] = Some(kind);
                Ok(())
            }
        }
    }

    /// Checks an access and does what it does to registers and stack.
    pub(super) fn access(&mut self, access: Access) -> Check {
        let pointer = *self.reg(access.base);
        self.check_alignment(&pointer, &access)?;
        let total = Access {
            offset: access.offset.wrapping_add(pointer.offset),
            ..access
        };
        let loaded = match access.operation {
            Operation::Load { dst, .. } => dst,
            Operation::Store(_) => None,
        };
        match pointer.kind {
            Kind::Stack(frame) => return self.access_stack(&pointer, usize::from(frame), total),
            Kind::Context => {
                if let Some(register) = self.access_context(&pointer, total)? {
                    if let Some(dst) = loaded {
                        self.set(dst, register);
                    }
                    return Ok(());
                }
            }
            Kind::MapValue {
                map,
                nullable: false,
            } => {
                if let Some(constant) = self.access_map_value(&pointer, map, total)? {
                    if let Some(dst) = loaded {
                        self.set(dst, Register::constant(constant));
                    }
                    self.narrow_loaded(total);
                    return Ok(());
                }
            }
            Kind::MapKey(map) => {
                if access.operation.is_store() {
                    return refuse_register(
                        Rule::MapKeyWrite,
                        access.base,
                        format!("write to change key R{} not allowed", access.base),
                    );
                }
                let size = self.program.map(map.id).def.key_size;
                self.check_region(
                    access.base,
                    total.offset.into(),
                    total.size.into(),
                    size,
                    false,
                )?;
            }
            Kind::Memory {
                size,
                nullable: false,
                read_only,
                ..
            } => {
                if access.operation.is_store() && read_only {
                    return self.refuse_write(access.base, pointer.kind);
                }
                self.check_region(
                    access.base,
                    total.offset.into(),
                    total.size.into(),
                    size,
                    false,
                )?;
            }
            Kind::Packet(_) | Kind::PacketMeta(_) => {
                if access.operation.is_store() && !self.may_access_packet(true) {
                    return refuse(Rule::PacketWrite, "cannot write into packet");
                }
                self.check_packet(access.base, total.offset, total.size.into(), false)?;
            }
            Kind::FlowKeys => {
                const FLOW_KEYS: i64 = 56;
                let (offset, size) = (i64::from(total.offset), i64::from(total.size));
                if offset < 0 || offset + size > FLOW_KEYS {
                    return refuse_register(
                        Rule::FlowKeysAccess,
                        access.base,
                        format!("invalid access to flow keys off={offset} size={size}"),
                    );
                }
            }
            Kind::Socket {
                kind,
                nullable: false,
            } => {
                if access.operation.is_store() {
                    return self.refuse_write(access.base, pointer.kind);
                }
                self.access_socket(&pointer, kind, total)?;
            }
            Kind::Object {
                nullable: false, ..
            } => self.access_object(&pointer, total)?,
            Kind::TracepointBuffer => {
                self.check_buffer(&pointer, "tracepoint", total)?;
            }
            Kind::MapPtr(_) => {
                if total.offset < 0 {
                    return refuse_register(
                        Rule::MapPointerAccess,
                        access.base,
                        format!(
                            "R{} is bpf_map invalid negative access: off={}",
                            access.base, total.offset
                        ),
                    );
                }
                if access.operation.is_store() {
                    return refuse_register(
                        Rule::MapPointerAccess,
                        access.base,
                        "only read from bpf_array is supported",
                    );
                }
                return gap("reading a map's own fields");
            }
            Kind::Unset
            | Kind::Scalar
            | Kind::PacketEnd
            | Kind::Function(_)
            | Kind::Iterator { .. }
            | Kind::Dynptr { .. }
            | Kind::Object { .. }
            | Kind::MapValue { .. }
            | Kind::Socket { .. }
            | Kind::Memory { .. } => return self.refuse_base(access.base),
        }
        if let Some(dst) = loaded {
            self.set(dst, Register::UNKNOWN);
        }
        self.narrow_loaded(total);
        Ok(())
    }

    /// A load of less than eight bytes gives a number of as many.
    pub(super) fn narrow_loaded(&mut self, access: Access) {
        let Operation::Load {
            dst: Some(dst),
            signed,
        } = access.operation
        else {
            return;
        };
        let register = self.reg_mut(dst);
        if access.size < 8 && register.is_scalar() {
            if signed {
                register.value.sign_extend(access.size);
            } else {
                register.value.truncate(access.size);
            }
        }
    }

    pub(super) fn refuse_base(&self, base: u8) -> Check {
        let kind = self.reg(base).kind;
        let rule = if kind.is_nullable() {
            Rule::NullDereference
        } else {
            Rule::NotAPointer
        };
        refuse_register(
            rule,
            base,
            format!("R{base} invalid mem access '{}'", kind.name()),
        )
    }

    pub(super) fn refuse_write(&self, base: u8, kind: Kind) -> Check {
        refuse_register(
            Rule::ReadOnlyMemory,
            base,
            format!("R{base} cannot write into {}", kind.name()),
        )
    }
}
