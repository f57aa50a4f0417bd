//! Which argument registers a function takes.
//!
//! Bytecode does not say; a function takes what it may read before writing it. A global function
//! takes what its BTF prototype declares, because the kernel checks the registers of every caller
//! against that. Functions that pass arguments on depend on one another, so masks grow to a
//! fixpoint: at most five steps a function, in practice two rounds.

use super::blocks::{Bytecode, Meaning};
use super::liveness;
use bpf::insn::{Reg, RegSet};
use mir::Module;

/// Argument registers of a function: bit *n* is `r(n+1)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ParameterMask(u8);

impl ParameterMask {
    /// The first `count`.
    pub fn first(count: usize) -> Self {
        ParameterMask((1u8 << count.min(5)) - 1)
    }

    /// Number of parameters: up to the highest register taken.
    pub fn count(self) -> u8 {
        8 - self.0.leading_zeros() as u8
    }

    pub fn contains(self, argument: usize) -> bool {
        self.0 >> argument & 1 != 0
    }

    pub fn registers(self) -> RegSet {
        (0..5)
            .filter(|&n| self.contains(n))
            .map(|n| Reg(n as u8 + 1))
            .collect()
    }

    fn from_registers(set: RegSet) -> Self {
        ParameterMask(
            (0..5)
                .filter(|&n| set.contains(Reg(n + 1)))
                .fold(0, |mask, n| mask | 1 << n),
        )
    }
}

/// The masks of all functions. `declared` gives a prototype's parameter count; a function without
/// code takes those, or all five registers when there is no prototype.
pub(super) fn parameter_masks(
    module: &Module,
    codes: &[Option<Bytecode>],
    declared: impl Fn(usize) -> Option<usize>,
) -> Vec<ParameterMask> {
    let mut masks: Vec<ParameterMask> = module
        .functions
        .values()
        .zip(codes)
        .enumerate()
        .map(|(index, (function, code))| match (code, declared(index)) {
            (None, Some(count)) => ParameterMask::first(count),
            (None, None) => ParameterMask::first(5),
            (Some(_), Some(count)) if function.global => ParameterMask::first(count),
            (Some(_), _) => ParameterMask::default(),
        })
        .collect();
    let mut pending: Vec<usize> = (0..codes.len()).collect();
    while !pending.is_empty() {
        let mut changed = false;
        for &index in &pending {
            let Some(code) = &codes[index] else { continue };
            let live = liveness::live_in(module, &masks, code)[0];
            let mask = ParameterMask(masks[index].0 | ParameterMask::from_registers(live).0);
            changed |= mask != masks[index];
            masks[index] = mask;
        }
        if !changed {
            break;
        }
        // Only functions that call others can still grow.
        pending.retain(|&index| {
            codes[index].as_ref().is_some_and(|code| {
                code.items
                    .iter()
                    .any(|item| matches!(item.meaning, Meaning::Function(_)))
            })
        });
    }
    masks
}
