//! Finding a type that contains itself by value.
//!
//! A structure may refer to itself through a pointer or a function; through names, qualifiers,
//! arrays and members it may not, since it would have no size. Depth-first search with an explicit
//! stack: one visit of each edge, no recursion.

use super::kinds::{Type, TypeId, TypeKind};

/// The types that a type contains by value.
fn contained(one: &Type, visit: impl FnMut(TypeId)) {
    match one.kind {
        TypeKind::Pointer { .. }
        | TypeKind::Function { .. }
        | TypeKind::FunctionProto { .. }
        | TypeKind::DeclTag { .. } => {}
        _ => one.for_each_reference(visit),
    }
}

/// A type on a cycle, if there is one.
pub(super) fn find(types: &[Type]) -> Option<TypeId> {
    #[derive(Clone, Copy, PartialEq)]
    enum State {
        New,
        Open,
        Done,
    }
    let mut states = vec![State::New; types.len() + 1];
    states[0] = State::Done;
    let mut work = Vec::new();
    for root in 1..=types.len() {
        work.push((root, false));
        while let Some((id, leaving)) = work.pop() {
            if leaving {
                states[id] = State::Done;
                continue;
            }
            if states[id] != State::New {
                continue;
            }
            states[id] = State::Open;
            work.push((id, true));
            let mut cycle = false;
            contained(&types[id - 1], |TypeId(next)| {
                match states.get(next as usize) {
                    Some(State::New) => work.push((next as usize, false)),
                    Some(State::Open) => cycle = true,
                    Some(State::Done) | None => {}
                }
            });
            if cycle {
                return Some(TypeId(id as u32));
            }
        }
    }
    None
}
