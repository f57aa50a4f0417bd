//! Socket buffers: changes of length and headers.
//!
//! Each works on a copy of the frame and puts it back, which is also what makes old packet
//! pointers useless.

use crate::interp::errno::{EFAULT, EINVAL, ENOMEM, ENOTSUPP};
use crate::interp::fault::Fault;
use crate::interp::machine::Machine;
use crate::interp::memory::{number, put_number};
use crate::interp::packet::{ETHERNET, Packet, SKB_LIMIT, skb};

use super::Call;
use super::xdp::with_packet;

const ETHERTYPE: usize = 12;
const IPV4: [u8; 2] = [0x08, 0x00];
const IPV6: [u8; 2] = [0x86, 0xdd];
const VLAN: [u8; 2] = [0x81, 0x00];
const SERVICE_VLAN: [u8; 2] = [0x88, 0xa8];

pub(super) fn call(machine: &mut Machine, call: &Call) -> Result<Option<u64>, Fault> {
    let change: fn(&mut Machine, &mut Packet, &Call) -> u64 = match call.helper.name {
        "skb_change_tail" => change_tail,
        "skb_change_head" => change_head,
        "skb_adjust_room" => adjust_room,
        "skb_change_proto" => change_proto,
        "skb_vlan_push" => vlan_push,
        "skb_vlan_pop" => |machine, packet, _| vlan_pop(machine, packet),
        _ => return Ok(None),
    };
    with_packet(machine, call, |machine, packet| {
        change(machine, packet, call)
    })
    .map(Some)
}

fn change_tail(machine: &mut Machine, packet: &mut Packet, call: &Call) -> u64 {
    let length = call.size(1) as usize;
    let least = packet.network - packet.data;
    if call.args[2] != 0 || length > SKB_LIMIT || length < least {
        return EINVAL;
    }
    let mut frame = packet.frame(&machine.memory);
    frame.resize(packet.data - packet.mac + length, 0);
    packet.rebuild(&mut machine.memory, &frame);
    0
}

fn change_head(machine: &mut Machine, packet: &mut Packet, call: &Call) -> u64 {
    let room = call.size(1) as usize;
    let mut frame = packet.frame(&machine.memory);
    let length = packet.end - packet.data + room;
    if call.args[2] != 0 || call.signed(1) < 0 || length > SKB_LIMIT {
        return EINVAL;
    }
    let at = packet.data - packet.mac;
    frame.splice(at..at, std::iter::repeat_n(0, room));
    packet.rebuild(&mut machine.memory, &frame);
    packet.network = (packet.network + room).min(packet.end);
    0
}

/// Grows or shrinks between the link header (`BPF_ADJ_ROOM_MAC`) or the network header
/// (`BPF_ADJ_ROOM_NET`) and what follows.
fn adjust_room(machine: &mut Machine, packet: &mut Packet, call: &Call) -> u64 {
    let by = call.signed(1);
    let size = by.unsigned_abs() as usize;
    let mut frame = packet.frame(&machine.memory);
    let header = match frame
        .get(ETHERTYPE..ETHERNET)
        .map(|kind| [kind[0], kind[1]])
    {
        Some(IPV4) => 20,
        Some(IPV6) => 40,
        _ => return ENOTSUPP,
    };
    if size > 0xfff {
        return EFAULT;
    }
    let link = packet.network - packet.mac;
    let at = match call.low(2) {
        0 => link + header,
        1 => link,
        _ => return ENOTSUPP,
    };
    if by < 0 {
        let left = frame.len().checked_sub(size + link);
        if left.is_none_or(|left| left < header) || frame.len() < at + size {
            return ENOTSUPP;
        }
        frame.drain(at..at + size);
    } else {
        if frame.len() + size > SKB_LIMIT || frame.len() < at {
            return ENOTSUPP;
        }
        frame.splice(at..at, std::iter::repeat_n(0, size));
    }
    packet.rebuild(&mut machine.memory, &frame);
    0
}

/// Makes or removes the room that an IPv6 header has more than an IPv4 header.
fn change_proto(machine: &mut Machine, packet: &mut Packet, call: &Call) -> u64 {
    const MORE: usize = 20;
    let mut frame = packet.frame(&machine.memory);
    let wanted = call.low(1).to_le_bytes();
    let now = frame
        .get(ETHERTYPE..ETHERNET)
        .map(|kind| [kind[0], kind[1]]);
    if call.args[2] != 0 {
        return EINVAL;
    }
    let at = packet.network - packet.mac;
    match (now, [wanted[0], wanted[1]]) {
        (Some(IPV4), IPV6) => {
            frame.splice(at..at, std::iter::repeat_n(0, MORE));
        }
        (Some(IPV6), IPV4) if frame.len() >= at + MORE => {
            frame.drain(at..at + MORE);
        }
        _ => return ENOTSUPP,
    }
    packet.rebuild(&mut machine.memory, &frame);
    packet.set_field(&mut machine.memory, skb::PROTOCOL, 4, call.size(1) & 0xffff);
    0
}

/// Puts the tag that the buffer carries beside the packet into the packet.
fn insert_tag(machine: &mut Machine, packet: &mut Packet) -> bool {
    let endian = machine.memory.endian();
    let mut frame = packet.frame(&machine.memory);
    if frame.len() < ETHERNET || frame.len() + 4 > SKB_LIMIT {
        return false;
    }
    let mut tag = [0; 4];
    put_number(
        &mut tag[..2],
        packet.field(&machine.memory, skb::VLAN_PROTO, 4),
        endian,
    );
    let tci = packet.field(&machine.memory, skb::VLAN_TCI, 4) & 0xffff;
    tag[2..].copy_from_slice(&(tci as u16).to_be_bytes());
    frame.splice(ETHERTYPE..ETHERTYPE, tag);
    packet.rebuild(&mut machine.memory, &frame);
    let protocol = number(&tag[..2], endian);
    packet.set_field(&mut machine.memory, skb::PROTOCOL, 4, protocol);
    true
}

fn set_tag(machine: &mut Machine, packet: &Packet, tag: Option<(u64, u64)>) {
    let (protocol, tci) = tag.unwrap_or((0, 0));
    packet.set_field(
        &mut machine.memory,
        skb::VLAN_PRESENT,
        4,
        u64::from(tag.is_some()),
    );
    packet.set_field(&mut machine.memory, skb::VLAN_PROTO, 4, protocol);
    packet.set_field(&mut machine.memory, skb::VLAN_TCI, 4, tci);
}

fn vlan_push(machine: &mut Machine, packet: &mut Packet, call: &Call) -> u64 {
    let present = packet.field(&machine.memory, skb::VLAN_PRESENT, 4) != 0;
    if present && !insert_tag(machine, packet) {
        return ENOMEM;
    }
    let endian = machine.memory.endian();
    let allowed = [VLAN, SERVICE_VLAN].map(|kind| number(&kind, endian));
    let mut protocol = call.size(1) & 0xffff;
    if !allowed.contains(&protocol) {
        protocol = allowed[0];
    }
    set_tag(machine, packet, Some((protocol, call.size(2) & 0xffff)));
    0
}

fn vlan_pop(machine: &mut Machine, packet: &mut Packet) -> u64 {
    if packet.field(&machine.memory, skb::VLAN_PRESENT, 4) != 0 {
        set_tag(machine, packet, None);
    } else if take_tag(machine, packet).is_none() {
        return 0;
    }
    // The next tag in the packet moves beside it.
    let next = take_tag(machine, packet);
    set_tag(machine, packet, next);
    0
}

/// Removes the first tag from the packet: its protocol and control information.
fn take_tag(machine: &mut Machine, packet: &mut Packet) -> Option<(u64, u64)> {
    let endian = machine.memory.endian();
    let mut frame = packet.frame(&machine.memory);
    let kind = frame
        .get(ETHERTYPE..ETHERNET)
        .map(|kind| [kind[0], kind[1]])?;
    if (kind != VLAN && kind != SERVICE_VLAN) || frame.len() < ETHERNET + 4 {
        return None;
    }
    let tci = u64::from(frame[14]) << 8 | u64::from(frame[15]);
    frame.drain(ETHERTYPE..ETHERTYPE + 4);
    let inner = number(frame.get(ETHERTYPE..ETHERNET)?, endian);
    packet.rebuild(&mut machine.memory, &frame);
    packet.set_field(&mut machine.memory, skb::PROTOCOL, 4, inner);
    Some((number(&kind, endian), tci))
}
