//! Banks: which of its two operands' fields can read a register.
//!
//! **What.** An instruction reads one register of bank A and one of bank B. So registers that meet in
//! an instruction should lie in different banks, and that is a two-colouring of a graph with weights:
//! an edge that cannot be had costs a copy each time that its instruction runs.
//!
//! **How.** Edges are taken by weight, the heaviest first, into a union-find with parity; one that
//! contradicts what is decided already is given up (a maximum spanning forest is always had).
//! Then copies are inserted where two operands still share a bank, one for each register and block.
//!
//! **Soundness.** Copies are of SSA values, right before their use, and leave condition codes alone.
//! Whether two operands of an encoded word share a bank cannot even be expressed, and what each word
//! reads is followed by the checker.
//!
//! **Cost.** A sort of the edges; at most three for an instruction.

use std::collections::BTreeMap;

use crate::isa::Bank;
use crate::lir::{End, Inst, Lir, Op, Reg, Source, Target};

/// How much more an instruction counts in a loop, at each depth.
const LOOP_WEIGHT: u64 = 8;
/// Depths that count.
const DEEPEST: u32 = 6;

/// Registers, and the two banks themselves as nodes that are decided.
struct Colours {
    parent: Vec<u32>,
    /// Whether a node's bank differs from its parent's.
    differs: Vec<bool>,
}

/// A wish: two nodes in one bank, or in different ones.
struct Wish {
    weight: u64,
    a: u32,
    b: u32,
    differ: bool,
}

/// The node that stands for bank A.
const IN_A: u32 = 0;

fn node(reg: Reg) -> u32 {
    reg.0 + 1
}

impl Colours {
    fn find(&mut self, node: u32) -> (u32, bool) {
        let mut root = node;
        let mut parity = false;
        while self.parent[root as usize] != root {
            parity ^= self.differs[root as usize];
            root = self.parent[root as usize];
        }
        // Shorten the way for next time.
        let (mut at, mut left) = (node, parity);
        while self.parent[at as usize] != at {
            let (next, differs) = (self.parent[at as usize], self.differs[at as usize]);
            self.parent[at as usize] = root;
            self.differs[at as usize] = left;
            left ^= differs;
            at = next;
        }
        (root, parity)
    }

    fn take(&mut self, wish: &Wish) {
        let ((a, pa), (b, pb)) = (self.find(wish.a), self.find(wish.b));
        if a != b {
            self.parent[a as usize] = b;
            self.differs[a as usize] = pa ^ pb ^ wish.differ;
        }
    }
}

/// The bank in which a register should be, if an instruction wants a certain one.
fn fixed(inst: &Inst) -> Vec<(Reg, Bank)> {
    let mut wishes = Vec::new();
    let mut want = |source: Source, bank: Bank| {
        if let Source::Reg(reg) = source {
            wishes.push((reg, bank));
        }
    };
    match &inst.op {
        Op::IndirectShift { amount, .. } => want(*amount, Bank::A),
        Op::ArithmeticShiftBy(value, amount) => {
            want(*value, Bank::B);
            want(*amount, Bank::A);
        }
        Op::Read(access, _) | Op::Write(access) | Op::Add { access, .. } => {
            want(access.a, Bank::A);
            want(access.b, Bank::B);
        }
        Op::Helper(helper) => {
            for (_, source) in &helper.arguments {
                want(*source, Bank::A);
            }
        }
        Op::Call(call) => {
            for (place, source) in &call.arguments {
                want(*source, place.bank);
            }
        }
        Op::Alu(_, Source::StackBase, other) | Op::Alu(_, other, Source::StackBase) => {
            want(*other, Bank::B);
        }
        _ => {}
    }
    wishes
}

/// Results whose bank is not to be chosen.
fn fixed_results(inst: &Inst) -> Vec<(Reg, Bank)> {
    match &inst.op {
        Op::Call(call) => call
            .results
            .iter()
            .map(|(place, reg)| (*reg, place.bank))
            .collect(),
        Op::Parameters(params) => params
            .iter()
            .map(|(reg, place)| (*reg, place.bank))
            .collect(),
        _ => Vec::new(),
    }
}

/// Two sources that one instruction reads.
fn couple(op: &Op) -> Option<(Source, Source)> {
    match op {
        Op::Alu(_, a, b) | Op::Shift(_, a, b, _) => Some((*a, *b)),
        Op::Multiply { a, b, .. } => Some((*a, *b)),
        Op::IndirectShift { left, right, .. } => Some((*left, *right)),
        Op::Field {
            old: Some(old),
            source,
            ..
        } => Some((*old, *source)),
        _ => None,
    }
}

fn wishes(lir: &Lir) -> Vec<Wish> {
    let mut all = Vec::new();
    for block in &lir.blocks {
        let weight = LOOP_WEIGHT.pow(block.depth.min(DEEPEST)) * 4;
        let mut add = |weight: u64, a: u32, b: u32, differ: bool| {
            all.push(Wish {
                weight,
                a,
                b,
                differ,
            });
        };
        for inst in &block.insts {
            for (reg, bank) in fixed(inst) {
                add(weight, node(reg), IN_A, bank == Bank::B);
            }
            for (reg, bank) in fixed_results(inst) {
                // Not a wish: nothing else is possible.
                add(u64::MAX, node(reg), IN_A, bank == Bank::B);
            }
            if let Some((Source::Reg(a), Source::Reg(b))) = couple(&inst.op)
                && a != b
            {
                add(weight, node(a), node(b), true);
            }
            if let Op::Field { old, source, .. } = &inst.op
                && let Target::Reg(target) = inst.target
            {
                // The target is the other operand.
                if let Source::Reg(source) = source {
                    add(weight + 1, node(target), node(*source), true);
                }
                if let Some(Source::Reg(old)) = old {
                    add(weight, node(target), node(*old), false);
                }
            }
        }
        match &block.end {
            Some(End::Done(reg)) => add(weight, node(*reg), IN_A, false),
            Some(End::Return(_, results)) => {
                for (place, reg) in results {
                    add(weight, node(*reg), IN_A, place.bank == Bank::B);
                }
            }
            _ => {}
        }
        for edge in block.end.iter().flat_map(End::edges) {
            let params = &lir.blocks[edge.block.index()].params;
            for (param, arg) in params.iter().zip(&edge.args) {
                add(weight - 1, node(*param), node(*arg), false);
            }
        }
    }
    all
}

/// Gives each register a bank, and inserts the copies that remain.
pub(crate) fn assign(lir: &mut Lir) -> Vec<Bank> {
    let nodes = lir.regs + 1;
    let mut colours = Colours {
        parent: (0..nodes).collect(),
        differs: vec![false; nodes as usize],
    };
    let mut wishes = wishes(lir);
    wishes.sort_by_key(|wish| std::cmp::Reverse(wish.weight));
    for wish in &wishes {
        colours.take(wish);
    }
    let (root, base) = colours.find(IN_A);
    let mut banks: Vec<Bank> = (0..lir.regs)
        .map(|reg| {
            let (found, parity) = colours.find(reg + 1);
            // Registers that no wish ties to a bank begin in B, which has more of them.
            let in_a = found == root && parity == base || found != root && parity;
            if in_a { Bank::A } else { Bank::B }
        })
        .collect();
    for block in 0..lir.blocks.len() {
        repair(lir, block, &mut banks);
    }
    banks
}

/// Copies of a block's registers in the other bank.
struct Copies<'a> {
    banks: &'a mut Vec<Bank>,
    regs: &'a mut u32,
    made: BTreeMap<Reg, Reg>,
    insts: Vec<Inst>,
}

impl Copies<'_> {
    fn bank(&self, reg: Reg) -> Bank {
        self.banks[reg.0 as usize]
    }

    /// The register, or a copy of it, in a bank.
    fn within(&mut self, reg: Reg, bank: Bank, like: &Inst) -> Reg {
        if self.bank(reg) == bank {
            return reg;
        }
        if let Some(copy) = self.made.get(&reg) {
            return *copy;
        }
        let copy = Reg(*self.regs);
        *self.regs += 1;
        self.banks.push(bank);
        self.made.insert(reg, copy);
        self.insts.push(Inst {
            op: Op::Copy(Source::Reg(reg)),
            target: Target::Reg(copy),
            location: like.location,
            origin: like.origin,
        });
        copy
    }
}

fn other(bank: Bank) -> Bank {
    match bank {
        Bank::A => Bank::B,
        Bank::B => Bank::A,
    }
}

fn repair(lir: &mut Lir, block: usize, banks: &mut Vec<Bank>) {
    let insts = std::mem::take(&mut lir.blocks[block].insts);
    let end = lir.blocks[block].end.take();
    let mut regs = lir.regs;
    let mut copies = Copies {
        banks,
        regs: &mut regs,
        made: BTreeMap::new(),
        insts: Vec::new(),
    };
    for mut inst in insts {
        repair_inst(&mut inst, &mut copies);
        copies.insts.push(inst);
    }
    let like = Inst {
        op: Op::Immediate(0),
        target: Target::Nothing,
        location: lir.blocks[block].location,
        origin: lir.blocks[block].origin,
    };
    let mut end = end;
    match &mut end {
        Some(End::Done(reg)) => *reg = copies.within(*reg, Bank::A, &like),
        Some(End::Return(_, results)) => {
            for (place, reg) in results {
                *reg = copies.within(*reg, place.bank, &like);
            }
        }
        Some(other) => {
            for edge in other.edges_mut() {
                let params = lir.blocks[edge.block.index()].params.clone();
                for (param, arg) in params.into_iter().zip(&mut edge.args) {
                    let bank = copies.bank(param);
                    *arg = copies.within(*arg, bank, &like);
                }
            }
        }
        None => {}
    }
    lir.blocks[block].insts = copies.insts;
    lir.blocks[block].end = end;
    lir.regs = regs;
}

fn repair_inst(inst: &mut Inst, copies: &mut Copies<'_>) {
    let like = inst.clone();
    let place = |source: &mut Source, bank: Bank, copies: &mut Copies<'_>| {
        if let Source::Reg(reg) = source {
            *reg = copies.within(*reg, bank, &like);
        }
    };
    let apart = |a: &Source, b: &mut Source, copies: &mut Copies<'_>| {
        if let (Source::Reg(a), Source::Reg(b)) = (a, b) {
            let bank = other(copies.bank(*a));
            *b = copies.within(*b, bank, &like);
        }
    };
    match &mut inst.op {
        Op::IndirectShift {
            amount,
            left,
            right,
            ..
        } => {
            place(amount, Bank::A, copies);
            apart(left, right, copies);
        }
        Op::ArithmeticShiftBy(value, amount) => {
            place(value, Bank::B, copies);
            place(amount, Bank::A, copies);
        }
        Op::Read(access, _) | Op::Write(access) | Op::Add { access, .. } => {
            place(&mut access.a, Bank::A, copies);
            place(&mut access.b, Bank::B, copies);
        }
        Op::Helper(helper) => {
            for (_, source) in &mut helper.arguments {
                place(source, Bank::A, copies);
            }
        }
        Op::Call(call) => {
            for (fixed, source) in &mut call.arguments {
                place(source, fixed.bank, copies);
            }
        }
        Op::Alu(_, Source::StackBase, one) | Op::Alu(_, one, Source::StackBase) => {
            place(one, Bank::B, copies);
        }
        Op::Alu(_, a, b) | Op::Shift(_, a, b, _) | Op::Multiply { a, b, .. } => {
            apart(a, b, copies);
        }
        Op::Field { old, source, .. } => {
            if let Target::Reg(target) = inst.target {
                let bank = copies.bank(target);
                place(source, other(bank), copies);
                if let Some(old) = old {
                    place(old, bank, copies);
                }
            }
        }
        _ => {}
    }
}
