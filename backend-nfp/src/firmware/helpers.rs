//! Helpers as programs see them (NFP.md, section 5, «Helper calls»).
//!
//! A program branches to a helper with the return address in B0. Arguments: the map's number in A0,
//! the key where the first local-memory index points, a new value where the third one points, flags
//! in the fourth argument's registers. Results are in both banks. Everything that the firmware does
//! not promise to keep is spoiled.

use super::abi::function;
use super::card::{Card, Record};
use super::maps::DeviceMapKind;
use crate::isa::Bank;
use crate::sim::{Core, Fault, FaultKind, HazardKind, Value};

/// Largest key, value or record that a helper takes.
const SIZE_LIMIT: usize = 4096;
/// What a data pointer of `perf_event_output` points to (`enum bpf_reg_type` as the driver passes it).
mod pointer {
    pub(super) const SCALAR: u32 = 1;
    pub(super) const MAP_VALUE: u32 = 4;
    pub(super) const STACK: u32 = 6;
    pub(super) const PACKET: u32 = 8;
}
/// Error numbers that the helper for events returns.
const EFAULT: i64 = -14;

impl Card {
    /// Plays a helper; gives where control goes on.
    pub(super) fn helper(&mut self, core: &mut Core, helper: u32) -> Result<u32, Fault> {
        let back = argument(core, Bank::B, 0);
        let mut latency = None;
        let result = match helper {
            function::LOOKUP => {
                let map = self.map(core, helper)?;
                latency = self.maps[map].latency;
                let key = key(core, 0, self.maps[map].key_size);
                let found = self.maps[map].lookup(&mut self.memory, &mut self.free, &key);
                // A pointer is the address without its low byte, and that byte.
                match found {
                    Some(address) => ((address & 0xff) as u32, (address >> 8) as u32),
                    None => (0, 0),
                }
            }
            function::UPDATE => {
                let map = self.map(core, helper)?;
                latency = self.maps[map].latency;
                let key = key(core, 0, self.maps[map].key_size);
                let value = key_or_value(core, 2, self.maps[map].value_size);
                let flags = u64::from(argument(core, Bank::A, 8))
                    | u64::from(argument(core, Bank::A, 9)) << 32;
                let map = &mut self.maps[map];
                split(map.update(&mut self.memory, &mut self.free, &key, &value, flags))
            }
            function::DELETE => {
                let map = self.map(core, helper)?;
                latency = self.maps[map].latency;
                let key = key(core, 0, self.maps[map].key_size);
                split(self.maps[map].delete(&key))
            }
            function::TIME => split(self.clock.cast_signed()),
            function::PERF_EVENT => split(self.perf_event(core, helper)?),
            _ => return Err(refused(core, helper, "the firmware does not have it")),
        };
        self.spoil(core);
        for bank in [Bank::A, Bank::B] {
            core.set_gpr(bank, 0, result.0.into());
            core.set_gpr(bank, 1, result.1.into());
        }
        let latencies = self.abi.latencies;
        core.stall(latencies.helper_issue);
        // A helper waits for its map's memory as long as that takes.
        let waits = latencies.helper.saturating_sub(latencies.helper_issue);
        let own = latency.unwrap_or(latencies.external);
        core.wait(waits.saturating_add(own).saturating_sub(latencies.external));
        Ok(back)
    }

    /// The map that the first argument names.
    fn map(&self, core: &mut Core, helper: u32) -> Result<usize, Fault> {
        let id = argument(core, Bank::A, 0);
        let place = self.maps.iter().position(|map| map.id == id);
        let place = place.ok_or_else(|| refused(core, helper, "no such map"))?;
        let map = &self.maps[place];
        if map.key_size.max(map.value_size) > SIZE_LIMIT {
            return Err(refused(core, helper, "the map is too large"));
        }
        Ok(place)
    }

    fn perf_event(&mut self, core: &mut Core, helper: u32) -> Result<i64, Fault> {
        let kind = argument(core, Bank::A, 1);
        let map = argument(core, Bank::A, 4);
        // The low half of the flags names the CPU, the high half how much of the packet to append.
        let append = (argument(core, Bank::A, 7) & 0xf_ffff) as usize;
        let (low, high) = (core.gpr(Bank::A, 8), core.gpr(Bank::A, 9));
        let size = argument(core, Bank::A, 10) as usize;
        let events = self
            .maps
            .iter()
            .any(|found| found.id == map && found.kind == DeviceMapKind::PerfEvents);
        if !events || size > SIZE_LIMIT {
            return Err(refused(core, helper, "no such map, or too many bytes"));
        }
        if kind != pointer::SCALAR && !low.is_known() {
            core.hazard(HazardKind::UnknownArgument);
        }
        let mut bytes = match kind {
            pointer::SCALAR => Vec::new(),
            pointer::STACK => stack_bytes(core, low.bits, size),
            pointer::PACKET | pointer::MAP_VALUE => {
                let (space, address) = if kind == pointer::PACKET {
                    (crate::sim::RegionKind::Packet, u64::from(low.bits))
                } else {
                    let address = (u64::from(high.bits) << 8) + u64::from(low.bits);
                    (crate::sim::RegionKind::External, address)
                };
                let found = self.memory.read(space, address, size);
                found.map_err(|kind| core.fault(kind))?.to_vec()
            }
            _ => return Err(refused(core, helper, "unknown kind of pointer")),
        };
        if append != 0 {
            let part = self.packet(core, Some(append))?;
            if part.len() < append {
                return Ok(EFAULT);
            }
            bytes.extend(part);
        }
        self.records.push(Record { map, bytes });
        Ok(0)
    }

    /// Spoils what helpers do not promise to keep.
    fn spoil(&self, core: &mut Core) {
        let spoiled = Value::unknown(self.pattern.rotate_left(7));
        for bank in [Bank::A, Bank::B] {
            for register in 0..32 {
                let kept = self.abi.preserved.contains(&register)
                    || self.abi.live.contains(&(bank, register));
                if !kept {
                    core.set_gpr(bank, register, spoiled);
                }
            }
        }
        core.forget(spoiled.bits);
    }
}

fn refused(core: &Core, helper: u32, what: &'static str) -> Fault {
    core.fault(FaultKind::Helper { helper, what })
}

fn argument(core: &mut Core, bank: Bank, register: u8) -> u32 {
    let value = core.gpr(bank, register);
    if !value.is_known() {
        core.hazard(HazardKind::UnknownArgument);
    }
    value.bits
}

fn key(core: &mut Core, index: u8, size: usize) -> Vec<u8> {
    key_or_value(core, index, size)
}

/// Bytes of local memory from where an index register points.
fn key_or_value(core: &mut Core, index: u8, size: usize) -> Vec<u8> {
    if !core.local.is_ready(index, core.now()) {
        core.hazard(HazardKind::LmIndexNotReady(index));
    }
    let address = core.local.index(index);
    if !address.is_known() {
        core.hazard(HazardKind::UnknownAddress);
    }
    stack_bytes(core, address.bits, size)
}

/// Bytes of local memory, each word's lowest first.
fn stack_bytes(core: &mut Core, address: u32, size: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(size);
    for offset in (0..).take(size) {
        let at = address.wrapping_add(offset);
        let value = core.local.word(at);
        let shift = 8 * (at & 3);
        if value.unknown >> shift & 0xff != 0 {
            core.hazard(HazardKind::UnknownArgument);
        }
        bytes.push((value.bits >> shift) as u8);
    }
    bytes
}

/// A number as a pair of registers.
fn split(value: i64) -> (u32, u32) {
    let bits = value.cast_unsigned();
    (bits as u32, (bits >> 32) as u32)
}
