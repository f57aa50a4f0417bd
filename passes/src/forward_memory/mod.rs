//! Uses what memory is known to hold: in place of a load, and to leave out a store of just that.
//!
//! **What.**
//! ```text
//!   store.u64 v1-8, v2
//!   …                      ──►   (uses of v3 use v2)
//!   v3 = load.u64 v1-8
//!
//!   v4 = load.u16 v5+12
//!   …                      ──►   (uses of v6 use v4)
//!   v6 = load.u16 v5+12
//!
//!   store.u32 v1-4, 0             store.u32 v1-4, 0
//!   v7 = call.helper lookup ──►   v7 = call.helper lookup
//!   store.u32 v1-4, 0
//! ```
//!
//! **Why.** A load is a slot and an access, and hides what the value is. What promotion cannot take
//! (a key that a helper reads, a structure used as bytes and as words) is often read back at once.
//!
//! **Soundness.** What memory holds is followed along the paths ([`table`]): anything that may
//! touch the bytes ends it. Only memory that nobody else writes takes part: the frame, the packet,
//! and the program's context between calls, each field with its own width. A load from shared
//! memory stays, since it may wait for another CPU.
//! For the kernel, a value in a register is known at least as well as the same value loaded again.
//! A narrow load gives zero upper bits; a stored value takes its place only if
//! [`Widths`] knows that of it and it is certainly a number.
//!
//! **Cost.** Each block starts with what all blocks before it end with, or with nothing if one of
//! them comes later. A table has at most [`table::MAX_ENTRIES`] entries.
//!
//! **When it pays.** Over a call, and over more than [`table::MAX_AGE`] instructions, only constants
//! are kept: anything else would occupy one of the few registers in place of a reload. To leave out a store nothing has to be kept in a register, so for
//! that everything is remembered over calls, but for what of the frame they may write.
//!
//! **Order.** After `simplify` and `gvn`, which make equal addresses look equal; before
//! `dead-store`, which removes what is not read any more.

mod table;

use crate::facts::{
    Widths,
    memory::{Memory, Range, Region, Touch},
};
use crate::pass::{Changed, Pass, PassContext};
use bpf::insn::Endian;
use cranelift_entity::SecondaryMap;
use mir::analysis::ControlFlowGraph;
use mir::opcode::Effect;
use mir::{Block, Cursor, Function, Inst, InstData, Opcode, Type, Value};
use table::{Entry, Source, Table};

/// See the module documentation.
#[derive(Clone, Copy, Debug)]
pub struct ForwardMemory;

impl Pass for ForwardMemory {
    fn run(&self, func: &mut Function, cx: &mut PassContext<'_>) -> Changed {
        let cfg = cx.analyses.cfg(func);
        let memory = Memory::of(func, cx);
        let known = Known {
            memory,
            widths: Widths::compute(func, &cfg),
        };
        let mut ends: SecondaryMap<Block, Option<Table>> = SecondaryMap::new();
        let mut changed = false;
        for &block in cfg.reverse_postorder() {
            let mut table = at_start(&cfg, &ends, block);
            let mut forgotten = Vec::new();
            let mut next = func.layout.first_inst(block);
            while let Some(inst) = next {
                next = func.layout.next_inst(inst);
                table.pass();
                if cx.explains() {
                    explain(func, cx, &known, &table, &mut forgotten, inst);
                }
                changed |= visit(func, cx, &known, &mut table, inst);
            }
            ends[block] = Some(table);
        }
        Changed::instructions_if(changed)
    }
}

/// Remembers what an instruction makes the table forget, and says so of a load that would use it.
fn explain(
    func: &Function,
    cx: &mut PassContext<'_>,
    known: &Known,
    table: &Table,
    forgotten: &mut Vec<(Range, Inst)>,
    inst: Inst,
) {
    let mut after = table.clone();
    match known.memory.touch(func, inst) {
        Touch::Nothing => return,
        Touch::Barrier => after.pass_barrier(func, &known.memory, inst),
        Touch::Writes(range) => after.write(func, &known.memory, &range),
        Touch::Reads(range) => {
            let lost = forgotten.iter().rev().find(|(one, _)| *one == range);
            if let Some(&(_, cause)) = lost
                && table.covering(&range).is_none()
            {
                let message =
                    "a load stays: what it loads was known, and may have been changed since";
                cx.missed_for(func, inst, message, Some(cause));
            }
        }
    }
    let held = |one: &Range, table: &Table| table.covering(one).is_some();
    let lost = table.ranges().filter(|one| !held(one, &after));
    let lost: Vec<(Range, Inst)> = lost.map(|range| (range, inst)).collect();
    // What the instruction itself writes is known afterwards.
    forgotten.retain(|(one, _)| !held(one, table));
    forgotten.extend(lost);
}

/// What is known of the function as a whole.
struct Known {
    memory: Memory,
    widths: Widths,
}

/// What all blocks before this one agree on.
fn at_start(
    cfg: &ControlFlowGraph,
    ends: &SecondaryMap<Block, Option<Table>>,
    block: Block,
) -> Table {
    let mut predecessors = cfg.predecessors(block).iter();
    let Some(first) = predecessors.next() else {
        return Table::default();
    };
    let Some(mut table) = ends[first.block].clone() else {
        return Table::default();
    };
    for edge in predecessors {
        // The two edges of a branch to one block agree.
        match &ends[edge.block] {
            Some(other) => table.keep_common(other),
            None if cfg.is_reachable(edge.block) => return Table::default(),
            None => {}
        }
    }
    table
}

fn visit(
    func: &mut Function,
    cx: &mut PassContext<'_>,
    known: &Known,
    table: &mut Table,
    inst: Inst,
) -> bool {
    let memory = &known.memory;
    match memory.touch(func, inst) {
        Touch::Nothing => false,
        Touch::Barrier => {
            table.pass_barrier(func, memory, inst);
            false
        }
        Touch::Writes(range) => {
            let InstData::Store { value, .. } = *func.dfg.inst(inst) else {
                table.write(func, memory, &range);
                return false;
            };
            let value = func.dfg.resolve(value);
            let little = cx.endian() == Endian::Little;
            if range.region == Region::Frame && table.holds(func, &range, value, little) {
                cx.applied(func, inst, "removed a store of what memory holds");
                func.remove_inst(inst);
                return true;
            }
            table.write(func, memory, &range);
            if matches!(range.region, Region::Frame | Region::Packet) {
                table.add(Entry::new(range, Source::Stored(value)));
            }
            false
        }
        Touch::Reads(range) => read(func, cx, known, table, inst, range),
    }
}

fn read(
    func: &mut Function,
    cx: &mut PassContext<'_>,
    known: &Known,
    table: &mut Table,
    inst: Inst,
    range: Range,
) -> bool {
    if !matches!(
        range.region,
        Region::Frame | Region::Packet | Region::Context
    ) {
        return false;
    }
    let (InstData::Load { opcode, .. }, Some(result)) =
        (*func.dfg.inst(inst), func.dfg.result(inst))
    else {
        return false;
    };
    if let Some(entry) = table.covering(&range) {
        let exact = entry.range == range;
        let near = entry.age <= table::MAX_AGE;
        let held = match entry.source {
            Source::Loaded(loaded, value) if exact && near && loaded == opcode => Some(value),
            Source::Stored(value) => {
                let little = cx.endian() == Endian::Little;
                match constant_part(func, value, opcode, &range, &entry.range, little) {
                    Some(imm) => Some(Cursor::before(func, inst).ins().iconst(Type::I64, imm)),
                    None if exact && near && opcode == Opcode::Load && !entry.over_call => {
                        stored(func, known, inst, value, &range)
                    }
                    None => None,
                }
            }
            Source::Loaded(..) => None,
        };
        if let Some(value) = held {
            cx.applied(
                func,
                inst,
                "used a value that memory holds in place of a load",
            );
            func.replace_with_value(inst, value);
            return true;
        }
        if exact {
            let message = if entry.over_call || !near {
                "a load stays: the value would take a register over a call or a long way"
            } else {
                "a load stays: the value that was stored may have more bits"
            };
            cx.missed(func, Some(inst), message);
        }
    }
    // A store that was not used for this load is worth more.
    let stored = |entry: Entry| entry.range == range && matches!(entry.source, Source::Stored(_));
    if !table.covering(&range).is_some_and(stored) {
        table.add(Entry::new(range, Source::Loaded(opcode, result)));
    }
    false
}

/// The constant that a load gives of a constant that was stored.
fn constant_part(
    func: &Function,
    value: Value,
    opcode: Opcode,
    range: &Range,
    stored: &Range,
    little: bool,
) -> Option<i64> {
    let (exact, offset) = (stored == range, range.start - stored.start);
    // On a big-endian machine the first bytes of a wide store are its highest.
    if opcode != Opcode::Load || !little && !exact {
        return None;
    }
    let constant = func.constant(value)? as u64;
    let bits = u32::try_from(range.size * 8).ok()?;
    let shifted = constant.checked_shr(u32::try_from(offset * 8).ok()?)?;
    Some((shifted & (u64::MAX >> (64 - bits))) as i64)
}

/// What a load gives of a value that was stored with the same width.
fn stored(
    func: &mut Function,
    known: &Known,
    inst: Inst,
    value: Value,
    range: &Range,
) -> Option<Value> {
    let wide = func.dfg.value_type(value) == Type::I64;
    if range.size == 8 && wide {
        return Some(value);
    }
    let bits = u32::try_from(range.size * 8).ok()?;
    let is_number = known.memory.kinds().is_number(func, value);
    if !is_number || known.widths.of(func, value) > bits {
        return None;
    }
    Some(if wide {
        value
    } else {
        Cursor::before(func, inst).ins().zext(value)
    })
}

/// Whether an instruction is a call.
fn is_call(func: &Function, inst: Inst) -> bool {
    func.dfg.inst(inst).opcode().effect() == Effect::Calls
}
