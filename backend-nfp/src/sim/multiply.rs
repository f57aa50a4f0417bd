//! Multiplication: start, steps, results (NFP.md, section 3).
//!
//! The hardware makes partial products; here the product is made when a result is asked for, from
//! the operands that all steps must have had. Steps that are missing, too many or of other operands
//! make the product unknown, with a hazard.

use super::core::Core;
use super::fault::{FaultKind, HazardKind};
use super::operands::Moves;
use super::value::{Conditions, Value};
use crate::isa::{Insn, MultiplyPhase, MultiplySize};

/// A multiplication under way.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Multiplication {
    factors: Option<(Value, Value)>,
    size: Option<MultiplySize>,
    steps: u8,
    wrong: bool,
}

impl Core {
    pub(super) fn multiply(&mut self, insn: Insn) -> Result<(), FaultKind> {
        let mut moves = Moves::default();
        match insn {
            Insn::MultiplyStep {
                phase,
                swapped,
                a,
                b,
            } => {
                let factors = self.read_pair(a, b, swapped, &mut moves)?;
                self.multiplication.step(phase, factors);
            }
            Insn::MultiplyResult { phase, destination } => {
                let (high, size) = match phase {
                    MultiplyPhase::High(size) => (true, size),
                    MultiplyPhase::Low(size) => (false, size),
                    MultiplyPhase::Start | MultiplyPhase::Step(..) => return Ok(()),
                };
                let product = self.multiplication.product(size);
                if product.is_none() {
                    self.hazard(HazardKind::Multiply);
                }
                let result = match product {
                    None => Value::unknown(0),
                    Some((product, unknown)) => {
                        let bits = if high { product >> 32 } else { product };
                        Value::from(bits as u32).unless(unknown)
                    }
                };
                // Nothing says what a result does to the flags.
                self.conditions = Conditions::default();
                self.write(destination, result, &mut moves)?;
            }
            _ => return Err(FaultKind::Unsupported("this instruction")),
        }
        self.finish(moves);
        Ok(())
    }
}

impl Multiplication {
    fn step(&mut self, phase: MultiplyPhase, factors: (Value, Value)) {
        match phase {
            MultiplyPhase::Step(size, step) => {
                self.wrong |= self.factors != Some(factors)
                    || self.size.is_some_and(|before| before != size)
                    || self.steps != step;
                self.size = Some(size);
                self.steps = step + 1;
            }
            _ => {
                *self = Multiplication {
                    factors: Some(factors),
                    ..Multiplication::default()
                };
            }
        }
    }

    /// The product, and whether it depends on unknown bits.
    fn product(&self, size: MultiplySize) -> Option<(u64, bool)> {
        let (left, right) = self.factors?;
        if self.wrong || self.size != Some(size) || self.steps != size.steps() {
            return None;
        }
        let masks = match size {
            MultiplySize::By8 => (0xff_ffff, 0xff),
            MultiplySize::By16 => (0xffff, 0xffff),
            MultiplySize::By32 => (u32::MAX, u32::MAX),
        };
        let (left, right) = (left.masked(masks.0), right.masked(masks.1));
        let unknown = !left.is_known() || !right.is_known();
        Some((u64::from(left.bits) * u64::from(right.bits), unknown))
    }
}
