//! Computes once, before paths part, what several of them compute.
//!
//! **What.**
//! ```text
//!   br eq v1, 8, block1, block2           v9 = iadd v2, v3
//! block1:                                 br eq v1, 8, block1, block2
//!   v4 = iadd v2, v3               ──►  block1:
//!   …                                     (uses of v4 use v9)
//! block2:                               block2:
//!   v5 = iadd v2, v3                      (uses of v5 use v9)
//! ```
//! The new place is the closest block that dominates both. A third path may pass it that needs none of
//! this and computes it for nothing, so this trades time for slots.
//!
//! **Why.** The parts of a parser for two protocols step over the same header, at the same variable
//! offset. Neither of two such computations dominates the other, so `gvn` leaves them.
//!
//! **Soundness.** Only pure operations move, and their operands are defined there: what dominates
//! both computations dominates the closest block that does. For the kernel, a path that did not compute
//! this must be able to. So operands are set on all paths ([`Unset`]) and numbers on all paths, since
//! most arithmetic is refused on pointers; but a packet pointer or an address of the frame, which is never
//! null, may be moved by a number whose width the kernel knows. And nothing moves above a comparison of
//! a value that it is computed from, but for that of packet pointers, whose comparison teaches the same
//! before and after arithmetic with constants.
//!
//! **Cost.** Each computation is held against at most [`MAX_EQUAL`] others, and what lies between is
//! looked at in at most [`MAX_BLOCKS`](crate::facts::between::MAX_BLOCKS) blocks. The result lives from the new place on; calls on the way, which
//! leave four registers, keep computations where they are.
//!
//! **Order.** After `gvn`, which finds what dominates; before `dce`.

use crate::facts::between::{Between, add_sources, find_pointers};
use crate::facts::equal::{Key, key};
use crate::facts::{Kind, Kinds, Widths, for_each_passed};
use crate::pass::{Changed, Pass, PassContext};
use cranelift_entity::EntitySet;
use mir::analysis::{ControlFlowGraph, DominatorTree};
use mir::{Block, Function, Inst, InstData, Opcode, Type, Value};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// Equal computations that one is held against, the nearest before it. More apart than this they
/// rarely share a block without calls in between.
const MAX_EQUAL: usize = 4;

/// Bits of a number that may be added to a pointer: the kernel wants less than 1 << 29.
const MAX_DISTANCE: u32 = 28;

/// Rounds until it is known which parameters may be unset; loops in loops take one each.
const MAX_ROUNDS: usize = 4;

/// See the module documentation.
#[derive(Clone, Copy, Debug)]
pub struct Hoist;

impl Pass for Hoist {
    fn run(&self, func: &mut Function, cx: &mut PassContext<'_>) -> Changed {
        let cfg = cx.analyses.cfg(func);
        let dominators = cx.analyses.dominators(func);
        let kinds = Kinds::compute(cx.module, func, &cfg, cx.uses_arena());
        let sums = Sums {
            cfg: &cfg,
            dominators: &dominators,
            pointers: find_pointers(func),
            kinds: &kinds,
            widths: Widths::compute(func, &cfg),
            unset: Unset::find(func, &cfg),
        };
        let mut table: FxHashMap<Key, SmallVec<[Inst; MAX_EQUAL]>> = FxHashMap::default();
        let mut changed = false;
        for &block in cfg.reverse_postorder() {
            let mut next = func.layout.first_inst(block);
            while let Some(inst) = next {
                next = func.layout.next_inst(inst);
                let Some(key) = key(func, inst).filter(|_| is_worth_it(func, inst)) else {
                    continue;
                };
                let equal = table.entry(key).or_default();
                let place = equal
                    .iter()
                    .rev()
                    .find_map(|&other| Some((other, sums.meeting(func, other, inst)?)));
                let Some((other, meeting)) = place else {
                    if equal.len() == MAX_EQUAL {
                        equal.remove(0);
                    }
                    equal.push(inst);
                    continue;
                };
                cx.applied(func, inst, "computed once before paths part");
                raise(func, other, inst, meeting);
                changed = true;
            }
        }
        Changed::instructions_if(changed)
    }
}

/// Whether an operation takes a slot by itself.
fn is_worth_it(func: &Function, inst: Inst) -> bool {
    func.dfg.inst(inst).opcode() != Opcode::Trunc
}

/// Moves a computation to the end of a block, and gives its result to an equal one.
fn raise(func: &mut Function, inst: Inst, equal: Inst, to: Block) {
    let Some(last) = func.layout.last_inst(to) else {
        return;
    };
    // What it takes with it: constants and addresses that stand beside it.
    for operand in func.dfg.args(inst) {
        let operand = func.dfg.resolve(operand);
        let Some((beside, data)) = func.dfg.def_inst(operand) else {
            continue;
        };
        let is_made_anew = matches!(
            data,
            InstData::Const { .. } | InstData::SymbolAddr { .. } | InstData::Nullary { .. }
        );
        if is_made_anew {
            func.layout.remove_inst(beside);
            let first = func
                .layout
                .entry()
                .and_then(|entry| func.layout.first_inst(entry));
            func.layout
                .insert_inst_before(beside, first.unwrap_or(last));
        }
    }
    func.layout.remove_inst(inst);
    func.layout.insert_inst_before(inst, last);
    if let Some(value) = func.dfg.result(inst) {
        func.replace_with_value(equal, value);
    }
}

/// What decides whether computations may move.
struct Sums<'a> {
    cfg: &'a ControlFlowGraph,
    dominators: &'a DominatorTree,
    pointers: EntitySet<Value>,
    kinds: &'a Kinds,
    widths: Widths,
    unset: Unset,
}

impl Sums<'_> {
    /// The block at whose end two equal computations may be one.
    fn meeting(&self, func: &Function, one: Inst, other: Inst) -> Option<Block> {
        let blocks = [func.layout.inst_block(one)?, func.layout.inst_block(other)?];
        let to = self.dominators.common_dominator(blocks[0], blocks[1])?;
        if blocks.contains(&to) {
            return None;
        }
        if !self.may_be_computed(func, one) {
            return None;
        }
        let mut sources = SmallVec::<[Value; 8]>::new();
        for arg in func.dfg.args(one) {
            add_sources(func, arg, &mut sources);
        }
        let last = func.layout.last_inst(to)?;
        let start = (to, func.layout.prev_inst(last));
        for inst in [one, other] {
            let between = Between::look(func, self.cfg, self.dominators, start, inst)?;
            let taught = between
                .compared
                .iter()
                .any(|&compared| sources.contains(&compared) && !self.is_packet(func, compared));
            if between.has_call || taught {
                return None;
            }
        }
        Some(to)
    }

    /// Whether the kernel takes an operation on every path on which its operands are defined.
    fn may_be_computed(&self, func: &Function, inst: Inst) -> bool {
        let args = func.dfg.args(inst);
        if args.iter().any(|&arg| self.unset.contains(func, arg)) {
            return false;
        }
        let moves = matches!(
            *func.dfg.inst(inst),
            InstData::Binary {
                opcode: Opcode::Iadd | Opcode::Isub,
                ty: Type::I64,
                ..
            }
        );
        let pointers = args
            .iter()
            .filter(|&&arg| !self.is_number(func, arg))
            .count();
        match pointers {
            0 => true,
            1 if moves => args.iter().all(|&arg| {
                if self.is_number(func, arg) {
                    self.widths.of(func, arg) <= MAX_DISTANCE || func.constant(arg).is_some()
                } else {
                    matches!(
                        self.kinds.get(func, arg),
                        Kind::PacketOrNumber | Kind::Stack
                    )
                }
            }),
            _ => false,
        }
    }

    /// Whether a value is a number, or the lower half of one.
    fn is_number(&self, func: &Function, value: Value) -> bool {
        match func.dfg.def_inst(value) {
            Some((
                _,
                &InstData::Unary {
                    opcode: Opcode::Trunc,
                    arg,
                    ..
                },
            )) => self.kinds.is_number(func, arg),
            _ => self.kinds.is_number(func, value),
        }
    }

    fn is_packet(&self, func: &Function, value: Value) -> bool {
        self.pointers.contains(value) && self.kinds.get(func, value) == Kind::PacketOrNumber
    }
}

/// Values that nobody wrote on some path: what is unset, and parameters of blocks that may be.
struct Unset(EntitySet<Value>);

impl Unset {
    fn find(func: &Function, cfg: &ControlFlowGraph) -> Unset {
        let mut unset = Unset(EntitySet::new());
        for _ in 0..MAX_ROUNDS {
            if !unset.round(func, cfg) {
                return unset;
            }
        }
        // Too far apart to say.
        for &block in cfg.reverse_postorder() {
            for &param in func.dfg.block_params(block) {
                unset.0.insert(param);
            }
        }
        unset
    }

    fn round(&mut self, func: &Function, cfg: &ControlFlowGraph) -> bool {
        let mut changed = false;
        for_each_passed(func, cfg, |param, arg| {
            changed |= self.contains(func, arg) && self.0.insert(param);
        });
        changed
    }

    fn contains(&self, func: &Function, value: Value) -> bool {
        let value = func.dfg.resolve(value);
        let made = func.dfg.def_inst(value);
        made.is_some_and(|(_, data)| data.opcode() == Opcode::Undef) || self.0.contains(value)
    }
}
