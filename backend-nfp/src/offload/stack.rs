//! Stack in local memory: frames of the longest chain of calls.
//!
//! A frame is the deepest access of its function, which the verifier knows, in units that the index
//! registers can address; a called function keeps its return address there, and the registers that
//! it must preserve and writes. Chains are followed once for each function, since the longest rest of
//! a chain does not depend on how it began; a cycle, which the verifier refuses, ends the search.

use bpf::insn::{CallTarget, Insn, Reg};
use verifier::program::Meaning;

use super::{Examiner, Reason};
use crate::capabilities::STACK_UNIT;

const RETURN_ADDRESS: u32 = 4;
/// `r6` to `r9`, eight bytes each.
const PRESERVED: u32 = 32;

impl Examiner<'_> {
    pub(super) fn stack_size(&mut self) -> u32 {
        let mut known = vec![None; self.program.subprograms.len()];
        let has = self.chain(0, &mut known, 0);
        let limit = self.capabilities.stack;
        if has > limit {
            self.add(Reason::Stack { has, limit }, None);
        }
        has
    }

    /// Bytes of a function's frame and of the deepest chain below it.
    fn chain(&self, function: usize, known: &mut Vec<Option<u32>>, level: usize) -> u32 {
        if let Some(Some(bytes)) = known.get(function) {
            return *bytes;
        }
        let frame = self.frame(function);
        // The verifier allows eight frames; what is deeper is refused, and its size is no matter.
        if level > 8 {
            return frame;
        }
        let Some(start) = self.program.subprograms.get(function).map(|one| one.start) else {
            return 0;
        };
        let mut below = 0;
        for slot in start..self.program.subprogram_end(function) {
            if let Some(Insn::Call {
                target: CallTarget::Subprogram(_),
            }) = self.program.insn(slot)
                && let Some(Meaning::Function(callee)) =
                    self.program.ops.get(slot).map(|op| &op.meaning)
                && self.is_reached(slot)
            {
                below = below.max(self.chain(*callee, known, level + 1));
            }
        }
        let bytes = frame.saturating_add(below);
        if let Some(known) = known.get_mut(function) {
            *known = Some(bytes);
        }
        bytes
    }

    fn frame(&self, function: usize) -> u32 {
        let mut bytes = self.report.depths.get(function).copied().unwrap_or(0);
        if function > 0 {
            bytes += RETURN_ADDRESS;
            let start = self
                .program
                .subprograms
                .get(function)
                .map_or(0, |one| one.start);
            let end = self.program.subprogram_end(function);
            let writes = |slot: usize| {
                let written = self.program.insn(slot).map(|insn| insn.writes());
                written.is_some_and(|set| (6..10).any(|number| set.contains(Reg(number))))
            };
            if (start..end).any(writes) {
                bytes += PRESERVED;
            }
        }
        bytes.next_multiple_of(STACK_UNIT)
    }
}
