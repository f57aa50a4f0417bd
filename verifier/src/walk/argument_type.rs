//! What kinds of values helpers take for each kind of argument.
//!
//! The table is the kernel's: for each kind of argument the kinds of registers that fit, and its words
//! for one that does not. Constant time an argument.

use bpf::helpers::{Access, Arg, ArgKind, Helper};
use bpf::maps::MapKind;
use bpf::program_type::ProgramType;

use super::Walker;
use super::helper::Meta;
use crate::state::{Kind, SocketKind};
use crate::stop::{Check, gap, refuse_register};
use crate::verdict::Rule;

impl Walker<'_> {
    /// The values of maps of sockets are sockets, not memory.
    pub(super) fn is_socket_value(&self, argument: ArgKind, meta: &Meta) -> bool {
        let kind = meta.map.map(|map| self.program.map(map.id).def.kind);
        matches!(argument, ArgKind::MapValue(_))
            && matches!(kind, Some(MapKind::Sockmap | MapKind::Sockhash))
    }

    pub(super) fn check_socket_value(&self, number: u8, meta: &mut Meta) -> Check {
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

    pub(super) fn check_unmoved_pointer(&self, number: u8) -> Check {
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
    pub(super) fn check_argument_type(&self, number: u8, argument: Arg, helper: &Helper) -> Check {
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

const MEMORY: &str = "fp, pkt, pkt_meta, map_key, map_value, mem, ringbuf_mem, buf, trusted_ptr_";
