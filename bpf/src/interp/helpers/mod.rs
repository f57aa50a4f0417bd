//! Helpers as the interpreter models them, one file a family.
//!
//! Return values and error numbers follow the kernel's functions of the same names
//! (`kernel/bpf/helpers.c`, `net/core/filter.c`, `kernel/trace/bpf_trace.c`, Linux 6.12 to 6.18).
//! Where the kernel would ask the system (routes, sockets, tasks), the answer is a fixed one,
//! stated where it is given.

mod callback;
mod checksum;
mod format;
mod maps;
mod records;
mod skb;
mod skb_edit;
mod text;
mod trace;
mod world;
mod xdp;

use crate::helpers::Helper;

use super::fault::{Fault, FaultKind};
use super::machine::{Callback, Machine, Outcome};

/// A call with its arguments.
pub(super) struct Call {
    pub(super) helper: &'static Helper,
    pub(super) args: [u64; 5],
}

impl Call {
    /// The low half of an argument, as a `u32` parameter gets it.
    fn low(&self, place: usize) -> u32 {
        (self.args[place] & 0xffff_ffff) as u32
    }

    /// An argument as an `int` parameter gets it.
    fn signed(&self, place: usize) -> i64 {
        i64::from(self.low(place).cast_signed())
    }

    /// The size in an argument.
    fn size(&self, place: usize) -> u64 {
        u64::from(self.low(place))
    }

    fn bad(&self, place: usize, expected: &'static str) -> Fault {
        let helper = self.helper.name;
        FaultKind::BadArgument {
            helper,
            argument: place + 1,
            expected,
        }
        .into()
    }

    /// The number of the map in an argument.
    fn map(&self, machine: &Machine, place: usize) -> Result<u32, Fault> {
        match machine.memory.meaning(self.args[place]) {
            super::memory::Meaning::Map(map) if (map as usize) < machine.maps.len() => Ok(map),
            _ => Err(self.bad(place, "a map")),
        }
    }

    /// The bytes that two arguments describe.
    fn bytes(&self, machine: &Machine, pointer: usize, size: usize) -> Result<Vec<u8>, Fault> {
        let size = self.size(size);
        if size == 0 {
            return Ok(Vec::new());
        }
        Ok(machine.memory.slice(self.args[pointer], size)?.to_vec())
    }

    /// Writes bytes to where an argument points.
    fn write(&self, machine: &mut Machine, pointer: usize, bytes: &[u8]) -> Result<(), Fault> {
        if bytes.is_empty() {
            return Ok(());
        }
        let target = machine
            .memory
            .slice_mut(self.args[pointer], bytes.len() as u64)?;
        target.copy_from_slice(bytes);
        Ok(())
    }
}

/// Calls a helper.
pub(super) fn call(
    machine: &mut Machine,
    call: &Call,
    callback: &mut Callback<'_>,
) -> Result<Outcome, Fault> {
    if call.helper.name == "tail_call" {
        return maps::tail_call(machine, call);
    }
    let families = [
        maps::call,
        world::call,
        xdp::call,
        skb::call,
        checksum::call,
        records::call,
        trace::call,
        text::call,
    ];
    for family in families {
        if let Some(value) = family(machine, call)? {
            return Ok(Outcome::Value(value));
        }
    }
    match callback::call(machine, call, callback)? {
        Some(value) => Ok(Outcome::Value(value)),
        None => match machine.invent_result(call.helper) {
            Some(value) => Ok(Outcome::Value(value)),
            None => Err(FaultKind::UnsupportedHelper(call.helper.name).into()),
        },
    }
}
