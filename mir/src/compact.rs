//! Renumbering: a copy of a function without what its layout does not hold.
//!
//! Blocks, instructions and values are numbered from zero in the order in which a reader meets
//! them. Two functions that differ in numbers only print alike afterwards, and tables that passes
//! left full of removed entities shrink. Cost: linear.

use crate::dfg::DataFlowGraph;
use crate::entity::{Block, Inst, Value};
use crate::function::Function;
use crate::inst::InstData;
use crate::layout::Layout;
use cranelift_entity::SecondaryMap;
use cranelift_entity::packed_option::PackedOption;

struct Renumber<'f> {
    old: &'f Function,
    new: Function,
    blocks: SecondaryMap<Block, PackedOption<Block>>,
    values: SecondaryMap<Value, PackedOption<Value>>,
    insts: Vec<(Inst, Inst)>,
}

impl Function {
    /// A copy with aliases resolved and everything renumbered in order of appearance.
    #[must_use]
    pub fn compacted(&self) -> Function {
        let mut renumber = Renumber {
            old: self,
            new: Function {
                name: self.name.clone(),
                section: self.section.clone(),
                global: self.global,
                parameter_count: self.parameter_count,
                dfg: DataFlowGraph::new(),
                layout: Layout::new(),
                ..Function::default()
            },
            blocks: SecondaryMap::with_capacity(self.dfg.block_count()),
            values: SecondaryMap::with_capacity(self.dfg.value_count()),
            insts: Vec::new(),
        };
        renumber.copy_blocks_and_definitions();
        renumber.copy_operands();
        renumber.new
    }
}

impl Renumber<'_> {
    /// Makes every block, instruction and value; operands are those of the old function still.
    fn copy_blocks_and_definitions(&mut self) {
        let old = self.old;
        for block in old.layout.blocks() {
            let copy = self.new.append_new_block();
            self.blocks[block] = copy.into();
        }
        for block in old.layout.blocks() {
            let copy = self.block(block);
            for &param in old.dfg.block_params(block) {
                let value = self
                    .new
                    .dfg
                    .append_block_param(copy, old.dfg.value_type(param));
                self.values[param] = value.into();
            }
            for inst in old.layout.insts(block) {
                let data = self.copy_data(inst);
                let new = self.new.dfg.make_inst(data);
                self.new.layout.append_inst(new, copy);
                self.insts.push((inst, new));
                self.new.locations[new] = old.locations[inst];
                self.new.origins[new] = old.origins[inst];
                self.new.core_relos[new] = old.core_relos[inst];
                if let (Some(result), Some(value)) =
                    (old.dfg.result(inst), self.new.dfg.result(new))
                {
                    self.values[result] = value.into();
                }
            }
        }
    }

    fn copy_operands(&mut self) {
        let mut operands = Vec::new();
        for (old, new) in std::mem::take(&mut self.insts) {
            operands.clear();
            self.old
                .dfg
                .for_each_operand(old, |operand| operands.push(operand));
            for operand in &mut operands {
                *operand = self.value(*operand);
            }
            let mut renumbered = operands.iter().copied();
            self.new
                .dfg
                .map_operands(new, |operand| renumbered.next().unwrap_or(operand));
        }
    }

    /// The new number of a value. One that the layout of an ill-formed function does not define
    /// gets a number that the new layout does not define either.
    fn value(&mut self, old: Value) -> Value {
        let old = self.old.dfg.resolve(old);
        if let Some(value) = self.values[old].expand() {
            return value;
        }
        let value = self
            .new
            .dfg
            .make_unplaced_value(self.old.dfg.value_type(old));
        self.values[old] = value.into();
        value
    }

    fn block(&self, block: Block) -> Block {
        self.blocks[block].expand().unwrap_or(block)
    }

    /// The instruction's data with lists of its own in the new pool.
    fn copy_data(&mut self, inst: Inst) -> InstData {
        let old = &self.old.dfg;
        let mut data = *old.inst(inst);
        match &mut data {
            InstData::CallHelper { args, .. }
            | InstData::CallFunc { args, .. }
            | InstData::CallExternal { args, .. }
            | InstData::CallIndirect { args, .. } => {
                *args = self.new.dfg.value_list(args.as_slice(&old.pool));
            }
            InstData::Jump { target } => {
                let block = self.block(target.block);
                *target = self.new.dfg.block_call(block, old.call_args(target));
            }
            InstData::Branch { targets, .. } | InstData::MayGoto { targets } => {
                if let [taken, not_taken] = old.successors(inst)[..] {
                    let (first, second) = (self.block(taken.block), self.block(not_taken.block));
                    let taken = self.new.dfg.block_call(first, old.call_args(&taken));
                    let not_taken = self.new.dfg.block_call(second, old.call_args(&not_taken));
                    *targets = self.new.dfg.make_targets(taken, not_taken);
                }
            }
            _ => {}
        }
        data
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cursor::Cursor;
    use crate::opcode::Opcode;
    use crate::types::Type;
    use bpf::insn::Cond;

    #[test]
    fn numbers_follow_the_order_of_appearance() {
        let mut func = Function::new("f");
        let last = func.dfg.make_block();
        let entry = func.append_new_block();
        func.layout.append_block(last);
        let param = func.dfg.append_block_param(last, Type::I64);
        let mut cursor = Cursor::at_end(&mut func, entry);
        let dead = cursor.ins().iconst(Type::I64, 1);
        let kept = cursor.ins().iconst(Type::I64, 2);
        let copy = cursor.ins().unary(Opcode::Ineg, Type::I64, dead);
        cursor.ins().branch(
            Cond::Eq,
            Type::I64,
            [copy, kept],
            (last, &[copy]),
            (last, &[kept]),
        );
        Cursor::at_end(&mut func, last).ins().return_(param);
        let (inst, _) = func.dfg.def_inst(copy).unwrap();
        func.replace_with_value(inst, kept);
        let (inst, _) = func.dfg.def_inst(dead).unwrap();
        func.remove_inst(inst);
        let compact = func.compacted();
        assert_eq!(
            compact.to_string(),
            "function \"f\" section \"\" params 0 {\n\
             block0:\n    v0 = iconst.i64 2\n    br.i64 eq v0, v0, block1(v0), block1(v0)\n\
             block1(v1: i64):\n    return v1\n}\n"
        );
        assert_eq!(compact.dfg.inst_count(), 3);
        assert_eq!(compact.compacted().to_string(), compact.to_string());
    }

    #[test]
    fn an_operand_without_definition_stays_one() {
        let mut func = Function::new("f");
        let entry = func.append_new_block();
        let value = Cursor::at_end(&mut func, entry).ins().undef(Type::I32);
        let inst = func.layout.first_inst(entry).unwrap();
        func.remove_inst(inst);
        Cursor::at_end(&mut func, entry).ins().return_(value);
        let compact = func.compacted();
        let entry = compact.layout.entry().unwrap();
        let arg = compact.dfg.args(compact.layout.last_inst(entry).unwrap())[0];
        let (def, _) = compact.dfg.def_inst(arg).unwrap();
        assert_eq!(compact.layout.inst_block(def), None);
    }
}
