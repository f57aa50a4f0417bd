//! Of which value are the low bits of another a part?

use mir::{Function, InstData, Opcode, Value};

/// Definitions to look through: a mask, a shift and two conversions are what compiled code has.
pub(super) const MAX_STEPS: usize = 6;

/// Bits of a value, from `shift` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Source {
    /// The value.
    pub(super) value: Value,
    /// The lowest of the bits.
    pub(super) shift: u32,
}

/// Where the lowest `bits` bits of a value come from: through shifts, masks that keep them, and
/// conversions.
pub(super) fn source(func: &Function, value: Value, bits: u32) -> Source {
    let mut source = Source {
        value: func.dfg.resolve(value),
        shift: 0,
    };
    for _ in 0..MAX_STEPS {
        match step(func, source, bits) {
            Some(next) => source = next,
            None => break,
        }
    }
    source
}

fn step(func: &Function, Source { value, shift }: Source, bits: u32) -> Option<Source> {
    let (inst, data) = func.dfg.def_inst(value)?;
    if func.is_patched(inst) {
        return None;
    }
    let end = shift + bits;
    let (arg, shift) = match *data {
        InstData::Unary {
            opcode: Opcode::Trunc | Opcode::Zext | Opcode::Sext,
            arg,
            ..
        } if end <= 32 => (arg, shift),
        InstData::Binary { opcode, ty, args } => {
            let constant = func.constant(args[1])?;
            let amount = u32::try_from(constant).ok().filter(|&n| n < ty.bits());
            match (opcode, amount) {
                (Opcode::Ushr | Opcode::Sshr, Some(amount)) if end + amount <= ty.bits() => {
                    (args[0], shift + amount)
                }
                (Opcode::Ishl, Some(amount)) if amount <= shift => (args[0], shift - amount),
                (Opcode::Band, _) => {
                    let wanted = (u64::MAX >> (64 - bits)) << shift;
                    (constant as u64 & wanted == wanted).then_some((args[0], shift))?
                }
                _ => return None,
            }
        }
        _ => return None,
    };
    Some(Source {
        value: func.dfg.resolve(arg),
        shift,
    })
}
