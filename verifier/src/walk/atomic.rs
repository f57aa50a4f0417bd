//! Read-modify-write instructions, and what may be the target of one.

use bpf::insn::{AtomicOp, MemWidth, Reg};

use super::Walker;
use super::memory::{Access, Operation, Stored, bytes};
use crate::state::{Kind, Register};
use crate::stop::{Check, refuse, refuse_register};
use crate::verdict::Rule;

impl Walker<'_> {
    pub(super) fn check_atomic_target(&self, base: Reg, what: &str) -> Check {
        let kind = self.reg(base.0).kind;
        let refused = matches!(
            kind,
            Kind::Context
                | Kind::FlowKeys
                | Kind::Socket { .. }
                | Kind::Packet(_)
                | Kind::PacketMeta(_)
                | Kind::PacketEnd
        );
        if refused {
            return refuse_register(
                Rule::AtomicTarget,
                base.0,
                format!("{what} R{} {} is not allowed", base.0, kind.name()),
            );
        }
        Ok(())
    }

    pub(super) fn atomic(
        &mut self,
        width: MemWidth,
        (op, fetch): (AtomicOp, bool),
        (base, offset): (Reg, i16),
        src: Reg,
    ) -> Check {
        if !matches!(width, MemWidth::B32 | MemWidth::B64) {
            return refuse(Rule::ReservedField, "invalid atomic operand size");
        }
        self.check_readable(src)?;
        self.check_readable(base)?;
        if op == AtomicOp::Cmpxchg {
            self.check_readable(Reg(0))?;
        }
        self.check_atomic_target(base, "BPF_ATOMIC stores into")?;
        let loaded = match (fetch || op == AtomicOp::Cmpxchg, op) {
            (true, AtomicOp::Cmpxchg) => Some(0),
            (true, _) => Some(src.0),
            _ => None,
        };
        let pointer = *self.reg(base.0);
        if let Some(loaded) = loaded {
            self.check_writable(Reg(loaded))?;
            self.set(loaded, Register::UNKNOWN);
            if loaded == base.0 {
                // The kernel then finds a number where it looks for the address.
                return self.refuse_base(base.0);
            }
        }
        let access = |operation| Access {
            base: base.0,
            offset: offset.into(),
            size: bytes(width),
            operation,
            aligned: true,
        };
        self.access(access(Operation::Load {
            dst: None,
            signed: false,
        }))?;
        if loaded.is_some() {
            self.access(access(Operation::Load {
                dst: loaded,
                signed: false,
            }))?;
        }
        self.remember_kind(pointer.kind)?;
        self.access(access(Operation::Store(Stored::Unknown)))
    }
}
