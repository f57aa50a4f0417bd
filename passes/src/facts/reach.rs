//! Which bytes of the frame a call may read or write through the addresses that it is given.
//!
//! A helper gets the address of the first byte and goes upward: as far as the kind of its argument
//! or the size beside it says, or to the top of the frame. Nothing else of the frame is within
//! reach of a helper; everything is for functions and callbacks once an address escaped.

use super::kinds::Kind;
use super::memory::{Memory, Range, Region, Root};
use bpf::helpers::{self, Access, ArgKind, Helper};
use mir::{Function, Inst, InstData, Value};
use smallvec::SmallVec;

/// Bytes of a `struct bpf_dynptr`, by `include/uapi/linux/bpf.h`.
const DYNPTR_BYTES: i64 = 16;

/// Frame bytes that an instruction may reach, as offsets from the frame pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// All of them.
    All,
    /// From the first up to the second, without it.
    Bytes(i64, i64),
}

impl Reach {
    /// Whether bytes of the frame may be among them.
    pub(crate) fn may_meet(self, range: &Range) -> bool {
        match self {
            Reach::Bytes(start, end) if range.root == Root::Frame => {
                range.start < end && start < range.end()
            }
            Reach::All | Reach::Bytes(..) => true,
        }
    }
}

fn is_frame_address(func: &Function, memory: &Memory, value: Value) -> bool {
    let kinds = memory.kinds();
    !kinds.is_number(func, value) && kinds.get(func, value) == Kind::Stack
}

/// What a call may change of the frame.
pub(crate) fn written_by(func: &Function, memory: &Memory, call: Inst) -> SmallVec<[Reach; 2]> {
    let mut reached = SmallVec::new();
    if memory.frame_escapes() {
        reached.push(Reach::All);
        return reached;
    }
    let InstData::CallHelper { id, args } = *func.dfg.inst(call) else {
        return reached;
    };
    let kinds = helpers::by_id(id).map(|helper| helper.args);
    let args = args.as_slice(&func.dfg.pool);
    for (place, &arg) in args.iter().enumerate() {
        let kind = kinds.and_then(|kinds| kinds.get(place)).map(|arg| arg.kind);
        let only_reads = matches!(
            kind,
            Some(
                ArgKind::MapKey
                    | ArgKind::MapValue(Access::Read)
                    | ArgKind::Mem(Access::Read)
                    | ArgKind::FixedMem(_, Access::Read)
            )
        );
        if !only_reads && is_frame_address(func, memory, arg) {
            reached.push(argument(func, memory, id, args, place));
        }
    }
    reached
}

/// What a call, an atomic operation or a patched access may read of the frame, or must find
/// initialised there. What it writes counts too: older kernels want that initialised.
pub(crate) fn read_by(func: &Function, memory: &Memory, inst: Inst) -> SmallVec<[Reach; 2]> {
    let mut reached = SmallVec::new();
    if memory.frame_escapes() {
        reached.push(Reach::All);
        return reached;
    }
    if let InstData::CallHelper { id, args } = *func.dfg.inst(inst) {
        let args = args.as_slice(&func.dfg.pool);
        for (place, &arg) in args.iter().enumerate() {
            if is_frame_address(func, memory, arg) {
                reached.push(argument(func, memory, id, args, place));
            }
        }
        return reached;
    }
    let mut any = false;
    func.dfg
        .for_each_operand(inst, |value| any |= is_frame_address(func, memory, value));
    if any {
        reached.push(Reach::All);
    }
    reached
}

fn argument(func: &Function, memory: &Memory, id: u32, args: &[Value], place: usize) -> Reach {
    let range = memory.range(func, args[place], 0, 0);
    if (range.region, range.root) != (Region::Frame, Root::Frame) {
        let lowest = memory.lowest_in_frame(func, args[place]);
        return lowest.map_or(Reach::All, |lowest| Reach::Bytes(lowest, 0));
    }
    let Some(helper) = helpers::by_id(id) else {
        return Reach::All;
    };
    let size = argument_bytes(func, helper, args, place);
    let end = size.map_or(0, |size| range.start.saturating_add(size));
    Reach::Bytes(range.start, end)
}

/// How many bytes from its address on an argument of a helper reaches, where its kind or the size
/// beside it says so.
pub(crate) fn argument_bytes(
    func: &Function,
    helper: &Helper,
    args: &[Value],
    place: usize,
) -> Option<i64> {
    let kind = |place: usize| helper.args.get(place).map(|arg| arg.kind);
    match kind(place) {
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
    }
}
