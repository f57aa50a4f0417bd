//! Which loads are read by one command, and which stores are written by one.
//!
//! **What.** A command to memory takes fifty cycles and more, a transfer register none. Loads from
//! one pointer at constant offsets near each other become one read, at the first of them, as long as
//! it dominates the others and nothing that may write those bytes lies on a way between. Stores that
//! follow each other and fill a range become one write, at the last of them.
//!
//! **Why sound.** A read may take bytes that the program has not yet compared with the packet's end:
//! beyond the end lies the rest of the packet's buffer, and what is read there is used only where
//! the program's own load stands, after its comparison. (Linux's translator does the same.) Values of
//! maps are read from the first to the last byte that the program loads, rounded to words: up to three
//! bytes behind a value, as the driver's words do, and none before it. Between
//! the first load and another one, no store that may touch its bytes, no helper that moves the
//! packet, and no call of a function stands on any way. A store is delayed only over instructions that
//! neither read that memory nor call.
//!
//! **Cost.** For each load, the open groups of its pointer are tried, and blocks between are walked
//! once each: loads × blocks in the worst case, bounded by [`MAX_TRIES`] groups for a load.

use bpf::insn::MemWidth;
use bpf::program_type::ProgramType;
use cranelift_entity::SecondaryMap;
use mir::analysis::{ControlFlowGraph, DominatorTree};
use mir::{Block, Func, Function, Inst, InstData, Opcode, Value};
use rustc_hash::FxHashMap;

use crate::space::{ContextField, Space, Spaces, constant_sum, context_field};

/// Groups of one pointer that are tried for a load.
const MAX_TRIES: usize = 8;
/// Bytes of a read; half of the transfer registers.
const READ_LIMIT: i64 = 64;
/// Bytes of a write.
const WRITE_LIMIT: i64 = 32;
/// Helpers that move the packet: `xdp_adjust_head`, `xdp_adjust_tail`.
pub(crate) const MOVES_PACKET: [u32; 2] = [MOVES_HEAD, 65];
pub(crate) const MOVES_HEAD: u32 = 44;

/// What an offset counts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Root {
    /// Where the packet begins, which no helper of the function moves.
    Data,
    /// Where it ends.
    DataEnd,
    /// A pointer.
    Value(Value),
    /// The packet's beginning, for legacy loads.
    Legacy,
}

/// A range of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) space: Space,
    pub(crate) root: Root,
    pub(crate) start: i64,
    pub(crate) size: i64,
}

impl Range {
    fn end(&self) -> i64 {
        self.start + self.size
    }

    fn may_touch(&self, other: &Range) -> bool {
        self.space == other.space
            && (self.root != other.root || self.start < other.end() && other.start < self.end())
    }
}

/// Loads that one command reads.
#[derive(Clone, Debug)]
pub(crate) struct ReadGroup {
    /// The first load.
    pub(crate) leader: Inst,
    /// What is read.
    pub(crate) range: Range,
    /// Loads, and how many of them want their bytes the other way around.
    loads: Vec<(i64, i64)>,
    block: Block,
}

/// Stores that one command writes, in order.
#[derive(Clone, Debug)]
pub(crate) struct WriteGroup {
    pub(crate) stores: Vec<Inst>,
    pub(crate) range: Range,
}

/// The plan for a function.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    /// Groups of loads.
    pub(crate) reads: Vec<ReadGroup>,
    /// The group of each load.
    pub(crate) read_of: FxHashMap<Inst, usize>,
    /// Groups of stores, by the last of each.
    pub(crate) writes: FxHashMap<Inst, WriteGroup>,
    /// Stores that a later one writes.
    pub(crate) delayed: FxHashMap<Inst, ()>,
}

impl Plan {
    /// Accesses and commands.
    pub(crate) fn memory(&self) -> crate::compile::MemoryUse {
        crate::compile::MemoryUse {
            loads: self.read_of.len(),
            reads: self.reads.len(),
            stores: self.writes.len() + self.delayed.len(),
            writes: self.writes.len(),
        }
    }
}

/// What the planner knows of a function.
pub(crate) struct Planner<'a> {
    pub(crate) func: Func,
    pub(crate) function: &'a Function,
    pub(crate) spaces: &'a Spaces,
    pub(crate) cfg: &'a ControlFlowGraph,
    pub(crate) dominators: &'a DominatorTree,
    pub(crate) program_type: ProgramType,
    /// Whether a helper of the program moves the packet.
    pub(crate) moves_packet: bool,
    /// Whether loads are read together.
    pub(crate) read_together: bool,
    /// Whether stores are written together.
    pub(crate) write_together: bool,
}

impl Planner<'_> {
    fn space(&self, value: Value) -> Space {
        self.spaces.get(self.func, self.function, value)
    }

    /// Pointer and offset of an address in the packet or in a map.
    pub(crate) fn address(&self, value: Value) -> (Root, i64) {
        let mut value = self.function.dfg.resolve(value);
        let mut offset = 0i64;
        loop {
            if let Some((base, by)) = constant_sum(self.function, value) {
                offset = offset.wrapping_add(by);
                value = base;
                continue;
            }
            let Some((_, data)) = self.function.dfg.def_inst(value) else {
                return (Root::Value(value), offset);
            };
            match *data {
                InstData::Unary {
                    opcode: Opcode::Trunc | Opcode::Zext,
                    arg,
                    ..
                } if self.space(value) == Space::Packet => {
                    value = self.function.dfg.resolve(arg);
                }
                InstData::Load {
                    base,
                    offset: field,
                    ..
                } if self.space(base) == Space::Context && !self.moves_packet => {
                    return match context_field(self.program_type, field) {
                        Some(ContextField::Data) => (Root::Data, offset),
                        Some(ContextField::DataEnd) => (Root::DataEnd, offset),
                        _ => (Root::Value(value), offset),
                    };
                }
                _ => return (Root::Value(value), offset),
            }
        }
    }

    fn range(&self, base: Value, offset: i32, width: MemWidth) -> Range {
        let (root, start) = self.address(base);
        Range {
            space: self.space(base),
            root,
            start: start.saturating_add(offset.into()),
            size: i64::from(width.bytes()),
        }
    }

    pub(crate) fn load(&self, inst: Inst) -> Option<Range> {
        match *self.function.dfg.inst(inst) {
            InstData::Load {
                base,
                offset,
                width,
                ..
            } if matches!(self.space(base), Space::Packet | Space::Map) => {
                Some(self.range(base, offset, width))
            }
            InstData::LoadAbs { width, imm, .. } => Some(Range {
                space: Space::Packet,
                root: Root::Legacy,
                start: imm.into(),
                size: i64::from(width.bytes()),
            }),
            _ => None,
        }
    }

    pub(crate) fn store(&self, inst: Inst) -> Option<Range> {
        match *self.function.dfg.inst(inst) {
            InstData::Store {
                base,
                offset,
                width,
                ..
            } if matches!(self.space(base), Space::Packet | Space::Map) => {
                Some(self.range(base, offset, width))
            }
            _ => None,
        }
    }

    /// Whether an instruction may change bytes, or where they are.
    fn clobbers(&self, inst: Inst, range: &Range) -> bool {
        match *self.function.dfg.inst(inst) {
            InstData::Store { .. } => self.store(inst).is_some_and(|one| one.may_touch(range)),
            InstData::AtomicRmw { base, .. } | InstData::CompareExchange { base, .. } => {
                self.space(base) == range.space
            }
            InstData::CallHelper { id, .. } => {
                let moves = MOVES_PACKET.contains(&id);
                match range.space {
                    Space::Packet => moves,
                    _ => matches!(id, 2 | 3),
                }
            }
            InstData::CallFunc { .. } => true,
            _ => false,
        }
    }

    /// Whether bytes may change on a way from one instruction to another that it dominates.
    fn changes_between(&self, from: (Block, Inst), to: (Block, Inst), range: &Range) -> bool {
        let layout = &self.function.layout;
        let clobbers = |inst| self.clobbers(inst, range);
        if from.0 == to.0 {
            let between = layout
                .insts(from.0)
                .skip_while(|inst| *inst != from.1)
                .take_while(|inst| *inst != to.1);
            return between.into_iter().any(clobbers);
        }
        if layout
            .insts(from.0)
            .skip_while(|inst| *inst != from.1)
            .any(clobbers)
            || layout
                .insts(to.0)
                .take_while(|inst| *inst != to.1)
                .any(clobbers)
        {
            return true;
        }
        let mut seen: SecondaryMap<Block, bool> = SecondaryMap::new();
        let mut work = vec![to.0];
        while let Some(block) = work.pop() {
            for predecessor in self.cfg.predecessors(block) {
                let block = predecessor.block;
                if block == from.0 || seen[block] {
                    continue;
                }
                seen[block] = true;
                if layout.insts(block).any(clobbers) {
                    return true;
                }
                work.push(block);
            }
        }
        false
    }

    /// Plans reads and writes.
    pub(crate) fn plan(&self) -> Plan {
        let mut plan = Plan::default();
        for &block in self.cfg.reverse_postorder() {
            for inst in self.function.layout.insts(block) {
                if let Some(range) = self.load(inst) {
                    self.plan_load(&mut plan, block, inst, range);
                }
            }
            self.plan_stores(&mut plan, block);
        }
        for group in &mut plan.reads {
            match (group.range.space, group.range.root) {
                // What is computed may be any byte of a value, the first one too.
                (Space::Map, Root::Value(value)) if !self.is_found(value) => {}
                _ => align(group),
            }
        }
        plan
    }

    /// Whether a value is what a helper found, which lies at a word.
    fn is_found(&self, value: Value) -> bool {
        let found = self.function.dfg.def_inst(value);
        found.is_some_and(|(_, data)| matches!(data, InstData::CallHelper { .. }))
    }

    fn plan_load(&self, plan: &mut Plan, block: Block, inst: Inst, range: Range) {
        let candidates = (0..plan.reads.len())
            .rev()
            .filter(|index| {
                let group = &plan.reads[*index].range;
                (group.space, group.root) == (range.space, range.root)
            })
            .take(if self.read_together { MAX_TRIES } else { 0 })
            .collect::<Vec<_>>();
        for index in candidates {
            let group = &plan.reads[index];
            let start = group.range.start.min(range.start);
            let end = group.range.end().max(range.end());
            if end - start > READ_LIMIT
                || !self.dominators.dominates(group.block, block)
                || self.changes_between((group.block, group.leader), (block, inst), &range)
            {
                continue;
            }
            let group = &mut plan.reads[index];
            group.range.start = start;
            group.range.size = end - start;
            group.loads.push((range.start, range.size));
            plan.read_of.insert(inst, index);
            return;
        }
        plan.read_of.insert(inst, plan.reads.len());
        plan.reads.push(ReadGroup {
            leader: inst,
            range,
            loads: vec![(range.start, range.size)],
            block,
        });
    }

    fn plan_stores(&self, plan: &mut Plan, block: Block) {
        let mut open: Option<WriteGroup> = None;
        let close = |plan: &mut Plan, open: &mut Option<WriteGroup>| {
            let Some(group) = open.take() else { return };
            let Some((last, before)) = group.stores.split_last() else {
                return;
            };
            plan.delayed.extend(before.iter().map(|store| (*store, ())));
            plan.writes.insert(*last, group);
        };
        for inst in self.function.layout.insts(block) {
            if let Some(range) = self.store(inst) {
                if self.write_together
                    && let Some(group) = &mut open
                    && (group.range.space, group.range.root) == (range.space, range.root)
                    && (group.range.end() == range.start || range.end() == group.range.start)
                    && group.range.size + range.size <= WRITE_LIMIT
                {
                    group.range.start = group.range.start.min(range.start);
                    group.range.size += range.size;
                    group.stores.push(inst);
                    continue;
                }
                close(plan, &mut open);
                open = Some(WriteGroup {
                    stores: vec![inst],
                    range,
                });
                continue;
            }
            let stays = match *self.function.dfg.inst(inst) {
                InstData::Load { base, .. } => match &open {
                    Some(group) => self.space(base) != group.range.space,
                    None => true,
                },
                InstData::Store { base, .. } => self.space(base) == Space::Stack,
                _ => self.function.dfg.inst(inst).opcode().effect() == mir::opcode::Effect::Pure,
            };
            if !stays {
                close(plan, &mut open);
            }
        }
        close(plan, &mut open);
    }
}

/// Moves a group's start down to where most loads lie within words.
fn align(group: &mut ReadGroup) {
    if group.range.root == Root::Legacy || group.range.space == Space::Map {
        let start = group.range.start & !3;
        // A map's values lie at words; a legacy load's packet does not, but counts from its start.
        group.range.size += group.range.start - start;
        group.range.start = start;
        return;
    }
    let cost = |start: i64| {
        let each = group.loads.iter().map(|(at, size)| {
            let (first, last) = ((at - start) % 4, (at - start) % 4 + size);
            match (*size, first) {
                (4 | 8, 0) => 0,
                _ if last <= 4 => 1,
                _ => 4,
            }
        });
        let words = (group.range.end() - start + 3) / 4;
        each.sum::<i64>() * 8 + words
    };
    let lowest = (group.range.start - 3).max(0);
    let best = (lowest..=group.range.start)
        .rev()
        .min_by_key(|start| cost(*start));
    if let Some(start) = best {
        group.range.size += group.range.start - start;
        group.range.start = start;
    }
}
