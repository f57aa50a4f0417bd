//! Objects that a program allocates, and the lists and trees that it puts them into.
//!
//! An owning pointer is a reference. Putting the object into a list or tree gives the reference up;
//! the pointer then may still be used, without owning, until the lock is given back.

use std::rc::Rc;

use bpf::btf::TypeId;
use bpf::insn::Reg;

use super::memory::Access;
use super::{Flow, Walker};
use crate::program::{Field, FieldKind, ObjectType};
use crate::state::{Kind, Lock, LockHolder, Reference, Register};
use crate::stop::{Check, gap, refuse, refuse_register};
use crate::verdict::Rule;

/// Functions that may be called while a lock is held.
pub(super) fn works_on_graphs(name: &str) -> bool {
    matches!(
        name,
        "bpf_list_push_front_impl"
            | "bpf_list_push_back_impl"
            | "bpf_list_pop_front"
            | "bpf_list_pop_back"
            | "bpf_rbtree_add_impl"
            | "bpf_rbtree_remove"
            | "bpf_rbtree_first"
            | "bpf_refcount_acquire_impl"
    )
}

pub(super) const ADD_TO_TREE: &str = "bpf_rbtree_add_impl";

/// A list or tree that a call works on.
struct Root {
    field: Field,
    contents: (TypeId, u32),
}

impl Walker<'_> {
    /// The structure with an id of the program's types.
    pub(super) fn object_type(&mut self, id: TypeId) -> Check<Rc<ObjectType>> {
        if let Some(known) = self.object_types.get(&id) {
            return Ok(Rc::clone(known));
        }
        let found = self
            .program
            .btf
            .as_ref()
            .and_then(|btf| ObjectType::of(btf, id));
        let Some(found) = found else {
            return gap("an object whose type is not known");
        };
        let found = Rc::new(found);
        self.object_types.insert(id, Rc::clone(&found));
        Ok(found)
    }

    /// Accesses an object by an instruction.
    pub(super) fn access_object(&mut self, pointer: &Register, access: Access) -> Check {
        let Kind::Object { type_id, .. } = pointer.kind else {
            return gap("an object of another kind");
        };
        let of = self.object_type(type_id)?;
        let (offset, size) = (i64::from(access.offset), i64::from(access.size));
        if offset < 0 {
            return refuse_register(
                Rule::MemoryBounds,
                access.base,
                format!(
                    "R{} is ptr_{} invalid negative access: off={offset}",
                    access.base, of.name
                ),
            );
        }
        if !pointer.value.is_zero() {
            return refuse_register(
                Rule::VariableOffset,
                access.base,
                format!(
                    "R{} is ptr_{} invalid variable offset: off={offset}, var_off={}",
                    access.base, of.name, pointer.value.bits
                ),
            );
        }
        let special = of.record.fields.iter().find(|field| {
            let (from, to) = (
                i64::from(field.offset),
                i64::from(field.offset) + i64::from(field.size),
            );
            offset < to && from < offset + size
        });
        if let Some(field) = special {
            return refuse_register(
                Rule::SpecialField,
                access.base,
                format!("direct access to {} is disallowed", field.kind.name()),
            );
        }
        if offset + size > of.size.into() {
            return refuse_register(
                Rule::MemoryBounds,
                access.base,
                format!(
                    "access beyond struct {} at off {offset} size {size}",
                    of.name
                ),
            );
        }
        if !of.has_scalar(offset, size) {
            return gap("access to a part of an object that is no single number");
        }
        Ok(())
    }

    pub(super) fn call_on_objects(&mut self, name: &str) -> Check<Flow> {
        match name {
            "bpf_obj_new_impl" => self.new_object()?,
            "bpf_obj_drop_impl" => self.drop_object()?,
            "bpf_list_push_front_impl" | "bpf_list_push_back_impl" => {
                let root = self.root(FieldKind::ListHead)?;
                self.check_node(&root, FieldKind::ListNode, true)?;
                self.check_readable(Reg(3))?;
                self.check_number(4)?;
                self.hand_over(2);
                self.set_number_result();
            }
            "bpf_list_pop_front" | "bpf_list_pop_back" => {
                let root = self.root(FieldKind::ListHead)?;
                self.take_out(&root);
            }
            ADD_TO_TREE => {
                let root = self.root(FieldKind::TreeRoot)?;
                self.check_node(&root, FieldKind::TreeNode, true)?;
                self.check_readable(Reg(3))?;
                let Kind::Function(function) = self.reg(3).kind else {
                    return refuse_register(Rule::ArgumentType, 3, "arg2 expected pointer to func");
                };
                self.check_number(5)?;
                let node = self.node(root.contents);
                self.call_comparison(function as usize, node)?;
                self.hand_over(2);
                self.set_number_result();
            }
            "bpf_rbtree_first" => {
                let root = self.root(FieldKind::TreeRoot)?;
                let id = self.new_id();
                let node = self.node(root.contents);
                self.clear_caller_saved();
                self.set(
                    0,
                    Register {
                        id,
                        kind: node.kind.nullable(),
                        ..node
                    },
                );
            }
            "bpf_rbtree_remove" => {
                let root = self.root(FieldKind::TreeRoot)?;
                self.check_removable()?;
                self.check_node(&root, FieldKind::TreeNode, false)?;
                self.take_out(&root);
            }
            "bpf_refcount_acquire_impl" => self.share_object()?,
            _ => return gap(format!("kernel function {name}")),
        }
        Ok(Flow::Next)
    }

    fn new_object(&mut self) -> Check {
        self.check_number(1)?;
        let Some(id) = self.reg(1).value.as_const() else {
            return refuse_register(Rule::ArgumentNotConstant, 1, "R1 must be a known constant");
        };
        self.mark_precise(1)?;
        let Ok(type_id) = u32::try_from(id).map(TypeId) else {
            return refuse_register(
                Rule::ArgumentValue,
                1,
                "local type ID argument must be in range [0, U32_MAX]",
            );
        };
        self.object_type(type_id)?;
        self.set_owned(type_id, 0);
        Ok(())
    }

    /// The result is an object that the program owns from now on, or null.
    fn set_owned(&mut self, type_id: TypeId, offset: u32) {
        let id = self.new_id();
        self.state.references.push(Reference {
            id,
            insn: self.insn,
        });
        self.clear_caller_saved();
        self.set(
            0,
            Register {
                id,
                reference: id,
                offset: offset.cast_signed(),
                ..Register::pointer(Kind::Object {
                    type_id,
                    nullable: true,
                    owning: true,
                })
            },
        );
    }

    /// One more owning pointer to an object that counts them.
    fn share_object(&mut self) -> Check {
        self.check_readable(Reg(1))?;
        let object = *self.reg(1);
        if object.is_null() || object.kind.is_nullable() {
            return refuse_register(
                Rule::ArgumentType,
                1,
                "Possibly NULL pointer passed to trusted arg0",
            );
        }
        let Kind::Object {
            type_id, owning, ..
        } = object.kind
        else {
            return refuse_register(
                Rule::ArgumentType,
                1,
                "arg#0 is neither owning or non-owning ref",
            );
        };
        if !self.object_type(type_id)?.record.has(FieldKind::Refcount) {
            return refuse_register(
                Rule::ArgumentValue,
                1,
                "arg#0 doesn't point to a type with bpf_refcount field",
            );
        }
        self.check_unmoved(&object, 1, object.kind, true)?;
        self.set_owned(type_id, 0);
        if owning && object.reference != 0 {
            // It is alive, so there is one more for certain.
            let shared = self.reg_mut(0);
            shared.kind = shared.kind.not_null();
        }
        Ok(())
    }

    fn drop_object(&mut self) -> Check {
        self.check_readable(Reg(1))?;
        let object = *self.reg(1);
        if object.is_null() || object.kind.is_nullable() {
            return refuse_register(
                Rule::ArgumentType,
                1,
                "Possibly NULL pointer passed to trusted arg0",
            );
        }
        let Kind::Object { owning: true, .. } = object.kind else {
            return refuse_register(
                Rule::ArgumentType,
                1,
                "arg#0 expected pointer to allocated object",
            );
        };
        if object.offset != 0 {
            return refuse_register(
                Rule::NotAcquired,
                1,
                "R1 must have zero offset when passed to release func or trusted arg to kfunc",
            );
        }
        if object.reference == 0 {
            return refuse_register(Rule::NotAcquired, 1, "allocated object must be referenced");
        }
        self.check_unmoved(&object, 1, object.kind, false)?;
        self.release_reference(object.reference);
        self.clear_caller_saved();
        Ok(())
    }

    /// The list or tree that `r1` points to; its lock must be held.
    fn root(&mut self, kind: FieldKind) -> Check<Root> {
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
    fn check_node(&mut self, root: &Root, kind: FieldKind, owned: bool) -> Check {
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
    fn check_removable(&mut self) -> Check {
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

    /// Whether a comparison of a tree's nodes is running.
    pub(super) fn compares_nodes(&self) -> bool {
        self.state.frames.iter().any(|frame| {
            frame.callback.is_some() && frame.call_site.is_some_and(|site| self.adds_to_tree(site))
        })
    }

    /// Whether a slot adds to a tree.
    pub(super) fn adds_to_tree(&self, slot: usize) -> bool {
        adds_to_tree(self.program, slot)
    }

    /// A node in a list or tree, not owned.
    fn node(&self, (type_id, offset): (TypeId, u32)) -> Register {
        Register {
            offset: offset.cast_signed(),
            ..Register::pointer(Kind::Object {
                type_id,
                nullable: false,
                owning: false,
            })
        }
    }

    fn take_out(&mut self, root: &Root) {
        let (type_id, offset) = root.contents;
        self.set_owned(type_id, offset);
    }

    /// The object now belongs to a list or tree.
    fn hand_over(&mut self, register: u8) {
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

    /// Pointers that don't own their objects end with the lock.
    pub(super) fn forget_borrowed(&mut self) {
        self.state.for_each_register(|register| {
            if matches!(register.kind, Kind::Object { owning: false, .. }) {
                *register = Register::UNKNOWN;
            }
        });
    }
}

/// Whether a slot adds to a tree.
pub(crate) fn adds_to_tree(program: &crate::program::Program, slot: usize) -> bool {
    matches!(
        program.ops.get(slot).map(|op| &op.meaning),
        Some(crate::program::Meaning::Kfunc(name)) if name == ADD_TO_TREE
    )
}
