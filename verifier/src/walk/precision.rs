//! Which numbers a check depended on, found backwards along the path.
//!
//! From a register that some check needs, the path is followed back, instruction by instruction,
//! to where its number came from; in every state kept on the way, the registers and stack slots
//! that it passed through are marked precise. Only those must match when states are compared.
//! Where the way back cannot be followed, all numbers of all states before are marked, which is
//! always safe. The cost is the length of the path back to the nearest state that is marked already.

use bpf::insn::{AluOp, CallTarget, Insn, Operand, Reg, RegSet};

use super::Walker;
use super::history::Entry;
use crate::helpers::TAIL_CALL;
use crate::program::Meaning;
use crate::state::{NO_INSN, State};
use crate::stop::{Check, gap};

const FRAMES: usize = 8;

/// Registers and slots that are looked for, by frame.
#[derive(Debug, Default)]
struct Wanted {
    frame: usize,
    registers: [u16; FRAMES],
    slots: [u64; FRAMES],
}

/// How following one instruction back ended.
enum Back {
    /// Go on.
    On,
    /// It cannot be followed.
    Lost,
}

impl Wanted {
    fn is_empty(&self) -> bool {
        self.registers.iter().all(|set| *set == 0) && self.slots.iter().all(|set| *set == 0)
    }

    fn has(&self, register: Reg) -> bool {
        self.registers[self.frame] >> (register.0 & 15) & 1 != 0
    }

    fn add(&mut self, register: Reg) {
        if register != Reg::FRAME {
            self.registers[self.frame] |= 1 << (register.0 & 15);
        }
    }

    fn remove(&mut self, register: Reg) {
        self.registers[self.frame] &= !(1 << (register.0 & 15));
    }

    fn has_slot(&self, (frame, slot): (u8, u8)) -> bool {
        self.slots[usize::from(frame) % FRAMES] >> (slot & 63) & 1 != 0
    }

    fn add_slot(&mut self, (frame, slot): (u8, u8)) {
        self.slots[usize::from(frame) % FRAMES] |= 1 << (slot & 63);
    }

    fn remove_slot(&mut self, (frame, slot): (u8, u8)) {
        self.slots[usize::from(frame) % FRAMES] &= !(1 << (slot & 63));
    }

    /// If one of a group of tied numbers is wanted, all are.
    fn sync_linked(&mut self, entry: Option<&Entry>) {
        let Some(entry) = entry else {
            return;
        };
        let wanted = entry.linked.iter().any(|one| {
            let frame = usize::from(one.frame) % FRAMES;
            if one.is_register {
                self.registers[frame] >> (one.index & 15) & 1 != 0
            } else {
                self.has_slot((one.frame, one.index))
            }
        });
        if !wanted {
            return;
        }
        for one in &entry.linked {
            if one.is_register {
                self.registers[usize::from(one.frame) % FRAMES] |= 1 << (one.index & 15);
            } else {
                self.add_slot((one.frame, one.index));
            }
        }
    }

    /// Back into the caller: the arguments wanted are the caller's.
    fn leave_callee(&mut self, pass_arguments: bool) -> Option<()> {
        let arguments = self.registers[self.frame] & RegSet::ARGUMENTS.bits();
        self.registers[self.frame] = 0;
        self.frame = self.frame.checked_sub(1)?;
        if pass_arguments {
            self.registers[self.frame] |= arguments;
        }
        Some(())
    }

    fn enter_callee(&mut self) -> Option<()> {
        if self.frame + 1 >= FRAMES {
            return None;
        }
        self.frame += 1;
        Some(())
    }
}

impl Walker<'_> {
    /// Marks the number in a register as one that a check depends on.
    pub(super) fn mark_precise(&mut self, register: u8) -> Check {
        let mut wanted = Wanted {
            frame: self.state.current(),
            ..Wanted::default()
        };
        wanted.add(Reg(register));
        self.follow_back(wanted)
    }

    /// Marks a spilled number in a stack slot as one that a check depends on.
    pub(super) fn mark_slot_precise(&mut self, frame: usize, slot: usize) -> Check {
        let mut wanted = Wanted {
            frame: self.state.current(),
            ..Wanted::default()
        };
        wanted.add_slot((frame as u8, slot as u8));
        self.follow_back(wanted)
    }

    /// What was precise in a state that covers the present one must be precise on the way here too.
    pub(super) fn propagate_precision(&mut self, from: usize) -> Check {
        let Some(old) = self.kept[from].as_ref() else {
            return Ok(());
        };
        let mut wanted = Wanted {
            frame: self.state.current(),
            ..Wanted::default()
        };
        for (number, frame) in old.frames.iter().enumerate().take(FRAMES) {
            for (index, register) in frame.registers.iter().enumerate().take(10) {
                if register.is_scalar() && register.precise {
                    wanted.registers[number] |= 1 << index;
                }
            }
            for (index, slot) in frame.stack.iter().enumerate() {
                let marked = slot.is_spilled_scalar() && slot.spilled.precise;
                if marked && (slot.read || !old.cleaned) {
                    wanted.add_slot((number as u8, index as u8));
                }
            }
        }
        self.follow_back(wanted)
    }

    fn follow_back(&mut self, mut wanted: Wanted) -> Check {
        if wanted.is_empty() {
            return Ok(());
        }
        let mut first = self.state.first_insn;
        let mut last = self.insn as u32;
        let mut later = NO_INSN;
        let mut range = self.state.history;
        let mut parent = self.state.parent;
        // The present instruction has not changed its registers yet.
        let mut skip = true;
        loop {
            if last == NO_INSN {
                // The entry of a function: what is wanted are its arguments.
                break;
            }
            let mut end = range.1;
            let mut at = last;
            loop {
                let back = if std::mem::take(&mut skip) {
                    Back::On
                } else {
                    let entries = self.history.get(range.0..end).unwrap_or(&[]);
                    let entry = entries.last().filter(|entry| entry.insn == at);
                    self.back_over(at, later, entry, &mut wanted)?
                };
                if matches!(back, Back::Lost) {
                    self.mark_all_precise();
                    return Ok(());
                }
                if wanted.is_empty() {
                    return Ok(());
                }
                later = at;
                match self.before(at, first, range.0, &mut end) {
                    Some(previous) => at = previous,
                    None => break,
                }
            }
            let Some(state) = parent.and_then(|id| self.kept[id].as_mut()) else {
                break;
            };
            mark_in(state, &mut wanted);
            if wanted.is_empty() {
                return Ok(());
            }
            later = first;
            last = state.last_insn;
            first = state.first_insn;
            range = state.history;
            parent = state.parent;
        }
        if !wanted.is_empty() {
            self.mark_all_precise();
        }
        Ok(())
    }

    /// The instruction before `at` on the path, unless the state began there.
    fn before(&self, at: u32, first: u32, start: usize, end: &mut usize) -> Option<u32> {
        let entries = self.history.get(start..*end).unwrap_or(&[]);
        let here = entries.last().is_some_and(|entry| entry.insn == at);
        if at == first && (entries.is_empty() || (entries.len() == 1 && here)) {
            return None;
        }
        if here {
            *end -= 1;
            return self.history.get(*end).map(|entry| entry.previous);
        }
        let previous = at.checked_sub(1)?;
        // The second half of a wide instruction stands for the whole.
        let is_half = matches!(
            self.program.ops.get(previous as usize).map(|op| &op.insn),
            Some(Ok(None))
        );
        Some(if is_half {
            previous.saturating_sub(1)
        } else {
            previous
        })
    }

    /// Takes what is wanted after an instruction to what is wanted before it.
    fn back_over(
        &self,
        at: u32,
        later: u32,
        entry: Option<&Entry>,
        wanted: &mut Wanted,
    ) -> Check<Back> {
        let Some(insn) = self.program.insn(at as usize) else {
            return Ok(Back::On);
        };
        wanted.sync_linked(entry);
        let stack = entry.and_then(|entry| entry.stack);
        let back = match insn {
            Insn::Alu { op, dst, src, .. } => {
                if wanted.has(dst) {
                    if op == AluOp::Mov {
                        wanted.remove(dst);
                    }
                    if let Operand::Reg(src) = src {
                        wanted.add(src);
                    }
                }
                Back::On
            }
            Insn::Movsx { dst, src, .. } => {
                if wanted.has(dst) {
                    wanted.remove(dst);
                    wanted.add(src);
                }
                Back::On
            }
            Insn::LoadImm64 { dst, .. } => {
                wanted.remove(dst);
                Back::On
            }
            Insn::Load { .. } | Insn::LoadAcquire { .. } => {
                for loaded in insn.writes().iter() {
                    if wanted.has(loaded) {
                        wanted.remove(loaded);
                        if let Some(stack) = stack {
                            wanted.add_slot(stack);
                        }
                    }
                }
                Back::On
            }
            Insn::Store { base, src, .. } => self.back_over_store(base, src, stack, wanted),
            Insn::StoreRelease { base, src, .. } => {
                self.back_over_store(base, Operand::Reg(src), stack, wanted)
            }
            // The kernel takes them for stores, whatever they fetch.
            Insn::Atomic { base, src, .. } => {
                self.back_over_store(base, Operand::Reg(src), stack, wanted)
            }
            Insn::Call { .. } => return self.back_over_call(at, later, wanted),
            Insn::Exit => return self.back_over_exit(later, wanted),
            Insn::LoadAbs { .. } | Insn::LoadInd { .. } => {
                if wanted.has(Reg(0)) {
                    Back::Lost
                } else if later != at + 1 {
                    // The load failed and returned from the function.
                    match wanted.enter_callee() {
                        Some(()) => Back::On,
                        None => Back::Lost,
                    }
                } else {
                    Back::On
                }
            }
            Insn::Branch {
                dst,
                src: Operand::Reg(src),
                ..
            } => {
                if wanted.has(dst) || wanted.has(src) {
                    // Both numbers decided what is known of each.
                    if entry.is_none_or(|entry| !entry.source_is_stack) {
                        wanted.add(src);
                    }
                    if entry.is_none_or(|entry| !entry.destination_is_stack) {
                        wanted.add(dst);
                    }
                }
                Back::On
            }
            _ => Back::On,
        };
        wanted.sync_linked(entry);
        Ok(back)
    }

    fn back_over_store(
        &self,
        base: Reg,
        src: Operand,
        stack: Option<(u8, u8)>,
        wanted: &mut Wanted,
    ) -> Back {
        if wanted.has(base) {
            return Back::Lost;
        }
        if let Some(stack) = stack
            && wanted.has_slot(stack)
        {
            wanted.remove_slot(stack);
            if let Operand::Reg(src) = src {
                wanted.add(src);
            }
        }
        Back::On
    }

    fn back_over_call(&self, at: u32, later: u32, wanted: &mut Wanted) -> Check<Back> {
        if let Meaning::Function(function) = self.program.ops[at as usize].meaning {
            if self.program.subprograms[function].global {
                wanted.remove(Reg(0));
                return Ok(Back::On);
            }
            let others = wanted.registers[wanted.frame] & !RegSet::ARGUMENTS.bits();
            if others != 0 || wanted.slots[wanted.frame] != 0 {
                return Ok(Back::Lost);
            }
            return match wanted.leave_callee(true) {
                Some(()) => Ok(Back::On),
                None => gap("precision across calls"),
            };
        }
        let calls_back = self.calls_back(at as usize);
        if calls_back && later != at + 1 {
            let others = wanted.registers[wanted.frame] & !RegSet::ARGUMENTS.bits();
            if others != 0 || wanted.slots[wanted.frame] != 0 {
                return Ok(Back::Lost);
            }
            return match wanted.leave_callee(false) {
                Some(()) => Ok(Back::On),
                None => gap("precision across callbacks"),
            };
        }
        wanted.remove(Reg(0));
        if wanted.registers[wanted.frame] & RegSet::ARGUMENTS.bits() != 0 {
            return Ok(Back::Lost);
        }
        let tail_call = CallTarget::Helper(TAIL_CALL.cast_signed());
        let returned = later != at + 1;
        if returned && self.program.insn(at as usize) == Some(Insn::Call { target: tail_call }) {
            // It did not fail, and returned from the function.
            return match wanted.enter_callee() {
                Some(()) => Ok(Back::On),
                None => gap("precision across tail calls"),
            };
        }
        Ok(Back::On)
    }

    fn back_over_exit(&self, later: u32, wanted: &mut Wanted) -> Check<Back> {
        let returned = later
            .checked_sub(1)
            .and_then(|call| self.program.ops.get(call as usize))
            .is_some_and(|op| matches!(op.meaning, Meaning::Function(_)) && op.slots() == 1);
        let wants_result = returned && wanted.has(Reg(0));
        wanted.remove(Reg(0));
        if wanted.enter_callee().is_none() {
            return gap("precision across calls");
        }
        if wants_result {
            wanted.add(Reg(0));
        }
        Ok(Back::On)
    }

    /// Marks every number in every state before the present one.
    fn mark_all_precise(&mut self) {
        let mut parent = self.state.parent;
        while let Some(state) = parent.and_then(|id| self.kept[id].as_mut()) {
            for frame in &mut state.frames {
                for register in &mut frame.registers[..10] {
                    register.precise |= register.is_scalar();
                }
                for slot in &mut frame.stack {
                    slot.spilled.precise |= slot.is_spilled_scalar();
                }
            }
            parent = state.parent;
        }
    }
}

/// Marks what is wanted in a kept state; what was marked before, or is no number, is done with.
fn mark_in(state: &mut State, wanted: &mut Wanted) {
    for (number, frame) in state.frames.iter_mut().enumerate().take(FRAMES) {
        for index in RegBits(wanted.registers[number]) {
            let Some(register) = frame.registers.get_mut(index) else {
                continue;
            };
            if register.is_scalar() && !register.precise {
                register.precise = true;
            } else {
                wanted.registers[number] &= !(1 << index);
            }
        }
        for index in 0..64u8 {
            let place = (number as u8, index);
            if !wanted.has_slot(place) {
                continue;
            }
            match frame.stack.get_mut(usize::from(index)) {
                Some(slot) if slot.is_spilled_scalar() && !slot.spilled.precise => {
                    slot.spilled.precise = true;
                }
                _ => wanted.remove_slot(place),
            }
        }
    }
}

/// Numbers of the set bits.
struct RegBits(u16);

impl Iterator for RegBits {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        if self.0 == 0 {
            return None;
        }
        let bit = self.0.trailing_zeros();
        self.0 &= self.0 - 1;
        Some(bit as usize)
    }
}
