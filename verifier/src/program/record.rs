//! Special fields of map values: locks, timers, kernel pointers, heads of lists and trees.
//!
//! Found by the type names that the kernel looks for. Programs must not touch them by ordinary loads
//! and stores, and helpers find them by their offset. The search is bounded in depth and in the
//! number of fields, as types can be edited into anything.

use bpf::btf::{Btf, TypeId, TypeKind};

/// Kind of a special field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are those of the kernel's types")]
pub enum FieldKind {
    SpinLock,
    ResilientSpinLock,
    Timer,
    Workqueue,
    TaskWork,
    ListHead,
    ListNode,
    TreeRoot,
    TreeNode,
    Refcount,
    /// A kernel pointer of any sort.
    Pointer,
}

impl FieldKind {
    /// The name that the kernel prints.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            FieldKind::SpinLock => "bpf_spin_lock",
            FieldKind::ResilientSpinLock => "bpf_res_spin_lock",
            FieldKind::Timer => "bpf_timer",
            FieldKind::Workqueue => "bpf_wq",
            FieldKind::TaskWork => "bpf_task_work",
            FieldKind::ListHead => "bpf_list_head",
            FieldKind::ListNode => "bpf_list_node",
            FieldKind::TreeRoot => "bpf_rb_root",
            FieldKind::TreeNode => "bpf_rb_node",
            FieldKind::Refcount => "bpf_refcount",
            FieldKind::Pointer => "kptr",
        }
    }

    fn of_struct(name: &str) -> Option<FieldKind> {
        use FieldKind::*;
        [
            SpinLock,
            ResilientSpinLock,
            Timer,
            Workqueue,
            TaskWork,
            ListHead,
            ListNode,
            TreeRoot,
            TreeNode,
            Refcount,
        ]
        .into_iter()
        .find(|kind| kind.name() == name)
    }
}

/// A special field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Byte offset in the value.
    pub offset: u32,
    /// Bytes.
    pub size: u32,
    /// Kind.
    pub kind: FieldKind,
    /// Of a list or tree: the structure that it holds, and where in it the node lies.
    pub contents: Option<(TypeId, u32)>,
}

/// The special fields of a map's value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// By offset.
    pub fields: Vec<Field>,
}

const MAX_FIELDS: usize = 64;
const MAX_DEPTH: u32 = 8;

impl Record {
    /// The special fields of a type.
    #[must_use]
    pub fn of(btf: &Btf, id: TypeId) -> Record {
        let mut record = Record::default();
        record.collect(btf, id, 0, 0);
        record.fields.sort_by_key(|field| field.offset);
        record
    }

    /// The first field of a kind.
    #[must_use]
    pub fn find(&self, kind: FieldKind) -> Option<&Field> {
        self.fields.iter().find(|field| field.kind == kind)
    }

    /// Whether there is a field of a kind.
    #[must_use]
    pub fn has(&self, kind: FieldKind) -> bool {
        self.find(kind).is_some()
    }

    fn add(&mut self, offset: u64, size: u64, kind: FieldKind) {
        if let (Ok(offset), Ok(size)) = (u32::try_from(offset), u32::try_from(size))
            && self.fields.len() < MAX_FIELDS
        {
            self.fields.push(Field {
                offset,
                size,
                kind,
                contents: None,
            });
        }
    }

    /// Reads from a declaration's tag what the lists and trees hold that it declares.
    fn fill_contents(&mut self, btf: &Btf, from: usize, id: TypeId, component: Option<i32>) {
        let roots = |field: &Field| matches!(field.kind, FieldKind::ListHead | FieldKind::TreeRoot);
        let new = self.fields.get_mut(from..).unwrap_or_default();
        if !new
            .iter()
            .any(|field| roots(field) && field.contents.is_none())
        {
            return;
        }
        let contents = btf.declaration_tags(id).find_map(|(tag, place)| {
            let (name, node) = tag.strip_prefix("contains:")?.split_once(':')?;
            if Some(place) != component {
                return None;
            }
            let is_struct = |kind: &TypeKind| matches!(kind, TypeKind::Struct { .. });
            let holder = btf.find(name, is_struct)?;
            let flag = btf.get(holder)?.kind_flag;
            Some((holder, btf.member(holder, node)?.bit_offset(flag) / 8))
        });
        for field in new {
            if roots(field) && field.contents.is_none() {
                field.contents = contents;
            }
        }
    }

    fn collect(&mut self, btf: &Btf, id: TypeId, at: u64, depth: u32) {
        if depth > MAX_DEPTH || self.fields.len() >= MAX_FIELDS {
            return;
        }
        let Some(resolved) = btf.resolve(id) else {
            return;
        };
        let Some(one) = btf.get(resolved) else {
            return;
        };
        match &one.kind {
            TypeKind::Struct { size, members } => {
                if let Some(kind) = FieldKind::of_struct(btf.string(one.name)) {
                    self.add(at, (*size).into(), kind);
                    return;
                }
                for (index, member) in members.iter().enumerate() {
                    let before = self.fields.len();
                    let bits = member.bit_offset(one.kind_flag);
                    self.collect(btf, member.target, at + u64::from(bits / 8), depth + 1);
                    self.fill_contents(btf, before, resolved, i32::try_from(index).ok());
                }
            }
            TypeKind::Union { members, .. } => {
                for member in members {
                    self.collect(btf, member.target, at, depth + 1);
                }
            }
            TypeKind::DataSection { variables, .. } => {
                for variable in variables {
                    let before = self.fields.len();
                    let at = at + u64::from(variable.offset);
                    self.collect(btf, variable.target, at, depth + 1);
                    self.fill_contents(btf, before, variable.target, Some(-1));
                }
            }
            TypeKind::Variable { target, .. } => self.collect(btf, *target, at, depth + 1),
            TypeKind::Array { element, count, .. } => {
                let Some(size) = btf.size_of(*element).filter(|size| *size != 0) else {
                    return;
                };
                let before = self.fields.len();
                for index in 0..u64::from(*count) {
                    self.collect(btf, *element, at + index * size, depth + 1);
                    if self.fields.len() == before {
                        // One element without special fields says that of all.
                        return;
                    }
                    if self.fields.len() >= MAX_FIELDS {
                        return;
                    }
                }
            }
            TypeKind::Pointer { target } if is_kernel_pointer(btf, *target) => {
                self.add(at, 8, FieldKind::Pointer);
            }
            _ => {}
        }
    }
}

/// Whether the type pointed to carries a tag of kernel pointers.
fn is_kernel_pointer(btf: &Btf, target: TypeId) -> bool {
    btf.get(target).is_some_and(|one| {
        matches!(one.kind, TypeKind::TypeTag { .. })
            && matches!(
                btf.string(one.name),
                "kptr" | "kptr_untrusted" | "percpu_kptr" | "uptr"
            )
    })
}
