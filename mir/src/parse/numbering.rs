//! From the numbers of the text to the function's tables.
//!
//! While lines are read, operands are the numbers of the text and nothing is defined. When the
//! function is complete, every number that is used must be defined once; then tables are made that
//! are long enough for the largest number, or, where gaps cost too much, numbers are closed up.

use super::{Statement, error};
use crate::dfg::ValueDef;
use crate::entity::{Block, Inst, Value};
use crate::function::Function;
use crate::inst::InstData;
use crate::types::Type;
use bpf::diagnostic::Span;
use cranelift_entity::SecondaryMap;
use rustc_hash::FxHashMap;

/// A block of the text.
pub(super) struct BlockText {
    block: Block,
    params: Vec<(Value, Type)>,
    insts: Vec<(Inst, Option<Value>)>,
}

/// A function's blocks with their numbers of the text.
#[derive(Default)]
pub(super) struct Body {
    pub(super) blocks: Vec<BlockText>,
    pub(super) spans: SecondaryMap<Inst, Span>,
    block_spans: FxHashMap<Block, Span>,
    definitions: Vec<(Value, Span)>,
    value_uses: Vec<(Value, Span)>,
    block_uses: Vec<(Block, Span)>,
}

impl Body {
    pub(super) fn start_block(&mut self, block: Block, span: Span) -> Statement<()> {
        if let Some(first) = self.block_spans.insert(block, span) {
            return Err(defined_twice(&block.to_string(), first, span));
        }
        self.blocks.push(BlockText {
            block,
            params: Vec::new(),
            insts: Vec::new(),
        });
        Ok(())
    }

    pub(super) fn define_param(&mut self, value: Value, ty: Type, span: Span) {
        self.definitions.push((value, span));
        if let Some(block) = self.blocks.last_mut() {
            block.params.push((value, ty));
        }
    }

    pub(super) fn push_inst(&mut self, inst: Inst, result: Option<(Value, Span)>, span: Span) {
        self.definitions.extend(result);
        self.spans[inst] = span;
        if let Some(block) = self.blocks.last_mut() {
            block.insts.push((inst, result.map(|(value, _)| value)));
        }
    }

    pub(super) fn use_value(&mut self, value: Value, span: Span) {
        self.value_uses.push((value, span));
    }

    pub(super) fn use_block(&mut self, block: Block, span: Span) {
        self.block_uses.push((block, span));
    }

    /// Puts everything into the function's tables.
    pub(super) fn number(
        &mut self,
        func: &mut Function,
        gaps_left: &mut usize,
        head: Span,
    ) -> Statement<()> {
        if self.blocks.is_empty() {
            return Err(error(head, "a function needs a block, or is a `declare`"));
        }
        self.check_names()?;
        let values = self.definitions.iter().map(|&(value, _)| value.as_u32());
        let values = Numbers::new(values, gaps_left);
        let blocks = self.blocks.iter().map(|text| text.block.as_u32());
        let blocks = Numbers::new(blocks, gaps_left);

        let mut definitions: Vec<Option<(Type, ValueDef)>> = vec![None; values.len];
        let mut params: Vec<Vec<Value>> = vec![Vec::new(); blocks.len];
        for text in &self.blocks {
            let block = Block::from_u32(blocks.get(text.block.as_u32()));
            for (index, &(param, ty)) in (0u32..).zip(&text.params) {
                let param = Value::from_u32(values.get(param.as_u32()));
                definitions[param.as_u32() as usize] = Some((ty, ValueDef::Param(block, index)));
                params[block.as_u32() as usize].push(param);
            }
            for &(inst, result) in &text.insts {
                let ty = func.dfg.inst(inst).result_type();
                if let (Some(result), Some(ty)) = (result, ty) {
                    let result = values.get(result.as_u32());
                    definitions[result as usize] = Some((ty, ValueDef::Result(inst)));
                }
            }
        }
        func.dfg.define_all(&params, definitions);
        for text in &self.blocks {
            let block = Block::from_u32(blocks.get(text.block.as_u32()));
            func.layout.append_block(block);
            for &(inst, _) in &text.insts {
                func.layout.append_inst(inst, block);
                if values.is_closed_up() {
                    func.dfg
                        .map_operands(inst, |value| Value::from_u32(values.get(value.as_u32())));
                }
                if blocks.is_closed_up() {
                    close_up_successors(func, inst, &blocks);
                }
            }
        }
        Ok(())
    }

    fn check_names(&self) -> Statement<()> {
        let mut defined: FxHashMap<Value, Span> = FxHashMap::default();
        defined.reserve(self.definitions.len());
        for &(value, span) in &self.definitions {
            if let Some(first) = defined.insert(value, span) {
                return Err(defined_twice(&value.to_string(), first, span));
            }
        }
        for &(value, span) in &self.value_uses {
            if !defined.contains_key(&value) {
                let message = format!("{value} is not defined in this function");
                return Err(error(span, message));
            }
        }
        for &(block, span) in &self.block_uses {
            if !self.block_spans.contains_key(&block) {
                let message = format!("{block} is not defined in this function");
                return Err(error(span, message));
            }
        }
        Ok(())
    }
}

fn close_up_successors(func: &mut Function, inst: Inst, blocks: &Numbers) {
    for (index, mut call) in func.dfg.successors(inst).into_iter().enumerate() {
        call.block = Block::from_u32(blocks.get(call.block.as_u32()));
        func.dfg.set_successor(inst, index, call);
    }
}

fn defined_twice(name: &str, first: Span, second: Span) -> Box<bpf::diagnostic::Diagnostic> {
    let message = format!("{name} is defined twice");
    Box::new(error(second, message).with_secondary(first, "defined here before"))
}

/// The numbers of the text and those of the tables.
struct Numbers {
    len: usize,
    closed_up: Option<FxHashMap<u32, u32>>,
}

impl Numbers {
    fn new(defined: impl ExactSizeIterator<Item = u32> + Clone, gaps_left: &mut usize) -> Self {
        let count = defined.len();
        let needed = defined.clone().max().map_or(0, |max| max as usize + 1);
        match gaps_left.checked_sub(needed.saturating_sub(count)) {
            Some(left) => {
                *gaps_left = left;
                Numbers {
                    len: needed,
                    closed_up: None,
                }
            }
            None => Numbers {
                len: count,
                closed_up: Some(defined.zip(0u32..).collect()),
            },
        }
    }

    fn is_closed_up(&self) -> bool {
        self.closed_up.is_some()
    }

    fn get(&self, number: u32) -> u32 {
        match &self.closed_up {
            None => number,
            Some(numbers) => numbers.get(&number).copied().unwrap_or(0),
        }
    }
}

/// A data whose operands are numbers of the text, put into the function without a result.
pub(super) fn push_data(func: &mut Function, data: InstData) -> Inst {
    func.dfg.make_inst_without_result(data)
}
