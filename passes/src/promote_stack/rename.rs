//! From loads and stores to values: parameters where stores meet, then one walk of the dominator
//! tree.
//!
//! Parameters go to the iterated dominance frontier of the stores, and only where the slot is
//! loaded later. The walk keeps what each slot holds at the end of each block.

use super::access::{Frame, Slot};
use super::paths::{SlotSet, index_of, live_at_start};
use bpf::insn::MemWidth;
use cranelift_entity::packed_option::PackedOption;
use cranelift_entity::{EntitySet, SecondaryMap};
use mir::analysis::{ControlFlowGraph, DominatorTree};
use mir::{Block, Cursor, Function, Inst, InstData, Opcode, Type, Value};
use smallvec::SmallVec;

type Held = Vec<PackedOption<Value>>;

/// Replaces all accesses to these slots by values.
pub(super) fn promote(
    func: &mut Function,
    cfg: &ControlFlowGraph,
    dominators: &DominatorTree,
    slots: &[Slot],
    frame: &Frame,
) {
    let params = place_params(func, cfg, dominators, slots, frame);
    let mut at_end: SecondaryMap<Block, Held> = SecondaryMap::with_capacity(cfg.block_bound());
    for &block in dominators.preorder() {
        let mut held: Held = match dominators.idom(block) {
            Some(idom) => at_end[idom].clone(),
            None => vec![None.into(); slots.len()],
        };
        for &(index, param) in &params[block] {
            held[index] = param.into();
        }
        let mut next = func.layout.first_inst(block);
        while let Some(inst) = next {
            next = func.layout.next_inst(inst);
            if let Some(index) = frame.slot_of(func, inst).and_then(|s| index_of(slots, s)) {
                replace(func, inst, &mut held[index]);
            }
        }
        at_end[block] = held;
    }
    for &block in cfg.reverse_postorder() {
        pass_arguments(func, block, &params, &at_end[block]);
    }
}

/// Adds parameters, and says which slot each is for.
fn place_params(
    func: &mut Function,
    cfg: &ControlFlowGraph,
    dominators: &DominatorTree,
    slots: &[Slot],
    frame: &Frame,
) -> SecondaryMap<Block, Vec<(usize, Value)>> {
    let live = live_at_start(func, cfg, frame, slots);
    let frontiers = frontiers(cfg, dominators);
    let mut storing: Vec<Vec<Block>> = vec![Vec::new(); slots.len()];
    for &block in cfg.reverse_postorder() {
        let mut seen = SlotSet::empty(slots.len());
        for inst in func.layout.insts(block) {
            if matches!(func.dfg.inst(inst), InstData::Store { .. })
                && let Some(index) = frame.slot_of(func, inst).and_then(|s| index_of(slots, s))
                && !seen.contains(index)
            {
                seen.insert(index);
                storing[index].push(block);
            }
        }
    }
    let mut params: SecondaryMap<Block, Vec<(usize, Value)>> = SecondaryMap::new();
    for (index, mut work) in storing.into_iter().enumerate() {
        let mut placed: EntitySet<Block> = EntitySet::new();
        while let Some(block) = work.pop() {
            for &join in &frontiers[block] {
                if live[join].contains(index) && placed.insert(join) {
                    let param = func.dfg.append_block_param(join, Type::I64);
                    params[join].push((index, param));
                    work.push(join);
                }
            }
        }
    }
    params
}

/// Blocks where a block's dominance ends.
fn frontiers(
    cfg: &ControlFlowGraph,
    dominators: &DominatorTree,
) -> SecondaryMap<Block, SmallVec<[Block; 2]>> {
    let mut frontiers: SecondaryMap<Block, SmallVec<[Block; 2]>> =
        SecondaryMap::with_capacity(cfg.block_bound());
    for &block in cfg.reverse_postorder() {
        if cfg.predecessors(block).len() < 2 {
            continue;
        }
        let idom = dominators.idom(block);
        for edge in cfg.predecessors(block) {
            let mut runner = Some(edge.block);
            while let Some(at) = runner
                && runner != idom
            {
                if !frontiers[at].contains(&block) {
                    frontiers[at].push(block);
                }
                runner = dominators.idom(at);
            }
        }
    }
    frontiers
}

/// Replaces one access; `held` is what the slot holds.
fn replace(func: &mut Function, inst: Inst, held: &mut PackedOption<Value>) {
    match *func.dfg.inst(inst) {
        InstData::Store { width, value, .. } => {
            let value = func.dfg.resolve(value);
            *held = low_bits(func, inst, value, width).into();
            func.remove_inst(inst);
        }
        InstData::Load { opcode, width, .. } => {
            let value = match held.expand() {
                Some(value) => value,
                // Every load is preceded by a store on every path.
                None => {
                    debug_assert!(false, "{inst} loads what nobody stored");
                    Cursor::before(func, inst).ins().undef(Type::I64)
                }
            };
            let value = if opcode == Opcode::Sload {
                signed(func, inst, value, width)
            } else {
                value
            };
            func.replace_with_value(inst, value);
        }
        _ => debug_assert!(false, "{inst} is neither load nor store"),
    }
}

/// What a load of this width finds after a store of a value.
fn low_bits(func: &mut Function, inst: Inst, value: Value, width: MemWidth) -> Value {
    let constant = func.constant(value);
    let mut cursor = Cursor::before(func, inst);
    let mask = match width {
        MemWidth::B8 => 0xff,
        MemWidth::B16 => 0xffff,
        MemWidth::B32 => i64::from(u32::MAX),
        MemWidth::B64 => return value,
    };
    if let Some(constant) = constant {
        return cursor.ins().iconst(Type::I64, constant & mask);
    }
    let ty = cursor.func.dfg.value_type(value);
    if width == MemWidth::B32 {
        let low = match ty {
            Type::I32 => value,
            Type::I64 => cursor.ins().trunc(value),
        };
        return cursor.ins().zext(low);
    }
    let value = match ty {
        Type::I32 => cursor.ins().zext(value),
        Type::I64 => value,
    };
    let mask = cursor.ins().iconst(Type::I64, mask);
    cursor.ins().binary(Opcode::Band, Type::I64, value, mask)
}

/// What a signed load of this width makes of the zero-extended value.
fn signed(func: &mut Function, inst: Inst, value: Value, width: MemWidth) -> Value {
    let mut cursor = Cursor::before(func, inst);
    match width {
        MemWidth::B8 => cursor.ins().unary(Opcode::Sext8, Type::I64, value),
        MemWidth::B16 => cursor.ins().unary(Opcode::Sext16, Type::I64, value),
        MemWidth::B32 => {
            let low = cursor.ins().trunc(value);
            cursor.ins().sext(low)
        }
        MemWidth::B64 => value,
    }
}

/// Passes what the slots hold at the end of a block to the parameters of its successors.
fn pass_arguments(
    func: &mut Function,
    block: Block,
    params: &SecondaryMap<Block, Vec<(usize, Value)>>,
    held: &Held,
) {
    let Some(inst) = func.layout.last_inst(block) else {
        return;
    };
    for (place, call) in func.dfg.successors(inst).into_iter().enumerate() {
        let wanted = &params[call.block];
        if wanted.is_empty() {
            continue;
        }
        let mut args: SmallVec<[Value; 8]> = SmallVec::from_slice(func.dfg.call_args(&call));
        for &(index, _) in wanted {
            args.push(match held[index].expand() {
                Some(value) => value,
                // The slot is loaded later, so it is stored before on every path.
                None => {
                    debug_assert!(false, "{block} passes what nobody stored");
                    Cursor::before(func, inst).ins().undef(Type::I64)
                }
            });
        }
        let call = func.dfg.block_call(call.block, &args);
        func.dfg.set_successor(inst, place, call);
    }
}
