//! A constant or copy that is made on one side of a branch only, before the branch.
//!
//! `if c goto A; r = 1; goto B; A: r = 2; B:` is a slot shorter as `r = 1; if not c goto B; r = 2;
//! B:`. The block with the single instruction must be reached by its branch only and end in a jump
//! that would be written; what it writes must be neither read by the branch nor needed on the
//! other side.
//!
//! **Soundness for the verifier.** The instruction has no effect but its result, which the other
//! side overwrites or ignores. Copies are of registers that are set: on the other path too, since
//! nothing lies between.

use super::copies::{Code, live_at_start, successors};
use super::lines::{End, Line};
use bpf::insn::{AluOp, Insn, Operand as Source, Reg};

/// Moves instructions before branches to save the jumps of blocks that have one for certain in
/// `jumping`; says whether there was one. The blocks are left empty.
pub(super) fn hoist(code: &mut Code<'_>, order: &[usize], jumping: &[bool]) -> bool {
    let mut entries = vec![0u32; code.bodies.len()];
    for &block in order {
        for next in successors(&code.ends[block]).into_iter().flatten() {
            entries[next] += 1;
        }
    }
    let fits = |block: usize| {
        jumping[block]
            && entries[block] == 1
            && matches!(code.bodies[block].as_slice(), [line] if is_free(line))
    };
    if !order.iter().any(|&block| fits(block)) {
        return false;
    }
    let Some(live) = live_at_start(code) else {
        return false;
    };
    let mut moves = Vec::new();
    for &block in order {
        let End::Branch(branch, taken, other) = &code.ends[block] else {
            continue;
        };
        let sides = [(*taken, *other), (*other, *taken)];
        let found = sides.into_iter().find(|&(side, other)| {
            fits(side) && side != other && {
                let written = code.places.writes(&code.bodies[side][0]);
                !written.intersects(live[other]) && !written.intersects(code.places.reads(branch))
            }
        });
        moves.extend(found.map(|(side, _)| (side, block)));
    }
    for &(from, to) in &moves {
        let lines = std::mem::take(&mut code.bodies[from]);
        code.bodies[to].extend(lines);
    }
    !moves.is_empty()
}

/// Whether an instruction may be executed for nothing.
fn is_free(line: &Line) -> bool {
    let plain = match line.insn {
        Insn::Alu {
            op: AluOp::Mov,
            src: Source::Imm(_),
            ..
        } => true,
        Insn::Alu {
            op: AluOp::Mov,
            src: Source::Reg(src),
            ..
        } => src != Reg::FRAME,
        _ => false,
    };
    plain && line.core_relo.is_none()
}
