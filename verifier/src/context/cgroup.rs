//! `bpf_cgroup_dev_ctx`, `bpf_sysctl`, `bpf_sockopt`.

use bpf::program_type::AttachType;

use super::{Access, Field, PACKET, number, pointer, socket};
use crate::state::{Kind, SocketKind};

pub(super) fn device(access: Access) -> Field {
    if access.write || !access.is_regular(12) {
        return Field::Refused;
    }
    match access.offset {
        0..4 => number(access.is_narrow(4)),
        _ => number(access.size == 4),
    }
}

pub(super) fn sysctl(access: Access) -> Field {
    if !access.is_regular(8) || access.offset + access.size > 8 {
        return Field::Refused;
    }
    match access.offset {
        0..4 => number(!access.write && access.is_narrow(4)),
        _ if access.write => number(access.size == 4),
        _ => number(access.is_narrow(4)),
    }
}

pub(super) fn socket_option(access: Access, attach: Option<AttachType>) -> Field {
    if !access.is_regular(40) {
        return Field::Refused;
    }
    let get = attach == Some(AttachType::CgroupGetsockopt);
    let set = attach == Some(AttachType::CgroupSetsockopt);
    if access.write {
        return number(
            access.size == 4
                && match access.offset {
                    36 => get,
                    24 | 28 => set,
                    32 => true,
                    _ => false,
                },
        );
    }
    let wide = access.size == 8;
    match access.offset {
        0..8 => pointer(wide, socket(SocketKind::Full, false)),
        8..16 => pointer(wide, PACKET),
        16..24 => pointer(wide, Kind::PacketEnd),
        36 => number(access.size == 4 && get),
        _ => number(access.size == 4),
    }
}
