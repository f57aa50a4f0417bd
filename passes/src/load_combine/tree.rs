//! Trees of operations that join shifted loads.

use crate::facts::memory::Users;
use mir::{Function, Inst, InstData, Opcode, Type, Value};
use smallvec::SmallVec;

/// Leaves of a tree: a value has eight bytes.
pub(super) const MAX_PARTS: usize = 8;

/// Conversions, shifts and masks between two joining operations, or one and a load.
const MAX_STEPS: usize = 6;

/// A tree that joins loads.
#[derive(Debug)]
pub(super) struct Tree {
    /// Each load, and the place of its lowest bit.
    pub(super) leaves: SmallVec<[(Inst, u32); MAX_PARTS]>,
    /// What goes when the tree goes: joining operations and shifts. The root is one of them.
    pub(super) inner: SmallVec<[Inst; 16]>,
}

/// A value inside a tree.
#[derive(Clone, Copy, Debug)]
struct Place {
    value: Value,
    /// Where its lowest bit stands in the result.
    shift: u32,
    /// From where on bits of the result are lost on the way, by a shift or a narrow type.
    limit: u32,
}

fn load_bits(func: &Function, load: Inst) -> Option<u32> {
    match *func.dfg.inst(load) {
        InstData::Load { width, .. } => Some(u32::from(width.bits())),
        _ => None,
    }
}

/// The operands of an operation that joins values without common bits.
pub(super) fn joins(func: &Function, inst: Inst) -> Option<[Value; 2]> {
    match *func.dfg.inst(inst) {
        InstData::Binary {
            opcode: Opcode::Bor | Opcode::Bxor | Opcode::Iadd,
            args,
            ..
        } if !func.is_patched(inst) => Some(args),
        _ => None,
    }
}

impl Tree {
    /// The tree with this root, if all its leaves are plain loads whose bits do not overlap.
    pub(super) fn find(func: &Function, users: &Users, root: Inst) -> Option<Tree> {
        let mut tree = Tree {
            leaves: SmallVec::new(),
            inner: SmallVec::new(),
        };
        let bits = func.dfg.inst(root).result_type()?.bits();
        let mut work: SmallVec<[Place; MAX_PARTS]> = SmallVec::new();
        tree.inner.push(root);
        work.extend(joins(func, root)?.map(|value| Place {
            value,
            shift: 0,
            limit: bits,
        }));
        while let Some(place) = work.pop() {
            tree.follow(func, users, place, &mut work)?;
            if tree.leaves.len() + work.len() > MAX_PARTS {
                return None;
            }
        }
        let mut covered = 0u64;
        for &(load, shift) in &tree.leaves {
            let mask = (u64::MAX >> (64 - load_bits(func, load)?)) << shift;
            if covered & mask != 0 {
                return None;
            }
            covered |= mask;
        }
        (tree.leaves.len() > 1).then_some(tree)
    }

    /// Goes from a value to its load, or to the operands of what joins it.
    fn follow(
        &mut self,
        func: &Function,
        users: &Users,
        place: Place,
        work: &mut SmallVec<[Place; MAX_PARTS]>,
    ) -> Option<()> {
        let Place {
            value,
            mut shift,
            mut limit,
        } = place;
        let mut value = func.dfg.resolve(value);
        for _ in 0..MAX_STEPS {
            let (inst, data) = func.dfg.def_inst(value)?;
            if func.is_patched(inst) {
                return None;
            }
            if let InstData::Load {
                opcode: Opcode::Load,
                ..
            } = data
            {
                let whole = shift + load_bits(func, inst)? <= limit;
                self.leaves.push((inst, shift));
                return whole.then_some(());
            }
            // What something else uses stays, and its loads with it.
            if users.of(func, value).count() != 1 {
                return None;
            }
            if func.dfg.value_type(value) == Type::I32 {
                limit = limit.min(shift + 32);
            }
            if let Some(args) = joins(func, inst) {
                self.inner.push(inst);
                work.extend(args.map(|value| Place {
                    value,
                    shift,
                    limit,
                }));
                return Some(());
            }
            value = match *data {
                InstData::Unary {
                    opcode: Opcode::Zext | Opcode::Trunc,
                    arg,
                    ..
                } => arg,
                InstData::Binary {
                    opcode: Opcode::Ishl,
                    ty,
                    args,
                } => {
                    let amount = u32::try_from(func.constant(args[1])?).ok()?;
                    if amount >= ty.bits() {
                        return None;
                    }
                    shift += amount;
                    self.inner.push(inst);
                    args[0]
                }
                _ => return None,
            };
            value = func.dfg.resolve(value);
        }
        None
    }
}
