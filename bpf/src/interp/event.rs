//! What a program did to the outside, in order, to compare two runs.
//!
//! Two forms of a program that mean the same make the same calls with the same data, but their
//! pointers into the stack differ. So an event holds a digest of what the helper would see: the
//! bytes behind memory arguments, the number of a map, the region and offset of other pointers
//! (of the stack, only that it is the stack).

use crate::helpers::{Access, ArgKind, Helper};

use super::machine::Machine;
use super::memory::{Meaning, RegionKind};

/// A helper call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Event {
    /// Which helper.
    pub helper: u32,
    /// Digest of its arguments.
    pub digest: u64,
}

/// FNV-1a: short, stable between hosts and releases.
struct Digest(u64);

impl Digest {
    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn number(&mut self, value: u64) {
        self.bytes(&value.to_le_bytes());
    }
}

/// Whether a call only asks: a compiler may merge or remove such calls, so they are no events.
pub(super) fn only_asks(helper: &Helper) -> bool {
    matches!(
        helper.name,
        "map_lookup_elem"
            | "map_lookup_percpu_elem"
            | "ktime_get_ns"
            | "ktime_get_boot_ns"
            | "ktime_get_coarse_ns"
            | "ktime_get_tai_ns"
            | "jiffies64"
            | "get_smp_processor_id"
            | "get_numa_node_id"
            | "get_current_pid_tgid"
            | "get_current_uid_gid"
            | "get_current_task"
            | "get_current_task_btf"
            | "get_current_cgroup_id"
            | "get_socket_cookie"
            | "get_netns_cookie"
    )
}

/// The event of a call with these arguments.
pub(super) fn event(machine: &Machine, helper: &Helper, args: [u64; 5]) -> Event {
    let mut digest = Digest(0xcbf2_9ce4_8422_2325);
    let map = args
        .iter()
        .zip(helper.args)
        .find(|(_, arg)| arg.kind == ArgKind::ConstMapPtr)
        .and_then(|(value, _)| machine.map_at(*value));
    for (place, arg) in helper.args.iter().enumerate() {
        let value = args[place];
        let behind = match arg.kind {
            ArgKind::MapKey => map.map(|map| u64::from(map.def.key_size)),
            ArgKind::MapValue(Access::Read | Access::ReadWrite) => {
                map.map(|map| u64::from(map.def.value_size))
            }
            ArgKind::Mem(Access::Read | Access::ReadWrite) => args.get(place + 1).copied(),
            ArgKind::FixedMem(size, Access::Read | Access::ReadWrite) => Some(u64::from(size)),
            _ => None,
        };
        match arg.kind {
            // What lies in registers that the helper may not look at is nobody's business.
            ArgKind::Unchecked => {}
            ArgKind::ConstSize | ArgKind::ConstSizeOrZero => digest.number(value & 0xffff_ffff),
            _ => pointer(machine, &mut digest, value),
        }
        if let Some(size) = behind
            && let Ok(bytes) = machine.memory().slice(value, size)
        {
            digest.bytes(bytes);
        }
    }
    Event {
        helper: helper.id,
        digest: digest.0,
    }
}

fn pointer(machine: &Machine, digest: &mut Digest, value: u64) {
    match machine.memory().meaning(value) {
        Meaning::Nothing => digest.number(value),
        Meaning::Map(map) => digest.number(u64::from(map) + 1),
        Meaning::Code(_) => digest.bytes(b"code"),
        Meaning::Region(id, offset) => {
            let kind = machine.memory().region(id).map(|region| region.kind);
            digest.bytes(format!("{kind:?}").as_bytes());
            if kind != Some(RegionKind::Stack) {
                digest.number(offset.cast_unsigned());
            }
        }
    }
}
