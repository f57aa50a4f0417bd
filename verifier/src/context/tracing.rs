//! Registers of the traced code, and arguments of tracepoints.

use super::{Access, Field, number, pointer};
use crate::state::Kind;

/// `struct pt_regs` of x86-64.
const REGISTERS: i64 = 168;

pub(super) fn kprobe(access: Access) -> Field {
    number(
        !access.write && access.is_regular(REGISTERS) && access.offset + access.size <= REGISTERS,
    )
}

pub(super) fn tracepoint(access: Access) -> Field {
    number(!access.write && access.within(8, 8192) && access.offset % access.size == 0)
}

pub(super) fn raw_tracepoint(access: Access) -> Field {
    number(!access.write && access.is_regular(96))
}

pub(super) fn writable_tracepoint(access: Access) -> Field {
    if access.offset == 0 {
        return pointer(access.size == 8 && !access.write, Kind::TracepointBuffer);
    }
    raw_tracepoint(access)
}

pub(super) fn perf_event(access: Access) -> Field {
    if access.write || !access.is_regular(REGISTERS + 16) {
        return Field::Refused;
    }
    match access.offset {
        REGISTERS.. => number(access.is_narrow(8)),
        _ => number(access.size == 8),
    }
}
