//! Helpers that call subprograms of the program.

use crate::interp::errno::{E2BIG, EINVAL, ENOENT};
use crate::interp::fault::Fault;
use crate::interp::machine::{Callback, Machine};
use crate::interp::memory::{Memory, RegionKind};
use crate::maps::MapKind;

use super::Call;

/// `BPF_MAX_LOOPS`
const LOOP_LIMIT: u64 = 8 << 20;

pub(super) fn call(
    machine: &mut Machine,
    call: &Call,
    callback: &mut Callback<'_>,
) -> Result<Option<u64>, Fault> {
    Ok(Some(match call.helper.name {
        "loop" => {
            let count = call.size(0);
            if call.args[3] != 0 {
                return Ok(Some(EINVAL));
            }
            if count > LOOP_LIMIT {
                return Ok(Some(E2BIG));
            }
            for index in 0..count {
                let args = [index, call.args[2], 0, 0, 0];
                if callback(machine, call.args[1], args)? != 0 {
                    return Ok(Some(index + 1));
                }
            }
            count
        }
        "for_each_map_elem" => for_each(machine, call, callback)?,
        "find_vma" => ENOENT,
        _ => return Ok(None),
    }))
}

/// Visits all elements of an array, or those that a keyed map has at the start.
fn for_each(machine: &mut Machine, call: &Call, callback: &mut Callback<'_>) -> Result<u64, Fault> {
    let map = call.map(machine, 0)?;
    if call.args[3] != 0 {
        return Ok(EINVAL);
    }
    let endian = machine.memory.endian();
    let def = &machine.maps[map as usize].def;
    let array = matches!(def.kind, MapKind::Array | MapKind::PercpuArray);
    let entries = def.max_entries;
    let keys = if array {
        Vec::new()
    } else {
        machine.maps[map as usize].keys(endian)
    };
    let count = if array {
        u64::from(entries)
    } else {
        keys.len() as u64
    };
    let mut visited = 0;
    for place in 0..count {
        let key = match keys.get(usize::try_from(place).unwrap_or(usize::MAX)) {
            Some(key) => key.clone(),
            None => {
                let mut key = vec![0; 4];
                crate::interp::memory::put_number(&mut key, place, endian);
                key
            }
        };
        let value = machine.maps[map as usize].lookup(&mut machine.memory, &key)?;
        if value == 0 {
            continue;
        }
        let region = machine.memory.add(RegionKind::MapValue(map), false, key)?;
        let args = [
            Memory::map_address(map),
            region.address(),
            value,
            call.args[2],
            0,
        ];
        visited += 1;
        let result = callback(machine, call.args[1], args);
        machine.memory.remove(region);
        if result? != 0 {
            break;
        }
    }
    Ok(visited)
}
