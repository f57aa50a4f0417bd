//! Virtual code: BPF instructions whose registers are still virtual.
//!
//! Each [`LirInst`] is a template [`Insn`] and a list of operands for the register allocator; after
//! allocation the operands' registers are written into the template. Blocks have parameters as in
//! MIR, and no edge is critical, so the allocator can place moves on any edge.

use bpf::insn::{Insn, Reg};
use mir::{CoreRelo, External, Func, SourceLoc, Symbol};
use regalloc2::{Operand, PRegSet, VReg};

/// A virtual instruction.
#[derive(Clone, Debug)]
pub struct LirInst {
    /// What is emitted.
    pub op: LirOp,
    /// Operands; [`LirOp`] says in which order.
    pub operands: Vec<Operand>,
    /// Registers destroyed.
    pub clobbers: PRegSet,
    /// Source position.
    pub location: Option<SourceLoc>,
    /// Input slot plus one, 0 for none.
    pub origin: u32,
    /// CO-RE record on the emitted instruction.
    pub core_relo: Option<CoreRelo>,
}

/// What a virtual instruction becomes.
#[derive(Clone, Copy, Debug)]
pub enum LirOp {
    /// Nothing: the operand is a definition that leaves its register unset.
    Undef,
    /// Nothing: operands are the parameters in their fixed registers.
    Parameters,
    /// A template; [`assign`] says which operand goes where.
    Insn(Insn),
    /// `ld_imm64` of a symbol; operand 0 is defined.
    Symbol(Symbol),
    /// A call to a function of the module.
    CallFunc(Func),
    /// A call to a function outside.
    CallExternal(External),
    /// Unconditional jump to successor 0.
    Jump,
    /// Conditional jump by the template to successor 0, else successor 1.
    Branch(Insn),
    /// Return.
    Return,
}

/// A successor with its arguments.
#[derive(Clone, Debug)]
pub struct LirEdge {
    /// Block index.
    pub block: usize,
    /// Arguments.
    pub args: Vec<VReg>,
}

/// A block: a range of instructions.
#[derive(Clone, Debug, Default)]
pub struct LirBlock {
    /// Instructions, by index.
    pub insts: std::ops::Range<usize>,
    /// Parameters.
    pub params: Vec<VReg>,
    /// Successors: none, one, or taken and not taken.
    pub successors: Vec<LirEdge>,
}

/// A function in virtual code; block 0 is the entry.
#[derive(Clone, Debug, Default)]
pub struct Lir {
    /// Instructions of all blocks, block after block.
    pub insts: Vec<LirInst>,
    /// Blocks, numbered in reverse postorder.
    pub blocks: Vec<LirBlock>,
    /// The order in which blocks are emitted.
    pub layout: Vec<usize>,
    /// Number of virtual registers.
    pub vregs: usize,
    /// Whether an unset value flows into a block parameter.
    pub has_undef_flow: bool,
}

/// Writes registers into a template. `regs` are the allocations in operand order, without the
/// operands that are tied to fixed registers of calls. Uses come first, then the definition:
/// - ALU: `dst` (tied to the definition), `src` unless immediate; then the definition;
/// - `mov`, `movsx`, cast: `src` unless immediate; then the definition;
/// - load: base unless the frame pointer; then the definition;
/// - store: base unless the frame pointer, value unless immediate;
/// - atomic: base unless the frame pointer, value, then for compare-exchange `r0`.
#[must_use]
pub fn assign(template: Insn, regs: &[Reg]) -> Insn {
    use bpf::insn::{AluOp, AtomicOp, Operand as Source};
    let mut next = regs.iter().copied();
    let mut take = |old: Reg| {
        if old == FRAME {
            FRAME
        } else {
            next.next().unwrap_or(old)
        }
    };
    let mut insn = template;
    match &mut insn {
        Insn::Alu {
            op: AluOp::Mov,
            dst,
            src,
            ..
        } => {
            if let Source::Reg(reg) = src {
                *reg = take(*reg);
            }
            *dst = take(*dst);
        }
        Insn::Alu { dst, src, .. } => {
            *dst = take(*dst);
            if let Source::Reg(reg) = src {
                *reg = take(*reg);
            }
        }
        Insn::Neg { dst, .. } | Insn::Endian { dst, .. } | Insn::LoadImm64 { dst, .. } => {
            *dst = take(*dst);
        }
        Insn::Movsx { dst, src, .. } | Insn::AddrSpaceCast { dst, src, .. } => {
            *src = take(*src);
            *dst = take(*dst);
        }
        Insn::Load { dst, base, .. } | Insn::LoadAcquire { dst, base, .. } => {
            *base = take(*base);
            *dst = take(*dst);
        }
        Insn::Store { base, src, .. } => {
            *base = take(*base);
            if let Source::Reg(reg) = src {
                *reg = take(*reg);
            }
        }
        Insn::StoreRelease { base, src, .. } => {
            *base = take(*base);
            *src = take(*src);
        }
        Insn::Atomic {
            op: AtomicOp::Cmpxchg,
            base,
            src,
            ..
        }
        | Insn::Atomic { base, src, .. } => {
            *base = take(*base);
            *src = take(*src);
        }
        Insn::LoadInd { src, .. } => *src = take(*src),
        Insn::Branch { dst, src, .. } => {
            *dst = take(*dst);
            if let Source::Reg(reg) = src {
                *reg = take(*reg);
            }
        }
        Insn::Callx { dst } => *dst = take(*dst),
        Insn::LoadAbs { .. }
        | Insn::Goto { .. }
        | Insn::MayGoto { .. }
        | Insn::Gotox { .. }
        | Insn::Call { .. }
        | Insn::Exit => {}
    }
    insn
}

/// The frame pointer, which is in no operand list.
pub const FRAME: Reg = Reg(10);
/// Stands in a template where a register will be written.
pub const ANY: Reg = Reg(0);
