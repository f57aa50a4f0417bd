//! A CO-RE relocation in words, as llvm-objdump writes them: `<byte_off> [8] struct s::a.b (0:1:2)`.
//!
//! The access string is a path of numbers: an index of the outermost type as an array, then members
//! and indices. Each number is one step through the types; a path that leaves them ends where it
//! does, with what remains in the parentheses alone. Names are cut where they are too long for any
//! kernel, so that the text is linear in the number of relocations.

use std::fmt::Write as _;

use bpf::btf::ext::CoreRelocation;
use bpf::btf::ext::CoreRelocationKind::{self, *};
use bpf::btf::{Btf, StringOffset, TypeId, TypeKind};

/// Longest name that is shown whole.
const MAX_NAME: usize = 512;

/// A relocation in words.
pub fn describe(btf: &Btf, relocation: &CoreRelocation) -> String {
    let kind = relocation.known_kind();
    let access = short(btf.string(relocation.access));
    let mut text = match kind {
        Some(kind) => format!("<{}>", name_of(kind)),
        None => format!("<unknown {}>", relocation.kind),
    };
    let _ = write!(text, " [{}] ", relocation.type_id.0);
    type_name(btf, relocation.type_id, &mut text);
    match kind {
        Some(EnumValueExists | EnumValue) => enum_value(btf, relocation.type_id, access, &mut text),
        Some(TypeIdLocal | TypeIdTarget | TypeExists | TypeSize | TypeMatches) => {}
        _ => {
            text.push_str("::");
            path(btf, relocation.type_id, access, &mut text);
            let _ = write!(text, " ({access})");
        }
    }
    text
}

fn name_of(kind: CoreRelocationKind) -> &'static str {
    match kind {
        FieldByteOffset => "byte_off",
        FieldByteSize => "byte_sz",
        FieldExists => "field_exists",
        FieldSigned => "signed",
        FieldLeftShift => "lshift_u64",
        FieldRightShift => "rshift_u64",
        TypeIdLocal => "local_type_id",
        TypeIdTarget => "target_type_id",
        TypeExists => "type_exists",
        TypeSize => "type_size",
        EnumValueExists => "enumval_exists",
        EnumValue => "enumval_value",
        TypeMatches => "type_matches",
    }
}

/// A name or a line, cut where it is too long.
pub fn short(text: &str) -> &str {
    let mut end = text.len().min(MAX_NAME);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or("")
}

fn named(btf: &Btf, name: StringOffset, number: u32, text: &mut String) {
    match short(btf.string(name)) {
        "" => {
            let _ = write!(text, "<anon {number}>");
        }
        name => text.push_str(name),
    }
}

fn type_name(btf: &Btf, id: TypeId, text: &mut String) {
    let Some(one) = btf.get(id) else {
        text.push_str(if id == TypeId::VOID {
            "void"
        } else {
            "<unknown type>"
        });
        return;
    };
    let (before, target) = match &one.kind {
        TypeKind::Struct { .. } => ("struct ", None),
        TypeKind::Union { .. } => ("union ", None),
        TypeKind::Enum { .. } | TypeKind::Enum64 { .. } => ("enum ", None),
        TypeKind::Typedef { .. } => ("typedef ", None),
        TypeKind::Forward if one.kind_flag => ("fwd union ", None),
        TypeKind::Forward => ("fwd struct ", None),
        TypeKind::Const { target } => ("const ", Some(*target)),
        TypeKind::Volatile { target } => ("volatile ", Some(*target)),
        TypeKind::Restrict { target } => ("restrict ", Some(*target)),
        TypeKind::Pointer { target } => ("*", Some(*target)),
        _ => ("", None),
    };
    text.push_str(before);
    match target.and_then(|target| Some((target, btf.get(target)?))) {
        // One qualifier is enough to find the type; a chain could be as long as the file.
        Some((target, one)) => named(btf, one.name, target.0, text),
        None => named(btf, one.name, id.0, text),
    }
}

fn enum_value(btf: &Btf, id: TypeId, access: &str, text: &mut String) {
    let index = access.parse::<usize>().ok();
    let found = match (
        btf.resolved(id).map(|one| (&one.kind, one.kind_flag)),
        index,
    ) {
        (Some((TypeKind::Enum { values, .. }, signed)), Some(index)) => {
            values.get(index).map(|value| {
                let number = match signed {
                    true => i128::from(value.value.cast_signed()),
                    false => i128::from(value.value),
                };
                (value.name, number)
            })
        }
        (Some((TypeKind::Enum64 { values, .. }, signed)), Some(index)) => {
            values.get(index).map(|value| {
                let number = match signed {
                    true => i128::from(value.value.cast_signed()),
                    false => i128::from(value.value),
                };
                (value.name, number)
            })
        }
        _ => None,
    };
    match found {
        Some((name, value)) => {
            let _ = write!(text, "::{} = {value}", short(btf.string(name)));
        }
        None => {
            let _ = write!(text, "::<no such value> ({access})");
        }
    }
}

fn path(btf: &Btf, id: TypeId, access: &str, text: &mut String) {
    let mut numbers = access.split(':').map(|part| part.parse::<u32>().ok());
    let mut first = true;
    match numbers.next().flatten() {
        Some(0) => {}
        Some(index) => {
            let _ = write!(text, "[{index}]");
            first = false;
        }
        None => return,
    }
    let mut id = id;
    for number in numbers {
        let (Some(number), Some(resolved)) = (number, btf.resolve(id)) else {
            return;
        };
        match btf.get(resolved).map(|one| &one.kind) {
            Some(TypeKind::Struct { members, .. } | TypeKind::Union { members, .. }) => {
                let Some(member) = members.get(number as usize) else {
                    return;
                };
                if !first {
                    text.push('.');
                }
                named(btf, member.name, number, text);
                id = member.target;
            }
            Some(TypeKind::Array { element, .. }) => {
                let _ = write!(text, "[{number}]");
                id = *element;
            }
            _ => return,
        }
        first = false;
    }
}
