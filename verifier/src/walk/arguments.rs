//! Arguments of helpers.

use bpf::helpers::{Access, Arg, ArgKind, Helper, HelperFlags};
use bpf::insn::Reg;
use bpf::maps::MapKind;
use bpf::program_type::ProgramType;

use super::Walker;
use super::helper::{Meta, writes};
use crate::state::{DynptrKind, Kind, Register, SocketKind};
use crate::stop::{Check, gap, refuse, refuse_register};
use crate::verdict::Rule;

/// Sizes that are not bounded below this are refused (`BPF_MAX_VAR_SIZ`).
const MAX_SIZE: u64 = 1 << 29;

const MEMORY: &str = "fp, pkt, pkt_meta, map_key, map_value, mem, ringbuf_mem, buf, trusted_ptr_";

impl Walker<'_> {
    pub(super) fn check_argument(
        &mut self,
        helper: &Helper,
        number: u8,
        argument: Arg,
        meta: &mut Meta,
    ) -> Check {
        if argument.kind == ArgKind::Unchecked {
            return Ok(());
        }
        self.check_readable(Reg(number))?;
        if argument.kind == ArgKind::Anything {
            return Ok(());
        }
        let register = *self.reg(number);
        if self.is_socket_value(argument.kind, meta) {
            return self.check_socket_value(number, meta);
        }
        let packet_ok = helper.flags.contains(HelperFlags::TAKES_PACKET);
        if register.kind.is_packet_or_end() && !(packet_ok && self.may_access_packet(false)) {
            return refuse_register(
                Rule::ArgumentType,
                number,
                "helper access to the packet is not allowed",
            );
        }
        if register.is_null() && argument.nullable {
            self.mark_precise(number)?;
        } else {
            self.check_argument_type(number, argument, helper)?;
            if argument.kind == ArgKind::Dynptr && argument.releases {
                // Its offset is checked with its slots.
            } else if argument.releases {
                if register.offset != 0 && !register.is_scalar() {
                    return refuse_register(
                        Rule::NotAcquired,
                        number,
                        format!(
                            "R{number} must have zero offset when passed to release func or \
                             trusted arg to kfunc"
                        ),
                    );
                }
                self.check_unmoved_pointer(number)?;
            } else {
                self.check_argument_offset(number)?;
            }
        }
        if argument.releases && argument.kind != ArgKind::Dynptr {
            if register.reference == 0 && !register.is_null() {
                return refuse_register(
                    Rule::NotAcquired,
                    number,
                    format!("R{number} must be referenced when passed to release function"),
                );
            }
            meta.released = Some(number);
        }
        if register.reference != 0 {
            meta.reference = register.reference;
        }
        self.use_argument(helper, number, argument, meta)
    }

    /// The values of maps of sockets are sockets, not memory.
    fn is_socket_value(&self, argument: ArgKind, meta: &Meta) -> bool {
        let kind = meta.map.map(|map| self.program.map(map.id).def.kind);
        matches!(argument, ArgKind::MapValue(_))
            && matches!(kind, Some(MapKind::Sockmap | MapKind::Sockhash))
    }

    fn check_socket_value(&self, number: u8, meta: &mut Meta) -> Check {
        let register = *self.reg(number);
        if !matches!(
            register.kind,
            Kind::Socket {
                nullable: false,
                ..
            }
        ) {
            return refuse_register(
                Rule::ArgumentType,
                number,
                format!(
                    "R{number} type={} expected=sock_common, sock, tcp_sock, xdp_sock, ptr_, \
                     trusted_ptr_",
                    register.kind.name()
                ),
            );
        }
        meta.reference = register.reference;
        self.check_unmoved(&register, number, register.kind, false)
    }

    fn check_unmoved_pointer(&self, number: u8) -> Check {
        let register = *self.reg(number);
        if register.is_scalar() {
            return Ok(());
        }
        self.check_unmoved(&register, number, register.kind, false)
    }

    /// Pointers other than to memory must be as they were given.
    pub(super) fn check_argument_offset(&self, number: u8) -> Check {
        match self.reg(number).kind {
            Kind::Stack(_)
            | Kind::Packet(_)
            | Kind::PacketMeta(_)
            | Kind::MapKey(_)
            | Kind::MapValue {
                nullable: false, ..
            }
            | Kind::Memory {
                nullable: false, ..
            }
            | Kind::Scalar => Ok(()),
            _ => self.check_unmoved_pointer(number),
        }
    }

    /// What an argument may be, and the kernel's list of it.
    fn check_argument_type(&self, number: u8, argument: Arg, helper: &Helper) -> Check {
        let register = self.reg(number);
        let kind = if argument.nullable {
            register.kind.not_null()
        } else {
            register.kind
        };
        let (fits, expected) = match argument.kind {
            ArgKind::Anything | ArgKind::Unchecked => return Ok(()),
            ArgKind::Scalar
            | ArgKind::ConstSize
            | ArgKind::ConstSizeOrZero
            | ArgKind::ConstAllocSize => (kind == Kind::Scalar, "scalar"),
            ArgKind::ConstMapPtr => (matches!(kind, Kind::MapPtr(_)), "map_ptr"),
            ArgKind::MapKey | ArgKind::MapValue(_) | ArgKind::Mem(_) | ArgKind::FixedMem(..) => {
                (is_memory(kind, argument.kind), MEMORY)
            }
            ArgKind::Ctx => (kind == Kind::Context, "ctx"),
            ArgKind::CtxOrSocket => {
                if self.takes_socket(helper) {
                    (
                        matches!(
                            kind,
                            Kind::Socket {
                                nullable: false,
                                ..
                            }
                        ),
                        "sock_common, sock, tcp_sock, xdp_sock, ptr_, trusted_ptr_",
                    )
                } else {
                    (kind == Kind::Context, "ctx")
                }
            }
            ArgKind::Stack => (matches!(kind, Kind::Stack(_)), "fp"),
            ArgKind::CallbackFn => (matches!(kind, Kind::Function(_)), "func"),
            ArgKind::SpinLock
                if matches!(
                    kind,
                    Kind::Object {
                        nullable: false,
                        ..
                    }
                ) =>
            {
                return gap("locks in objects");
            }
            ArgKind::SpinLock | ArgKind::Timer | ArgKind::ConstStr => (
                matches!(
                    kind,
                    Kind::MapValue {
                        nullable: false,
                        ..
                    }
                ),
                if argument.kind == ArgKind::SpinLock {
                    "map_value, ptr_"
                } else {
                    "map_value"
                },
            ),
            ArgKind::Socket => (
                kind == Kind::Socket {
                    kind: SocketKind::Full,
                    nullable: false,
                },
                "sock",
            ),
            ArgKind::SockCommon => (
                matches!(
                    kind,
                    Kind::Socket {
                        nullable: false,
                        ..
                    }
                ),
                if matches!(
                    helper.name,
                    "sk_fullsock" | "tcp_sock" | "get_listener_sock"
                ) {
                    "sock_common, sock, tcp_sock, xdp_sock"
                } else {
                    "sock_common, sock, tcp_sock, xdp_sock, ptr_, trusted_ptr_"
                },
            ),
            ArgKind::RingbufMem => (
                matches!(
                    kind,
                    Kind::Memory {
                        ringbuf: true,
                        nullable: false,
                        ..
                    }
                ),
                "ringbuf_mem",
            ),
            ArgKind::Dynptr | ArgKind::DynptrUninit => {
                (matches!(kind, Kind::Stack(_)), "fp, dynptr_ptr")
            }
            ArgKind::BtfId(name) => {
                return if register.is_scalar() {
                    refuse_register(
                        Rule::ArgumentType,
                        number,
                        format!("R{number} type=scalar expected=ptr_, trusted_ptr_, rcu_ptr_"),
                    )
                } else {
                    gap(format!("argument of kernel type {name}"))
                };
            }
            ArgKind::PercpuBtfId => return gap("per-CPU kernel variables"),
            ArgKind::KptrDestination | ArgKind::KptrObject => return gap("kernel pointers"),
        };
        if fits {
            return Ok(());
        }
        refuse_register(
            Rule::ArgumentType,
            number,
            format!(
                "R{number} type={} expected={expected}",
                register.kind.name()
            ),
        )
    }

    /// Whether the program type's version of a helper takes a socket where others take the context.
    fn takes_socket(&self, helper: &Helper) -> bool {
        use ProgramType::*;
        let kind = self.program.program_type;
        match helper.name {
            "sk_storage_get" | "sk_storage_delete" => kind != CgroupSock,
            "setsockopt" | "getsockopt" => kind == CgroupSockopt,
            _ => false,
        }
    }

    /// What the argument does.
    fn use_argument(
        &mut self,
        helper: &Helper,
        number: u8,
        argument: Arg,
        meta: &mut Meta,
    ) -> Check {
        let register = *self.reg(number);
        match argument.kind {
            ArgKind::ConstMapPtr => self.use_map(register, meta),
            ArgKind::MapKey => self.use_key(helper, number, meta),
            ArgKind::MapValue(access) => {
                if argument.nullable && register.is_null() {
                    return Ok(());
                }
                let Some(map) = meta.map else {
                    return refuse(Rule::ArgumentValue, "invalid map_ptr to access map->value");
                };
                let of = &self.program.map(map.id).def;
                let size = i64::from(of.value_size);
                let mut raw = None;
                let raw_mode = (access == Access::Write).then_some(&mut raw);
                self.check_helper_memory(number, size, writes(argument.kind), false, raw_mode)?;
                meta.raw = raw.or(meta.raw);
                Ok(())
            }
            ArgKind::FixedMem(size, access) => {
                let mut raw = None;
                let raw_mode = (access == Access::Write).then_some(&mut raw);
                self.check_helper_memory(
                    number,
                    size.into(),
                    writes(argument.kind),
                    false,
                    raw_mode,
                )?;
                meta.raw = raw.or(meta.raw);
                if access == Access::Read {
                    return Ok(());
                }
                // What is written there is a number of the kernel's.
                let whole = super::memory::Access {
                    base: number,
                    offset: 0,
                    size,
                    operation: super::memory::Operation::Load {
                        dst: None,
                        signed: false,
                    },
                    aligned: true,
                };
                self.check_alignment(&register, &whole)
            }
            ArgKind::ConstSize | ArgKind::ConstSizeOrZero => {
                let zero_ok = argument.kind == ArgKind::ConstSizeOrZero;
                self.use_size(helper, number, zero_ok, meta)
            }
            ArgKind::ConstAllocSize => {
                let Some(size) = register.value.as_const() else {
                    return refuse_register(
                        Rule::ArgumentNotConstant,
                        number,
                        format!("R{number} is not a known constant'"),
                    );
                };
                meta.size = size as u32;
                self.mark_precise(number)
            }
            ArgKind::CallbackFn => {
                if let Kind::Function(function) = register.kind {
                    meta.callback = Some(function as usize);
                }
                Ok(())
            }
            ArgKind::Timer => {
                self.check_field(number, crate::program::FieldKind::Timer)?;
                if let Kind::MapValue { map, .. } = register.kind {
                    meta.map = Some(map);
                }
                Ok(())
            }
            ArgKind::ConstStr => self.check_constant_string(number),
            ArgKind::Dynptr => self.use_dynptr(helper, number, argument.releases, meta),
            ArgKind::DynptrUninit => {
                let kind = if helper.name == "dynptr_from_mem" {
                    DynptrKind::Local
                } else {
                    DynptrKind::Ringbuf
                };
                self.make_dynptr(number, kind, 0)
            }
            _ => Ok(()),
        }
    }

    fn use_dynptr(
        &mut self,
        helper: &Helper,
        number: u8,
        releases: bool,
        meta: &mut Meta,
    ) -> Check {
        if releases {
            return self.give_dynptr(number);
        }
        let found = self.dynptr(number, None)?;
        meta.dynptr = Some(found);
        if helper.name == "dynptr_data" {
            meta.reference = found.reference;
        }
        Ok(())
    }

    fn use_map(&self, register: Register, meta: &mut Meta) -> Check {
        let Kind::MapPtr(map) = register.kind else {
            return Ok(());
        };
        if let Some(of_timer) = meta.map
            && of_timer != map
        {
            return refuse(
                Rule::ArgumentValue,
                format!(
                    "timer pointer in R1 map_uid={} doesn't match map pointer in R2 map_uid={}",
                    of_timer.uid, map.uid
                ),
            );
        }
        meta.map = Some(map);
        Ok(())
    }

    fn use_key(&mut self, helper: &Helper, number: u8, meta: &mut Meta) -> Check {
        let Some(map) = meta.map else {
            return refuse(Rule::ArgumentValue, "invalid map_ptr to access map->key");
        };
        // Each depends on a known key, though only a lookup has a use for it.
        let found = self.finds_key(map, number)? && helper.name == "map_lookup_elem";
        let size = i64::from(self.program.map(map.id).def.key_size);
        self.check_helper_memory(number, size, false, false, None)?;
        meta.found = found;
        Ok(())
    }

    fn use_size(&mut self, helper: &Helper, number: u8, zero_ok: bool, meta: &mut Meta) -> Check {
        let value = self.reg(number).value;
        meta.largest = value.umax;
        if value.smin < 0 {
            return refuse_register(
                Rule::ArgumentSize,
                number,
                format!("R{number} min value is negative, either use unsigned or 'var &= const'"),
            );
        }
        if value.umin == 0 && !zero_ok {
            return refuse_register(
                Rule::ArgumentSize,
                number,
                format!(
                    "R{number} invalid zero-sized read: u64=[{},{}]",
                    value.umin, value.umax
                ),
            );
        }
        if value.umax >= MAX_SIZE {
            return refuse_register(
                Rule::ArgumentSize,
                number,
                format!(
                    "R{number} unbounded memory access, use 'var &= const' or 'if (var < const)'"
                ),
            );
        }
        let memory = helper
            .args
            .get(usize::from(number).wrapping_sub(2))
            .map_or(ArgKind::Anything, |argument| argument.kind);
        let mut raw = None;
        let fills = matches!(memory, ArgKind::Mem(Access::Write)) && value.as_const().is_some();
        self.check_helper_memory(
            number - 1,
            value.umax.cast_signed(),
            writes(memory),
            zero_ok,
            fills.then_some(&mut raw),
        )?;
        meta.raw = raw.or(meta.raw);
        self.mark_precise(number)
    }

    /// Memory that a helper accesses. With `raw`, stack of known place is only remembered: the
    /// helper writes it without reading.
    pub(super) fn check_helper_memory(
        &mut self,
        number: u8,
        size: i64,
        write: bool,
        zero_ok: bool,
        raw: Option<&mut Option<(u8, i64)>>,
    ) -> Check {
        let register = *self.reg(number);
        let offset = register.offset;
        match register.kind {
            Kind::Packet(_) | Kind::PacketMeta(_) => {
                self.check_packet(number, offset, size, zero_ok)
            }
            Kind::MapKey(map) => {
                if write {
                    return self.refuse_write(number, register.kind);
                }
                let limit = self.program.map(map.id).def.key_size;
                self.check_region(number, offset.into(), size, limit, false)
            }
            Kind::MapValue {
                map,
                nullable: false,
            } => {
                self.check_map_permission(map, write, offset, size as u32)?;
                self.check_map_value(number, offset.into(), size, zero_ok, false)
            }
            Kind::Memory {
                size: limit,
                nullable: false,
                read_only,
                ..
            } => {
                if read_only && write {
                    return self.refuse_write(number, register.kind);
                }
                self.check_region(number, offset.into(), size, limit, zero_ok)
            }
            Kind::Stack(frame) => {
                self.check_helper_stack(number, usize::from(frame), size, (write, zero_ok), raw)
            }
            Kind::Context if self.program.program_type == ProgramType::Syscall => {
                gap("context of syscall programs as memory")
            }
            _ if zero_ok && size == 0 && register.is_null() => Ok(()),
            kind => refuse_register(
                Rule::ArgumentType,
                number,
                format!("R{number} type={} expected=fp", kind.name()),
            ),
        }
    }

    fn check_constant_string(&mut self, number: u8) -> Check {
        let register = *self.reg(number);
        let Kind::MapValue { map, .. } = register.kind else {
            return gap("a string outside of map values");
        };
        let of = self.program.map(map.id);
        if !of.is_constant() {
            return refuse_register(
                Rule::ArgumentValue,
                number,
                format!("R{number} does not point to a readonly map'"),
            );
        }
        let Some(moved) = register.value.as_const() else {
            return refuse_register(
                Rule::ArgumentValue,
                number,
                format!("R{number} is not a constant address'"),
            );
        };
        let size = i64::from(of.def.value_size) - i64::from(register.offset);
        self.check_map_value(number, register.offset.into(), size, false, false)?;
        let of = self.program.map(map.id);
        let start = i64::from(register.offset) + moved.cast_signed();
        let text = of
            .def
            .data
            .as_ref()
            .zip(usize::try_from(start).ok())
            .and_then(|(data, start)| data.get(start..));
        match text {
            Some(text) if text.contains(&0) => Ok(()),
            Some(_) => refuse(Rule::ArgumentValue, "string is not zero-terminated"),
            None => gap("a string whose text is not known"),
        }
    }
}

/// Whether a pointer is to memory that helpers read, or read and write.
fn is_memory(kind: Kind, argument: ArgKind) -> bool {
    let reads_only = matches!(
        argument,
        ArgKind::MapKey
            | ArgKind::Mem(Access::Read)
            | ArgKind::FixedMem(_, Access::Read)
            | ArgKind::MapValue(Access::Read)
    );
    match kind {
        Kind::Stack(_) | Kind::Packet(_) | Kind::PacketMeta(_) | Kind::MapKey(_) => true,
        Kind::MapValue { nullable, .. } => !nullable,
        Kind::Memory {
            nullable,
            read_only,
            ..
        } => !nullable && (!read_only || reads_only),
        _ => false,
    }
}
