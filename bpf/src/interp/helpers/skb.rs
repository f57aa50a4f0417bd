//! Socket buffers: reading and writing bytes, metadata.

use crate::interp::errno::{EFAULT, EINVAL, ENOMEM};
use crate::interp::fault::Fault;
use crate::interp::machine::Machine;
use crate::interp::packet::skb;

use super::Call;
use super::skb_edit;
use super::xdp::with_packet;

/// Flags of `bpf_skb_store_bytes`: recompute the checksum, forget the hash.
const STORE_FLAGS: u64 = 3;

pub(super) fn call(machine: &mut Machine, call: &Call) -> Result<Option<u64>, Fault> {
    Ok(Some(match call.helper.name {
        "skb_load_bytes" => {
            let bytes = read(machine, Base::Data, call.low(1), call.size(3));
            give(machine, call, 2, call.size(3), bytes)?
        }
        "skb_load_bytes_relative" => {
            let base = match call.low(4) {
                0 => Base::Mac,
                1 => Base::Network,
                _ => return Ok(Some(EFAULT)),
            };
            let bytes = read(machine, base, call.low(1), call.size(3));
            give(machine, call, 2, call.size(3), bytes)?
        }
        "skb_store_bytes" => {
            if call.args[4] & !STORE_FLAGS != 0 {
                return Ok(Some(EINVAL));
            }
            let bytes = call.bytes(machine, 2, 3)?;
            let offset = call.low(1);
            with_packet(machine, call, |machine, packet| {
                match packet.bytes_mut(&mut machine.memory, offset as usize, bytes.len()) {
                    Some(target) => {
                        target.copy_from_slice(&bytes);
                        0
                    }
                    None => EFAULT,
                }
            })?
        }
        "skb_pull_data" => {
            let length = machine.packet().len() as u64;
            if call.size(1) <= length { 0 } else { ENOMEM }
        }
        "get_hash_recalc" => with_packet(machine, call, |machine, packet| {
            let hash = flow_hash(&packet.frame(&machine.memory));
            packet.set_field(&mut machine.memory, skb::HASH, 4, hash);
            hash
        })?,
        "set_hash" => with_packet(machine, call, |machine, packet| {
            packet.set_field(&mut machine.memory, skb::HASH, 4, call.size(1));
            0
        })?,
        "skb_change_type" => {
            let (kind, known) = (call.low(1), 0..=3);
            if !known.contains(&kind) {
                return Ok(Some(EINVAL));
            }
            with_packet(machine, call, |machine, packet| {
                packet.set_field(&mut machine.memory, skb::PKT_TYPE, 4, u64::from(kind));
                0
            })?
        }
        // No packet here came through a tunnel; describing one to leave by is accepted.
        "skb_get_tunnel_key" | "skb_get_tunnel_opt" | "skb_get_xfrm_state" => {
            let (pointer, size) = match call.helper.name {
                "skb_get_xfrm_state" => (2, 3),
                _ => (1, 2),
            };
            let size = usize::try_from(call.size(size)).unwrap_or(0);
            call.write(machine, pointer, &vec![0; size.min(1 << 16)])?;
            EINVAL
        }
        "skb_set_tunnel_key" | "skb_set_tunnel_opt" => 0,
        "skb_ecn_set_ce" => 0,
        _ => return skb_edit::call(machine, call),
    }))
}

/// From where an offset counts.
#[derive(Clone, Copy)]
enum Base {
    Data,
    Mac,
    Network,
}

fn read(machine: &Machine, base: Base, offset: u32, size: u64) -> Option<Vec<u8>> {
    if offset > 0xffff {
        return None;
    }
    let packet = machine.packet.as_ref()?;
    let base = match base {
        Base::Data => packet.data,
        Base::Mac => packet.mac,
        Base::Network => packet.network,
    };
    let start = base.checked_add(offset as usize)?;
    let end = start.checked_add(usize::try_from(size).ok()?)?;
    if end > packet.end {
        return None;
    }
    machine
        .memory
        .bytes(packet.region)
        .get(start..end)
        .map(<[u8]>::to_vec)
}

/// Writes what was read; on failure the kernel clears the output.
fn give(
    machine: &mut Machine,
    call: &Call,
    place: usize,
    size: u64,
    bytes: Option<Vec<u8>>,
) -> Result<u64, Fault> {
    match bytes {
        Some(bytes) => {
            call.write(machine, place, &bytes)?;
            Ok(0)
        }
        None => {
            machine.memory.slice_mut(call.args[place], size)?.fill(0);
            Ok(EFAULT)
        }
    }
}

/// A flow hash: the kernel's has a random key, so any function of addresses and ports will do.
fn flow_hash(frame: &[u8]) -> u64 {
    let part = match frame.get(12..14) {
        Some([0x08, 0x00]) => frame.get(23..24).into_iter().chain(frame.get(26..38)),
        Some([0x86, 0xdd]) => frame.get(20..21).into_iter().chain(frame.get(22..58)),
        _ => frame.get(0..14).into_iter().chain(None),
    };
    let hash = part.flatten().fold(0x811c_9dc5u32, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    });
    u64::from(hash.max(1))
}
