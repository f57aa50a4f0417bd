//! Which instructions use each value.
//!
//! Found in one walk. Users that leave the function are left out when they are asked for; new ones are
//! added by who makes them.

use mir::{Function, Inst, Value};
use smallvec::SmallVec;

/// The instructions that use each value, in no particular order.
#[derive(Debug)]
pub(crate) struct Users {
    users: cranelift_entity::SecondaryMap<Value, SmallVec<[Inst; 2]>>,
}

impl Users {
    /// Finds all users.
    pub(crate) fn find(func: &Function) -> Users {
        let mut users: cranelift_entity::SecondaryMap<Value, SmallVec<[Inst; 2]>> =
            cranelift_entity::SecondaryMap::with_capacity(func.dfg.value_count());
        for block in func.layout.blocks() {
            for inst in func.layout.insts(block) {
                func.dfg
                    .for_each_operand(inst, |value| users[func.dfg.resolve(value)].push(inst));
            }
        }
        Users { users }
    }

    /// The users of a value that are in the layout; one is listed as often as it uses the value.
    pub(crate) fn of<'u>(
        &'u self,
        func: &'u Function,
        value: Value,
    ) -> impl Iterator<Item = Inst> + 'u {
        self.users[func.dfg.resolve(value)]
            .iter()
            .copied()
            .filter(|&inst| func.layout.inst_block(inst).is_some())
    }

    /// Notes a new user.
    pub(crate) fn add(&mut self, func: &Function, inst: Inst) {
        func.dfg
            .for_each_operand(inst, |value| self.users[func.dfg.resolve(value)].push(inst));
    }
}
