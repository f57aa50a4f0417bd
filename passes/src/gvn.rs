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
//! equal computations visits at most [`MAX_BLOCKS_BETWEEN`] blocks; beyond, they stay apart.
//! A merge across a call occupies one of four registers or a spill slot, so what takes one ALU
//! instruction of one variable ([`is_cheap`]) is computed again there instead.
//!
//! **Order.** After `simplify`, whose forms it compares; before `dce`.

use crate::pass::{Changed, Pass, PassContext};
use cranelift_entity::EntitySet;
use mir::analysis::{ControlFlowGraph, DominatorTree};
use mir::opcode::Effect;
use mir::{Block, Function, Inst, InstData, Opcode, Symbol, Type, Value};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// Blocks between two equal computations to look at. Equal computations in compiled code are
/// close; those further apart would hold a register for long.
const MAX_BLOCKS_BETWEEN: usize = 24;

/// Definitions to look through for the source of a value.
const MAX_SOURCE_DEPTH: usize = 8;

/// See the module documentation.
#[derive(Clone, Copy, Debug)]
pub struct Gvn;

/// An operand as it is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Operand {
    Value(Value),
    Const(Type, i64),
    Symbol(Symbol),
    Frame,
}

/// A computation as it is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key {
    Unary(Opcode, Type, Operand),
    Binary(Opcode, Type, [Operand; 2]),
    SpaceCast(u16, u16, Operand),
}

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

/// The computation of an instruction that may merge.
fn key(func: &Function, inst: Inst) -> Option<Key> {
    let data = *func.dfg.inst(inst);
    if func.is_patched(inst) || data.opcode().effect() != Effect::Pure {
        return None;
    }
    match data {
        InstData::Unary { opcode, ty, arg } => Some(Key::Unary(opcode, ty, operand(func, arg)?)),
        InstData::Binary { opcode, ty, args } => {
            let mut operands = [operand(func, args[0])?, operand(func, args[1])?];
            if opcode.is_commutative() {
                operands.sort_unstable();
            }
            Some(Key::Binary(opcode, ty, operands))
        }
        InstData::SpaceCast {
            dst_space,
            src_space,
            arg,
        } => Some(Key::SpaceCast(dst_space, src_space, operand(func, arg)?)),
        _ => None,
    }
}

fn operand(func: &Function, value: Value) -> Option<Operand> {
    let value = func.dfg.resolve(value);
    let Some((inst, data)) = func.dfg.def_inst(value) else {
        return Some(Operand::Value(value));
    };
    match *data {
        InstData::Const { .. } if func.is_patched(inst) => None,
        InstData::Const { ty, imm } => Some(Operand::Const(ty, imm)),
        InstData::SymbolAddr { symbol } => Some(Operand::Symbol(symbol)),
        InstData::Nullary {
            opcode: Opcode::Frame,
            ..
        } => Some(Operand::Frame),
        _ => Some(Operand::Value(value)),
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

/// What lies on the paths from one instruction to another.
#[derive(Debug, Default)]
struct Between {
    has_call: bool,
    compared: SmallVec<[Value; 8]>,
}

fn may_merge(
    func: &Function,
    cfg: &ControlFlowGraph,
    dominators: &DominatorTree,
    pointers: &EntitySet<Value>,
    leader: Inst,
    inst: Inst,
) -> bool {
    let Some(between) = look_between(func, cfg, dominators, leader, inst) else {
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

/// Values through which memory is accessed, at a constant distance or none. What a comparison
/// teaches the kernel of a pointer it teaches it of every copy at a constant distance.
fn find_pointers(func: &Function) -> EntitySet<Value> {
    let mut pointers = EntitySet::with_capacity(func.dfg.value_count());
    for block in func.layout.blocks() {
        for inst in func.layout.insts(block) {
            let (InstData::Load { base, .. } | InstData::Store { base, .. }) = *func.dfg.inst(inst)
            else {
                continue;
            };
            pointers.insert(base);
            if let Some((
                _,
                InstData::Binary {
                    opcode: Opcode::Iadd,
                    args: [inner, constant],
                    ..
                },
            )) = func.dfg.def_inst(base)
                && func.constant(*constant).is_some()
            {
                pointers.insert(*inner);
            }
        }
    }
    pointers
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

/// Walks backward from an instruction to a dominating one; `None` when that takes too long.
fn look_between(
    func: &Function,
    cfg: &ControlFlowGraph,
    dominators: &DominatorTree,
    leader: Inst,
    inst: Inst,
) -> Option<Between> {
    let (from, to) = (
        func.layout.inst_block(leader)?,
        func.layout.inst_block(inst)?,
    );
    let mut between = Between::default();
    let mut before = func.layout.prev_inst(inst);
    while let Some(inst) = before
        && inst != leader
    {
        between.add(func, inst);
        before = func.layout.prev_inst(inst);
    }
    if from == to {
        return Some(between);
    }
    let mut seen: EntitySet<Block> = EntitySet::new();
    let mut visited = 0;
    let mut work: Vec<Block> = cfg.predecessors(to).iter().map(|edge| edge.block).collect();
    while let Some(block) = work.pop() {
        if !cfg.is_reachable(block) || !seen.insert(block) {
            continue;
        }
        visited += 1;
        if visited > MAX_BLOCKS_BETWEEN || !dominators.dominates(from, block) {
            return None;
        }
        let mut next = func.layout.last_inst(block);
        while let Some(inst) = next
            && inst != leader
        {
            between.add(func, inst);
            next = func.layout.prev_inst(inst);
        }
        if block != from {
            work.extend(cfg.predecessors(block).iter().map(|edge| edge.block));
        }
    }
    Some(between)
}

impl Between {
    fn add(&mut self, func: &Function, inst: Inst) {
        let data = func.dfg.inst(inst);
        self.has_call |= data.opcode().effect() == Effect::Calls;
        if let InstData::Branch { args, .. } = data {
            for &arg in args {
                add_sources(func, arg, &mut self.compared);
            }
        }
    }
}

/// Adds what a value is computed from, through operations that carry bounds from operand to result.
fn add_sources(func: &Function, value: Value, sources: &mut SmallVec<[Value; 8]>) {
    let mut work: SmallVec<[(Value, usize); 8]> = SmallVec::new();
    work.push((func.dfg.resolve(value), 0));
    while let Some((value, depth)) = work.pop() {
        match func.dfg.def_inst(value) {
            Some((
                _,
                InstData::Const { .. } | InstData::SymbolAddr { .. } | InstData::Nullary { .. },
            )) => {}
            Some((inst, InstData::Unary { .. } | InstData::Binary { .. }))
                if depth < MAX_SOURCE_DEPTH =>
            {
                let operands = func.dfg.args(inst);
                work.extend(
                    operands
                        .into_iter()
                        .map(|operand| (func.dfg.resolve(operand), depth + 1)),
                );
            }
            _ if sources.contains(&value) => {}
            _ => sources.push(value),
        }
    }
}
