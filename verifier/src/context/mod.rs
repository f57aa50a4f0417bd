//! What may be read and written of each program type's context, and what reading gives.
//!
//! One file a family. The offsets are those of the structures in `include/uapi/linux/bpf.h`.

mod cgroup;
mod packet;
mod skb;
mod socket;
mod tracing;

pub(crate) use socket::socket_field;

use bpf::program_type::{AttachType, ProgramType};

use crate::state::{Kind, SocketKind};

/// An access to the context.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Access {
    /// Byte offset.
    pub offset: i64,
    /// Bytes.
    pub size: i64,
    /// Whether it writes.
    pub write: bool,
    /// Whether it reads with sign extension.
    pub signed: bool,
}

/// What an access gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    /// Nothing: it is refused.
    Refused,
    /// A number, or it takes one.
    Number,
    /// A pointer of this kind.
    Pointer(Kind),
    /// Something that is not modelled.
    Unmodelled(&'static str),
}

impl Access {
    fn within(&self, from: i64, to: i64) -> bool {
        (from..to).contains(&self.offset)
    }

    /// Aligned to its size and inside of the structure.
    fn is_regular(&self, structure: i64) -> bool {
        self.within(0, structure) && self.offset % self.size == 0
    }

    /// Reads all or a part of a field of `field` bytes.
    fn is_narrow(&self, field: i64) -> bool {
        self.size <= field
    }
}

fn number(allowed: bool) -> Field {
    if allowed {
        Field::Number
    } else {
        Field::Refused
    }
}

fn pointer(allowed: bool, kind: Kind) -> Field {
    if allowed {
        Field::Pointer(kind)
    } else {
        Field::Refused
    }
}

const PACKET: Kind = Kind::Packet(0);

const fn socket(kind: SocketKind, nullable: bool) -> Kind {
    Kind::Socket { kind, nullable }
}

/// What an access to the context of a program gives.
#[must_use]
pub(crate) fn access(
    program_type: ProgramType,
    attach: Option<AttachType>,
    access: Access,
) -> Field {
    use ProgramType as Type;
    match program_type {
        Type::Xdp => packet::xdp(access, attach),
        Type::SocketFilter
        | Type::SchedCls
        | Type::SchedAct
        | Type::CgroupSkb
        | Type::LwtIn
        | Type::LwtOut
        | Type::LwtXmit
        | Type::LwtSeg6local
        | Type::SkSkb => skb::skb(access, program_type),
        Type::FlowDissector => packet::flow_dissector(access),
        Type::SkMsg => packet::message(access),
        Type::SkReuseport => packet::reuseport(access),
        Type::SkLookup => socket::lookup(access),
        Type::CgroupSock => socket::cgroup_socket(access, attach),
        Type::CgroupSockAddr => socket::address(access, attach),
        Type::SockOps => socket::operations(access),
        Type::CgroupDevice => cgroup::device(access),
        Type::CgroupSysctl => cgroup::sysctl(access),
        Type::CgroupSockopt => cgroup::socket_option(access, attach),
        Type::Kprobe => tracing::kprobe(access),
        Type::Tracepoint => tracing::tracepoint(access),
        Type::RawTracepoint => tracing::raw_tracepoint(access),
        Type::RawTracepointWritable => tracing::writable_tracepoint(access),
        Type::PerfEvent => tracing::perf_event(access),
        Type::Syscall => number(access.is_regular(0xffff)),
        Type::LircMode2 => number(!access.write && access.offset == 0 && access.size == 4),
        Type::Netfilter => Field::Unmodelled("context of netfilter programs"),
        Type::Tracing | Type::StructOps | Type::Ext | Type::Lsm => {
            Field::Unmodelled("context by kernel types")
        }
    }
}

/// Whether programs on a device may write this, though those of the host may not: the queue that a
/// packet goes to (`xdp_is_valid_access`).
#[must_use]
pub(crate) fn is_written_on_device(program_type: ProgramType, access: Access) -> bool {
    const RX_QUEUE_INDEX: i64 = 16;
    let whole = access.offset == RX_QUEUE_INDEX && access.size == 4;
    program_type == ProgramType::Xdp && access.write && whole
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: ProgramType, offset: i64, size: i64) -> Field {
        let one = Access {
            offset,
            size,
            write: false,
            signed: false,
        };
        access(kind, None, one)
    }

    #[test]
    fn packet_pointers_come_from_their_fields_whole() {
        let packet = Field::Pointer(PACKET);
        assert_eq!(read(ProgramType::Xdp, 0, 4), packet);
        assert_eq!(read(ProgramType::SchedCls, 76, 4), packet);
        assert_eq!(read(ProgramType::SchedCls, 76, 2), Field::Refused);
        assert_eq!(read(ProgramType::SocketFilter, 76, 4), Field::Refused);
    }

    #[test]
    fn parts_of_numbers_may_be_read_where_the_kernel_says_so() {
        assert_eq!(read(ProgramType::SchedCls, 0, 1), Field::Number);
        assert_eq!(read(ProgramType::Xdp, 12, 2), Field::Refused);
        assert_eq!(read(ProgramType::SchedCls, 192, 4), Field::Refused);
        assert_eq!(read(ProgramType::SchedCls, -4, 4), Field::Refused);
    }
}
