//! Which frame bytes an instruction may reach through an address that it is given.

use super::access::{Pinned, bytes};
use bpf::helpers::{self, Arg, ArgKind, HelperFlags};
use cranelift_entity::SecondaryMap;
use mir::{Function, Inst, InstData, Value};

/// Bytes of a `struct bpf_dynptr`, by `include/uapi/linux/bpf.h`.
const DYNPTR_BYTES: i64 = 16;

/// Pins what an instruction other than a plain access may reach.
pub(super) fn visit(
    func: &Function,
    inst: Inst,
    addresses: &SecondaryMap<Value, Option<i64>>,
    pinned: &mut Pinned,
) {
    match *func.dfg.inst(inst) {
        InstData::CallHelper { id, args } => {
            let args = args.as_slice(&func.dfg.pool);
            for (place, &arg) in args.iter().enumerate() {
                if let Some(start) = addresses[arg] {
                    pin_argument(func, id, args, place, start, pinned);
                }
            }
        }
        InstData::AtomicRmw {
            width,
            offset,
            base,
            value,
            ..
        } if !func.is_patched(inst) && addresses[value].is_none() => {
            if let Some(start) = addresses[base] {
                let start = start.saturating_add(i64::from(offset));
                pinned.pin(start, start.saturating_add(bytes(width)));
            }
        }
        InstData::CompareExchange {
            width,
            offset,
            base,
            expected,
            value,
        } if !func.is_patched(inst)
            && addresses[expected].is_none()
            && addresses[value].is_none() =>
        {
            if let Some(start) = addresses[base] {
                let start = start.saturating_add(i64::from(offset));
                pinned.pin(start, start.saturating_add(bytes(width)));
            }
        }
        _ => func.dfg.for_each_operand(inst, |value| {
            if addresses[value].is_some() {
                pinned.pin_all();
            }
        }),
    }
}

/// A helper reaches from the address upward. How far, the kinds of its arguments may say.
fn pin_argument(
    func: &Function,
    id: u32,
    args: &[Value],
    place: usize,
    start: i64,
    pinned: &mut Pinned,
) {
    let Some(helper) = helpers::by_id(id) else {
        pinned.pin_all();
        return;
    };
    // A callback gets the address and may go downward from it.
    if helper
        .flags
        .intersects(HelperFlags::CALLS_BACK | HelperFlags::CALLS_BACK_LATER)
    {
        pinned.pin_all();
        return;
    }
    let kind = |place: usize| helper.args.get(place).map(|arg: &Arg| arg.kind);
    let size = match kind(place) {
        Some(ArgKind::FixedMem(size, _)) => Some(i64::from(size)),
        Some(ArgKind::Dynptr | ArgKind::DynptrUninit) => Some(DYNPTR_BYTES),
        Some(ArgKind::Mem(_)) => match kind(place + 1) {
            Some(ArgKind::ConstSize | ArgKind::ConstSizeOrZero) => args
                .get(place + 1)
                .and_then(|&size| func.constant(size))
                .filter(|&size| size >= 0),
            _ => None,
        },
        _ => None,
    };
    let end = size.map_or(0, |size| start.saturating_add(size));
    pinned.pin(start, end);
}
