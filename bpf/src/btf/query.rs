//! Questions about types. Each walks at most [`MAX_DEPTH`] references.

use super::Btf;
use super::kinds::*;

/// Bytes of a pointer.
pub const POINTER_SIZE: u64 = 8;

/// Longest chain of names, qualifiers and arrays that is followed: the kernel stops at 32 too
/// (`MAX_RESOLVE_DEPTH` in its `kernel/bpf/btf.c`).
const MAX_DEPTH: usize = 32;

impl Btf {
    /// The type with this id; `None` for `void` and for ids that do not exist.
    #[must_use]
    pub fn get(&self, id: TypeId) -> Option<&Type> {
        self.types.get((id.0 as usize).checked_sub(1)?)
    }

    /// The type with this id, to be changed.
    pub fn get_mut(&mut self, id: TypeId) -> Option<&mut Type> {
        self.types.get_mut((id.0 as usize).checked_sub(1)?)
    }

    /// All types with their ids.
    pub fn iter(&self) -> impl Iterator<Item = (TypeId, &Type)> {
        (1u32..).map(TypeId).zip(&self.types)
    }

    /// The string at an offset; empty if there is none.
    #[must_use]
    pub fn string(&self, offset: StringOffset) -> &str {
        self.strings.get(offset).unwrap_or("")
    }

    /// A type's name; empty if it has none.
    #[must_use]
    pub fn name(&self, id: TypeId) -> &str {
        self.get(id).map_or("", |one| self.string(one.name))
    }

    /// The first type of this name for which `wanted` holds.
    pub fn find(&self, name: &str, wanted: impl Fn(&TypeKind) -> bool) -> Option<TypeId> {
        self.iter()
            .find(|(_, one)| wanted(&one.kind) && self.string(one.name) == name)
            .map(|(id, _)| id)
    }

    /// The function of this name.
    #[must_use]
    pub fn function(&self, name: &str) -> Option<TypeId> {
        self.find(name, |kind| matches!(kind, TypeKind::Function { .. }))
    }

    /// Follows names, qualifiers and type tags to the type that they stand for. `void` stays void;
    /// `None` when the chain is broken or too long.
    #[must_use]
    pub fn resolve(&self, id: TypeId) -> Option<TypeId> {
        let mut id = id;
        for _ in 0..MAX_DEPTH {
            if id == TypeId::VOID {
                return Some(id);
            }
            match self.get(id)?.kind {
                TypeKind::Typedef { target }
                | TypeKind::Volatile { target }
                | TypeKind::Const { target }
                | TypeKind::Restrict { target }
                | TypeKind::TypeTag { target } => id = target,
                _ => return Some(id),
            }
        }
        None
    }

    /// The resolved type itself; `None` for `void`.
    #[must_use]
    pub fn resolved(&self, id: TypeId) -> Option<&Type> {
        self.get(self.resolve(id)?)
    }

    /// Bytes that a value of the type takes; `None` for types without a size.
    #[must_use]
    pub fn size_of(&self, id: TypeId) -> Option<u64> {
        let (mut id, mut times) = (id, 1u64);
        for _ in 0..MAX_DEPTH {
            let size = match self.resolved(id)?.kind {
                TypeKind::Int { size, .. }
                | TypeKind::Struct { size, .. }
                | TypeKind::Union { size, .. }
                | TypeKind::Enum { size, .. }
                | TypeKind::Enum64 { size, .. }
                | TypeKind::Float { size }
                | TypeKind::DataSection { size, .. } => u64::from(size),
                TypeKind::Pointer { .. } => POINTER_SIZE,
                TypeKind::Array { element, count, .. } => {
                    times = times.checked_mul(u64::from(count))?;
                    id = element;
                    continue;
                }
                TypeKind::Variable { target, .. } => {
                    id = target;
                    continue;
                }
                _ => return None,
            };
            return times.checked_mul(size);
        }
        None
    }

    /// Result and parameters of a function or function prototype.
    #[must_use]
    pub fn prototype(&self, id: TypeId) -> Option<(TypeId, &[Parameter])> {
        let mut one = self.resolved(id)?;
        if let TypeKind::Function { proto, .. } = one.kind {
            one = self.get(proto)?;
        }
        match &one.kind {
            TypeKind::FunctionProto { result, parameters } => Some((*result, parameters)),
            _ => None,
        }
    }

    /// Number of parameters of a function or function prototype. A function with variable
    /// arguments counts the mark for them as one.
    #[must_use]
    pub fn parameter_count(&self, id: TypeId) -> Option<usize> {
        self.prototype(id).map(|(_, parameters)| parameters.len())
    }

    /// Whether a function or function prototype returns nothing.
    #[must_use]
    pub fn returns_void(&self, id: TypeId) -> Option<bool> {
        self.prototype(id)
            .map(|(result, _)| self.resolve(result) == Some(TypeId::VOID))
    }

    /// The variables of the section of this name.
    #[must_use]
    pub fn section_variables(&self, section: &str) -> Option<&[SectionVariable]> {
        let is_section = |kind: &TypeKind| matches!(kind, TypeKind::DataSection { .. });
        match &self.get(self.find(section, is_section)?)?.kind {
            TypeKind::DataSection { variables, .. } => Some(variables),
            _ => None,
        }
    }

    /// The tags on a declaration as (tag, component); component -1 is the declaration itself.
    pub fn declaration_tags(&self, id: TypeId) -> impl Iterator<Item = (&str, i32)> {
        self.iter().filter_map(move |(_, one)| match one.kind {
            TypeKind::DeclTag { target, component } if target == id => {
                Some((self.string(one.name), component))
            }
            _ => None,
        })
    }

    /// The member of this name in a structure or union.
    #[must_use]
    pub fn member(&self, id: TypeId, name: &str) -> Option<&Member> {
        match &self.resolved(id)?.kind {
            TypeKind::Struct { members, .. } | TypeKind::Union { members, .. } => members
                .iter()
                .find(|member| self.string(member.name) == name),
            _ => None,
        }
    }

    /// The number that a member of a BTF-defined map says by `int (*name)[number]`.
    #[must_use]
    pub fn map_number(&self, map: TypeId, name: &str) -> Option<u32> {
        let member = self.member(map, name)?;
        let TypeKind::Pointer { target } = self.resolved(member.target)?.kind else {
            return None;
        };
        match self.resolved(target)?.kind {
            TypeKind::Array { count, .. } => Some(count),
            _ => None,
        }
    }
}
