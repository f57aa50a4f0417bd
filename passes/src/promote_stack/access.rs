//! Who accesses which bytes of the frame.

use super::{escape, paths};
use crate::facts::FRAME_BYTES;
use crate::pass::PassContext;
use bpf::insn::MemWidth;
use cranelift_entity::SecondaryMap;
use mir::analysis::ControlFlowGraph;
use mir::{Function, Inst, InstData, Opcode, Value};
use std::collections::BTreeMap;

/// Most slots promoted in one run: as many as fit a frame, so never a limit for accepted code.
pub(super) const MAX_SLOTS: usize = 512;

/// A range of frame bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Slot {
    /// Offset of the first byte from the frame pointer.
    pub(super) start: i64,
    /// Bytes.
    pub(super) width: MemWidth,
}

impl Slot {
    pub(super) fn end(&self) -> i64 {
        self.start + i64::from(self.width.bytes())
    }
}

/// All accesses to the frame.
#[derive(Debug, Default)]
pub(super) struct Frame {
    /// Distance from the frame pointer, for values that are the frame pointer plus a constant.
    addresses: SecondaryMap<Value, Option<i64>>,
    /// Plain loads and stores, by the slot that they cover, in layout order.
    accesses: BTreeMap<Slot, Vec<Inst>>,
    /// Bytes that something else may reach.
    pinned: Pinned,
}

/// A set of frame bytes.
#[derive(Clone, Debug)]
pub(super) struct Pinned([bool; FRAME_BYTES as usize]);

impl Default for Pinned {
    fn default() -> Self {
        Pinned([false; FRAME_BYTES as usize])
    }
}

impl Pinned {
    pub(super) fn pin(&mut self, start: i64, end: i64) {
        let index = |offset: i64| (offset + FRAME_BYTES).clamp(0, FRAME_BYTES) as usize;
        if start < end {
            self.0[index(start)..index(end)].fill(true);
        }
    }

    pub(super) fn pin_all(&mut self) {
        self.0.fill(true);
    }

    fn contains(&self, slot: Slot) -> bool {
        (slot.start..slot.end()).any(|offset| {
            usize::try_from(offset + FRAME_BYTES)
                .ok()
                .and_then(|index| self.0.get(index).copied())
                .unwrap_or(true)
        })
    }
}

impl Frame {
    /// The accesses of a function; `None` when it never uses its frame.
    pub(super) fn find(func: &Function, cfg: &ControlFlowGraph) -> Option<Frame> {
        let mut frame = Frame::default();
        if !frame.find_addresses(func, cfg) {
            return None;
        }
        for block in func.layout.blocks() {
            for inst in func.layout.insts(block) {
                frame.visit(func, inst);
            }
        }
        Some(frame)
    }

    /// Where a value points, if it is the frame pointer plus a constant.
    pub(super) fn address(&self, value: Value) -> Option<i64> {
        self.addresses[value]
    }

    /// The first access to a slot, for remarks.
    pub(super) fn first_access(&self, slot: Slot) -> Option<Inst> {
        self.accesses.get(&slot)?.first().copied()
    }

    /// The slot that a plain access covers.
    pub(super) fn slot_of(&self, func: &Function, inst: Inst) -> Option<Slot> {
        let (InstData::Load {
            opcode: Opcode::Load | Opcode::Sload,
            width,
            base,
            offset,
        }
        | InstData::Store {
            opcode: Opcode::Store,
            width,
            base,
            offset,
            ..
        }) = *func.dfg.inst(inst)
        else {
            return None;
        };
        if func.is_patched(inst) {
            return None;
        }
        let start = self.address(base)?.checked_add(i64::from(offset))?;
        Some(Slot { start, width })
    }

    /// The slots that may become values, in the order of the frame.
    pub(super) fn promotable(
        &self,
        func: &Function,
        cfg: &ControlFlowGraph,
        cx: &mut PassContext<'_>,
    ) -> Vec<Slot> {
        let mut open = 0;
        let slots: Vec<(Slot, bool)> = self
            .accesses
            .keys()
            .map(|&slot| {
                let is_open = !self.pinned.contains(slot) && open < MAX_SLOTS;
                open += usize::from(is_open);
                (slot, is_open)
            })
            .collect();
        let candidates: Vec<Slot> = slots.iter().filter(|one| one.1).map(|one| one.0).collect();
        let assigned = paths::assigned_at_loads(func, cfg, self, &candidates);
        let mut assigned = candidates.iter().zip(assigned);
        let mut fits: Vec<bool> = slots
            .iter()
            .map(|&(_, is_open)| is_open && assigned.next().is_some_and(|(_, assigned)| assigned))
            .collect();
        self.drop_overlapping(&slots, &mut fits);
        for (&(slot, is_open), fits) in slots.iter().zip(&fits) {
            if !is_open && cx.explains() {
                self.explain(func, cx, slot);
            }
            if is_open && !fits {
                let others = paths::overlapping(slots.iter().map(|one| one.0), slot);
                let message = match others.first() {
                    Some(_) => "a stack slot stays in memory: an access overlaps it in part",
                    None => "a stack slot may be read before it is written",
                };
                let cause = others
                    .first()
                    .and_then(|&other| self.first_access(slots[other].0));
                if let Some(access) = self.first_access(slot) {
                    cx.missed_for(func, access, message, cause);
                }
            }
        }
        slots
            .into_iter()
            .zip(fits)
            .filter(|&(_, fits)| fits)
            .map(|((slot, _), _)| slot)
            .collect()
    }

    /// Takes back what overlaps a slot that stays in memory.
    fn drop_overlapping(&self, slots: &[(Slot, bool)], fits: &mut [bool]) {
        let mut work: Vec<usize> = (0..fits.len()).filter(|&number| !fits[number]).collect();
        while let Some(number) = work.pop() {
            let overlapping = paths::overlapping(slots.iter().map(|one| one.0), slots[number].0);
            for other in overlapping {
                if std::mem::take(&mut fits[other]) {
                    work.push(other);
                }
            }
        }
    }

    /// Says why a slot is reached otherwise.
    fn explain(&self, func: &Function, cx: &mut PassContext<'_>, slot: Slot) {
        if let Some(access) = self.first_access(slot)
            && self.pinned.contains(slot)
        {
            let message = "a stack slot stays in memory: its address is used by more than loads and \
                           stores";
            cx.missed_for(func, access, message, self.pinning(func, slot));
        }
    }

    /// The first instruction that may reach a slot in another way than by loads and stores.
    fn pinning(&self, func: &Function, slot: Slot) -> Option<Inst> {
        let mut one = Frame {
            addresses: self.addresses.clone(),
            ..Frame::default()
        };
        let blocks = func.layout.blocks();
        let mut all = blocks.flat_map(|block| func.layout.insts(block));
        all.find(|&inst| {
            one.visit(func, inst);
            one.pinned.contains(slot)
        })
    }

    /// Finds the frame pointer and its sums with constants. In reverse postorder, definitions
    /// come before uses.
    fn find_addresses(&mut self, func: &Function, cfg: &ControlFlowGraph) -> bool {
        let mut any = false;
        for &block in cfg.reverse_postorder() {
            for inst in func.layout.insts(block) {
                if let Some(result) = func.dfg.result(inst)
                    && let Some(address) = self.address_of(func, inst)
                {
                    self.addresses[result] = Some(address);
                    any = true;
                }
            }
        }
        any
    }

    fn address_of(&self, func: &Function, inst: Inst) -> Option<i64> {
        if func.is_patched(inst) {
            return None;
        }
        match *func.dfg.inst(inst) {
            InstData::Nullary {
                opcode: Opcode::Frame,
                ..
            } => Some(0),
            InstData::Binary {
                opcode: Opcode::Iadd,
                args: [a, b],
                ..
            } => match (self.address(a), self.address(b)) {
                (Some(base), None) => base.checked_add(func.constant(b)?),
                (None, Some(base)) => base.checked_add(func.constant(a)?),
                _ => None,
            },
            InstData::Binary {
                opcode: Opcode::Isub,
                args: [a, b],
                ..
            } => self.address(a)?.checked_sub(func.constant(b)?),
            _ => None,
        }
    }

    fn visit(&mut self, func: &Function, inst: Inst) {
        if let Some(slot) = self.slot_of(func, inst) {
            self.accesses.entry(slot).or_default().push(inst);
            // The address itself may be what is stored.
            if let InstData::Store { value, .. } = *func.dfg.inst(inst)
                && self.address(value).is_some()
            {
                self.pinned.pin_all();
            }
            return;
        }
        let is_sum = func
            .dfg
            .result(inst)
            .is_some_and(|result| self.address(result).is_some());
        if !is_sum {
            escape::visit(func, inst, &self.addresses, &mut self.pinned);
        }
    }
}
