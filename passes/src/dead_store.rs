//! Removes stores to the stack that nothing reads.
//!
//! **What.**
//! ```text
//!   store.u64 v1-16, 0
//!   …                             …
//!   store.u32 v1-16, v2    ──►    store.u32 v1-16, v2
//!   store.u32 v1-12, v3           store.u32 v1-12, v3
//! ```
//!
//! **Why.** Compilers clear a structure and then fill it, often all of it on the path that uses it.
//!
//! **Soundness.** A backward data flow finds the bytes of the frame that may be read before they are
//! written again. An access through a pointer that may be into the frame reads all of it, and so does
//! every call that is given such a pointer: helpers read what they are given, and older kernels want
//! even what they only write to be initialised. When the function ends its frame is gone. Only the
//! function's own frame is looked at: other memory has other readers. Stores with CO-RE records stay.
//!
//! **Cost.** A set of 512 bits for each block, settled in as many rounds as loops are nested, at
//! most [`MAX_ROUNDS`]; else nothing is removed.
//!
//! **Order.** After accesses were merged, since merged ones overwrite more at once.

use mir::analysis::ControlFlowGraph;
use mir::opcode::Effect;
use mir::{Function, Inst, InstData, Opcode};

use crate::facts::{FRAME_BYTES, Kinds, frame_offset};
use crate::pass::{Changed, Pass, PassContext};
use crate::widen;

/// Rounds over the blocks; loops are rarely nested deeper.
const MAX_ROUNDS: usize = 16;

/// See the module documentation.
#[derive(Clone, Copy, Debug)]
pub struct DeadStore;

/// Bytes of the frame, the lowest address first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Bytes([u64; 8]);

impl Bytes {
    const ALL: Bytes = Bytes([u64::MAX; 8]);

    /// The bytes from one distance from the frame pointer to another; bytes outside are left out.
    fn range(start: i64, end: i64) -> Bytes {
        let mut bytes = Bytes::default();
        for at in (start + FRAME_BYTES).max(0)..(end + FRAME_BYTES).min(FRAME_BYTES) {
            bytes.0[(at / 64) as usize] |= 1 << (at % 64);
        }
        bytes
    }

    fn union(self, other: Bytes) -> Bytes {
        Bytes(std::array::from_fn(|at| self.0[at] | other.0[at]))
    }

    fn minus(self, other: Bytes) -> Bytes {
        Bytes(std::array::from_fn(|at| self.0[at] & !other.0[at]))
    }

    fn is_empty(self) -> bool {
        self.0 == [0; 8]
    }

    fn intersects(self, other: Bytes) -> bool {
        (0..8).any(|at| self.0[at] & other.0[at] != 0)
    }
}

impl Pass for DeadStore {
    fn run(&self, func: &mut Function, cx: &mut PassContext<'_>) -> Changed {
        let cfg = cx.analyses.cfg(func);
        let kinds = Kinds::compute(func, &cfg, cx.uses_arena());
        let mut at_start = vec![Bytes::default(); func.dfg.block_count()];
        let mut settled = false;
        for _ in 0..MAX_ROUNDS {
            let mut changed = false;
            for &block in cfg.reverse_postorder().iter().rev() {
                let mut live = at_end(&cfg, &at_start, block);
                walk(func, &kinds, block, &mut live, |_| {});
                let start = &mut at_start[block.as_u32() as usize];
                changed |= *start != live;
                *start = live;
            }
            if !changed {
                settled = true;
                break;
            }
        }
        if !settled {
            return Changed::No;
        }
        let mut dead = Vec::new();
        for &block in cfg.reverse_postorder() {
            let mut live = at_end(&cfg, &at_start, block);
            walk(func, &kinds, block, &mut live, |store| dead.push(store));
        }
        for &store in &dead {
            cx.applied(func, store, "removed a store that nothing reads");
            func.remove_inst(store);
        }
        Changed::instructions_if(!dead.is_empty())
    }
}

/// What is live at the end of a block.
fn at_end(cfg: &ControlFlowGraph, at_start: &[Bytes], block: mir::Block) -> Bytes {
    let next = cfg.successors(block).iter();
    next.fold(Bytes::default(), |live, next| live.union(at_start[next.as_u32() as usize]))
}

/// Walks a block backward from what is live at its end to what is live at its start; `visit` gets
/// the stores that nothing reads.
fn walk(
    func: &Function,
    kinds: &Kinds,
    block: mir::Block,
    live: &mut Bytes,
    mut visit: impl FnMut(Inst),
) {
    let mut next = func.layout.last_inst(block);
    while let Some(inst) = next {
        next = func.layout.prev_inst(inst);
        match *func.dfg.inst(inst) {
            InstData::Store {
                opcode: Opcode::Store,
                width,
                base,
                offset,
                ..
            } => {
                let Some(start) = frame_offset(func, base) else {
                    continue;
                };
                let start = start + i64::from(offset);
                let written = Bytes::range(start, start + i64::from(width.bytes()));
                if !written.is_empty() && !written.intersects(*live) && !func.is_patched(inst) {
                    visit(inst);
                }
                *live = live.minus(written);
            }
            InstData::Load {
                width,
                base,
                offset,
                ..
            } => match frame_offset(func, base) {
                Some(start) => {
                    let start = start + i64::from(offset);
                    let read = Bytes::range(start, start + i64::from(width.bytes()));
                    *live = live.union(read);
                }
                None if widen::may_be_in_frame(func, kinds, base) => *live = Bytes::ALL,
                None => {}
            },
            data => match data.opcode().effect() {
                Effect::Pure | Effect::Terminates => {}
                Effect::Reads | Effect::Writes | Effect::Calls => {
                    let mut reads = false;
                    func.dfg.for_each_operand(inst, |value| {
                        let number = func.constant(value).is_some();
                        reads |= !number && widen::may_be_in_frame(func, kinds, value);
                    });
                    if reads {
                        *live = Bytes::ALL;
                    }
                }
            },
        }
    }
}
