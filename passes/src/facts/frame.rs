//! Addresses in a function's own frame.

use mir::{Function, InstData, Opcode, Type, Value};

/// Bytes of a stack frame; offsets from the frame pointer run from minus this to 0.
pub(crate) const FRAME_BYTES: i64 = 512;

/// The distance from the frame pointer of an address in the frame.
pub(crate) fn frame_offset(func: &Function, value: Value) -> Option<i64> {
    let (_, data) = func.dfg.def_inst(func.dfg.resolve(value))?;
    match *data {
        InstData::Nullary {
            opcode: Opcode::Frame,
            ..
        } => Some(0),
        InstData::Binary {
            opcode: Opcode::Iadd,
            ty: Type::I64,
            args: [base, offset],
        } => {
            let (_, base) = func.dfg.def_inst(func.dfg.resolve(base))?;
            (base.opcode() == Opcode::Frame).then(|| func.constant(offset))?
        }
        _ => None,
    }
}
