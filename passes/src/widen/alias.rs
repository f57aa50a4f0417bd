//! May two accesses share bytes?
//!
//! Through one base it is arithmetic. Otherwise only the function's own stack is told apart from
//! the rest: packet, map and object memory are never stack, and neither is what a parameter points
//! to, since the frame did not exist when it was made. Pointers loaded from memory may be anything.

use mir::{Function, Opcode, Value, ValueDef};

use super::region::Access;
use crate::facts::{Kind, Kinds};

/// Which memory an address is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Space {
    /// The function's own frame, at an offset that is known.
    Frame,
    /// The packet, or a number.
    Packet,
    /// Values of maps, data sections and records: bytes that any access may touch.
    Shared,
    /// Sockets and other objects with fields of their own.
    Object,
    /// What a parameter points to: the context, or a caller's memory.
    Parameter,
    /// Anything.
    Unknown,
}

impl Space {
    /// Whether accesses to parts may become one, which is aligned or not.
    pub(super) fn takes_wider(self, aligned: bool) -> bool {
        match self {
            Space::Frame | Space::Shared => aligned,
            Space::Packet => true,
            Space::Object | Space::Parameter | Space::Unknown => false,
        }
    }
}

pub(super) fn space(func: &Function, kinds: &Kinds, base: Value) -> Space {
    match func.dfg.value_def(base) {
        ValueDef::Result(inst) if func.dfg.inst(inst).opcode() == Opcode::Frame => {
            return Space::Frame;
        }
        ValueDef::Param(block, _) if func.layout.entry() == Some(block) => {
            return Space::Parameter;
        }
        _ => {}
    }
    match kinds.get(func, base) {
        Kind::PacketOrNumber | Kind::Number => Space::Packet,
        Kind::Plain => Space::Shared,
        Kind::Memory => Space::Object,
        _ => Space::Unknown,
    }
}

/// Whether two accesses may share bytes.
pub(super) fn may_overlap(a: &Access, b: &Access) -> bool {
    if a.base == b.base {
        let (a_start, b_start) = (i64::from(a.offset), i64::from(b.offset));
        let (a_end, b_end) = (a_start + a.bytes(), b_start + b.bytes());
        return a_start < b_end && b_start < a_end;
    }
    let own = |space| space == Space::Frame;
    let other = |space| {
        matches!(
            space,
            Space::Packet | Space::Shared | Space::Object | Space::Parameter
        )
    };
    !(own(a.space) && other(b.space) || own(b.space) && other(a.space))
}
