//! From slots to instructions and basic blocks.
//!
//! Only what is reachable from the first instruction is decoded: dead code after an `exit` may be
//! anything. Blocks are found from jump targets; a call does not end one.

use super::LiftError;
use bpf::insn::{Insn, read_slots};
use bpf::object::{FunctionRange, Object};
use mir::{External, Func, Symbol};
use std::collections::BTreeSet;

/// A decoded instruction at its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    /// Slot, from the function's start.
    pub slot: u32,
    pub insn: Insn,
    /// What the instruction's immediate really means.
    pub meaning: Meaning,
}

/// What a relocation or pseudo source says of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    Plain,
    /// `ld_imm64` of a symbol.
    Symbol(Symbol),
    /// A call inside the object.
    Function(Func),
    /// A call out of the object.
    External(External),
}

/// A basic block: a range of items and where it goes.
#[derive(Clone, Debug)]
pub(super) struct BasicBlock {
    pub items: std::ops::Range<usize>,
    pub exit: Exit,
}

/// How a block ends; numbers are block indices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    Return,
    Jump(usize),
    /// Taken, not taken; the last item holds the condition.
    Branch(usize, usize),
}

impl Exit {
    pub fn successors(self) -> impl Iterator<Item = usize> {
        let (first, second) = match self {
            Exit::Return => (None, None),
            Exit::Jump(target) => (Some(target), None),
            Exit::Branch(taken, not_taken) => (Some(taken), Some(not_taken)),
        };
        first.into_iter().chain(second)
    }
}

/// A function's reachable instructions in blocks; block 0 is the entry.
#[derive(Clone, Debug)]
pub(super) struct Bytecode {
    pub items: Vec<Item>,
    pub blocks: Vec<BasicBlock>,
}

impl Bytecode {
    pub fn decode(object: &Object, range: &FunctionRange) -> Result<Bytecode, LiftError> {
        let bytes = usize::try_from(range.offset)
            .ok()
            .zip(usize::try_from(range.end()).ok())
            .and_then(|(start, end)| object.data(range.section).get(start..end))
            .ok_or(LiftError::Ragged)?;
        let slots = read_slots(bytes, object.endian).ok_or(LiftError::Ragged)?;
        if slots.is_empty() {
            return Err(LiftError::Empty);
        }

        let mut decoded: Vec<Option<(Insn, u32)>> = vec![None; slots.len()];
        let mut leaders = BTreeSet::from([0u32]);
        let mut work = vec![0u32];
        while let Some(start) = work.pop() {
            let mut slot = start;
            while decoded[slot as usize].is_none() {
                let (insn, length) = Insn::decode(&slots[slot as usize..])
                    .map_err(|source| LiftError::Decode { slot, source })?;
                let next = slot + length as u32;
                decoded[slot as usize] = Some((insn, next));
                if let Insn::Gotox { .. } = insn {
                    return Err(LiftError::IndirectJump { slot });
                }
                if let Some(offset) = insn.branch_offset() {
                    let target = i64::from(next) + i64::from(offset);
                    let target = u32::try_from(target)
                        .ok()
                        .filter(|&target| (target as usize) < slots.len())
                        .ok_or(LiftError::JumpTarget { slot, target })?;
                    leaders.insert(target);
                    work.push(target);
                    leaders.insert(next);
                }
                if insn.is_terminator() {
                    break;
                }
                if next as usize >= slots.len() {
                    return Err(LiftError::FallsOff { slot });
                }
                slot = next;
            }
        }
        Self::build(&decoded, &leaders)
    }

    fn build(
        decoded: &[Option<(Insn, u32)>],
        leaders: &BTreeSet<u32>,
    ) -> Result<Bytecode, LiftError> {
        // A leader that is not the start of a decoded instruction is either dead code after a
        // jump, or a jump into the middle of a wide instruction, which decoding as an instruction
        // of its own has refused or made overlap; overlaps are refused here.
        let starts: Vec<u32> = leaders
            .iter()
            .copied()
            .filter(|&slot| decoded.get(slot as usize).is_some_and(Option::is_some))
            .collect();
        let mut items = Vec::with_capacity(decoded.len());
        let mut blocks = Vec::with_capacity(starts.len());
        let index_of = |slot: u32, from: u32| {
            starts
                .binary_search(&slot)
                .map_err(|_| LiftError::JumpTarget {
                    slot: from,
                    target: i64::from(slot),
                })
        };
        for (index, &start) in starts.iter().enumerate() {
            let end = starts.get(index + 1).copied().unwrap_or(u32::MAX);
            let first = items.len();
            let mut slot = start;
            let exit = loop {
                let Some((insn, next)) = decoded.get(slot as usize).copied().flatten() else {
                    return Err(LiftError::FallsOff { slot });
                };
                items.push(Item {
                    slot,
                    insn,
                    meaning: Meaning::Plain,
                });
                let target = insn.branch_offset().map(|offset| {
                    // In range: decoding has checked it.
                    (i64::from(next) + i64::from(offset)) as u32
                });
                match (insn, target) {
                    (Insn::Exit, _) => break Exit::Return,
                    (Insn::Goto { .. }, Some(target)) => break Exit::Jump(index_of(target, slot)?),
                    (_, Some(target)) => {
                        break Exit::Branch(index_of(target, slot)?, index_of(next, slot)?);
                    }
                    _ => {}
                }
                if next >= end {
                    if next > end {
                        return Err(LiftError::JumpTarget {
                            slot,
                            target: i64::from(end),
                        });
                    }
                    break Exit::Jump(index + 1);
                }
                slot = next;
            };
            blocks.push(BasicBlock {
                items: first..items.len(),
                exit,
            });
        }
        Ok(Bytecode { items, blocks })
    }

    /// Blocks reachable from the entry in reverse postorder.
    pub fn reverse_postorder(&self) -> Vec<usize> {
        let mut order = Vec::with_capacity(self.blocks.len());
        let mut seen = vec![false; self.blocks.len()];
        // Each entry is a block and how many of its successors have been visited.
        let mut stack = vec![(0usize, 0usize)];
        seen[0] = true;
        while let Some((block, visited)) = stack.pop() {
            match self.blocks[block].exit.successors().nth(visited) {
                Some(next) => {
                    stack.push((block, visited + 1));
                    if !std::mem::replace(&mut seen[next], true) {
                        stack.push((next, 0));
                    }
                }
                None => order.push(block),
            }
        }
        order.reverse();
        order
    }
}
