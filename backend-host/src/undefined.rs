//! Copies of registers that nobody wrote.
//!
//! Bytecode leaves registers unset, and the kernel refuses an instruction that reads one, a copy
//! included. Where an unset value flows into a block parameter the allocator may copy it around.
//! This analysis finds for each move whether its source is never set (the move is dropped), always
//! set, or set on some paths only (then the function is compiled again with zero for the unset
//! value).
//!
//! It is a forward analysis over registers and spill slots with two bits each, *may be unset* and
//! *may be set*; unions at merges make it a least fixpoint of at most 2 × 64 steps a block.

use crate::lir::{Lir, LirOp};
use regalloc2::{Allocation, AllocationKind, Edit, Inst, InstOrEdit, OperandKind, Output};
use std::collections::BTreeSet;

/// Locations 0 to 15 are registers, the rest spill slots.
const REGISTERS: usize = 16;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct State {
    unset: u128,
    set: u128,
}

impl State {
    fn union(self, other: State) -> State {
        State {
            unset: self.unset | other.unset,
            set: self.set | other.set,
        }
    }
}

/// What is known of the moves of a function.
#[derive(Clone, Debug, Default)]
pub struct Moves {
    /// Positions of edits in the allocator's output whose source is never set.
    pub dropped: BTreeSet<usize>,
    /// Whether some move's source is set on some paths only.
    pub uncertain: bool,
}

fn location(allocation: Allocation) -> Option<u128> {
    let index = match allocation.kind() {
        AllocationKind::Reg => allocation.as_reg()?.hw_enc(),
        AllocationKind::Stack => REGISTERS + allocation.as_stack()?.index(),
        AllocationKind::None => return None,
    };
    1u128.checked_shl(index as u32)
}

fn write(state: &mut State, at: u128, unset: bool) {
    if unset {
        state.unset |= at;
        state.set &= !at;
    } else {
        state.unset &= !at;
        state.set |= at;
    }
}

fn step(lir: &Lir, output: &Output, inst: Inst, state: &mut State) {
    let data = &lir.insts[inst.index()];
    for preg in data.clobbers {
        if let Some(at) = location(Allocation::reg(preg)) {
            write(state, at, true);
        }
    }
    let unset = matches!(data.op, LirOp::Undef);
    for (operand, &allocation) in data.operands.iter().zip(output.inst_allocs(inst)) {
        if operand.kind() == OperandKind::Def
            && let Some(at) = location(allocation)
        {
            write(state, at, unset);
        }
    }
}

fn walk(
    lir: &Lir,
    output: &Output,
    block: usize,
    mut state: State,
    mut on_move: impl FnMut(u128, &State),
) -> State {
    for item in items(lir, output, block) {
        match item {
            InstOrEdit::Inst(inst) => step(lir, output, inst, &mut state),
            InstOrEdit::Edit(Edit::Move { from, to }) => {
                let (source, destination) =
                    (location(*from).unwrap_or(0), location(*to).unwrap_or(0));
                on_move(source, &state);
                let (unset, set) = (state.unset & source != 0, state.set & source != 0);
                state.unset &= !destination;
                state.set &= !destination;
                if unset {
                    state.unset |= destination;
                }
                if set {
                    state.set |= destination;
                }
            }
        }
    }
    state
}

/// Instructions and edits of a block in order.
pub(crate) fn items<'o>(lir: &Lir, output: &'o Output, block: usize) -> Vec<InstOrEdit<'o>> {
    let range = lir.blocks[block].insts.clone();
    let first = output
        .edits
        .partition_point(|(point, _)| point.inst().index() < range.start);
    let mut edits = output.edits[first..].iter().peekable();
    let mut items = Vec::with_capacity(range.len());
    for index in range {
        let inst = Inst::new(index);
        let before = regalloc2::ProgPoint::before(inst);
        while let Some((_, edit)) = edits.next_if(|(point, _)| *point <= before) {
            items.push(InstOrEdit::Edit(edit));
        }
        items.push(InstOrEdit::Inst(inst));
        let after = regalloc2::ProgPoint::after(inst);
        while let Some((_, edit)) = edits.next_if(|(point, _)| *point <= after) {
            items.push(InstOrEdit::Edit(edit));
        }
    }
    items
}

/// Finds the moves of unset values. More spill slots than a frame can have are reported as
/// uncertain.
#[must_use]
pub fn find_moves(lir: &Lir, output: &Output) -> Moves {
    if REGISTERS + output.num_spillslots > 128 {
        return Moves {
            dropped: BTreeSet::new(),
            uncertain: true,
        };
    }
    let everything = u128::MAX;
    let mut at_start: Vec<Option<State>> = vec![None; lir.blocks.len()];
    at_start[0] = Some(State {
        unset: everything,
        set: 0,
    });
    let mut work = BTreeSet::from([0usize]);
    while let Some(block) = work.pop_first() {
        let Some(state) = at_start[block] else {
            continue;
        };
        let end = walk(lir, output, block, state, |_, _| {});
        for edge in &lir.blocks[block].successors {
            let new = at_start[edge.block].map_or(end, |old| old.union(end));
            if at_start[edge.block] != Some(new) {
                at_start[edge.block] = Some(new);
                work.insert(edge.block);
            }
        }
    }
    let mut moves = Moves::default();
    for (block, state) in at_start.iter().enumerate() {
        let Some(state) = *state else { continue };
        let range = &lir.blocks[block].insts;
        let mut index = output
            .edits
            .partition_point(|(point, _)| point.inst().index() < range.start);
        walk(lir, output, block, state, |source, state| {
            match (state.unset & source != 0, state.set & source != 0) {
                (true, false) => {
                    moves.dropped.insert(index);
                }
                (true, true) => moves.uncertain = true,
                (false, _) => {}
            }
            index += 1;
        });
    }
    moves
}
