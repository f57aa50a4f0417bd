//! What an instruction does to registers and control, for code that walks bytecode directly.

use super::types::{AluOp, AtomicOp, Insn, Operand, Reg};

impl Reg {
    /// The highest register number that any instruction may name.
    pub const MAX: u8 = 11;
    /// The read-only frame pointer.
    pub const FRAME: Reg = Reg(10);
}

/// A set of registers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct RegSet(u16);

impl RegSet {
    /// No register.
    pub const EMPTY: RegSet = RegSet(0);
    /// `r1` to `r5`: the arguments of a call.
    pub const ARGUMENTS: RegSet = RegSet(0b11_1110);
    /// `r0` to `r5`: what a call destroys.
    pub const CLOBBERS: RegSet = RegSet(0b11_1111);

    /// The set with `reg` in it as well.
    #[must_use]
    pub fn with(self, reg: Reg) -> RegSet {
        RegSet(self.0 | 1 << (reg.0 & 15))
    }

    /// The set with `reg` in it as well if `wanted`; the same work in both cases.
    #[inline]
    #[must_use]
    pub fn with_if(self, reg: Reg, wanted: bool) -> RegSet {
        RegSet(self.0 | u16::from(wanted) << (reg.0 & 15))
    }

    /// Whether `reg` is in the set.
    #[must_use]
    pub fn contains(self, reg: Reg) -> bool {
        self.0 >> (reg.0 & 15) & 1 != 0
    }

    /// Registers in either set.
    #[must_use]
    pub fn union(self, other: RegSet) -> RegSet {
        RegSet(self.0 | other.0)
    }

    /// Registers in this set and not in `other`.
    #[must_use]
    pub fn minus(self, other: RegSet) -> RegSet {
        RegSet(self.0 & !other.0)
    }

    /// Whether no register is in the set.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The set as a number: bit *n* for register *n*.
    #[must_use]
    pub fn bits(self) -> u16 {
        self.0
    }

    /// The registers, lowest first.
    pub fn iter(self) -> impl Iterator<Item = Reg> {
        (0..16).map(Reg).filter(move |reg| self.contains(*reg))
    }

    fn operand(self, operand: Operand) -> RegSet {
        match operand {
            Operand::Reg(reg) => self.with(reg),
            Operand::Imm(_) => self,
        }
    }
}

impl FromIterator<Reg> for RegSet {
    fn from_iter<I: IntoIterator<Item = Reg>>(regs: I) -> RegSet {
        regs.into_iter().fold(RegSet::EMPTY, RegSet::with)
    }
}

impl Insn {
    /// Registers whose values matter. For a call all five argument registers, since the count is
    /// a property of who is called.
    #[must_use]
    pub fn reads(&self) -> RegSet {
        let none = RegSet::EMPTY;
        match *self {
            Insn::Alu {
                op: AluOp::Mov,
                src,
                ..
            } => none.operand(src),
            Insn::Alu { dst, src, .. } => none.with(dst).operand(src),
            Insn::Neg { dst, .. } | Insn::Endian { dst, .. } | Insn::Gotox { dst } => {
                none.with(dst)
            }
            Insn::Movsx { src, .. } | Insn::AddrSpaceCast { src, .. } => none.with(src),
            Insn::LoadImm64 { .. } | Insn::Goto { .. } | Insn::MayGoto { .. } => none,
            Insn::Load { base, .. } | Insn::LoadAcquire { base, .. } => none.with(base),
            Insn::Store { base, src, .. } => none.with(base).operand(src),
            Insn::StoreRelease { base, src, .. } => none.with(base).with(src),
            Insn::Atomic { op, base, src, .. } => {
                let set = none.with(base).with(src);
                if op == AtomicOp::Cmpxchg {
                    set.with(Reg(0))
                } else {
                    set
                }
            }
            // The socket buffer is implicit in r6.
            Insn::LoadAbs { .. } => none.with(Reg(6)),
            Insn::LoadInd { src, .. } => none.with(Reg(6)).with(src),
            Insn::Branch { dst, src, .. } => none.with(dst).operand(src),
            Insn::Call { .. } => RegSet::ARGUMENTS,
            Insn::Callx { dst } => RegSet::ARGUMENTS.with(dst),
            Insn::Exit => none.with(Reg(0)),
        }
    }

    /// Registers that get a new value or are destroyed.
    #[must_use]
    pub fn writes(&self) -> RegSet {
        let none = RegSet::EMPTY;
        match *self {
            Insn::Alu { dst, .. }
            | Insn::Neg { dst, .. }
            | Insn::Movsx { dst, .. }
            | Insn::AddrSpaceCast { dst, .. }
            | Insn::Endian { dst, .. }
            | Insn::LoadImm64 { dst, .. }
            | Insn::Load { dst, .. }
            | Insn::LoadAcquire { dst, .. } => none.with(dst),
            Insn::Atomic {
                op: AtomicOp::Cmpxchg,
                ..
            } => none.with(Reg(0)),
            Insn::Atomic {
                fetch: true, src, ..
            } => none.with(src),
            Insn::LoadAbs { .. }
            | Insn::LoadInd { .. }
            | Insn::Call { .. }
            | Insn::Callx { .. } => RegSet::CLOBBERS,
            Insn::Atomic { .. }
            | Insn::Store { .. }
            | Insn::StoreRelease { .. }
            | Insn::Goto { .. }
            | Insn::MayGoto { .. }
            | Insn::Gotox { .. }
            | Insn::Branch { .. }
            | Insn::Exit => none,
        }
    }

    /// Whether control never goes on to the next instruction.
    #[must_use]
    pub fn is_terminator(&self) -> bool {
        matches!(self, Insn::Goto { .. } | Insn::Gotox { .. } | Insn::Exit)
    }

    /// Distance of the jump target in slots from the next instruction, for instructions that
    /// name one.
    #[must_use]
    pub fn branch_offset(&self) -> Option<i32> {
        match *self {
            Insn::Goto { offset, .. } => Some(offset),
            Insn::MayGoto { offset } | Insn::Branch { offset, .. } => Some(i32::from(offset)),
            _ => None,
        }
    }
}
