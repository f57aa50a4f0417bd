//! `bpf_sock` and its kin, `bpf_sock_addr`, `bpf_sock_ops`, `bpf_sk_lookup`.

use bpf::program_type::AttachType;

use super::{Access, Field, PACKET, number, pointer, socket};
use crate::state::{Kind, SocketKind};

/// Whether a field behind a socket pointer may be read so.
#[must_use]
pub(crate) fn socket_field(kind: SocketKind, access: Access) -> bool {
    match kind {
        SocketKind::Full => full(access),
        SocketKind::Common => !access.within(8, 24) && full(access),
        SocketKind::Tcp => {
            access.is_regular(112)
                && access.size
                    == if matches!(access.offset, 80 | 88) {
                        8
                    } else {
                        4
                    }
        }
        SocketKind::Xdp => access.is_regular(4) && access.size == 4,
    }
}

fn full(access: Access) -> bool {
    if !access.is_regular(80) {
        return false;
    }
    match access.offset {
        4 | 8 | 12 | 44 | 72 | 76 | 24..44 | 52..72 => access.is_narrow(4),
        48..50 => access.size == 4 || access.is_narrow(2),
        50..52 => false,
        _ => access.size == 4,
    }
}

pub(super) fn cgroup_socket(access: Access, attach: Option<AttachType>) -> Field {
    use AttachType::{
        CgroupInet4PostBind as Bind4, CgroupInet6PostBind as Bind6, CgroupInetSockCreate as Create,
        CgroupInetSockRelease as Release,
    };
    if !full(access) {
        return Field::Refused;
    }
    let attach = attach.unwrap_or(Create);
    match access.offset {
        0 | 16 | 20 => number(matches!(attach, Create | Release)),
        24..28 => number(attach == Bind4 && !access.write),
        28..44 => number(attach == Bind6 && !access.write),
        44..48 => number(matches!(attach, Bind4 | Bind6) && !access.write),
        _ => number(!access.write),
    }
}

pub(super) fn address(access: Access, attach: Option<AttachType>) -> Field {
    use AttachType::*;
    if !access.is_regular(72) {
        return Field::Refused;
    }
    let is = |kinds: &[AttachType]| attach.is_some_and(|attach| kinds.contains(&attach));
    let version4 = &[
        CgroupInet4Bind,
        CgroupInet4Connect,
        CgroupInet4Getpeername,
        CgroupInet4Getsockname,
        CgroupUdp4Sendmsg,
        CgroupUdp4Recvmsg,
    ];
    let version6 = &[
        CgroupInet6Bind,
        CgroupInet6Connect,
        CgroupInet6Getpeername,
        CgroupInet6Getsockname,
        CgroupUdp6Sendmsg,
        CgroupUdp6Recvmsg,
    ];
    let allowed = match access.offset {
        4..8 => is(version4),
        8..24 => is(version6),
        40..44 => is(&[CgroupUdp4Sendmsg]),
        44..60 => is(&[CgroupUdp6Sendmsg]),
        _ => true,
    };
    if !allowed {
        return Field::Refused;
    }
    match access.offset {
        4..28 | 40..60 => {
            let wide = access.size == 8 && matches!(access.offset, 8 | 16 | 48);
            number(wide || access.size == 4 || (!access.write && access.is_narrow(4)))
        }
        64..72 => pointer(
            !access.write && access.size == 8,
            socket(SocketKind::Full, false),
        ),
        0..4 | 28..40 => number(!access.write && access.size == 4),
        _ => Field::Refused,
    }
}

pub(super) fn operations(access: Access) -> Field {
    if !access.is_regular(224) {
        return Field::Refused;
    }
    if access.write {
        return number(matches!(access.offset, 4 | 164) && access.size == 4);
    }
    let wide = access.size == 8;
    match access.offset {
        168..184 | 216..224 => number(wide),
        184..192 => pointer(wide, socket(SocketKind::Full, true)),
        192..200 => pointer(wide, PACKET),
        200..208 => pointer(wide, Kind::PacketEnd),
        212 => number(access.is_narrow(4)),
        _ => number(access.size == 4),
    }
}

pub(super) fn lookup(access: Access) -> Field {
    if access.write || !access.is_regular(72) {
        return Field::Refused;
    }
    match access.offset {
        0..8 => pointer(access.size == 8, socket(SocketKind::Full, true)),
        8..36 | 40..68 => number(access.is_narrow(4)),
        36..38 => number(access.size == 4 || access.is_narrow(2)),
        38..40 => number(access.is_narrow(2)),
        _ => Field::Refused,
    }
}
