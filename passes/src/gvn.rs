//! Replaces a computation by an equal earlier one.
//!
//! **What.**
//! ```text
//!   v3 = iadd v1, v2           v3 = iadd v1, v2
//!   br …                  ──►  br …
//!   v9 = iadd v1, v2           (uses of v9 use v3)
//! ```
//!
//! **Why.** Address recomputation; and the kernel gives each sum of a pointer and a variable an
//! identity of its own, so that a range checked on one copy is not known on another.
//!
//! **Soundness.** Only pure operations merge, and only with one whose block dominates: nothing is
//! computed where it was not before. Constants, symbols and the frame are compared by what they
//! are, and never merged themselves, since the back end makes them at each use. Instructions that
//! a loader patches, or that use a constant that it patches, do not take part.
//! For the kernel: between the two, a branch may have taught it bounds of an operand, and the later
//! computation carries them while the earlier does not. So when a conditional branch on the way
//! compares a number that shares a source with an operand, they stay apart.
//!
//! **Cost.** One walk of the dominator tree with a scoped table. The look at what lies between two
//! equal computations visits at most [`MAX_BLOCKS`](crate::facts::between::MAX_BLOCKS) blocks; beyond, they stay apart.
//! A merge across a call occupies one of four registers or a spill slot, so what takes one ALU
//! instruction of one variable ([`is_cheap`]) is computed again there instead.
//!
//! **Order.** After `simplify`, whose forms it compares; before `dce`.

use crate::facts::between::{Between, add_sources, find_pointers};
use crate::facts::equal::{Key, Operand, key, operand};
use crate::pass::{Changed, Pass, PassContext};
use cranelift_entity::EntitySet;
use mir::analysis::{ControlFlowGraph, DominatorTree};
use mir::{Block, Function, Inst, InstData, Opcode, Value};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// See the module documentation.
#[derive(Clone, Copy, Debug)]
pub struct Gvn;

impl Pass for Gvn {
    fn run(&self, func: &mut Function, cx: &mut PassContext<'_>) -> Changed {
        let cfg = cx.analyses.cfg(func);
        let dominators = cx.analyses.dominators(func);
        let pointers = find_pointers(func);
        let mut table = ScopedTable::default();
        let mut changed = false;
        for &block in dominators.preorder() {
            table.leave_until(|scope| dominators.dominates(scope, block));
            table.enter(block);
            let mut next = func.layout.first_inst(block);
            while let Some(inst) = next {
                next = func.layout.next_inst(inst);
                let Some(key) = key(func, inst) else { continue };
                let Some(leader) = table.get(&key) else {
                    table.insert(key, inst);
                    continue;
                };
                if may_merge(func, &cfg, &dominators, &pointers, leader, inst) {
                    if let Some(value) = func.dfg.result(leader) {
                        cx.applied(func, inst, "replaced a computation by an equal earlier one");
                        func.replace_with_value(inst, value);
                        changed = true;
                    }
                } else {
                    cx.missed(func, Some(inst), "kept an equal computation apart");
                    table.insert(key, inst);
                }
            }
        }
        Changed::instructions_if(changed)
    }
}

/// The insertions of one block.
#[derive(Debug)]
struct Scope {
    block: Block,
    /// What each insertion replaced.
    undo: Vec<(Key, Option<Inst>)>,
}

/// Computations by block, forgotten when the walk leaves the block's part of the tree.
#[derive(Debug, Default)]
struct ScopedTable {
    leaders: FxHashMap<Key, Inst>,
    scopes: Vec<Scope>,
}

impl ScopedTable {
    fn get(&self, key: &Key) -> Option<Inst> {
        self.leaders.get(key).copied()
    }

    fn insert(&mut self, key: Key, inst: Inst) {
        let old = self.leaders.insert(key, inst);
        if let Some(scope) = self.scopes.last_mut() {
            scope.undo.push((key, old));
        }
    }

    fn enter(&mut self, block: Block) {
        self.scopes.push(Scope {
            block,
            undo: Vec::new(),
        });
    }

    fn leave_until(&mut self, holds: impl Fn(Block) -> bool) {
        while let Some(scope) = self.scopes.pop_if(|scope| !holds(scope.block)) {
            for (key, old) in scope.undo.into_iter().rev() {
                match old {
                    Some(inst) => self.leaders.insert(key, inst),
                    None => self.leaders.remove(&key),
                };
            }
        }
    }
}

fn may_merge(
    func: &Function,
    cfg: &ControlFlowGraph,
    dominators: &DominatorTree,
    pointers: &EntitySet<Value>,
    leader: Inst,
    inst: Inst,
) -> bool {
    let Some(from) = func.layout.inst_block(leader) else {
        return false;
    };
    let Some(between) = Between::look(func, cfg, dominators, (from, Some(leader)), inst) else {
        return false;
    };
    if between.has_call && is_cheap(func, inst) {
        return false;
    }
    let mut sources = SmallVec::<[Value; 8]>::new();
    for arg in func.dfg.args(inst) {
        add_sources(func, arg, &mut sources);
    }
    !between
        .compared
        .iter()
        .any(|compared| sources.contains(compared) && !pointers.contains(*compared))
}

/// One ALU instruction of one variable: computing it again costs two slots at most and lets go of
/// nothing, since the variable is at hand.
fn is_cheap(func: &Function, inst: Inst) -> bool {
    match *func.dfg.inst(inst) {
        InstData::Unary { .. } => true,
        InstData::Binary { opcode, args, .. } => {
            !matches!(
                opcode,
                Opcode::Imul | Opcode::Udiv | Opcode::Sdiv | Opcode::Urem | Opcode::Srem
            ) && args
                .iter()
                .any(|&arg| !matches!(operand(func, arg), Some(Operand::Value(_))))
        }
        _ => false,
    }
}
