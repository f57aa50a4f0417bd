//! Tail calls, which leave the packet to the host.
//!
//! **What.** A tail call of a program's main function becomes its end: the packet goes to the host as it
//! is by then, where programs are called by tail, and nothing behind the call runs here. The verdict is
//! `XDP_PASS`, for TC that of `TC_ACT_UNSPEC`, which lets the filters that follow see the packet.
//!
//! **Why sound.** Where the firmware goes on at the host (the capability `tail_call`): on Linux a tail
//! call that succeeds does not come back, and what the next program finds is the packet. That it can
//! fail, as for an index without a program, is then for the host to find. One of a function of the
//! program comes back to its caller, and is an obstacle ([`crate::offload`]).
//!
//! **Cost.** A pass over the function.

use std::collections::BTreeSet;

use bpf::program_type::ProgramType;
use mir::analysis::ControlFlowGraph;
use mir::{Block, Cursor, Function, Inst, InstData, Type};

/// `tail_call`.
const TAIL_CALL: u32 = 12;
/// `XDP_PASS`, and `TC_ACT_UNSPEC`, which lets the filters that follow see the packet.
const XDP_PASS: i64 = 2;
const TC_UNSPEC: i64 = -1;

/// Makes ends of the main function of its tail calls; see the module documentation.
pub fn tail_calls(func: &mut Function, program_type: ProgramType) {
    let blocks: Vec<Block> = func.layout.blocks().collect();
    let mut found = false;
    for block in blocks {
        let is_call = |inst: &Inst| {
            matches!(
                *func.dfg.inst(*inst),
                InstData::CallHelper { id: TAIL_CALL, .. }
            )
        };
        let Some(call) = func.layout.insts(block).find(is_call) else {
            continue;
        };
        found = true;
        let behind: Vec<Inst> = func
            .layout
            .insts(block)
            .skip_while(|inst| *inst != call)
            .collect();
        let mut cursor = Cursor::before(func, call);
        let verdict = match program_type {
            ProgramType::Xdp => XDP_PASS,
            _ => TC_UNSPEC,
        };
        let verdict = cursor.ins().iconst(Type::I64, verdict);
        cursor.ins().return_(verdict);
        for inst in behind {
            func.remove_inst(inst);
        }
    }
    if !found {
        return;
    }
    // What only the calls led to uses results that are gone.
    let cfg = ControlFlowGraph::compute(func);
    let reached: BTreeSet<Block> = cfg.reverse_postorder().iter().copied().collect();
    let unreached = |block: &Block| !reached.contains(block);
    let unreached: Vec<Block> = func.layout.blocks().filter(unreached).collect();
    for block in unreached {
        func.layout.remove_block(block);
    }
}
