//! Register allocation by regalloc2, behind one function.
//!
//! `r0` to `r5` are preferred, `r6` to `r9` are taken for what lives across calls: using them costs
//! nothing in BPF, since every frame has its own. `r10` is the frame pointer and in no list. No
//! scratch register is reserved: the allocator breaks cycles of moves with whatever is free.
//! Its result can be proved by its independent checker, which tests and debug builds do.

use crate::EmitError;
use crate::lir::{Lir, LirOp};
use regalloc2::{
    Block, Function, Inst, InstRange, MachineEnv, Operand, Output, PReg, PRegSet, RegClass,
    RegallocOptions, VReg,
};

/// The machine register with this number.
#[must_use]
pub fn preg(number: u8) -> PReg {
    PReg::new(usize::from(number), RegClass::Int)
}

/// Registers that a call destroys without being its result: `r1` to `r5`.
#[must_use]
pub fn call_clobbers() -> PRegSet {
    (1..=5).fold(PRegSet::empty(), |set, number| set.with(preg(number)))
}

fn environment() -> MachineEnv {
    let set = |range: std::ops::RangeInclusive<u8>| {
        range.fold(PRegSet::empty(), |set, number| set.with(preg(number)))
    };
    MachineEnv {
        preferred_regs_by_class: [set(0..=5), PRegSet::empty(), PRegSet::empty()],
        non_preferred_regs_by_class: [set(6..=9), PRegSet::empty(), PRegSet::empty()],
        scratch_by_class: [None; 3],
        fixed_stack_slots: Vec::new(),
    }
}

/// The allocator's view of virtual code.
struct View<'a> {
    lir: &'a Lir,
    successors: Vec<Vec<Block>>,
    predecessors: Vec<Vec<Block>>,
}

impl<'a> View<'a> {
    fn new(lir: &'a Lir) -> Self {
        let mut successors = vec![Vec::new(); lir.blocks.len()];
        let mut predecessors = vec![Vec::new(); lir.blocks.len()];
        for (index, block) in lir.blocks.iter().enumerate() {
            for edge in &block.successors {
                successors[index].push(Block::new(edge.block));
                predecessors[edge.block].push(Block::new(index));
            }
        }
        View {
            lir,
            successors,
            predecessors,
        }
    }
}

impl Function for View<'_> {
    fn num_insts(&self) -> usize {
        self.lir.insts.len()
    }

    fn num_blocks(&self) -> usize {
        self.lir.blocks.len()
    }

    fn entry_block(&self) -> Block {
        Block::new(0)
    }

    fn block_insns(&self, block: Block) -> InstRange {
        let range = &self.lir.blocks[block.index()].insts;
        InstRange::new(Inst::new(range.start), Inst::new(range.end))
    }

    fn block_succs(&self, block: Block) -> &[Block] {
        &self.successors[block.index()]
    }

    fn block_preds(&self, block: Block) -> &[Block] {
        &self.predecessors[block.index()]
    }

    fn block_params(&self, block: Block) -> &[VReg] {
        &self.lir.blocks[block.index()].params
    }

    fn is_ret(&self, inst: Inst) -> bool {
        matches!(self.lir.insts[inst.index()].op, LirOp::Return)
    }

    fn is_branch(&self, inst: Inst) -> bool {
        matches!(
            self.lir.insts[inst.index()].op,
            LirOp::Jump | LirOp::Branch(_)
        )
    }

    fn branch_blockparams(&self, block: Block, _: Inst, successor: usize) -> &[VReg] {
        &self.lir.blocks[block.index()].successors[successor].args
    }

    fn inst_operands(&self, inst: Inst) -> &[Operand] {
        &self.lir.insts[inst.index()].operands
    }

    fn inst_clobbers(&self, inst: Inst) -> PRegSet {
        self.lir.insts[inst.index()].clobbers
    }

    fn num_vregs(&self) -> usize {
        self.lir.vregs
    }

    fn spillslot_size(&self, _: RegClass) -> usize {
        1
    }
}

/// Allocates registers, and keeps its tables for the next function: most of their memory is as
/// large as the function, and getting it anew each time costs a tenth of a compilation.
#[derive(Default)]
pub struct Allocator {
    tables: regalloc2::Ctx,
}

impl std::fmt::Debug for Allocator {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Allocator").finish_non_exhaustive()
    }
}

impl Allocator {
    /// Allocates registers; with `check` the result is proved.
    ///
    /// # Errors
    /// [`EmitError::Allocation`], which is a bug of ours.
    pub fn allocate(&mut self, lir: &Lir, check: bool) -> Result<Output, EmitError> {
        let view = View::new(lir);
        let environment = environment();
        let options = RegallocOptions {
            validate_ssa: check,
            ..RegallocOptions::default()
        };
        regalloc2::run_with_ctx(&view, &environment, &options, &mut self.tables)
            .map_err(|error| EmitError::Allocation(error.to_string()))?;
        let output = std::mem::take(&mut self.tables.output);
        if check {
            let mut checker = regalloc2::checker::Checker::new(&view, &environment);
            checker.prepare(&output);
            checker
                .run()
                .map_err(|errors| EmitError::Allocation(format!("checker: {errors:?}")))?;
        }
        Ok(output)
    }
}
