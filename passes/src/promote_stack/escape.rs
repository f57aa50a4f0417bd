//! Which frame bytes an instruction may reach through an address that it is given.

use super::access::Pinned;
use crate::facts::reach;
use bpf::helpers::{self, HelperFlags};
use cranelift_entity::SecondaryMap;
use mir::{Function, Inst, InstData, Value};

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
                pinned.pin(start, start.saturating_add(i64::from(width.bytes())));
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
                pinned.pin(start, start.saturating_add(i64::from(width.bytes())));
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
    let size = reach::argument_bytes(func, helper, args, place);
    let end = size.map_or(0, |size| start.saturating_add(size));
    pinned.pin(start, end);
}
