//! `xdp_md`, `sk_msg_md`, `sk_reuseport_md`, and what flow dissectors see of `__sk_buff`.

use bpf::program_type::AttachType;

use super::{Access, Field, PACKET, number, pointer, socket};
use crate::state::{Kind, SocketKind};

pub(super) fn xdp(access: Access, attach: Option<AttachType>) -> Field {
    const EGRESS: i64 = 20;
    if access.write
        || !access.is_regular(24)
        || access.size != 4
        || (access.offset == EGRESS && attach != Some(AttachType::XdpDevmap))
    {
        return Field::Refused;
    }
    let kind = match access.offset {
        0 => PACKET,
        4 => Kind::PacketEnd,
        8 => Kind::PacketMeta(0),
        _ => return Field::Number,
    };
    pointer(!access.signed, kind)
}

pub(super) fn flow_dissector(access: Access) -> Field {
    if access.write || !access.is_regular(192) {
        return Field::Refused;
    }
    let whole = !access.signed && access.size == 4;
    match access.offset {
        76..80 => pointer(whole, PACKET),
        80..84 => pointer(whole, Kind::PacketEnd),
        144..152 => pointer(access.size == 8, Kind::FlowKeys),
        _ => Field::Refused,
    }
}

pub(super) fn message(access: Access) -> Field {
    if access.write || !access.is_regular(80) {
        return Field::Refused;
    }
    let wide = access.size == 8;
    match access.offset {
        0..8 => pointer(wide, PACKET),
        8..16 => pointer(wide, Kind::PacketEnd),
        72..80 => pointer(wide, socket(SocketKind::Full, false)),
        16..72 => number(access.size == 4),
        _ => Field::Refused,
    }
}

pub(super) fn reuseport(access: Access) -> Field {
    if access.write || !access.is_regular(56) {
        return Field::Refused;
    }
    let wide = access.size == 8;
    match access.offset {
        0 => pointer(wide, PACKET),
        8 => pointer(wide, Kind::PacketEnd),
        40 => pointer(wide, socket(SocketKind::Full, false)),
        48 => pointer(wide, socket(SocketKind::Common, true)),
        32 => number(access.size == 4),
        20..24 => number(access.size >= 2 && access.is_narrow(4)),
        16..32 => number(access.is_narrow(4)),
        _ => Field::Refused,
    }
}
