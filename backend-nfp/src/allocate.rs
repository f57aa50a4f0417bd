//! Register allocation by regalloc2, behind one function: banks are its classes.
//!
//! Registers that helpers destroy come first, so that those that they keep are left for what lives
//! over calls. What the firmware needs is in no list. Spill slots are words of the stack that one
//! instruction reaches.

use regalloc2::{
    Block, Function, Inst, InstRange, MachineEnv, Operand, OperandConstraint, OperandKind,
    OperandPos, Output, PReg, PRegSet, RegClass, RegallocOptions, VReg,
};

use crate::firmware::Abi;
use crate::isa::Bank;
use crate::lir::{End, Fixed, Lir, Op, Reg, Source, Target};

/// The general register that holds the stack's address (NFP.md, section 5).
pub(crate) const STACK_BASE: Fixed = Fixed {
    bank: Bank::A,
    number: 22,
};

/// Why there are no registers: a mistake of ours, or of the allocator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("register allocation failed: {0}")]
pub struct AllocationError(pub String);

/// The machine register of a fixed one.
pub(crate) fn preg(fixed: Fixed) -> PReg {
    PReg::new(usize::from(fixed.number), class(fixed.bank))
}

fn class(bank: Bank) -> RegClass {
    match bank {
        Bank::A => RegClass::Int,
        Bank::B => RegClass::Float,
    }
}

/// The bank and number of an allocated register.
pub(crate) fn fixed(preg: PReg) -> Fixed {
    Fixed {
        bank: match preg.class() {
            RegClass::Int => Bank::A,
            _ => Bank::B,
        },
        number: preg.hw_enc() as u8,
    }
}

/// Registers that programs may use.
fn usable(abi: &Abi, bank: Bank) -> impl Iterator<Item = Fixed> + '_ {
    (0..32)
        .map(move |number| Fixed { bank, number })
        .filter(|one| *one != STACK_BASE && !abi.live.contains(&(one.bank, one.number)))
}

fn environment(abi: &Abi) -> MachineEnv {
    let set = |bank, kept: bool| {
        usable(abi, bank)
            .filter(|one| abi.preserved.contains(&one.number) == kept)
            .fold(PRegSet::empty(), |set, one| set.with(preg(one)))
    };
    MachineEnv {
        preferred_regs_by_class: [set(Bank::A, false), set(Bank::B, false), PRegSet::empty()],
        non_preferred_regs_by_class: [set(Bank::A, true), set(Bank::B, true), PRegSet::empty()],
        scratch_by_class: [None; 3],
        fixed_stack_slots: Vec::new(),
    }
}

/// Registers that a helper destroys.
pub(crate) fn destroyed_registers(abi: &Abi) -> impl Iterator<Item = Fixed> + '_ {
    [Bank::A, Bank::B]
        .into_iter()
        .flat_map(|bank| usable(abi, bank))
        .filter(|one| !abi.preserved.contains(&one.number))
}

fn destroyed(abi: &Abi) -> PRegSet {
    destroyed_registers(abi).fold(PRegSet::empty(), |set, one| set.with(preg(one)))
}

/// The allocator's view of virtual code. Each block's end is an instruction of its own.
struct View {
    blocks: Vec<(usize, usize)>,
    operands: Vec<Vec<Operand>>,
    clobbers: Vec<PRegSet>,
    ends: Vec<Option<bool>>,
    params: Vec<Vec<VReg>>,
    successors: Vec<Vec<Block>>,
    predecessors: Vec<Vec<Block>>,
    args: Vec<Vec<Vec<VReg>>>,
    regs: usize,
}

struct Lister<'a> {
    banks: &'a [Bank],
    operands: Vec<Operand>,
}

impl Lister<'_> {
    fn vreg(&self, reg: Reg) -> VReg {
        VReg::new(reg.0 as usize, class(self.banks[reg.0 as usize]))
    }

    fn reads(&mut self, source: Source) {
        if let Source::Reg(reg) = source {
            self.operands.push(Operand::reg_use(self.vreg(reg)));
        }
    }

    fn reads_fixed(&mut self, reg: Reg, place: Fixed) {
        let operand = Operand::reg_fixed_use(self.vreg(reg), preg(place));
        self.operands.push(operand);
    }

    fn writes(&mut self, reg: Reg, constraint: OperandConstraint, at: OperandPos) {
        let operand = Operand::new(self.vreg(reg), constraint, OperandKind::Def, at);
        self.operands.push(operand);
    }
}

/// The operands of an instruction, sources first, in the order in which [`Op::for_each_source`] and
/// [`crate::lir::Inst::defs`] give them.
fn operands(inst: &crate::lir::Inst, banks: &[Bank]) -> Vec<Operand> {
    let mut list = Lister {
        banks,
        operands: Vec::new(),
    };
    let place = |number: u8, reg: Reg, list: &Lister<'_>| {
        let bank = list.banks[reg.0 as usize];
        OperandConstraint::FixedReg(preg(Fixed { bank, number }))
    };
    match &inst.op {
        Op::Helper(helper) => {
            for (number, source) in &helper.arguments {
                if let Source::Reg(reg) = source {
                    let bank = Bank::A;
                    let number = *number;
                    list.reads_fixed(*reg, Fixed { bank, number });
                }
            }
            for (reg, number) in [(helper.low, 0), (helper.high, 1)] {
                if let Some(reg) = reg {
                    let constraint = place(number, reg, &list);
                    list.writes(reg, constraint, OperandPos::Late);
                }
            }
        }
        Op::Call(call) => {
            for (place, source) in &call.arguments {
                if let Source::Reg(reg) = source {
                    list.reads_fixed(*reg, *place);
                }
            }
            for (place, reg) in &call.results {
                let constraint = OperandConstraint::FixedReg(preg(*place));
                list.writes(*reg, constraint, OperandPos::Late);
            }
        }
        Op::Parameters(params) => {
            for (reg, place) in params {
                let constraint = OperandConstraint::FixedReg(preg(*place));
                list.writes(*reg, constraint, OperandPos::Late);
            }
        }
        op => {
            for source in op.sources() {
                list.reads(source);
            }
            let (mut constraint, mut at) = (OperandConstraint::Reg, OperandPos::Late);
            match op {
                Op::Field {
                    old: Some(Source::Reg(_)),
                    ..
                } => constraint = OperandConstraint::Reuse(0),
                // Made before the command reads its operands.
                Op::Add { .. } => at = OperandPos::Early,
                _ => {}
            }
            if let Target::Reg(reg) = inst.target {
                list.writes(reg, constraint, at);
            }
            if let Op::Multiply {
                high: Some(high), ..
            } = op
            {
                list.writes(*high, OperandConstraint::Reg, OperandPos::Late);
            }
        }
    }
    list.operands
}

impl View {
    fn new(lir: &Lir, banks: &[Bank], abi: &Abi) -> View {
        let count = lir.blocks.len();
        let mut view = View {
            blocks: Vec::new(),
            operands: Vec::new(),
            clobbers: Vec::new(),
            ends: Vec::new(),
            params: Vec::new(),
            successors: vec![Vec::new(); count],
            predecessors: vec![Vec::new(); count],
            args: Vec::new(),
            regs: lir.regs as usize,
        };
        let destroyed = destroyed(abi);
        for (at, block) in lir.blocks.iter().enumerate() {
            let first = view.operands.len();
            for inst in &block.insts {
                let operands = operands(inst, banks);
                let mut clobbers = match &inst.op {
                    Op::Helper(_) => destroyed,
                    Op::Call(call) => call
                        .clobbers
                        .iter()
                        .fold(PRegSet::empty(), |set, one| set.with(preg(*one))),
                    _ => PRegSet::empty(),
                };
                for operand in &operands {
                    if let (OperandKind::Def, OperandConstraint::FixedReg(preg)) =
                        (operand.kind(), operand.constraint())
                    {
                        clobbers.remove(preg);
                    }
                }
                view.operands.push(operands);
                view.clobbers.push(clobbers);
                view.ends.push(None);
            }
            let mut list = Lister {
                banks,
                operands: Vec::new(),
            };
            match &block.end {
                Some(End::Branch(branch, ..)) => {
                    if let Some(source) = branch.source() {
                        list.reads(source);
                    }
                }
                Some(End::Done(reg)) => {
                    let (bank, number) = (Bank::A, 0);
                    list.reads_fixed(*reg, Fixed { bank, number });
                }
                Some(End::Return(address, results)) => {
                    list.reads(Source::Reg(*address));
                    for (place, reg) in results {
                        list.reads_fixed(*reg, *place);
                    }
                }
                _ => {}
            }
            let leaves = matches!(block.end, Some(End::Done(_) | End::Return(..)) | None);
            view.operands.push(list.operands);
            view.clobbers.push(PRegSet::empty());
            view.ends.push(Some(leaves));
            view.blocks.push((first, view.operands.len()));
            let list = Lister {
                banks,
                operands: Vec::new(),
            };
            let params = block.params.iter().map(|reg| list.vreg(*reg)).collect();
            view.params.push(params);
            let mut args = Vec::new();
            for edge in block.end.iter().flat_map(End::edges) {
                view.successors[at].push(Block::new(edge.block.index()));
                view.predecessors[edge.block.index()].push(Block::new(at));
                args.push(edge.args.iter().map(|reg| list.vreg(*reg)).collect());
            }
            view.args.push(args);
        }
        view
    }
}

impl Function for View {
    fn num_insts(&self) -> usize {
        self.operands.len()
    }

    fn num_blocks(&self) -> usize {
        self.blocks.len()
    }

    fn entry_block(&self) -> Block {
        Block::new(0)
    }

    fn block_insns(&self, block: Block) -> InstRange {
        let (first, end) = self.blocks[block.index()];
        InstRange::new(Inst::new(first), Inst::new(end))
    }

    fn block_succs(&self, block: Block) -> &[Block] {
        &self.successors[block.index()]
    }

    fn block_preds(&self, block: Block) -> &[Block] {
        &self.predecessors[block.index()]
    }

    fn block_params(&self, block: Block) -> &[VReg] {
        &self.params[block.index()]
    }

    fn is_ret(&self, inst: Inst) -> bool {
        self.ends[inst.index()] == Some(true)
    }

    fn is_branch(&self, inst: Inst) -> bool {
        self.ends[inst.index()] == Some(false)
    }

    fn branch_blockparams(&self, block: Block, _: Inst, successor: usize) -> &[VReg] {
        &self.args[block.index()][successor]
    }

    fn inst_operands(&self, inst: Inst) -> &[Operand] {
        &self.operands[inst.index()]
    }

    fn inst_clobbers(&self, inst: Inst) -> PRegSet {
        self.clobbers[inst.index()]
    }

    fn num_vregs(&self) -> usize {
        self.regs
    }

    fn spillslot_size(&self, _: RegClass) -> usize {
        1
    }
}

/// Allocates registers; with `check` the result is proved by the allocator's independent checker.
///
/// # Errors
/// [`AllocationError`]
pub(crate) fn allocate(
    lir: &Lir,
    banks: &[Bank],
    abi: &Abi,
    check: bool,
) -> Result<Output, AllocationError> {
    let view = View::new(lir, banks, abi);
    let environment = environment(abi);
    let options = RegallocOptions {
        validate_ssa: check,
        ..RegallocOptions::default()
    };
    let output = regalloc2::run(&view, &environment, &options)
        .map_err(|error| AllocationError(error.to_string()))?;
    if check {
        let mut checker = regalloc2::checker::Checker::new(&view, &environment);
        checker.prepare(&output);
        checker
            .run()
            .map_err(|errors| AllocationError(format!("{errors:?}")))?;
    }
    Ok(output)
}
