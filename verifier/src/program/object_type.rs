//! Types of objects that a program allocates: its own structures.

use bpf::btf::{Btf, TypeId, TypeKind};

use super::record::Record;

/// A structure that a program allocates.
#[derive(Clone, Debug)]
pub struct ObjectType {
    /// Name.
    pub name: String,
    /// Bytes.
    pub size: u32,
    /// Special fields.
    pub record: Record,
    /// Offset and size of each number and pointer in it.
    pub scalars: Vec<(u32, u32)>,
}

const MAX_SCALARS: usize = 4096;
const MAX_DEPTH: u32 = 8;

impl ObjectType {
    /// The structure with this id.
    #[must_use]
    pub fn of(btf: &Btf, id: TypeId) -> Option<ObjectType> {
        let one = btf.get(id)?;
        let TypeKind::Struct { size, .. } = one.kind else {
            return None;
        };
        let mut scalars = Vec::new();
        collect(btf, id, 0, 0, &mut scalars);
        Some(ObjectType {
            name: btf.string(one.name).to_owned(),
            size,
            record: Record::of(btf, id),
            scalars,
        })
    }

    /// Whether an access lies in one number.
    #[must_use]
    pub fn has_scalar(&self, offset: i64, size: i64) -> bool {
        self.scalars.iter().any(|&(from, length)| {
            let (from, to) = (i64::from(from), i64::from(from) + i64::from(length));
            from <= offset && offset + size <= to
        })
    }
}

fn collect(btf: &Btf, id: TypeId, at: u64, depth: u32, scalars: &mut Vec<(u32, u32)>) {
    if depth > MAX_DEPTH || scalars.len() >= MAX_SCALARS {
        return;
    }
    let Some(one) = btf.resolved(id) else {
        return;
    };
    match &one.kind {
        TypeKind::Struct { members, .. } => {
            for member in members {
                if member.bit_size(one.kind_flag) != 0 {
                    continue;
                }
                let offset = u64::from(member.bit_offset(one.kind_flag) / 8);
                collect(btf, member.target, at + offset, depth + 1, scalars);
            }
        }
        TypeKind::Array { element, count, .. } => {
            let size = btf.size_of(*element).unwrap_or(0);
            for index in 0..u64::from(*count).min(MAX_SCALARS as u64) {
                collect(btf, *element, at + index * size, depth + 1, scalars);
            }
        }
        TypeKind::Int { .. }
        | TypeKind::Enum { .. }
        | TypeKind::Enum64 { .. }
        | TypeKind::Pointer { .. } => {
            let size = btf.size_of(id).unwrap_or(0);
            if let (Ok(at), Ok(size)) = (u32::try_from(at), u32::try_from(size)) {
                scalars.push((at, size));
            }
        }
        _ => {}
    }
}
