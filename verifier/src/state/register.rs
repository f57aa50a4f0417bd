//! A register: what kind of value it holds, and what is known of it.

use bpf::btf::TypeId;

use crate::domain::Value;
use crate::program::MapId;

/// Mark in [`Register::id`] of a number that is another with the same id plus [`Register::offset`].
pub const ADDED64: u32 = 1 << 31;
/// The same of a number whose sum was cut to 32 bits.
pub const ADDED32: u32 = 1 << 30;
/// Either mark.
pub const ADDED: u32 = ADDED64 | ADDED32;

/// A map, and which lookup of an outer map it came from (0 for none).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MapRef {
    /// The map.
    pub id: MapId,
    /// Identity of the inner map's pointer.
    pub uid: u32,
}

/// How far a packet pointer is known to reach: bytes from its base, or its place at the end.
pub type Range = i32;

/// Kinds of sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SocketKind {
    /// Full socket.
    Full,
    /// What all sockets have in common.
    Common,
    /// TCP socket.
    Tcp,
    /// AF_XDP socket.
    Xdp,
}

/// What a dynptr's memory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DynptrKind {
    /// A map's value.
    Local,
    /// A record of a ring buffer.
    Ringbuf,
    /// The packet of a socket buffer.
    Skb,
    /// The packet of an XDP program.
    Xdp,
}

impl DynptrKind {
    /// The name that the kernel prints.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            DynptrKind::Local => "local",
            DynptrKind::Ringbuf => "ringbuf",
            DynptrKind::Skb => "skb",
            DynptrKind::Xdp => "xdp",
        }
    }
}

/// What a register holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Nothing that may be read.
    Unset,
    /// A number.
    Scalar,
    /// The program's context.
    Context,
    /// A map itself.
    MapPtr(MapRef),
    /// A value of a map.
    MapValue {
        /// Which map.
        map: MapRef,
        /// Whether it may be null.
        nullable: bool,
    },
    /// A key of a map, given to a callback.
    MapKey(MapRef),
    /// The stack of the frame with this number.
    Stack(u8),
    /// Packet data, known to be there up to the range.
    Packet(Range),
    /// Metadata before the packet.
    PacketMeta(Range),
    /// End of the packet.
    PacketEnd,
    /// The flow keys of a flow dissector.
    FlowKeys,
    /// A socket.
    Socket {
        /// Which sort.
        kind: SocketKind,
        /// Whether it may be null.
        nullable: bool,
    },
    /// Memory of a known size.
    Memory {
        /// Bytes.
        size: u32,
        /// Whether it may be null.
        nullable: bool,
        /// Whether it may only be read.
        read_only: bool,
        /// Whether it is a record reserved in a ring buffer.
        ringbuf: bool,
    },
    /// The buffer of a writable raw tracepoint.
    TracepointBuffer,
    /// An object that the program allocated.
    Object {
        /// Its type, of the program's own.
        type_id: TypeId,
        /// Whether it may be null.
        nullable: bool,
        /// Whether the program owns it, rather than a list or tree.
        owning: bool,
    },
    /// A function of the program.
    Function(u32),
    /// One of the two halves of a dynptr; only on the stack.
    Dynptr {
        /// What its memory is.
        kind: DynptrKind,
        /// Whether this is the half at the higher address.
        first: bool,
    },
    /// An iterator over numbers; only on the stack.
    Iterator {
        /// Whether it has no more numbers.
        drained: bool,
        /// Numbers taken.
        depth: u32,
    },
}

/// What is known of a register, or of a spilled one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Register {
    /// What it holds.
    pub kind: Kind,
    /// Constant part of a pointer's offset; of a number with [`ADDED`], the distance from others
    /// with its id.
    pub offset: i32,
    /// The number, or the variable part of a pointer's offset.
    pub value: Value,
    /// Identity: registers with the same one hold the same number, or null or not together.
    pub id: u32,
    /// The reference that this pointer is, or came from.
    pub reference: u32,
    /// Whether some check depended on the number.
    pub precise: bool,
    /// The dynptr that memory is a slice of.
    pub dynptr: u32,
    /// Whether the slice lies in the packet.
    pub in_packet: bool,
}

impl Register {
    /// A register that nothing was written to.
    pub const UNSET: Register = Register {
        kind: Kind::Unset,
        offset: 0,
        value: Value::UNKNOWN,
        id: 0,
        reference: 0,
        precise: false,
        dynptr: 0,
        in_packet: false,
    };

    /// Any number.
    pub const UNKNOWN: Register = Register {
        kind: Kind::Scalar,
        ..Register::UNSET
    };

    /// A known number.
    #[must_use]
    pub fn constant(number: u64) -> Register {
        Register {
            value: Value::constant(number),
            ..Register::UNKNOWN
        }
    }

    /// A pointer without offset.
    #[must_use]
    pub fn pointer(kind: Kind) -> Register {
        Register {
            kind,
            value: Value::constant(0),
            ..Register::UNSET
        }
    }

    /// Whether it holds a number.
    #[must_use]
    pub fn is_scalar(&self) -> bool {
        self.kind == Kind::Scalar
    }

    /// Whether it holds the number zero, or null.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.is_scalar() && self.value.is_zero()
    }

    /// Cuts the tie of a number to others.
    pub fn clear_scalar_id(&mut self) {
        self.id = 0;
        self.offset = 0;
    }

    /// The id without its mark.
    #[must_use]
    pub fn base_id(&self) -> u32 {
        self.id & !ADDED
    }
}

impl Kind {
    /// Whether it may be null.
    #[must_use]
    pub fn is_nullable(self) -> bool {
        match self {
            Kind::MapValue { nullable, .. }
            | Kind::Socket { nullable, .. }
            | Kind::Object { nullable, .. }
            | Kind::Memory { nullable, .. } => nullable,
            _ => false,
        }
    }

    /// The same without the possibility of null.
    #[must_use]
    pub fn not_null(self) -> Kind {
        match self {
            Kind::MapValue { map, .. } => Kind::MapValue {
                map,
                nullable: false,
            },
            Kind::Socket { kind, .. } => Kind::Socket {
                kind,
                nullable: false,
            },
            Kind::Memory {
                size,
                read_only,
                ringbuf,
                ..
            } => Kind::Memory {
                size,
                nullable: false,
                read_only,
                ringbuf,
            },
            Kind::Object {
                type_id, owning, ..
            } => Kind::Object {
                type_id,
                nullable: false,
                owning,
            },
            other => other,
        }
    }

    /// The same with the possibility of null, of an object.
    #[must_use]
    pub fn nullable(self) -> Kind {
        match self {
            Kind::Object {
                type_id, owning, ..
            } => Kind::Object {
                type_id,
                nullable: true,
                owning,
            },
            other => other,
        }
    }

    /// How far a packet pointer reaches.
    #[must_use]
    pub fn range(self) -> Option<Range> {
        match self {
            Kind::Packet(range) | Kind::PacketMeta(range) => Some(range),
            _ => None,
        }
    }

    /// The same packet pointer with another reach.
    #[must_use]
    pub fn with_range(self, range: Range) -> Kind {
        match self {
            Kind::Packet(_) => Kind::Packet(range),
            Kind::PacketMeta(_) => Kind::PacketMeta(range),
            other => other,
        }
    }

    /// Whether it points into the packet or its metadata.
    #[must_use]
    pub fn is_packet(self) -> bool {
        self.range().is_some()
    }

    /// Whether it points into the packet, its metadata, or at its end.
    #[must_use]
    pub fn is_packet_or_end(self) -> bool {
        self.is_packet() || self == Kind::PacketEnd
    }

    /// Whether two are of one type, details such as sizes and maps aside.
    #[must_use]
    pub fn same_type(self, other: Kind) -> bool {
        let flags = |kind: Kind| match kind {
            Kind::Socket { kind, nullable } => (nullable, kind == SocketKind::Full, kind as u8),
            Kind::Memory {
                nullable,
                read_only,
                ringbuf,
                ..
            } => (nullable, read_only, ringbuf.into()),
            Kind::Object {
                nullable, owning, ..
            } => (nullable, owning, 0),
            other => (other.is_nullable(), false, 0),
        };
        std::mem::discriminant(&self) == std::mem::discriminant(&other)
            && flags(self) == flags(other)
    }

    /// The name that the kernel prints.
    #[must_use]
    pub fn name(self) -> String {
        let base = match self {
            Kind::Unset => "?",
            Kind::Scalar => "scalar",
            Kind::Context => "ctx",
            Kind::MapPtr(_) => "map_ptr",
            Kind::MapValue { .. } => "map_value",
            Kind::MapKey(_) => "map_key",
            Kind::Stack(_) => "fp",
            Kind::Packet(_) => "pkt",
            Kind::PacketMeta(_) => "pkt_meta",
            Kind::PacketEnd => "pkt_end",
            Kind::FlowKeys => "flow_keys",
            Kind::Socket { kind, .. } => match kind {
                SocketKind::Full => "sock",
                SocketKind::Common => "sock_common",
                SocketKind::Tcp => "tcp_sock",
                SocketKind::Xdp => "xdp_sock",
            },
            Kind::Memory { .. } => "mem",
            Kind::TracepointBuffer => "tp_buffer",
            Kind::Function(_) => "func",
            Kind::Object { nullable, .. } => {
                return if nullable { "ptr_or_null_" } else { "ptr_" }.to_owned();
            }
            Kind::Iterator { .. } => "iter",
            Kind::Dynptr { .. } => "dynptr",
        };
        let prefix = match self {
            Kind::Memory { ringbuf: true, .. } => "ringbuf_",
            Kind::Memory {
                read_only: true, ..
            } => "rdonly_",
            _ => "",
        };
        let suffix = if self.is_nullable() { "_or_null" } else { "" };
        format!("{prefix}{base}{suffix}")
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, SocketKind};

    #[test]
    fn names_are_the_kernels() {
        let memory = Kind::Memory {
            size: 8,
            nullable: true,
            read_only: false,
            ringbuf: true,
        };
        assert_eq!(memory.name(), "ringbuf_mem_or_null");
        assert_eq!(memory.not_null().name(), "ringbuf_mem");
        let socket = |nullable| Kind::Socket {
            kind: SocketKind::Common,
            nullable,
        };
        assert_eq!(socket(true).name(), "sock_common_or_null");
        assert!(!socket(true).same_type(socket(false)));
        assert!(Kind::Packet(3).same_type(Kind::Packet(9)));
    }
}
