//! Calls of helpers: which the card has, and which arguments they take there.
//!
//! The firmware finds keys and values by an index into local memory, which counts words: they must
//! lie on the stack and begin at a word. Events name their processor, and the card has but one answer
//! to that. A tail call ends the program and leaves the packet to the host, which one in a function of
//! the program cannot stand for: there Linux comes back to the caller. Moves of the packet's beginning and end are checked when they happen, with an error for
//! those that do not fit, so only what always fails is in the way.

use bpf::insn::{CallTarget, Reg};
use bpf::maps::MapKind;
use verifier::program::Meaning;
use verifier::state::{Kind, Register};

use super::access::memory;
use super::{Examiner, Reason, offsets};

pub(super) const MAP_LOOKUP: u32 = 1;
pub(super) const MAP_UPDATE: u32 = 2;
pub(super) const MAP_DELETE: u32 = 3;
const TIME: u32 = 5;
const RANDOM: u32 = 7;
const TAIL_CALL: u32 = 12;
pub(super) const EVENT_OUTPUT: u32 = 25;
const ADJUST_HEAD: u32 = 44;
const ADJUST_TAIL: u32 = 65;
/// `BPF_F_CURRENT_CPU`, in the low half of the flags.
const CURRENT_PROCESSOR: u64 = 0xffff_ffff;
const WORD: i64 = 4;

impl Examiner<'_> {
    pub(super) fn call(&mut self, slot: usize, target: CallTarget) {
        if let Some(Meaning::Kfunc(name)) = self.program.ops.get(slot).map(|op| &op.meaning) {
            self.add(Reason::KernelFunction(name.clone()), slot);
            return;
        }
        match target {
            CallTarget::Subprogram(_) => {}
            CallTarget::Kfunc(number) => {
                let name = format!("number {number}");
                self.add(Reason::KernelFunction(name), slot);
            }
            CallTarget::Helper(number) => match u32::try_from(number) {
                Ok(id) => self.helper(slot, id),
                Err(_) => self.add(Reason::Helper(number), slot),
            },
        }
    }

    fn helper(&mut self, slot: usize, id: u32) {
        let caps = self.capabilities;
        let offered = match id {
            MAP_LOOKUP => caps.helpers.contains_key(&id) || self.is_inline_lookup(slot),
            MAP_UPDATE | MAP_DELETE | EVENT_OUTPUT | TIME => caps.helpers.contains_key(&id),
            RANDOM => caps.random,
            TAIL_CALL => caps.tail_call,
            ADJUST_HEAD => caps.adjust_head.is_some(),
            ADJUST_TAIL => caps.adjust_tail,
            _ => {
                // Numbers of helpers are positive and small.
                self.add(Reason::Helper(id.cast_signed()), slot);
                return;
            }
        };
        if !offered {
            self.add(Reason::NotOffered(id), slot);
        }
        match id {
            MAP_LOOKUP | MAP_DELETE => self.on_stack(slot, 2),
            MAP_UPDATE => {
                self.on_stack(slot, 2);
                self.on_stack(slot, 3);
            }
            EVENT_OUTPUT => self.event(slot),
            TAIL_CALL if self.program.subprogram_at(slot) != 0 => {
                self.add(Reason::TailCallInFunction, slot);
            }
            ADJUST_HEAD => self.head(slot),
            ADJUST_TAIL if self.distance(slot).is_some_and(|(least, _)| least > 0) => {
                self.add(Reason::TailGrows, slot);
            }
            _ => {}
        }
    }

    /// Whether the element's address can be computed without the firmware.
    fn is_inline_lookup(&self, slot: usize) -> bool {
        let maps = self.forms(slot, Reg(1));
        let array = |form: &Register| match form.kind {
            Kind::MapPtr(map) => self.program.map(map.id).def.kind == MapKind::Array,
            _ => false,
        };
        self.capabilities.maps.arrays.is_some() && !maps.is_empty() && maps.iter().all(array)
    }

    fn on_stack(&mut self, slot: usize, number: u8) {
        for form in self.forms(slot, Reg(number)) {
            match form.kind {
                Kind::Stack(_) => {
                    let (first, last) = offsets(&form);
                    if first != last || first % WORD != 0 {
                        self.add(Reason::ArgumentAlignment(number), slot);
                    }
                }
                kind => {
                    let memory = memory(kind);
                    self.add(Reason::Argument { number, memory }, slot);
                }
            }
        }
    }

    fn event(&mut self, slot: usize) {
        let current = |flags: u64| flags & CURRENT_PROCESSOR == CURRENT_PROCESSOR;
        if !self.constants.before(slot, Reg(3)).all(current) {
            self.add(Reason::EventProcessor, slot);
        }
        let memories = self.forms(slot, Reg(4));
        let mut memories: Vec<&'static str> =
            memories.iter().map(|form| memory(form.kind)).collect();
        memories.sort_unstable();
        memories.dedup();
        if memories.len() > 1 {
            self.add(Reason::MixedMemory(memories), slot);
        }
    }

    fn head(&mut self, slot: usize) {
        let Some(head) = self.capabilities.adjust_head else {
            return;
        };
        let reach = i64::from(head.reach());
        if let Some((least, most)) = self.distance(slot)
            && (least > reach || most < -reach)
        {
            self.add(
                Reason::HeadDistance {
                    reach: head.reach(),
                },
                slot,
            );
        }
    }

    /// Least and largest distance that a packet's end is moved by.
    fn distance(&self, slot: usize) -> Option<(i64, i64)> {
        let forms = self.forms(slot, Reg(2));
        let least = forms.iter().map(|form| form.value.smin32).min()?;
        let most = forms.iter().map(|form| form.value.smax32).max()?;
        Some((least.into(), most.into()))
    }
}
