//! Loads, stores and atomic operations, by the memory that they reach.
//!
//! Each memory has commands of its own (the stack lies in local memory, packets in the cluster's,
//! maps outside), so an instruction must reach one only; different maps are one memory.

use std::collections::BTreeSet;

use bpf::insn::{AtomicOp, Insn, MemWidth, Reg};
use bpf::program_type::ProgramType;
use verifier::state::{Kind, Register};

use super::{Examiner, Reason, offsets};

/// What an instruction does with memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    Load,
    Store,
    Atomic(AtomicOp, bool),
}

/// The access that an instruction makes: what it does, base, offset and width.
pub(super) fn access_of(insn: &Insn) -> Option<(Use, Reg, i16, MemWidth)> {
    Some(match *insn {
        Insn::Load {
            width,
            base,
            offset,
            ..
        }
        | Insn::LoadAcquire {
            width,
            base,
            offset,
            ..
        } => (Use::Load, base, offset, width),
        Insn::Store {
            width,
            base,
            offset,
            ..
        }
        | Insn::StoreRelease {
            width,
            base,
            offset,
            ..
        } => (Use::Store, base, offset, width),
        Insn::Atomic {
            width,
            op,
            fetch,
            base,
            offset,
            ..
        } => (Use::Atomic(op, fetch), base, offset, width),
        _ => return None,
    })
}

/// A memory, in words.
pub(super) fn memory(kind: Kind) -> &'static str {
    match kind {
        Kind::Context => "the context",
        Kind::Stack(_) => "the stack",
        Kind::Packet(_) => "the packet",
        Kind::PacketMeta(_) => "the packet's metadata",
        Kind::MapValue { .. } => "a map's value",
        Kind::MapKey(_) => "a map's key",
        Kind::Scalar => "a number",
        _ => "memory of the kernel",
    }
}

impl Examiner<'_> {
    pub(super) fn access(&mut self, slot: usize, insn: &Insn) {
        let Some((how, base, offset, width)) = access_of(insn) else {
            return;
        };
        let forms = self.forms(slot, base);
        let memories: BTreeSet<&'static str> = forms.iter().map(|form| memory(form.kind)).collect();
        if memories.len() > 1 {
            self.add(Reason::MixedMemory(memories.into_iter().collect()), slot);
        }
        if let Use::Atomic(op, fetch) = how {
            self.atomic(slot, op, fetch, &forms);
        }
        for form in &forms {
            let at = i64::from(offset);
            match form.kind {
                Kind::Context => self.context(slot, form, at, how),
                Kind::Packet(_) => self.packet(slot, form, at, width),
                Kind::PacketMeta(_) if !self.capabilities.metadata => {
                    self.add(Reason::Metadata, slot);
                }
                Kind::MapValue { map, .. } => {
                    let stores = how == Use::Store && !self.capabilities.maps.stores;
                    if stores {
                        let name = self.program.map(map.id).def.name.clone();
                        self.add(Reason::MapStore(name), slot);
                    }
                }
                Kind::Stack(_) | Kind::Scalar | Kind::Unset | Kind::PacketMeta(_) => {}
                other => self.add(Reason::KernelMemory(other.name()), slot),
            }
        }
    }

    fn atomic(&mut self, slot: usize, op: AtomicOp, fetch: bool, forms: &[Register]) {
        if op != AtomicOp::Add || fetch {
            self.add(Reason::Atomic { op, fetch }, slot);
        }
        for form in forms {
            if !matches!(form.kind, Kind::MapValue { .. }) {
                self.add(Reason::AtomicMemory(memory(form.kind)), slot);
            }
        }
    }

    /// Fields that the program's start has at hand: where the packet begins and ends, its length.
    fn context(&mut self, slot: usize, form: &Register, offset: i64, how: Use) {
        let offset = offsets(form).0.saturating_add(offset);
        let writes = how != Use::Load;
        let known = match (self.program.program_type, offset, writes) {
            (ProgramType::Xdp, 0 | 4, false) | (ProgramType::SchedCls, 0 | 76 | 80, false) => true,
            (ProgramType::Xdp, 16, true) => self.capabilities.queue_select,
            (ProgramType::Xdp, 8, false) | (ProgramType::SchedCls, 140, false) => {
                if !self.capabilities.metadata {
                    self.add(Reason::Metadata, slot);
                }
                true
            }
            // Of other types of programs it is said that they are of another type.
            (kind, ..) => !matches!(kind, ProgramType::Xdp | ProgramType::SchedCls),
        };
        if !known {
            self.add(Reason::ContextField { offset, writes }, slot);
        }
    }

    /// The driver's rule: what a program reaches, or the MTU if that is less, must be at hand.
    fn packet(&mut self, slot: usize, form: &Register, offset: i64, width: MemWidth) {
        let limit = self.capabilities.inline_bytes;
        let end = offsets(form).1.saturating_add(offset);
        let end = end.saturating_add(i64::from(width.bytes()));
        let reach = end.min(self.capabilities.mtu.into());
        if reach > i64::from(limit) {
            // It is a positive number that an MTU bounds.
            let reach = reach as u32;
            self.add(Reason::PacketBytes { reach, limit }, slot);
        }
    }
}
