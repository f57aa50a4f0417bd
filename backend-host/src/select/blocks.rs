//! Blocks, edges and terminators.
//!
//! Virtual blocks are numbered in reverse postorder and emitted in the order of the MIR layout. An edge from a block with two successors to
//! one with two predecessors gets a block of its own, where the allocator can put moves and where
//! constants for the destination's parameters are made; it vanishes later if nothing is in it. The
//! one for the branch not taken lies right behind its source. The one for the branch taken lies
//! before its destination if nothing falls through there, and else right behind its source.

use super::Selector;
use super::operands::fits_one_slot;
use super::operations::width_of;
use crate::EmitError;
use crate::lir::{ANY, Lir, LirBlock, LirEdge, LirOp};
use crate::regalloc::preg;
use bpf::insn::{Cond, Cpu, Insn, Operand as Source};
use cranelift_entity::SecondaryMap;
use mir::{Block, BlockCall, Inst, InstData, Type, Value};
use regalloc2::{Operand, VReg};
use std::collections::{BTreeMap, BTreeSet};

/// Where the blocks of a function go.
pub(super) struct Places {
    block: SecondaryMap<Block, usize>,
    /// Blocks of split edges, by source and successor number.
    split: BTreeMap<(Block, usize), usize>,
}

impl Selector<'_> {
    pub(super) fn run(mut self) -> Result<Lir, EmitError> {
        let order = self.reverse_postorder();
        self.find_folded(&order);
        self.find_anchored(&order);
        self.find_wide_constants(&order);
        let places = self.place_blocks(&order);
        for &block in &order {
            let params: Vec<Value> = self.func.dfg.block_params(block).to_vec();
            let mut vregs = Vec::with_capacity(params.len());
            for param in params {
                let vreg = self.new_vreg();
                self.set(param, vreg);
                vregs.push(vreg);
            }
            let index = places.block[block];
            if Some(block) == self.func.layout.entry() {
                self.current = index;
                let fixed = |(number, &vreg): (usize, &VReg)| {
                    Operand::reg_fixed_def(vreg, preg(number as u8 + 1))
                };
                let operands = vregs.iter().enumerate().map(fixed).collect();
                self.push(LirOp::Parameters, operands);
            } else {
                self.lir.blocks[index].params = vregs;
            }
        }
        self.places = Some(places);
        for &block in &order {
            self.mir_block = Some(block);
            self.frame_addresses.clear();
            self.current = self.places.as_ref().map_or(0, |places| places.block[block]);
            let insts: Vec<Inst> = self.func.layout.insts(block).collect();
            for inst in insts {
                self.operation(inst)?;
            }
        }
        Ok(self.finish())
    }

    fn reverse_postorder(&self) -> Vec<Block> {
        let mut order = Vec::new();
        let Some(entry) = self.func.layout.entry() else {
            return order;
        };
        let mut seen: SecondaryMap<Block, bool> = SecondaryMap::new();
        let mut stack = vec![(entry, 0usize)];
        seen[entry] = true;
        while let Some((block, visited)) = stack.pop() {
            let successors = self
                .func
                .layout
                .last_inst(block)
                .map(|inst| self.func.dfg.successors(inst))
                .unwrap_or_default();
            match successors.get(visited) {
                Some(call) => {
                    stack.push((block, visited + 1));
                    if !std::mem::replace(&mut seen[call.block], true) {
                        stack.push((call.block, 0));
                    }
                }
                None => order.push(block),
            }
        }
        order.reverse();
        order
    }

    /// Marks patched constants whose only use, in the same block, can take them as an immediate.
    fn find_folded(&mut self, order: &[Block]) {
        for &block in order {
            for inst in self.func.layout.insts(block) {
                let InstData::Binary {
                    args: [_, right], ..
                } = *self.func.dfg.inst(inst)
                else {
                    continue;
                };
                let Some((constant, &InstData::Const { imm, .. })) = self.func.dfg.def_inst(right)
                else {
                    continue;
                };
                if self.func.is_patched(constant)
                    && self.uses[right] == 1
                    && self.func.layout.inst_block(constant) == Some(block)
                    && i32::try_from(imm).is_ok()
                {
                    self.folded[right] = true;
                }
            }
        }
    }

    fn find_anchored(&mut self, order: &[Block]) {
        if self.strategy.constants_on_edges {
            return;
        }
        for &block in order {
            for call in self.successors(block) {
                for &arg in self.func.dfg.call_args(&call) {
                    if self.is_remade(arg) && !self.is_undef(arg) {
                        self.anchored[arg] = true;
                    }
                }
            }
        }
    }

    fn find_wide_constants(&mut self, order: &[Block]) {
        for &block in order {
            for inst in self.func.layout.insts(block) {
                if let InstData::Const { imm, .. } = *self.func.dfg.inst(inst)
                    && !fits_one_slot(imm)
                    && let Some(value) = self.func.dfg.result(inst)
                {
                    *self.wide_constants.entry(imm).or_default() += self.uses[value];
                }
            }
        }
    }

    fn place_blocks(&mut self, order: &[Block]) -> Places {
        let mut predecessors: SecondaryMap<Block, usize> = SecondaryMap::new();
        let mut reachable: SecondaryMap<Block, bool> = SecondaryMap::new();
        for &block in order {
            reachable[block] = true;
            for call in self.successors(block) {
                predecessors[call.block] += 1;
            }
        }
        let layout: Vec<Block> = self
            .func
            .layout
            .blocks()
            .filter(|&block| reachable[block])
            .collect();
        // A split of a taken edge may lie before its destination if no block falls through there.
        let mut free_before: SecondaryMap<Block, bool> = SecondaryMap::new();
        for pair in layout.windows(2) {
            free_before[pair[1]] = self
                .successors(pair[0])
                .iter()
                .all(|call| call.block != pair[1]);
        }
        let mut before: SecondaryMap<Block, Option<(Block, usize)>> = SecondaryMap::new();
        let mut after: SecondaryMap<Block, Vec<usize>> = SecondaryMap::new();
        for &block in &layout {
            let calls = self.successors(block);
            if calls.len() < 2 {
                continue;
            }
            for which in [1, 0] {
                let target = calls[which].block;
                if predecessors[target] < 2 {
                    continue;
                }
                if which == 0 && std::mem::take(&mut free_before[target]) {
                    before[target] = Some((block, which));
                } else {
                    after[block].push(which);
                }
            }
        }
        let early: BTreeSet<(Block, usize)> =
            layout.iter().filter_map(|&block| before[block]).collect();
        // Numbers follow reverse postorder, as the allocator needs: a definition before its uses.
        let mut places = Places {
            block: SecondaryMap::new(),
            split: BTreeMap::new(),
        };
        let mut count = 0usize;
        for &block in order {
            places.block[block] = count;
            count += 1;
            for which in 0..2 {
                if early.contains(&(block, which)) || after[block].contains(&which) {
                    places.split.insert((block, which), count);
                    count += 1;
                }
            }
        }
        for &block in &layout {
            if let Some(edge) = before[block] {
                self.lir.layout.extend(places.split.get(&edge));
            }
            self.lir.layout.push(places.block[block]);
            for &which in &after[block] {
                self.lir.layout.extend(places.split.get(&(block, which)));
            }
        }
        self.code = vec![Vec::new(); count];
        self.lir.blocks = vec![LirBlock::default(); count];
        places
    }

    fn successors(&self, block: Block) -> Vec<BlockCall> {
        self.func
            .layout
            .last_inst(block)
            .map(|inst| self.func.dfg.successors(inst).to_vec())
            .unwrap_or_default()
    }

    pub(super) fn terminator(&mut self, inst: Inst) -> Result<(), EmitError> {
        match *self.func.dfg.inst(inst) {
            InstData::Return { arg } => {
                let mut operands = Vec::new();
                if !self.is_undef(arg) {
                    let mut vreg = self.reg(arg);
                    if self.strategy.copy_return && !self.is_remade(arg) {
                        vreg = self.copy(vreg);
                    }
                    operands.push(Operand::reg_fixed_use(vreg, preg(0)));
                }
                self.push(LirOp::Return, operands);
            }
            InstData::Jump { target } => {
                let edge = self.edge(&target);
                self.push(LirOp::Jump, Vec::new());
                self.lir.blocks[self.current].successors = vec![edge];
            }
            InstData::MayGoto { .. } => {
                self.branch(inst, Insn::MayGoto { offset: 0 }, Vec::new(), false);
            }
            InstData::Branch { cond, ty, args, .. } => {
                let (template, operands, exchanged) = self.condition(cond, ty, args)?;
                self.branch(inst, template, operands, exchanged);
            }
            _ => {}
        }
        Ok(())
    }

    /// A conditional branch; `exchanged` when the condition was inverted on the way.
    fn branch(&mut self, inst: Inst, template: Insn, operands: Vec<Operand>, exchanged: bool) {
        let source = self.current;
        let calls = self.func.dfg.successors(inst);
        let mut edges = Vec::with_capacity(2);
        for (which, call) in calls.iter().enumerate() {
            let split = self
                .mir_block
                .and_then(|block| self.places.as_ref()?.split.get(&(block, which)).copied());
            match split {
                Some(split) => {
                    self.current = split;
                    let before = std::mem::take(&mut self.frame_addresses);
                    let edge = self.edge(call);
                    self.frame_addresses = before;
                    self.push(LirOp::Jump, Vec::new());
                    self.lir.blocks[split].successors = vec![edge];
                    self.current = source;
                    edges.push(LirEdge {
                        block: split,
                        args: Vec::new(),
                    });
                }
                None => {
                    let edge = self.edge(call);
                    edges.push(edge);
                }
            }
        }
        if exchanged {
            edges.reverse();
        }
        self.push(LirOp::Branch(template), operands);
        self.lir.blocks[source].successors = edges;
    }

    /// An edge with its arguments, made in the current block.
    fn edge(&mut self, call: &BlockCall) -> LirEdge {
        let args: Vec<Value> = self.func.dfg.call_args(call).to_vec();
        let mut vregs = Vec::with_capacity(args.len());
        for arg in args {
            if self.is_undef(arg) {
                if self.strategy.init_undef {
                    vregs.push(self.make_constant(Type::I64, 0));
                    continue;
                }
                self.lir.has_undef_flow = true;
            }
            let anchor = self.vregs[arg].filter(|_| self.anchored[arg]);
            vregs.push(match anchor {
                Some(vreg) => vreg,
                None => self.reg(arg),
            });
        }
        let block = self
            .places
            .as_ref()
            .map_or(0, |places| places.block[call.block]);
        LirEdge { block, args: vregs }
    }

    /// Template and operands of a comparison, and whether the targets are to be exchanged.
    fn condition(
        &mut self,
        cond: Cond,
        ty: Type,
        [left, right]: [Value; 2],
    ) -> Result<(Insn, Vec<Operand>, bool), EmitError> {
        let width = width_of(ty);
        let (mut cond, mut left, mut right) = (cond, left, right);
        if self.constant(left).is_some() && self.constant(right).is_none() {
            (cond, left, right) = (cond.exchanged(), right, left);
        }
        let immediate = self.immediate(right);
        let mut exchanged = false;
        if self.options.cpu < Cpu::V2 && matches!(cond, Cond::Lt | Cond::Le | Cond::Slt | Cond::Sle)
        {
            if immediate.is_some() {
                cond = cond.inverted().unwrap_or(cond);
                exchanged = true;
            } else {
                (cond, left, right) = (cond.exchanged(), right, left);
            }
        }
        let mut operands = vec![self.use_of(left)];
        let src = match self.immediate(right) {
            Some(imm) => Source::Imm(imm),
            None => {
                operands.push(self.use_of(right));
                Source::Reg(ANY)
            }
        };
        let template = Insn::Branch {
            width,
            cond,
            dst: ANY,
            src,
            offset: 0,
        };
        let needed = template.min_cpu();
        if needed > self.options.cpu {
            return Err(EmitError::Cpu {
                what: "a 32-bit comparison",
                needed,
            });
        }
        Ok((template, operands, exchanged))
    }
}
