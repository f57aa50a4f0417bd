//! Look-up, update, deletion, queues, storage, redirection into maps, tail calls.

use crate::interp::errno::{EINVAL, ENOENT};
use crate::interp::fault::Fault;
use crate::interp::machine::{Machine, Outcome};
use crate::maps::MapKind;

use super::Call;

/// `MAX_TAIL_CALL_CNT`
const TAIL_CALL_LIMIT: u32 = 33;
/// `BPF_LOCAL_STORAGE_GET_F_CREATE`
const STORAGE_CREATE: u64 = 1;
/// `XDP_REDIRECT`
const XDP_REDIRECT: u64 = 4;
/// `BPF_F_BROADCAST`
const BROADCAST: u64 = 8;

pub(super) fn call(machine: &mut Machine, call: &Call) -> Result<Option<u64>, Fault> {
    Ok(Some(match call.helper.name {
        "map_lookup_elem" => lookup(machine, call)?,
        "map_lookup_percpu_elem" if call.low(2) != 0 => 0,
        "map_lookup_percpu_elem" => lookup(machine, call)?,
        "map_update_elem" | "sock_map_update" | "sock_hash_update" => {
            let place = usize::from(call.helper.name != "map_update_elem");
            let map = call.map(machine, place)?;
            let key = key(machine, call, map, place + 1)?;
            machine.note_own_element(map, &key);
            let size = u64::from(machine.maps[map as usize].def.value_size);
            let value = match place {
                0 => machine.memory.slice(call.args[2], size)?.to_vec(),
                _ => vec![1; size as usize],
            };
            machine.maps[map as usize].update(&mut machine.memory, &key, &value, call.args[3])?
        }
        "map_delete_elem" => {
            let map = call.map(machine, 0)?;
            let key = key(machine, call, map, 1)?;
            machine.note_own_element(map, &key);
            machine.maps[map as usize].delete(&key, machine.memory.endian())
        }
        "map_push_elem" => {
            let map = call.map(machine, 0)?;
            let size = u64::from(machine.maps[map as usize].def.value_size);
            let value = machine.memory.slice(call.args[1], size)?.to_vec();
            machine.maps[map as usize].push(&value, call.args[2])
        }
        "map_pop_elem" => take(machine, call, true)?,
        "map_peek_elem" => take(machine, call, false)?,
        "redirect_map"
        | "sk_redirect_map"
        | "sk_redirect_hash"
        | "msg_redirect_map"
        | "msg_redirect_hash"
        | "sk_select_reuseport" => redirect(machine, call)?,
        "get_local_storage" => {
            let map = call.map(machine, 0)?;
            let size = machine.maps[map as usize].def.key_size as usize;
            storage(machine, map, &vec![0; size], None, true)?
        }
        "sk_storage_get" | "task_storage_get" | "inode_storage_get" | "cgrp_storage_get" => {
            let map = call.map(machine, 0)?;
            if call.args[1] == 0 {
                return Ok(Some(0));
            }
            let size = u64::from(machine.maps[map as usize].def.value_size);
            let initial = match call.args[2] {
                0 => None,
                pointer => Some(machine.memory.slice(pointer, size)?.to_vec()),
            };
            let create = call.args[3] & STORAGE_CREATE != 0;
            storage(machine, map, &call.args[1].to_le_bytes(), initial, create)?
        }
        "sk_storage_delete"
        | "task_storage_delete"
        | "inode_storage_delete"
        | "cgrp_storage_delete" => {
            let map = call.map(machine, 0)?;
            let endian = machine.memory.endian();
            machine.maps[map as usize].delete(&call.args[1].to_le_bytes(), endian)
        }
        _ => return Ok(None),
    }))
}

fn key(machine: &Machine, call: &Call, map: u32, place: usize) -> Result<Vec<u8>, Fault> {
    let size = u64::from(machine.maps[map as usize].def.key_size);
    Ok(machine.memory.slice(call.args[place], size)?.to_vec())
}

fn lookup(machine: &mut Machine, call: &Call) -> Result<u64, Fault> {
    let map = call.map(machine, 0)?;
    let size = u64::from(machine.maps[map as usize].def.key_size);
    let key = machine.memory.slice(call.args[1], size)?.to_vec();
    machine.invent_element(map, &key)?;
    machine.maps[map as usize].lookup(&mut machine.memory, &key)
}

fn take(machine: &mut Machine, call: &Call, remove: bool) -> Result<u64, Fault> {
    let map = call.map(machine, 0)?;
    let def = &machine.maps[map as usize].def;
    let (size, filter) = (u64::from(def.value_size), def.kind == MapKind::BloomFilter);
    let probe = match filter {
        true => machine.memory.slice(call.args[1], size)?.to_vec(),
        false => Vec::new(),
    };
    match machine.maps[map as usize].take(remove, &probe) {
        Some(value) => {
            if !filter {
                call.write(machine, 1, &value)?;
            }
            Ok(0)
        }
        None => {
            // The kernel clears the output of an empty queue.
            if !filter {
                call.write(machine, 1, &vec![0; size as usize])?;
            }
            Ok(ENOENT)
        }
    }
}

/// `bpf_redirect_map` gives the action in the low flag bits when the map has no such entry; its
/// relatives for sockets pass the packet on.
fn redirect(machine: &Machine, call: &Call) -> Result<u64, Fault> {
    let endian = machine.memory.endian();
    if call.helper.name == "sk_select_reuseport" {
        let map = call.map(machine, 1)?;
        let key = key(machine, call, map, 2)?;
        let found = machine.maps[map as usize].contains(&key, endian);
        return Ok(if found { 0 } else { ENOENT });
    }
    if call.helper.name != "redirect_map" {
        return Ok(1);
    }
    let map = call.map(machine, 0)?;
    let (index, flags) = (call.args[1], call.args[2]);
    if flags & !(3 | BROADCAST | 16) != 0 {
        return Ok(0);
    }
    let bytes = match endian {
        crate::insn::Endian::Little => call.low(1).to_le_bytes(),
        crate::insn::Endian::Big => call.low(1).to_be_bytes(),
    };
    let known = u32::try_from(index).is_ok() && machine.maps[map as usize].contains(&bytes, endian);
    Ok(if known || flags & BROADCAST != 0 {
        XDP_REDIRECT
    } else {
        flags & 3
    })
}

/// Local storage: an element by owner, made on demand.
fn storage(
    machine: &mut Machine,
    map: u32,
    owner: &[u8],
    initial: Option<Vec<u8>>,
    create: bool,
) -> Result<u64, Fault> {
    let Machine { maps, memory, .. } = machine;
    let map = &mut maps[map as usize];
    // Such maps are defined with no room, since owners bring it.
    map.def.max_entries = map.def.max_entries.max(u32::from(u16::MAX));
    let found = map.lookup(memory, owner)?;
    if found != 0 || !create {
        return Ok(found);
    }
    if map.update(memory, owner, &initial.unwrap_or_default(), 0)? == EINVAL {
        return Ok(0);
    }
    map.lookup(memory, owner)
}

/// A tail call goes nowhere when the array has no program there or 33 have been made: the program
/// goes on behind it.
pub(super) fn tail_call(machine: &mut Machine, call: &Call) -> Result<Outcome, Fault> {
    let map = call.map(machine, 1)?;
    let key = match machine.memory.endian() {
        crate::insn::Endian::Little => call.low(2).to_le_bytes(),
        crate::insn::Endian::Big => call.low(2).to_be_bytes(),
    };
    match machine.maps[map as usize].linked(&key) {
        Some(program) if machine.tail_calls < TAIL_CALL_LIMIT => {
            machine.tail_calls += 1;
            Ok(Outcome::TailCall(program))
        }
        // What a failed tail call leaves in r0 is for no program to read.
        _ => Ok(Outcome::Value(ENOENT)),
    }
}
