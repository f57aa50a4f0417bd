//! What nobody reads goes: halves of values, parameters, condition codes, words of groups.
//!
//! Selection makes both halves of every value and leaves it to this pass to find that one of them
//! is never read, which is the rule: a verdict has 32 bits.
//!
//! Soundness: an instruction stays if it has an effect, if a register that it defines is read by
//! one that stays, if a group that it fills is read by one that stays, or if one that stays reads
//! the condition codes that it sets. Marks only grow, so the least set is found.
//!
//! Cost: a worklist; linear in instructions and arguments.

use super::{Block, Branch, End, Inst, Lir, Op, Reg, Source, Target};

/// Where a register comes from.
#[derive(Clone, Copy)]
enum Definition {
    None,
    Inst(u32, u32),
    Param(Block, u32),
}

struct Marks<'a> {
    lir: &'a Lir,
    definitions: Vec<Definition>,
    fills: Vec<Option<(u32, u32)>>,
    live_regs: Vec<bool>,
    live_insts: Vec<Vec<bool>>,
    /// By predecessor and edge: `(block, edge)` pairs that lead to a block.
    predecessors: Vec<Vec<(u32, u32)>>,
    work: Vec<Reg>,
    insts: Vec<(u32, u32)>,
}

/// Removes dead instructions, parameters and blocks that nothing leads to are kept empty.
pub fn remove_dead(lir: &mut Lir) {
    let (live_regs, live_insts) = {
        let mut marks = Marks::new(lir);
        marks.run();
        (marks.live_regs, marks.live_insts)
    };
    let is_live = |reg: &Reg| live_regs.get(reg.0 as usize).copied().unwrap_or(true);
    let params: Vec<Vec<bool>> = lir
        .blocks
        .iter()
        .map(|block| block.params.iter().map(is_live).collect())
        .collect();
    for (block, live) in lir.blocks.iter_mut().zip(live_insts) {
        let mut keep = live.into_iter();
        block.insts.retain(|_| keep.next().unwrap_or(true));
        for inst in &mut block.insts {
            trim(inst, is_live);
        }
        block.params.retain(is_live);
        if let Some(end) = &mut block.end {
            for edge in end.edges_mut() {
                let mut keep = params[edge.block.index()].iter();
                edge.args.retain(|_| keep.next().copied().unwrap_or(true));
            }
        }
    }
}

/// Results that nobody reads.
fn trim(inst: &mut Inst, is_live: impl Fn(&Reg) -> bool) {
    if let Target::Reg(reg) = &inst.target
        && !is_live(reg)
        && !matches!(inst.op, Op::Random | Op::Add { .. })
    {
        inst.target = Target::Nothing;
    }
    match &mut inst.op {
        Op::Multiply { high, .. } => *high = high.filter(&is_live),
        Op::Helper(helper) => {
            helper.low = helper.low.filter(&is_live);
            helper.high = helper.high.filter(&is_live);
        }
        Op::Call(call) => call.results.retain(|(_, reg)| is_live(reg)),
        Op::Parameters(params) => params.retain(|(reg, _)| is_live(reg)),
        _ => {}
    }
}

impl<'a> Marks<'a> {
    fn new(lir: &'a Lir) -> Marks<'a> {
        let mut definitions = vec![Definition::None; lir.regs as usize];
        let mut fills = vec![None; lir.groups.len()];
        let mut predecessors = vec![Vec::new(); lir.blocks.len()];
        for (at, block) in (0..).zip(&lir.blocks) {
            for (index, param) in (0..).zip(&block.params) {
                definitions[param.0 as usize] = Definition::Param(Block(at), index);
            }
            for (index, inst) in (0..).zip(&block.insts) {
                for def in inst.defs() {
                    definitions[def.0 as usize] = Definition::Inst(at, index);
                }
                if let Op::Read(_, group) = inst.op {
                    fills[group.0 as usize] = Some((at, index));
                }
            }
            if let Some(end) = &block.end {
                for (index, edge) in (0..).zip(end.edges()) {
                    predecessors[edge.block.index()].push((at, index));
                }
            }
        }
        let live_insts = lir
            .blocks
            .iter()
            .map(|block| vec![false; block.insts.len()])
            .collect();
        Marks {
            lir,
            definitions,
            fills,
            live_regs: vec![false; lir.regs as usize],
            live_insts,
            predecessors,
            work: Vec::new(),
            insts: Vec::new(),
        }
    }

    fn run(&mut self) {
        let lir = self.lir;
        for (at, block) in (0..).zip(&lir.blocks) {
            for (index, inst) in (0..).zip(&block.insts) {
                if inst.op.has_effect() || matches!(inst.target, Target::Out(_) | Target::Local(..))
                {
                    self.mark_inst(at, index);
                }
            }
            let Some(end) = &block.end else { continue };
            for reg in end.uses() {
                self.mark(reg);
            }
            if let End::Branch(branch, ..) = end {
                match branch {
                    Branch::Conditions(_) => self.mark_setter(at, block.insts.len()),
                    Branch::Bit(source, ..) | Branch::Byte(source, ..) => self.mark_source(*source),
                }
            }
        }
        loop {
            if let Some((at, index)) = self.insts.pop() {
                let inst = &lir.blocks[at as usize].insts[index as usize];
                for source in inst.op.sources() {
                    self.mark_source(source);
                }
                if inst.op.reads_conditions() {
                    self.mark_setter(at, index as usize);
                }
            } else if let Some(reg) = self.work.pop() {
                self.follow(reg);
            } else {
                return;
            }
        }
    }

    fn follow(&mut self, reg: Reg) {
        match self.definitions[reg.0 as usize] {
            Definition::None => {}
            Definition::Inst(at, index) => self.mark_inst(at, index),
            Definition::Param(block, index) => {
                for (at, edge) in self.predecessors[block.index()].clone() {
                    let end = self.lir.blocks[at as usize].end.as_ref();
                    let arg = end.and_then(|end| {
                        let edges = end.edges();
                        edges.get(edge as usize)?.args.get(index as usize).copied()
                    });
                    if let Some(arg) = arg {
                        self.mark(arg);
                    }
                }
            }
        }
    }

    fn mark(&mut self, reg: Reg) {
        let live = &mut self.live_regs[reg.0 as usize];
        if !*live {
            *live = true;
            self.work.push(reg);
        }
    }

    fn mark_inst(&mut self, at: u32, index: u32) {
        let live = &mut self.live_insts[at as usize][index as usize];
        if !*live {
            *live = true;
            self.insts.push((at, index));
        }
    }

    fn mark_source(&mut self, source: Source) {
        match source {
            Source::Reg(reg) => self.mark(reg),
            Source::Transfer(group, _) => {
                if let Some((at, index)) = self.fills[group.0 as usize] {
                    self.mark_inst(at, index);
                }
            }
            _ => {}
        }
    }

    /// Marks what sets the condition codes that are read at a place.
    fn mark_setter(&mut self, at: u32, before: usize) {
        let insts = &self.lir.blocks[at as usize].insts;
        let setter = insts[..before]
            .iter()
            .rposition(|inst| inst.op.sets_conditions());
        if let Some(index) = setter {
            self.mark_inst(at, index as u32);
        }
    }
}
