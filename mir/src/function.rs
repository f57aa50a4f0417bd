//! A function: contents, order, and what each instruction carries beside its data.

use crate::dfg::DataFlowGraph;
use crate::entity::{Block, CoreRelo, Inst, SourceLoc, Value};
use crate::inst::InstData;
use crate::layout::Layout;
use crate::types::Type;
use cranelift_entity::SecondaryMap;
use cranelift_entity::packed_option::PackedOption;

/// A function. Its parameters are those of its entry block: `r1`, `r2`, … in order, all `i64`.
#[derive(Clone, Debug, Default)]
pub struct Function {
    /// Name of its symbol.
    pub name: String,
    /// Section it lives in; what the loader takes the program type from.
    pub section: String,
    /// Whether other objects, and the kernel's function-by-function verification, see it.
    pub global: bool,
    /// Parameters, 0 to 5; known for a declaration too.
    pub parameter_count: u8,
    /// Contents.
    pub dfg: DataFlowGraph,
    /// Order.
    pub layout: Layout,
    /// Source position of each instruction.
    pub locations: SecondaryMap<Inst, PackedOption<SourceLoc>>,
    /// The input slot (index in the function) that an instruction came from, plus one; 0 for none.
    pub origins: SecondaryMap<Inst, u32>,
    /// The CO-RE record that a loader applies to an instruction. It patches an `iconst`'s value, a
    /// memory access's offset, or the immediate of the operation that uses the constant alone.
    pub core_relos: SecondaryMap<Inst, PackedOption<CoreRelo>>,
}

impl Function {
    /// A function without blocks: a declaration until it gets one.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Function {
            name: name.into(),
            ..Function::default()
        }
    }

    /// The function without its body.
    #[must_use]
    pub fn declaration(&self) -> Function {
        Function {
            name: self.name.clone(),
            section: self.section.clone(),
            global: self.global,
            parameter_count: self.parameter_count,
            ..Function::default()
        }
    }

    /// Whether it has no body.
    #[must_use]
    pub fn is_declaration(&self) -> bool {
        self.layout.entry().is_none()
    }

    /// The constant that a value is, unless a loader patches it.
    #[must_use]
    pub fn constant(&self, value: Value) -> Option<i64> {
        let (inst, data) = self.dfg.def_inst(value)?;
        match data {
            InstData::Const { imm, .. } if self.core_relos[inst].is_none() => Some(*imm),
            _ => None,
        }
    }

    /// Whether a loader patches the instruction, so that no pass may fold, merge or change it.
    #[must_use]
    pub fn is_patched(&self, inst: Inst) -> bool {
        self.core_relos[inst].is_some()
    }

    /// Makes a block at the end of the layout.
    pub fn append_new_block(&mut self) -> Block {
        let block = self.dfg.make_block();
        self.layout.append_block(block);
        block
    }

    /// The terminator of a block.
    #[must_use]
    pub fn terminator(&self, block: Block) -> Option<Inst> {
        self.layout
            .last_inst(block)
            .filter(|&inst| self.dfg.inst(inst).opcode().is_terminator())
    }

    /// Number of instructions in the layout.
    #[must_use]
    pub fn inst_count(&self) -> usize {
        self.layout
            .blocks()
            .map(|block| self.layout.insts(block).count())
            .sum()
    }

    /// Removes an instruction and detaches nothing else; its result must be unused.
    pub fn remove_inst(&mut self, inst: Inst) {
        self.layout.remove_inst(inst);
    }

    /// Removes an instruction whose result is `new` from now on.
    pub fn replace_with_value(&mut self, inst: Inst, new: Value) {
        if let Some(old) = self.dfg.result(inst) {
            self.dfg.change_to_alias(old, new);
        }
        self.layout.remove_inst(inst);
    }

    /// Copies source position and origin from one instruction to another: the rule for an
    /// instruction that a pass synthesises is that it takes its cause's. A moved instruction keeps
    /// its own, and of two merged the surviving one keeps its own.
    pub fn inherit_location(&mut self, inst: Inst, cause: Inst) {
        self.locations[inst] = self.locations[cause];
        self.origins[inst] = self.origins[cause];
    }

    /// Rewrites every operand of the layout to the value behind its aliases.
    pub fn resolve_aliases(&mut self) {
        let blocks: Vec<Block> = self.layout.blocks().collect();
        for block in blocks {
            let mut next = self.layout.first_inst(block);
            while let Some(inst) = next {
                next = self.layout.next_inst(inst);
                let mut stale = false;
                self.dfg
                    .for_each_operand(inst, |value| stale |= self.dfg.resolve(value) != value);
                if stale {
                    let mut dfg = std::mem::take(&mut self.dfg);
                    let resolved: Vec<Value> = {
                        let mut all = Vec::new();
                        dfg.for_each_operand(inst, |value| all.push(dfg.resolve(value)));
                        all
                    };
                    let mut resolved = resolved.into_iter();
                    dfg.map_operands(inst, |value| resolved.next().unwrap_or(value));
                    self.dfg = dfg;
                }
            }
        }
    }

    /// How often each value is used in the layout. Aliases must be resolved.
    #[must_use]
    pub fn use_counts(&self) -> SecondaryMap<Value, u32> {
        let mut counts = SecondaryMap::with_capacity(self.dfg.value_count());
        for block in self.layout.blocks() {
            for inst in self.layout.insts(block) {
                self.dfg.for_each_operand(inst, |value| counts[value] += 1);
            }
        }
        counts
    }

    /// The types of the parameters.
    pub fn parameter_types(&self) -> impl Iterator<Item = Type> + '_ {
        std::iter::repeat_n(Type::I64, usize::from(self.parameter_count))
    }
}
