//! Multiplication: a start, all steps in order, then the low word and, where it is wanted, the high one,
//! all with the same sources and with nothing between. Whether hardware would take less is not known.

use super::state::{Flags, Multiplication};
use super::step::Step;
use super::value::Value;
use super::violation::Rule;
use crate::isa::{Bank, Insn, MultiplyPhase, MultiplySize};

impl Step<'_> {
    /// A step or a result; `before`: what the instruction right before left under way.
    pub(super) fn multiply(&mut self, insn: Insn, before: Option<Multiplication>) {
        match insn {
            Insn::MultiplyStep {
                phase,
                swapped,
                a,
                b,
            } => {
                let values = (self.source(a, Bank::A), self.source(b, Bank::B));
                let sources = (a, b, swapped);
                let started = Multiplication {
                    sources,
                    values,
                    size: None,
                    steps: 0,
                    results: 0,
                };
                let MultiplyPhase::Step(size, step) = phase else {
                    self.state.multiplication = Some(started);
                    return;
                };
                let fits = |before: &Multiplication| {
                    before.sources == sources
                        && before.size.is_none_or(|found| found == size)
                        && before.steps == step
                        && before.results == 0
                };
                match before.filter(fits) {
                    Some(before) => {
                        self.state.multiplication = Some(Multiplication {
                            size: Some(size),
                            steps: step + 1,
                            ..before
                        });
                    }
                    None => self.broken(Rule::Multiplication),
                }
            }
            Insn::MultiplyResult { phase, destination } => {
                let (size, high) = match phase {
                    MultiplyPhase::High(size) => (size, 1),
                    MultiplyPhase::Low(size) => (size, 0),
                    MultiplyPhase::Start | MultiplyPhase::Step(..) => return,
                };
                let fits = |before: &Multiplication| {
                    before.size == Some(size)
                        && before.steps == size.steps()
                        && before.results == high
                };
                let value = match before.filter(fits) {
                    Some(before) => {
                        self.state.multiplication = Some(Multiplication {
                            results: high + 1,
                            ..before
                        });
                        product(before, size)
                    }
                    None => {
                        self.broken(Rule::Multiplication);
                        Value::UNDEFINED
                    }
                };
                // Nothing says what a result does to the condition codes.
                self.state.flags = Flags::default();
                self.write(destination, value);
            }
            _ => {}
        }
    }
}

fn product(of: Multiplication, size: MultiplySize) -> Value {
    let (left, right) = if of.sources.2 {
        (of.values.1, of.values.0)
    } else {
        of.values
    };
    let (left_mask, right_mask) = match size {
        MultiplySize::By8 => (0xff_ffff, 0xff),
        MultiplySize::By16 => (0xffff, 0xffff),
        MultiplySize::By32 => (u32::MAX, u32::MAX),
    };
    if left.undefined & left_mask == 0 && right.undefined & right_mask == 0 {
        Value::ANY
    } else {
        Value::UNDEFINED
    }
}
