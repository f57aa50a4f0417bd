//! Instruction selection: MIR to virtual code.
//!
//! One MIR instruction becomes at most a few BPF instructions. What is cheap to make again is made
//! at its use and never held in a register: constants, frame addresses, map references. Everything
//! that folds into an instruction is folded there: immediates, constant offsets from the frame
//! pointer, the widening of a 32-bit result.
//!
//! **Halves.** An `i32` value lives in a register whose upper half is unspecified, so `trunc` costs
//! nothing; `zext` costs nothing when the register was last written by an instruction that clears
//! the upper half, and one `w` move otherwise.
//!
//! **Soundness for the verifier.** Operations stay in their order; a pointer is only ever copied by
//! 64-bit moves; an unset value becomes no instruction at all. Blocks are visited in reverse
//! postorder, so definitions are selected before their uses. The cost is linear.

mod address;
pub(crate) mod blocks;
mod calls;
mod operands;
mod operations;

use crate::lir::{Lir, LirInst, LirOp};
use crate::{EmitError, Options};
use bpf::insn::Insn;
use cranelift_entity::SecondaryMap;
use mir::{Block, Function, Inst, Module, Opcode, Value};
use regalloc2::{Operand, PRegSet, RegClass, VReg};
use std::collections::BTreeMap;

/// Selects instructions for a function.
///
/// # Errors
/// When an operation cannot be said at the instruction set level, or an operand does not fit.
pub fn select(
    module: &Module,
    func: &Function,
    options: &Options,
    strategy: Strategy,
) -> Result<Lir, EmitError> {
    if func.is_declaration() {
        return Err(EmitError::Declaration);
    }
    Selector::new(module, func, options, strategy).run()
}

/// Choices that selection leaves open; emission tries several and keeps the shortest result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Strategy {
    /// Make unset values that flow into block parameters zero.
    pub init_undef: bool,
    /// Copy the result into `r0` before returning, so that it need not live there.
    pub copy_return: bool,
    /// Copy the result of a call out of `r0` at once.
    pub copy_call_results: bool,
    /// Make constants that flow into block parameters on the edge, in the parameter's register.
    pub constants_on_edges: bool,
    /// Make each address in the frame once a block, and not at each use.
    pub share_frame_addresses: bool,
}

struct Selector<'a> {
    module: &'a Module,
    func: &'a Function,
    options: &'a Options,
    strategy: Strategy,
    uses: SecondaryMap<Value, u32>,
    /// Uses that are not selected yet.
    uses_left: SecondaryMap<Value, u32>,
    vregs: SecondaryMap<Value, Option<VReg>>,
    /// Patched constants that their only user takes as an immediate.
    folded: SecondaryMap<Value, bool>,
    /// Constants and addresses that flow into block parameters: made where the program made them, since one made
    /// on the edge would need a block of its own there.
    anchored: SecondaryMap<Value, bool>,
    /// Virtual registers whose upper half is known zero.
    clean: Vec<bool>,
    /// Instructions of each virtual block.
    code: Vec<Vec<LirInst>>,
    lir: Lir,
    places: Option<blocks::Places>,
    current: usize,
    mir_block: Option<Block>,
    cause: Option<Inst>,
    /// Constants that take two slots, and how often they are used.
    wide_constants: BTreeMap<i64, u32>,
    /// Frame addresses made in the current block, by offset, if they are shared.
    frame_addresses: BTreeMap<i32, VReg>,
}

impl<'a> Selector<'a> {
    fn new(
        module: &'a Module,
        func: &'a Function,
        options: &'a Options,
        strategy: Strategy,
    ) -> Self {
        let uses = func.use_counts();
        Selector {
            module,
            func,
            options,
            strategy,
            uses_left: uses.clone(),
            uses,
            vregs: SecondaryMap::with_capacity(func.dfg.value_count()),
            folded: SecondaryMap::new(),
            anchored: SecondaryMap::new(),
            clean: Vec::with_capacity(func.dfg.value_count()),
            code: Vec::new(),
            lir: Lir::default(),
            places: None,
            current: 0,
            mir_block: None,
            cause: None,
            wide_constants: BTreeMap::new(),
            frame_addresses: BTreeMap::new(),
        }
    }

    fn new_vreg(&mut self) -> VReg {
        let vreg = VReg::new(self.clean.len(), RegClass::Int);
        self.clean.push(false);
        vreg
    }

    fn is_clean(&self, vreg: VReg) -> bool {
        self.clean[vreg.vreg()]
    }

    fn mark_clean(&mut self, vreg: VReg) {
        self.clean[vreg.vreg()] = true;
    }

    /// Adds an instruction with the position and origin of the MIR instruction at hand.
    fn push(&mut self, op: LirOp, operands: Vec<Operand>) -> &mut LirInst {
        self.push_clobbering(op, operands, PRegSet::empty())
    }

    fn push_clobbering(
        &mut self,
        op: LirOp,
        operands: Vec<Operand>,
        clobbers: PRegSet,
    ) -> &mut LirInst {
        let (location, origin) = match self.cause {
            Some(inst) => (self.func.locations[inst].expand(), self.func.origins[inst]),
            None => (None, 0),
        };
        let list = &mut self.code[self.current];
        list.push(LirInst {
            op,
            operands,
            clobbers,
            location,
            origin,
            core_relo: None,
        });
        let last = list.len() - 1;
        &mut list[last]
    }

    /// Adds a template that defines a fresh register; `uses` are its use operands in order.
    fn define(&mut self, template: Insn, mut uses: Vec<Operand>) -> VReg {
        let vreg = self.new_vreg();
        uses.push(Operand::reg_def(vreg));
        self.push(LirOp::Insn(template), uses);
        vreg
    }

    /// Like [`Self::define`], with the definition in the register of use 0.
    fn define_reusing(&mut self, template: Insn, mut uses: Vec<Operand>) -> VReg {
        let vreg = self.new_vreg();
        uses.push(Operand::reg_reuse_def(vreg, 0));
        self.push(LirOp::Insn(template), uses);
        vreg
    }

    fn set(&mut self, value: Value, vreg: VReg) {
        self.vregs[value] = Some(vreg);
    }

    fn result(&self, inst: Inst) -> Option<Value> {
        self.func.dfg.result(inst)
    }

    fn is_undef(&self, value: Value) -> bool {
        self.func
            .dfg
            .def_inst(value)
            .is_some_and(|(_, data)| data.opcode() == Opcode::Undef)
    }

    /// Puts the blocks' instructions in one list.
    fn finish(mut self) -> Lir {
        self.lir.vregs = self.clean.len();
        for (block, code) in self
            .lir
            .blocks
            .iter_mut()
            .zip(std::mem::take(&mut self.code))
        {
            let start = self.lir.insts.len();
            self.lir.insts.extend(code);
            block.insts = start..self.lir.insts.len();
        }
        debug_assert!(self.lir.blocks.iter().all(|block| !block.insts.is_empty()));
        self.lir
    }
}
