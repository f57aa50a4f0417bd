//! Which slots find a register as values.
//!
//! Only four registers survive calls. A compiler spilled because more values than that were needed
//! after a call; where that is still so, a promoted slot is spilled again, often at a worse place,
//! with moves where its values meet. So a slot is promoted only if, at each call that it is live
//! across, it and the values already there fit those registers.
//!
//! Slots are taken in the order of what they gain: the number of their accesses, then the fewest
//! calls. Values that the back end makes at each use count for nothing. The cost is one backward
//! walk over the instructions, and one step for each slot live at each call.

use super::access::{Frame, Slot};
use super::paths::{SlotSet, index_of, live_at_start};
use cranelift_entity::EntitySet;
use mir::analysis::{ControlFlowGraph, Liveness};
use mir::opcode::Effect;
use mir::{Block, Function, InstData, Opcode, Value};

/// Registers that survive calls: `r6` to `r9`.
const REGISTERS_ACROSS_CALLS: u32 = 4;

/// What is live across one call.
#[derive(Debug)]
struct Call {
    values: u32,
    slots: SlotSet,
}

/// Divides slots into those that find a register and those that would be spilled again.
pub(super) fn divide(
    func: &Function,
    cfg: &ControlFlowGraph,
    frame: &Frame,
    slots: Vec<Slot>,
) -> (Vec<Slot>, Vec<Slot>) {
    let (mut calls, accesses) = find_calls(func, cfg, frame, &slots);
    let mut crossed: Vec<Vec<usize>> = vec![Vec::new(); slots.len()];
    for (number, call) in calls.iter().enumerate() {
        for (index, crossed) in crossed.iter_mut().enumerate() {
            if call.slots.contains(index) {
                crossed.push(number);
            }
        }
    }
    let mut order: Vec<usize> = (0..slots.len()).collect();
    order.sort_by_key(|&index| (std::cmp::Reverse(accesses[index]), crossed[index].len()));
    let mut fits = vec![false; slots.len()];
    for index in order {
        let free = |&call: &usize| calls[call].values < REGISTERS_ACROSS_CALLS;
        fits[index] = crossed[index].iter().all(free);
        if fits[index] {
            for &call in &crossed[index] {
                calls[call].values += 1;
            }
        }
    }
    let mut fits = fits.into_iter();
    slots
        .into_iter()
        .partition(|_| fits.next().unwrap_or_default())
}

/// All calls with what is live across them, and the number of accesses to each slot.
fn find_calls(
    func: &Function,
    cfg: &ControlFlowGraph,
    frame: &Frame,
    slots: &[Slot],
) -> (Vec<Call>, Vec<usize>) {
    let liveness = Liveness::compute(func, cfg);
    let live_slots = live_at_start(func, cfg, frame, slots);
    let mut calls = Vec::new();
    let mut accesses = vec![0; slots.len()];
    for &block in cfg.reverse_postorder() {
        let mut values = live_at_end(func, &liveness, block);
        let mut live = SlotSet::empty(slots.len());
        for &next in cfg.successors(block) {
            live.unite(&live_slots[next]);
        }
        let mut previous = func.layout.last_inst(block);
        while let Some(inst) = previous {
            previous = func.layout.prev_inst(inst);
            if let Some(result) = func.dfg.result(inst) {
                values.remove(result);
            }
            let data = func.dfg.inst(inst);
            if data.opcode().effect() == Effect::Calls {
                calls.push(Call {
                    values: u32::try_from(values.iter().count()).unwrap_or(u32::MAX),
                    slots: live.clone(),
                });
            }
            if let Some(index) = frame.slot_of(func, inst).and_then(|s| index_of(slots, s)) {
                accesses[index] += 1;
                match data {
                    InstData::Store { .. } => live.remove(index),
                    _ => live.insert(index),
                }
            }
            func.dfg.for_each_operand(inst, |value| {
                let value = func.dfg.resolve(value);
                if !is_remade(func, value) {
                    values.insert(value);
                }
            });
        }
    }
    (calls, accesses)
}

fn live_at_end(func: &Function, liveness: &Liveness, block: Block) -> EntitySet<Value> {
    let mut values = EntitySet::with_capacity(func.dfg.value_count());
    for &value in liveness.live_out(block) {
        if !is_remade(func, value) {
            values.insert(value);
        }
    }
    values
}

/// Whether the back end makes a value at each use.
fn is_remade(func: &Function, value: Value) -> bool {
    matches!(
        func.dfg.def_inst(value),
        Some((
            _,
            InstData::Const { .. }
                | InstData::SymbolAddr { .. }
                | InstData::Nullary {
                    opcode: Opcode::Frame | Opcode::Undef,
                    ..
                }
        ))
    )
}
