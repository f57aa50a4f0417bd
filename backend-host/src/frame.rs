//! The stack frame: what the program uses, and where spill slots go.
//!
//! The program's own slots keep their places, since their addresses may be known to helpers and
//! callees. Spill slots lie below the lowest byte that the program can address, 8 bytes each and
//! 8-aligned as the kernel wants for spilled pointers. How low the program goes is read off every
//! constant offset from the frame pointer; a variable offset counts as upward only if it is added
//! to a constant base, as compilers do for arrays, and otherwise the extent is unknown.

use cranelift_entity::SecondaryMap;
use mir::{Func, Function, InstData, Module, Opcode, SymbolKind, Type, Value};

/// The constant offset from the frame pointer that a value is, looking through `depth` additions.
#[must_use]
pub fn frame_offset(func: &Function, value: Value, depth: usize) -> Option<i32> {
    let (inst, data) = func.dfg.def_inst(value)?;
    match *data {
        InstData::Nullary {
            opcode: Opcode::Frame,
            ..
        } => Some(0),
        InstData::Binary {
            opcode,
            ty: Type::I64,
            args: [left, right],
        } if depth > 0 && !func.is_patched(inst) => match opcode {
            Opcode::Iadd => {
                let (base, constant) = match func.constant(right) {
                    Some(constant) => (left, constant),
                    None => (right, func.constant(left)?),
                };
                frame_offset(func, base, depth - 1)?.checked_add(i32::try_from(constant).ok()?)
            }
            Opcode::Isub => frame_offset(func, left, depth - 1)?
                .checked_sub(i32::try_from(func.constant(right)?).ok()?),
            _ => None,
        },
        _ => None,
    }
}

/// How deep the program's own stack use goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameUse {
    /// Lowest byte addressed, as a distance below the frame pointer: 0 to 512 and above.
    pub depth: u32,
    /// Whether an address of unknown offset was accessed below the base it was computed from.
    pub unknown: bool,
}

/// Finds how deep the program's own stack use goes.
///
/// Values derived from the frame pointer are followed through additions and block parameters to a
/// fixpoint: a value's offset only ever falls, and one that falls past [`FLOOR`] is unknown.
#[must_use]
pub fn frame_use(func: &Function) -> FrameUse {
    let mut lowest: SecondaryMap<Value, Option<i64>> = SecondaryMap::new();
    let mut variable: SecondaryMap<Value, bool> = SecondaryMap::new();
    let mut result = FrameUse {
        depth: 0,
        unknown: false,
    };
    let blocks: Vec<mir::Block> = func.layout.blocks().collect();
    let mut changed = true;
    while changed {
        changed = false;
        for &block in &blocks {
            for inst in func.layout.insts(block) {
                let data = func.dfg.inst(inst);
                let derived = derive(func, data, &lowest, &variable);
                if let (Some(value), Some((offset, varies))) = (func.dfg.result(inst), derived) {
                    changed |= lower(&mut lowest, &mut variable, value, offset, varies);
                }
                for call in func.dfg.successors(inst) {
                    let params = func.dfg.block_params(call.block);
                    for (&param, &arg) in params.iter().zip(func.dfg.call_args(&call)) {
                        if let Some(offset) = lowest[arg] {
                            let varies = variable[arg];
                            changed |= lower(&mut lowest, &mut variable, param, offset, varies);
                        }
                    }
                }
            }
        }
    }
    for &block in &blocks {
        for inst in func.layout.insts(block) {
            let data = func.dfg.inst(inst);
            // The offset belongs to the base: an address that is stored is known as it is.
            let (access, offset) = match *data {
                InstData::Load { base, offset, .. }
                | InstData::Store { base, offset, .. }
                | InstData::AtomicRmw { base, offset, .. } => (Some(base), i64::from(offset)),
                InstData::CompareExchange { base, offset, .. } => (Some(base), i64::from(offset)),
                _ => (None, 0),
            };
            func.dfg.inst(inst).for_each_arg(&func.dfg.pool, |value| {
                let Some(at) = lowest[value] else { return };
                let offset = match *data {
                    InstData::Store { value: stored, .. } if stored == value => offset.min(0),
                    _ => offset,
                };
                let offset = if access == Some(value) { offset } else { 0 };
                if variable[value] && offset < 0 || at <= FLOOR {
                    result.unknown = true;
                }
                let below = (-(at + offset)).max(0);
                result.depth = result.depth.max(u32::try_from(below).unwrap_or(u32::MAX));
            });
        }
    }
    result
}

/// No frame is this deep; offsets that fall this far come from a loop that walks downward.
const FLOOR: i64 = -4096;

fn lower(
    lowest: &mut SecondaryMap<Value, Option<i64>>,
    variable: &mut SecondaryMap<Value, bool>,
    value: Value,
    offset: i64,
    varies: bool,
) -> bool {
    let offset = offset.max(FLOOR);
    let falls = lowest[value].is_none_or(|old| offset < old);
    let changed = falls || (varies && !variable[value]);
    if falls {
        lowest[value] = Some(offset);
    }
    variable[value] |= varies;
    changed
}

/// Lowest offset and whether it varies, for a result derived from a frame address.
fn derive(
    func: &Function,
    data: &InstData,
    lowest: &SecondaryMap<Value, Option<i64>>,
    variable: &SecondaryMap<Value, bool>,
) -> Option<(i64, bool)> {
    match *data {
        InstData::Nullary {
            opcode: Opcode::Frame,
            ..
        } => Some((0, false)),
        InstData::Binary {
            opcode: Opcode::Iadd,
            args: [left, right],
            ..
        } => {
            let (base, other) = if lowest[left].is_some() {
                (left, right)
            } else {
                (right, left)
            };
            let at = lowest[base]?;
            Some(match func.constant(other) {
                Some(constant) => (at.saturating_add(constant), variable[base]),
                // An index into an array that begins at the constant offset.
                None => (at, true),
            })
        }
        InstData::Binary {
            opcode: Opcode::Isub,
            args: [left, right],
            ..
        } => {
            let at = lowest[left]?;
            Some(match func.constant(right) {
                Some(constant) => (at.saturating_sub(constant), variable[left]),
                None => (FLOOR, true),
            })
        }
        _ => None,
    }
}

/// Bytes that any frame may have.
const FRAME_LIMIT: u32 = 512;
/// The kernel rounds each frame of a call chain up to this when it adds them.
const FRAME_GRANULE: u32 = 16;

/// How many bytes of stack each function may use when it is compiled anew; to be asked of the
/// module as lifted.
///
/// The kernel adds the frames along every chain of calls and refuses more than 512 bytes (256 a
/// frame with tail calls). A function that neither calls nor is called may use its 512. One that
/// does may use what it uses now, so that no chain gets deeper.
#[must_use]
pub fn stack_limits(module: &Module) -> SecondaryMap<Func, u32> {
    let mut chained: SecondaryMap<Func, bool> = SecondaryMap::new();
    for (caller, function) in &module.functions {
        for block in function.layout.blocks() {
            for inst in function.layout.insts(block) {
                let callee = match *function.dfg.inst(inst) {
                    InstData::CallFunc { func, .. } => Some(func),
                    InstData::SymbolAddr { symbol } => match module.symbols[symbol].kind {
                        SymbolKind::Function(func) => Some(func),
                        _ => None,
                    },
                    InstData::CallIndirect { .. } | InstData::CallExternal { .. } => {
                        chained[caller] = true;
                        None
                    }
                    _ => None,
                };
                if let Some(callee) = callee {
                    chained[caller] = true;
                    chained[callee] = true;
                }
            }
        }
    }
    let mut limits = SecondaryMap::with_default(FRAME_LIMIT);
    for (func, function) in &module.functions {
        if chained[func] {
            let depth = frame_use(function).depth.next_multiple_of(FRAME_GRANULE);
            limits[func] = depth.min(FRAME_LIMIT);
        }
    }
    limits
}
