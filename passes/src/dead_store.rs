//! Removes stores to the stack that nothing reads.
//!
//! **What.**
//! ```text
//!   store.u32 v1-4, v2     ──►
//!   store.u32 v1-4, v3           store.u32 v1-4, v3
//! ```
//!
//! **Why.** Structures are cleared and then filled, and what `forward-memory` took from its slot is
//! not read from there any more.
//!
//! **Soundness.** A byte of the frame is live when something may read it before it is written: a
//! load, or a call or atomic operation that gets its address or one below it ([`reach`]). What a
//! helper writes counts as read, since older kernels refuse uninitialised bytes even for outputs;
//! how far it reaches without a known size is everything upward. When an address of the frame
//! escapes, every call reads all. A store goes when none of its bytes is live. The frame dies with
//! its function. Instructions that a loader patches stay.
//!
//! **Cost.** One bit for each of the frame's 512 bytes and block; bytes only become live, so a
//! block is visited again at most as often as that, and in practice once a level of loops.
//!
//! **Order.** After `forward-memory`; before the passes that merge stores, which then see less.

use crate::facts::{
    FRAME_BYTES,
    memory::{Memory, Range, Region, Root, Touch},
    reach::{self, Reach},
};
use crate::pass::{Changed, Pass, PassContext};
use cranelift_entity::SecondaryMap;
use mir::analysis::ControlFlowGraph;
use mir::{Block, Function, Inst};

/// See the module documentation.
#[derive(Clone, Copy, Debug)]
pub struct DeadStore;

/// Live bytes of the frame; bit 0 of the first word is the lowest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Live([u64; 8]);

impl Live {
    const ALL: Live = Live([u64::MAX; 8]);

    /// Calls `f` with each word that has some of the bytes, and a mask of those.
    fn for_each_word(&mut self, start: i64, end: i64, mut f: impl FnMut(&mut u64, u64)) {
        let start = (start + FRAME_BYTES).clamp(0, FRAME_BYTES);
        let end = (end + FRAME_BYTES).clamp(0, FRAME_BYTES);
        for (index, word) in (0i64..).zip(&mut self.0) {
            let (from, to) = ((start - index * 64).max(0), (end - index * 64).min(64));
            if from < to {
                f(word, (u64::MAX >> (64 - (to - from))) << from);
            }
        }
    }

    fn add(&mut self, start: i64, end: i64) {
        self.for_each_word(start, end, |word, mask| *word |= mask);
    }

    fn remove(&mut self, start: i64, end: i64) {
        self.for_each_word(start, end, |word, mask| *word &= !mask);
    }

    fn any(mut self, start: i64, end: i64) -> bool {
        let mut any = false;
        self.for_each_word(start, end, |word, mask| any |= *word & mask != 0);
        any
    }

    fn unite(&mut self, other: Live) {
        for (word, other) in self.0.iter_mut().zip(other.0) {
            *word |= other;
        }
    }
}

impl Pass for DeadStore {
    fn run(&self, func: &mut Function, cx: &mut PassContext<'_>) -> Changed {
        let cfg = cx.analyses.cfg(func);
        let memory = Memory::of(func, cx);
        let dead = dead_stores(func, &cfg, &memory, Escaped::Read);
        if cx.explains() && memory.frame_escapes() {
            let blocks = func.layout.blocks();
            let mut all = blocks.flat_map(|block| func.layout.insts(block));
            let cause = all.find(|&inst| memory.lets_frame_escape(func, inst));
            let message =
                "a store stays: the address of the stack escapes, and who has it may read all";
            for inst in dead_stores(func, &cfg, &memory, Escaped::Unread) {
                if !dead.contains(&inst) {
                    cx.missed_for(func, inst, message, cause);
                }
            }
        }
        for &inst in &dead {
            cx.applied(func, inst, "removed a store that nothing reads");
            func.remove_inst(inst);
        }
        Changed::instructions_if(!dead.is_empty())
    }
}

/// What is read of a frame whose address escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Escaped {
    /// Everything, by everyone who may have the address.
    Read,
    /// Nothing but by this function: what would be, to tell what the address costs.
    Unread,
}

/// The stores that nothing reads.
fn dead_stores(
    func: &Function,
    cfg: &ControlFlowGraph,
    memory: &Memory,
    escaped: Escaped,
) -> Vec<Inst> {
    let mut starts: SecondaryMap<Block, Live> = SecondaryMap::new();
    let at_end = |starts: &SecondaryMap<Block, Live>, block: Block| {
        let mut live = Live::default();
        for &next in cfg.successors(block) {
            live.unite(starts[next]);
        }
        live
    };
    let mut changing = true;
    while changing {
        changing = false;
        for block in cfg.postorder() {
            let mut live = at_end(&starts, block);
            walk(func, memory, escaped, block, &mut live, |_| {});
            changing |= starts[block] != live;
            starts[block] = live;
        }
    }
    let mut dead = Vec::new();
    for &block in cfg.reverse_postorder() {
        let mut live = at_end(&starts, block);
        walk(func, memory, escaped, block, &mut live, |inst| {
            dead.push(inst)
        });
    }
    dead
}

/// Goes backward over a block and hands out the stores that nothing reads.
fn walk(
    func: &Function,
    memory: &Memory,
    escaped: Escaped,
    block: Block,
    live: &mut Live,
    mut dead: impl FnMut(Inst),
) {
    let mut previous = func.layout.last_inst(block);
    while let Some(inst) = previous {
        previous = func.layout.prev_inst(inst);
        match memory.touch(func, inst) {
            Touch::Nothing => {}
            Touch::Reads(range) => read(memory, escaped, &range, live),
            Touch::Writes(range) => {
                if (range.region, range.root) == (Region::Frame, Root::Frame)
                    && range.start >= -FRAME_BYTES
                    && range.end() <= 0
                {
                    if live.any(range.start, range.end()) {
                        live.remove(range.start, range.end());
                    } else {
                        dead(inst);
                    }
                }
            }
            Touch::Barrier => {
                for reached in reach::read_by(func, memory, inst) {
                    match reached {
                        Reach::All if escaped == Escaped::Read => *live = Live::ALL,
                        Reach::All => {}
                        Reach::Bytes(start, end) => live.add(start, end),
                    }
                }
            }
        }
    }
}

fn read(memory: &Memory, escaped: Escaped, range: &Range, live: &mut Live) {
    match (range.region, range.root) {
        (Region::Frame, Root::Frame) => live.add(range.start, range.end()),
        (Region::Frame, _) => *live = Live::ALL,
        (Region::Unknown, _) if memory.frame_escapes() && escaped == Escaped::Read => {
            *live = Live::ALL;
        }
        _ => {}
    }
}
