//! Which constants the stack holds at a look-up: its key, if that is known.

use std::collections::BTreeMap;

use bpf::insn::MemWidth;
use mir::analysis::ControlFlowGraph;
use mir::{Block, Function, Inst, InstData, Module, Opcode, Symbol};
use rustc_hash::FxHashMap;

use super::{Written, lookup, written};
use crate::facts::Kinds;
use crate::session::uses_arena;

/// Words of the stack that are followed: a frame has 128.
pub(super) const MAX_WORDS: usize = 128;
/// Rounds over the blocks until the words must have settled; else none is known.
const MAX_ROUNDS: usize = 8;

/// Constants of four bytes on the stack, by offset.
pub(super) type Words = BTreeMap<i64, u32>;

/// What the stack holds after an instruction.
pub(super) fn step(func: &Function, kinds: &Kinds, inst: Inst, words: &mut Words) {
    match written(func, kinds, inst) {
        Written::Nothing => {}
        Written::Anything => words.clear(),
        Written::Bytes(start, end) => {
            words.retain(|&word, _| word + 4 <= start || end <= word);
            if let InstData::Store {
                opcode: Opcode::Store,
                width: MemWidth::B32,
                value,
                ..
            } = *func.dfg.inst(inst)
                && !func.is_patched(inst)
                && words.len() < MAX_WORDS
                && let Some(number) = func.constant(value)
                // Elsewhere the kernel remembers no more than whether it is zero.
                && (start % 8 == 0 || number as u32 == 0)
            {
                words.insert(start, number as u32);
            }
        }
    }
}

/// What the stack holds at the start of each block, if that settles.
pub(super) fn at_start(
    func: &Function,
    kinds: &Kinds,
    cfg: &ControlFlowGraph,
) -> Option<FxHashMap<Block, Words>> {
    let mut at_start: FxHashMap<Block, Words> = FxHashMap::default();
    if let Some(entry) = cfg.entry() {
        at_start.insert(entry, Words::new());
    }
    let mut settled = false;
    for _ in 0..MAX_ROUNDS {
        let mut changed = false;
        for &block in cfg.reverse_postorder() {
            let Some(mut words) = at_start.get(&block).cloned() else {
                continue;
            };
            func.layout
                .insts(block)
                .for_each(|inst| step(func, kinds, inst, &mut words));
            for &next in cfg.successors(block) {
                match at_start.get_mut(&next) {
                    None => {
                        at_start.insert(next, words.clone());
                        changed = true;
                    }
                    Some(old) => {
                        let before = old.len();
                        old.retain(|word, number| words.get(word) == Some(number));
                        changed |= old.len() != before;
                    }
                }
            }
        }
        if !changed {
            settled = true;
            break;
        }
    }
    settled.then_some(at_start)
}

/// A look-up in a map that its instruction names, by a key on the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LookupKey {
    /// The call.
    pub inst: Inst,
    /// The map.
    pub map: Symbol,
    /// The first four bytes of the key, when they are a constant in every run.
    pub key: Option<u32>,
}

/// The look-ups of a function of a module. Those whose map is not named by an instruction, or whose
/// key is not on the stack, are not among them.
#[must_use]
pub fn lookup_keys(module: &Module, func: &Function) -> Vec<LookupKey> {
    let cfg = ControlFlowGraph::compute(func);
    let kinds = Kinds::compute(module, func, &cfg, uses_arena(module));
    let mut at_start = at_start(func, &kinds, &cfg).unwrap_or_default();
    let mut found = Vec::new();
    for &block in cfg.reverse_postorder() {
        let mut words = at_start.remove(&block).unwrap_or_default();
        for inst in func.layout.insts(block) {
            if let Some(lookup) = lookup(func, inst) {
                found.push(LookupKey {
                    inst,
                    map: lookup.map,
                    key: words.get(&lookup.key).copied(),
                });
            }
            step(func, &kinds, inst, &mut words);
        }
    }
    found
}
