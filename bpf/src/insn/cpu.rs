//! Instruction set levels as compilers name them with `-mcpu`.

use super::types::{AluOp, AtomicOp, Cond, EndianOp, Insn, Width};

/// An instruction set level; a later one includes the earlier ones.
///
/// 32-bit arithmetic belongs to every level: it is in the instruction set since the beginning,
/// and `-mcpu=v1` only keeps a compiler from choosing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cpu {
    /// The beginning.
    V1,
    /// `<`, `<=`, `s<`, `s<=` branches.
    V2,
    /// 32-bit branches; atomics other than a plain addition.
    V3,
    /// Signed loads, moves, division and modulo, `bswap`, `gotol`, and everything later.
    V4,
}

impl Cpu {
    /// All levels, oldest first.
    pub const ALL: [Cpu; 4] = [Cpu::V1, Cpu::V2, Cpu::V3, Cpu::V4];

    /// The name that `-mcpu` takes.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Cpu::V1 => "v1",
            Cpu::V2 => "v2",
            Cpu::V3 => "v3",
            Cpu::V4 => "v4",
        }
    }

    /// The level with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Cpu> {
        Cpu::ALL.into_iter().find(|cpu| cpu.name() == name)
    }
}

impl std::fmt::Display for Cpu {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl Insn {
    /// The oldest level that has this instruction. What came after v4 has no level of its own and
    /// reports v4.
    #[must_use]
    pub fn min_cpu(&self) -> Cpu {
        match *self {
            Insn::Alu {
                op: AluOp::Sdiv | AluOp::Smod,
                ..
            }
            | Insn::Movsx { .. }
            | Insn::Endian {
                op: EndianOp::Bswap,
                ..
            }
            | Insn::Load { signed: true, .. }
            | Insn::Goto { long: true, .. }
            | Insn::AddrSpaceCast { .. }
            | Insn::LoadAcquire { .. }
            | Insn::StoreRelease { .. }
            | Insn::MayGoto { .. }
            | Insn::Gotox { .. } => Cpu::V4,
            Insn::Branch {
                width: Width::W32, ..
            } => Cpu::V3,
            Insn::Branch {
                cond: Cond::Lt | Cond::Le | Cond::Slt | Cond::Sle,
                ..
            } => Cpu::V2,
            Insn::Atomic {
                op: AtomicOp::Add,
                fetch: false,
                ..
            } => Cpu::V1,
            Insn::Atomic { .. } => Cpu::V3,
            Insn::Alu { .. }
            | Insn::Neg { .. }
            | Insn::Endian { .. }
            | Insn::LoadImm64 { .. }
            | Insn::Load { .. }
            | Insn::Store { .. }
            | Insn::LoadAbs { .. }
            | Insn::LoadInd { .. }
            | Insn::Goto { .. }
            | Insn::Branch { .. }
            | Insn::Call { .. }
            | Insn::Callx { .. }
            | Insn::Exit => Cpu::V1,
        }
    }
}
