//! Numbers of a vector taken out of its program and put behind its memory.
//!
//! What: each constant of the main function becomes a load from a table in the packet. Why: nearly all
//! vectors compute with numbers that they name, so a compiler that folds well leaves an answer and
//! nothing to run; with its numbers hidden, the vector tests the code that is made for unknown ones.
//! Why sound: a load of eight bytes that nothing stores to gives the number that was there. Numbers
//! that move a pointer into the stack stay, since a frame's size is not known otherwise.
//!
//! Cost: linear in instructions, beside the data flow that finds pointers.

use backend_nfp::space::{Space, Spaces};
use bpf::insn::MemWidth;
use bpf::program_type::ProgramType;
use mir::{Cursor, Func, Inst, InstData, Module, Opcode, Type, Value};

/// Bytes of a number in the table.
const NUMBER: i32 = 8;
/// The table grows no further.
const MOST: usize = 64;

/// Hides the numbers of an XDP program whose table begins at an offset of the packet; gives the table.
pub(super) fn hide(module: &mut Module, entry: Func, start: i32) -> Vec<u8> {
    let mut table = Vec::new();
    let spaces = Spaces::compute(module, entry, ProgramType::Xdp);
    let func = &mut module.functions[entry];
    let Some(first) = func.layout.entry() else {
        return table;
    };
    let Some(context) = func.dfg.block_params(first).first().copied() else {
        return table;
    };
    let insts: Vec<Inst> = func
        .layout
        .blocks()
        .flat_map(|block| func.layout.insts(block))
        .collect();
    let mut kept: Vec<Value> = Vec::new();
    for inst in &insts {
        let into_stack = func
            .dfg
            .result(*inst)
            .is_some_and(|result| spaces.get(entry, func, result) == Space::Stack);
        if into_stack {
            kept.extend(
                func.dfg
                    .args(*inst)
                    .iter()
                    .map(|arg| func.dfg.resolve(*arg)),
            );
        }
    }
    for inst in insts {
        let InstData::Const { ty, imm } = *func.dfg.inst(inst) else {
            continue;
        };
        let known = func.dfg.result(inst).is_some_and(|one| kept.contains(&one));
        if known || table.len() == MOST * NUMBER as usize {
            continue;
        }
        let offset = start.saturating_add(table.len() as i32);
        table.extend(imm.to_le_bytes());
        let mut cursor = Cursor::before(func, inst).with_cause(inst);
        let data = cursor.ins().load(Opcode::Load, MemWidth::B32, context, 0);
        let number = cursor.ins().load(Opcode::Load, MemWidth::B64, data, offset);
        let number = match ty {
            Type::I64 => number,
            Type::I32 => cursor.ins().trunc(number),
        };
        func.replace_with_value(inst, number);
    }
    func.resolve_aliases();
    table
}
