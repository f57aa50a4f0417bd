//! How deep a function's frame is.
//!
//! Constant addresses say it themselves. A variable one is followed to what it was computed from: where
//! only what is not negative is added, it is lowest where it began. Where that is not found, the
//! verifier's answer is taken, or all of the kernel's stack.
//!
//! Cost: for each address, sums and parameters behind it, at most [`MOST_STEPS`] deep.

use mir::analysis::{ControlFlowGraph, KnownValues};
use mir::{Func, Function, InstData, Opcode, Value};

use crate::space::{Space, Spaces, frame_offset};

/// Sums and parameters that an address is followed through.
const MOST_STEPS: usize = 32;
/// The kernel's stack of a function.
const STACK: i64 = 512;

/// Bytes below the frame pointer that a function uses; `known` is what somebody else found.
pub(crate) fn of(func: Func, function: &Function, spaces: &Spaces, known: Option<u32>) -> i64 {
    let cfg = ControlFlowGraph::compute(function);
    let lowest = Lowest {
        function,
        known: KnownValues::compute(function, &cfg),
        cfg,
    };
    let mut least = 0i64;
    // The verifier does not count what lies in code that it never enters.
    let mut unknown = false;
    for block in function.layout.blocks() {
        for inst in function.layout.insts(block) {
            let data = function.dfg.inst(inst);
            let (address, offset) = match *data {
                InstData::Load { base, offset, .. } | InstData::Store { base, offset, .. } => {
                    (Some(base), i64::from(offset))
                }
                _ => (function.dfg.result(inst), 0),
            };
            let Some(address) = address else { continue };
            if spaces.get(func, function, address) != Space::Stack {
                continue;
            }
            match lowest.of(address, 0, &mut Vec::new()) {
                Some(at) => least = least.min(at.saturating_add(offset)),
                None => unknown = true,
            }
        }
    }
    if unknown {
        least = least.min(known.map_or(-STACK, |known| -i64::from(known)));
    }
    (least.saturating_neg().clamp(0, STACK) + 3) & !3
}

/// The lowest place that addresses of the stack reach.
struct Lowest<'a> {
    function: &'a Function,
    known: KnownValues,
    cfg: ControlFlowGraph,
}

impl Lowest<'_> {
    /// The lowest offset from the frame pointer that a value can be, if that is known; `sum` is what
    /// was added to it on the way to `open`, the values that were asked for.
    fn of(&self, value: Value, sum: i64, open: &mut Vec<(Value, i64)>) -> Option<i64> {
        let value = self.function.dfg.resolve(value);
        if let Some(at) = frame_offset(self.function, value) {
            return Some(at);
        }
        if let Some((_, before)) = open.iter().find(|(one, _)| *one == value) {
            // Around a loop a pointer that only grows is lowest where it came in.
            return (sum >= *before).then_some(i64::MAX);
        }
        if open.len() > MOST_STEPS {
            return None;
        }
        open.push((value, sum));
        let found = self.step(value, sum, open);
        open.pop();
        found
    }

    fn step(&self, value: Value, sum: i64, open: &mut Vec<(Value, i64)>) -> Option<i64> {
        let dfg = &self.function.dfg;
        if let Some((_, data)) = dfg.def_inst(value) {
            let InstData::Binary {
                opcode: Opcode::Iadd,
                args: [a, b],
                ..
            } = *data
            else {
                return None;
            };
            let grows = |value| self.known.get(self.function, value).zeros >> 63 != 0;
            return match (self.function.constant(a), self.function.constant(b)) {
                (_, Some(by)) => {
                    let at = self.of(a, sum.saturating_add(by), open)?;
                    Some(at.saturating_add(by))
                }
                (Some(by), _) => {
                    let at = self.of(b, sum.saturating_add(by), open)?;
                    Some(at.saturating_add(by))
                }
                // The pointer is the operand of which this is known.
                _ if grows(b)
                    && let Some(at) = self.of(a, sum, open) =>
                {
                    Some(at)
                }
                _ if grows(a) => self.of(b, sum, open),
                _ => None,
            };
        }
        let block = self
            .cfg
            .reverse_postorder()
            .iter()
            .copied()
            .find_map(|block| {
                let params = dfg.block_params(block);
                let index = params.iter().position(|param| *param == value)?;
                Some((block, index))
            });
        let (block, index) = block?;
        let mut least = None;
        for predecessor in self.cfg.predecessors(block) {
            for call in dfg.successors(predecessor.inst) {
                if call.block == block {
                    let arg = dfg.call_args(&call).get(index).copied()?;
                    let at = self.of(arg, sum, open)?;
                    least = Some(least.map_or(at, |least: i64| least.min(at)));
                }
            }
        }
        least
    }
}
