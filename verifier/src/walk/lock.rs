//! Spin locks in map values.

use super::Walker;
use crate::program::{FieldKind, Program};
use crate::state::{Kind, Lock, LockHolder};
use crate::stop::{Check, gap, refuse_register};
use crate::verdict::Rule;

/// Whether a pointer may lead to a lock: then its identity says which one.
pub(super) fn may_hold_lock(program: &Program, kind: Kind) -> bool {
    match kind {
        Kind::MapValue { map, .. } => {
            let record = &program.map(map.id).record;
            record.has(FieldKind::SpinLock) || record.has(FieldKind::ResilientSpinLock)
        }
        // Identities of objects are kept always: more are told apart than the kernel tells, which
        // only makes fewer states alike.
        Kind::Object { .. } => true,
        _ => false,
    }
}

impl Walker<'_> {
    /// The special field that a helper works on must be where the pointer leads.
    pub(super) fn check_field(&self, register: u8, kind: FieldKind) -> Check {
        let pointer = self.reg(register);
        let name = kind.name();
        let Kind::MapValue { map, .. } = pointer.kind else {
            return gap("special fields outside of map values");
        };
        let Some(known) = pointer.value.as_const() else {
            return refuse_register(
                Rule::VariableOffset,
                register,
                format!(
                    "R{register} doesn't have constant offset. {name} has to be at the constant \
                     offset"
                ),
            );
        };
        let of = self.program.map(map.id);
        if !of.has_btf {
            return refuse_register(
                Rule::ArgumentValue,
                register,
                format!(
                    "map '{}' has to have BTF in order to use {name}",
                    of.def.name
                ),
            );
        }
        let Some(field) = of.record.find(kind) else {
            return refuse_register(
                Rule::ArgumentValue,
                register,
                format!("map '{}' has no valid {name}", of.def.name),
            );
        };
        let place = known.cast_signed() + i64::from(pointer.offset);
        if place != i64::from(field.offset) {
            return refuse_register(
                Rule::ArgumentValue,
                register,
                format!(
                    "off {place} doesn't point to 'struct {name}' that is at {}",
                    field.offset
                ),
            );
        }
        Ok(())
    }

    pub(super) fn take_lock(&mut self, register: u8) -> Check {
        self.check_field(register, FieldKind::SpinLock)?;
        if self.state.lock.is_some() {
            return refuse_register(
                Rule::LockHeld,
                register,
                "Locking two bpf_spin_locks are not allowed",
            );
        }
        self.state.lock = self.lock_at(register);
        Ok(())
    }

    pub(super) fn give_lock(&mut self, register: u8) -> Check {
        self.check_field(register, FieldKind::SpinLock)?;
        let Some(held) = self.state.lock else {
            return refuse_register(
                Rule::LockMissing,
                register,
                "bpf_spin_unlock without taking a lock",
            );
        };
        if Some(held) != self.lock_at(register) {
            return refuse_register(
                Rule::LockHeld,
                register,
                "bpf_spin_unlock of different lock",
            );
        }
        self.state.lock = None;
        self.forget_borrowed();
        Ok(())
    }

    fn lock_at(&self, register: u8) -> Option<Lock> {
        let pointer = self.reg(register);
        match pointer.kind {
            Kind::MapValue { map, .. } => Some(Lock {
                holder: LockHolder::Map(map.id),
                id: pointer.id,
            }),
            _ => None,
        }
    }
}
