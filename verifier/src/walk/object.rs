//! Objects that a program allocates, and the lists and trees that it puts them into.
//!
//! An owning pointer is a reference. Putting the object into a list or tree gives the reference up;
//! the pointer then may still be used, without owning, until the lock is given back.

use std::rc::Rc;

use bpf::btf::TypeId;
use bpf::insn::Reg;

use super::memory::Access;
use super::{Flow, Walker};
use crate::program::{FieldKind, ObjectType};
use crate::state::{Kind, Register};
use crate::stop::{Check, gap, refuse_register};
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
                self.take_out(&root)?;
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
                self.take_out(&root)?;
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
        self.set_owned(type_id, 0)
    }

    /// The result is an object that the program owns from now on, or null.
    pub(super) fn set_owned(&mut self, type_id: TypeId, offset: u32) -> Check {
        let id = self.new_id();
        self.hold(id)?;
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
        Ok(())
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
        self.set_owned(type_id, 0)?;
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
