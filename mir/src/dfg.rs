//! The contents of a function: instructions, values and blocks, without any order.
//!
//! A value is a result of an instruction, a parameter of a block, or an *alias* of another value.
//! Aliases are how a pass says "use this one instead": [`DataFlowGraph::change_to_alias`] costs
//! nothing, and [`crate::Function::resolve_aliases`] rewrites all operands in one sweep. Between a
//! pass's edits and that sweep, readers call [`DataFlowGraph::resolve`].

use crate::entity::{Block, Inst, Targets, Value};
use crate::inst::{BlockCall, InstData, ValueList, ValueListPool};
use crate::opcode::Opcode;
use crate::types::Type;
use cranelift_entity::packed_option::PackedOption;
use cranelift_entity::{PrimaryMap, SecondaryMap};
use smallvec::SmallVec;

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueDef {
    /// The result of an instruction.
    Result(Inst),
    /// A parameter of a block, by index.
    Param(Block, u32),
    /// Another name of this value.
    Alias(Value),
}

#[derive(Clone, Copy, Debug)]
struct ValueData {
    ty: Type,
    def: ValueDef,
}

#[derive(Clone, Debug, Default)]
struct BlockData {
    params: ValueList,
}

/// Instructions, values and blocks of a function.
#[derive(Clone, Debug, Default)]
pub struct DataFlowGraph {
    insts: PrimaryMap<Inst, InstData>,
    results: SecondaryMap<Inst, PackedOption<Value>>,
    values: PrimaryMap<Value, ValueData>,
    blocks: PrimaryMap<Block, BlockData>,
    targets: PrimaryMap<Targets, [BlockCall; 2]>,
    /// The pool of every [`ValueList`] of the function.
    pub pool: ValueListPool,
}

impl DataFlowGraph {
    /// An empty graph.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a block without parameters; it is in no layout yet.
    pub fn make_block(&mut self) -> Block {
        self.blocks.push(BlockData::default())
    }

    /// Makes an instruction and its result; it is in no layout yet.
    pub fn make_inst(&mut self, data: InstData) -> Inst {
        let inst = self.insts.push(data);
        if let Some(ty) = data.result_type() {
            let value = self.values.push(ValueData {
                ty,
                def: ValueDef::Result(inst),
            });
            self.results[inst] = value.into();
        }
        inst
    }

    /// Makes an instruction whose result, if it has one, is defined later by
    /// [`Self::define_all`].
    pub(crate) fn make_inst_without_result(&mut self, data: InstData) -> Inst {
        self.insts.push(data)
    }

    /// Makes all blocks and values at once, for a reader that knows their numbers before their
    /// definitions: parameters by block, and the type and definition of each value. A number
    /// without definition becomes the result of an instruction that is in no layout.
    pub(crate) fn define_all(
        &mut self,
        params: &[Vec<Value>],
        values: Vec<Option<(Type, ValueDef)>>,
    ) {
        debug_assert!(self.values.is_empty() && self.blocks.is_empty());
        for params in params {
            let params = ValueList::from_slice(params, &mut self.pool);
            self.blocks.push(BlockData { params });
        }
        let nowhere = InstData::Nullary {
            opcode: Opcode::Undef,
            ty: Type::I64,
        };
        let mut unplaced = None;
        for definition in values {
            let (ty, def) = definition.unwrap_or_else(|| {
                let inst = *unplaced.get_or_insert_with(|| self.insts.push(nowhere));
                (Type::I64, ValueDef::Result(inst))
            });
            let value = self.values.push(ValueData { ty, def });
            if let ValueDef::Result(inst) = def {
                self.results[inst] = value.into();
            }
        }
    }

    /// Makes the pair of destinations of a branch: taken, not taken.
    pub fn make_targets(&mut self, taken: BlockCall, not_taken: BlockCall) -> Targets {
        self.targets.push([taken, not_taken])
    }

    /// Makes a block call.
    pub fn block_call(&mut self, block: Block, args: &[Value]) -> BlockCall {
        BlockCall {
            block,
            args: ValueList::from_slice(args, &mut self.pool),
        }
    }

    /// Makes a list of values.
    pub fn value_list(&mut self, values: &[Value]) -> ValueList {
        ValueList::from_slice(values, &mut self.pool)
    }

    /// The data of an instruction.
    #[must_use]
    pub fn inst(&self, inst: Inst) -> &InstData {
        &self.insts[inst]
    }

    /// The data of an instruction, to edit. The type of the result must not change.
    pub fn inst_mut(&mut self, inst: Inst) -> &mut InstData {
        &mut self.insts[inst]
    }

    /// Replaces an instruction's data in place. Keeps the result value when both have one of the
    /// same type, detaches it when the new data has none, and makes one when only the new has.
    pub fn replace_inst(&mut self, inst: Inst, data: InstData) {
        let old = self.results[inst].expand();
        self.insts[inst] = data;
        match (old, data.result_type()) {
            (Some(value), Some(ty)) if self.values[value].ty == ty => {}
            (_, None) => self.results[inst] = None.into(),
            (_, Some(ty)) => {
                let value = self.values.push(ValueData {
                    ty,
                    def: ValueDef::Result(inst),
                });
                self.results[inst] = value.into();
            }
        }
    }

    /// Number of instructions ever made, in the layout or not.
    #[must_use]
    pub fn inst_count(&self) -> usize {
        self.insts.len()
    }

    /// Number of values ever made.
    #[must_use]
    pub fn value_count(&self) -> usize {
        self.values.len()
    }

    /// Number of blocks ever made.
    #[must_use]
    pub fn block_count(&self) -> usize {
        self.blocks.len()
    }

    /// The result of an instruction.
    #[must_use]
    pub fn result(&self, inst: Inst) -> Option<Value> {
        self.results[inst].expand()
    }

    /// Where a value comes from.
    #[must_use]
    pub fn value_def(&self, value: Value) -> ValueDef {
        self.values[value].def
    }

    /// The type of a value.
    #[must_use]
    pub fn value_type(&self, value: Value) -> Type {
        self.values[value].ty
    }

    /// The data of the instruction that defines a value, unless it is a block parameter.
    #[must_use]
    pub fn def_inst(&self, value: Value) -> Option<(Inst, &InstData)> {
        match self.values[self.resolve(value)].def {
            ValueDef::Result(inst) => Some((inst, &self.insts[inst])),
            _ => None,
        }
    }

    /// The constant that a value is, if its definition is an `iconst`.
    ///
    /// A constant that a loader patches is not one: see [`crate::Function::constant`].
    #[must_use]
    pub fn raw_constant(&self, value: Value) -> Option<i64> {
        match self.def_inst(value)?.1 {
            InstData::Const { imm, .. } => Some(*imm),
            _ => None,
        }
    }

    /// Makes `old` another name of `new`. Both have the same type; `new` must not resolve to `old`.
    pub fn change_to_alias(&mut self, old: Value, new: Value) {
        let new = self.resolve(new);
        debug_assert_ne!(old, new, "an alias of itself");
        debug_assert_eq!(self.value_type(old), self.value_type(new));
        if let ValueDef::Result(inst) = self.values[old].def
            && self.results[inst].expand() == Some(old)
        {
            self.results[inst] = None.into();
        }
        self.values[old].def = ValueDef::Alias(new);
    }

    /// The value behind any number of aliases.
    #[must_use]
    pub fn resolve(&self, mut value: Value) -> Value {
        // A chain of aliases is acyclic by construction and at most as long as there are values.
        while let ValueDef::Alias(next) = self.values[value].def {
            value = next;
        }
        value
    }

    /// Gives an instruction a fresh result value in place of the one it has or lost.
    pub fn make_result(&mut self, inst: Inst, ty: Type) -> Value {
        let value = self.values.push(ValueData {
            ty,
            def: ValueDef::Result(inst),
        });
        self.results[inst] = value.into();
        value
    }

    /// Makes a value that no layout defines: the result of an instruction that is in none.
    pub fn make_unplaced_value(&mut self, ty: Type) -> Value {
        let inst = self.insts.push(InstData::Nullary {
            opcode: Opcode::Undef,
            ty,
        });
        self.make_result(inst, ty)
    }

    /// Parameters of a block.
    #[must_use]
    pub fn block_params(&self, block: Block) -> &[Value] {
        self.blocks[block].params.as_slice(&self.pool)
    }

    /// Adds a parameter at the end.
    pub fn append_block_param(&mut self, block: Block, ty: Type) -> Value {
        let index = self.blocks[block].params.len(&self.pool) as u32;
        let value = self.values.push(ValueData {
            ty,
            def: ValueDef::Param(block, index),
        });
        self.blocks[block].params.push(value, &mut self.pool);
        value
    }

    /// Removes the parameter at `index`; the caller removes the arguments and has made the value
    /// an alias or unused.
    pub fn remove_block_param(&mut self, block: Block, index: usize) {
        self.blocks[block].params.remove(index, &mut self.pool);
        let rest: SmallVec<[Value; 8]> = self
            .block_params(block)
            .iter()
            .skip(index)
            .copied()
            .collect();
        for (position, value) in rest.into_iter().enumerate() {
            if let ValueDef::Param(b, _) = self.values[value].def
                && b == block
            {
                self.values[value].def = ValueDef::Param(block, (index + position) as u32);
            }
        }
    }

    /// Calls `f` with every operand: arguments, then arguments of block calls.
    pub fn for_each_operand(&self, inst: Inst, mut f: impl FnMut(Value)) {
        self.insts[inst].for_each_arg(&self.pool, &mut f);
        for call in self.successors(inst) {
            for &value in call.args.as_slice(&self.pool) {
                f(value);
            }
        }
    }

    /// Replaces every operand, arguments of block calls included, by what `f` makes of it.
    pub fn map_operands(&mut self, inst: Inst, mut f: impl FnMut(Value) -> Value) {
        let mut data = self.insts[inst];
        data.map_args(&mut self.pool, &mut f);
        self.insts[inst] = data;
        for mut call in self.successors(inst) {
            call.args
                .as_mut_slice(&mut self.pool)
                .iter_mut()
                .for_each(|v| *v = f(*v));
        }
    }

    /// Operands other than block-call arguments.
    #[must_use]
    pub fn args(&self, inst: Inst) -> SmallVec<[Value; 5]> {
        let mut args = SmallVec::new();
        self.insts[inst].for_each_arg(&self.pool, |value| args.push(value));
        args
    }

    /// The block calls of a terminator: none, one, or taken and not taken.
    #[must_use]
    pub fn successors(&self, inst: Inst) -> SmallVec<[BlockCall; 2]> {
        match self.insts[inst] {
            InstData::Jump { target } => SmallVec::from_slice(&[target]),
            InstData::Branch { targets, .. } | InstData::MayGoto { targets } => {
                SmallVec::from_slice(&self.targets[targets])
            }
            _ => SmallVec::new(),
        }
    }

    /// Replaces the block call at `index` (0 for a jump or taken, 1 for not taken).
    pub fn set_successor(&mut self, inst: Inst, index: usize, call: BlockCall) {
        match &mut self.insts[inst] {
            InstData::Jump { target } => *target = call,
            InstData::Branch { targets, .. } | InstData::MayGoto { targets } => {
                self.targets[*targets][index] = call;
            }
            _ => debug_assert!(false, "{inst} has no successors"),
        }
    }

    /// The arguments of a block call.
    #[must_use]
    pub fn call_args(&self, call: &BlockCall) -> &[Value] {
        call.args.as_slice(&self.pool)
    }
}
