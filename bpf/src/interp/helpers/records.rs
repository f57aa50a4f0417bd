//! Ring buffers and perf events: records for user space.

use crate::interp::errno::{E2BIG, EAGAIN, EINVAL};
use crate::interp::fault::Fault;
use crate::interp::machine::Machine;
use crate::interp::memory::{Meaning, RegionId, RegionKind};

use super::Call;

/// Where the length of packet bytes to append lies in the flags of `bpf_perf_event_output`.
const APPEND_SHIFT: u32 = 32;
const APPEND_MASK: u64 = 0xf_ffff;
/// `BPF_F_CURRENT_CPU`, also the mask of the index.
const CURRENT_CPU: u64 = 0xffff_ffff;

pub(super) fn call(machine: &mut Machine, call: &Call) -> Result<Option<u64>, Fault> {
    Ok(Some(match call.helper.name {
        "ringbuf_output" => {
            let map = call.map(machine, 0)?;
            let bytes = call.bytes(machine, 1, 2)?;
            let ring = &mut machine.maps[map as usize];
            if ring.reserve(bytes.len() as u64) {
                ring.record(bytes)
            } else {
                EAGAIN
            }
        }
        "ringbuf_reserve" => {
            let map = call.map(machine, 0)?;
            let size = call.args[1];
            if call.args[2] != 0 || !machine.maps[map as usize].reserve(size) {
                return Ok(Some(0));
            }
            machine.memory.check_room(size)?;
            let bytes = vec![0; usize::try_from(size).unwrap_or(0)];
            machine
                .memory
                .add(RegionKind::Record(map), true, bytes)?
                .address()
        }
        "ringbuf_submit" | "ringbuf_discard" => {
            let (map, region) = record(machine, call)?;
            if call.helper.name == "ringbuf_submit" {
                let bytes = machine.memory.bytes(region).to_vec();
                if machine.keep(bytes.len()) {
                    machine.maps[map as usize].record(bytes);
                }
            }
            machine.memory.remove(region);
            0
        }
        // Available data, ring size, consumer and producer position.
        "ringbuf_query" => {
            let map = call.map(machine, 0)?;
            match call.args[1] {
                1 => u64::from(machine.maps[map as usize].def.max_entries),
                _ => 0,
            }
        }
        "perf_event_output" | "skb_output" | "xdp_output" => {
            let map = call.map(machine, 1)?;
            let append = call.args[2] >> APPEND_SHIFT & APPEND_MASK;
            let index = call.args[2] & CURRENT_CPU;
            if index != CURRENT_CPU
                && index >= u64::from(machine.maps[map as usize].def.max_entries)
            {
                return Ok(Some(E2BIG));
            }
            let mut bytes = call.bytes(machine, 3, 4)?;
            if append != 0 {
                let Some(part) = machine.packet().get(..append as usize) else {
                    return Ok(Some(crate::interp::errno::EFAULT));
                };
                bytes.extend_from_slice(part);
            }
            // The machine keeps it, so it counts as memory.
            if !machine.keep(bytes.len()) {
                return Ok(Some(crate::interp::errno::ENOMEM));
            }
            match machine.maps[map as usize].record(bytes) {
                0 => 0,
                _ => EINVAL,
            }
        }
        _ => return Ok(None),
    }))
}

fn record(machine: &Machine, call: &Call) -> Result<(u32, RegionId), Fault> {
    if let Meaning::Region(region, 0) = machine.memory.meaning(call.args[0])
        && let Some(RegionKind::Record(map)) =
            machine.memory.region(region).map(|region| region.kind)
    {
        return Ok((map, region));
    }
    Err(call.bad(0, "a reserved record"))
}
