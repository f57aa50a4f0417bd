//! Lists and trees: what may be put into them and taken out.
//!
//! The root must lie in memory whose lock is held, and what its declaration says it holds must be what
//! is put in. Constant time a call, but for the references, which are searched one by one.

use bpf::btf::TypeId;
use bpf::insn::Reg;

use super::Walker;
use crate::program::{Field, FieldKind};
use crate::state::{Kind, Lock, LockHolder};
use crate::stop::{Check, gap, refuse, refuse_register};
use crate::verdict::Rule;

impl Walker<'_> {
    /// The list or tree that `r1` points to; its lock must be held.
    pub(super) fn root(&mut self, kind: FieldKind) -> Check<Root> {
        self.check_readable(Reg(1))?;
        let pointer = *self.reg(1);
        let name = kind.name();
        let Kind::MapValue {
            map,
            nullable: false,
        } = pointer.kind
        else {
            return match pointer.kind {
                Kind::Object { .. } => gap("lists and trees in objects"),
                _ => refuse_register(
                    Rule::ArgumentType,
                    1,
                    "arg#0 expected pointer to map value or allocated object",
                ),
            };
        };
        let Some(moved) = pointer.value.as_const() else {
            return refuse_register(
                Rule::VariableOffset,
                1,
                format!("R1 doesn't have constant offset. {name} has to be at the constant offset"),
            );
        };
        let record = &self.program.map(map.id).record;
        let place = i64::from(pointer.offset) + moved.cast_signed();
        let field = record
            .fields
            .iter()
            .find(|field| field.kind == kind && i64::from(field.offset) == place);
        let Some(field) = field.copied() else {
            return refuse_register(
                Rule::ArgumentValue,
                1,
                format!("{name} not found at offset={place}"),
            );
        };
        let lock_at = record
            .find(FieldKind::SpinLock)
            .map_or(-1, |lock| i64::from(lock.offset));
        let wanted = Lock {
            holder: LockHolder::Map(map.id),
            id: pointer.id,
        };
        let must = format!("bpf_spin_lock at off={lock_at} must be held for {name}");
        match self.state.lock {
            None => return refuse(Rule::LockMissing, must),
            Some(held) if held != wanted => {
                return refuse(
                    Rule::LockMissing,
                    format!("held lock and object are not in the same allocation\n{must}"),
                );
            }
            Some(_) => {}
        }
        let Some(contents) = field.contents else {
            return gap("a list or tree whose contents are not known");
        };
        Ok(Root { field, contents })
    }

    /// The node that `r2` points to must be one that the list or tree takes.
    pub(super) fn check_node(&mut self, root: &Root, kind: FieldKind, owned: bool) -> Check {
        self.check_readable(Reg(2))?;
        let pointer = *self.reg(2);
        let name = kind.name();
        let Kind::Object {
            type_id,
            nullable: false,
            owning,
        } = pointer.kind
        else {
            return refuse_register(
                Rule::ArgumentType,
                2,
                "arg#1 expected pointer to allocated object",
            );
        };
        if owned && !owning {
            return refuse_register(
                Rule::ArgumentType,
                2,
                "arg#1 expected pointer to allocated object",
            );
        }
        if owned && pointer.reference == 0 {
            return refuse_register(Rule::NotAcquired, 2, "allocated object must be referenced");
        }
        let Some(moved) = pointer.value.as_const() else {
            return refuse_register(
                Rule::VariableOffset,
                2,
                format!("R2 doesn't have constant offset. {name} has to be at the constant offset"),
            );
        };
        let place = i64::from(pointer.offset) + moved.cast_signed();
        let of = self.object_type(type_id)?;
        let is_node = of
            .record
            .fields
            .iter()
            .any(|field| field.kind == kind && i64::from(field.offset) == place);
        if !is_node {
            return refuse_register(
                Rule::ArgumentValue,
                2,
                format!("{name} not found at offset={place}"),
            );
        }
        let (wanted, at) = root.contents;
        if type_id != wanted {
            let wanted = self.object_type(wanted)?;
            return refuse_register(
                Rule::ArgumentType,
                2,
                format!(
                    "operation on {} expects arg#1 {name} at offset={at} in struct {}, but arg is \
                     at offset={place} in struct {}",
                    root.field.kind.name(),
                    wanted.name,
                    of.name
                ),
            );
        }
        if place != i64::from(at) {
            return refuse_register(
                Rule::ArgumentValue,
                2,
                format!(
                    "arg#1 offset={place}, but expected {name} at offset={at} in struct {}",
                    of.name
                ),
            );
        }
        Ok(())
    }

    /// Only a node that is in a tree can be taken out, and not while the tree is being searched.
    pub(super) fn check_removable(&mut self) -> Check {
        self.check_readable(Reg(2))?;
        let removable = match self.reg(2).kind {
            Kind::Object { owning: false, .. } => true,
            Kind::Object { type_id, .. } => {
                self.object_type(type_id)?.record.has(FieldKind::Refcount)
            }
            _ => false,
        };
        if !removable {
            return refuse_register(
                Rule::ArgumentType,
                2,
                "bpf_rbtree_remove can only take non-owning or refcounted bpf_rb_node pointer",
            );
        }
        if self.compares_nodes() {
            return refuse(
                Rule::CallbackContext,
                "bpf_rbtree_remove not allowed in rbtree cb",
            );
        }
        Ok(())
    }

    pub(super) fn take_out(&mut self, root: &Root) -> Check {
        let (type_id, offset) = root.contents;
        self.set_owned(type_id, offset)
    }

    /// The object now belongs to a list or tree.
    pub(super) fn hand_over(&mut self, register: u8) {
        let id = self.reg(register).reference;
        self.state.references.retain(|reference| reference.id != id);
        self.state.for_each_register(|register| {
            if register.reference == id
                && let Kind::Object {
                    type_id, nullable, ..
                } = register.kind
            {
                register.reference = 0;
                register.kind = Kind::Object {
                    type_id,
                    nullable,
                    owning: false,
                };
            }
        });
    }
}

/// A list or tree that a call works on.
pub(super) struct Root {
    pub(super) field: Field,
    pub(super) contents: (TypeId, u32),
}
