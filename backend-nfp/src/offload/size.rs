//! How much code a program will be, before it is compiled.
//!
//! Each instruction is counted with the words that Linux's translator makes of it, halves and all;
//! the sum without the fixed part is scaled by what the back end aims at. It is an estimate, said to
//! be one, and an obstacle only where it does not fit; the test over Linux's own output keeps the
//! unscaled sum near the truth. Whoever compiles a program that has no other obstacle puts the words
//! that it takes in its place ([`super::Examination::measured`]).

use bpf::insn::{AluOp, CallTarget, Cond, EndianOp, Insn, MemWidth, Operand, Width};
use bpf::program_type::ProgramType;

use super::{Examiner, Reason};

/// Entry, exit, and what the instruction fetch reads past the end.
const FIXED_XDP: u32 = 23;
const FIXED_TC: u32 = 28;
/// Our words for ten of Linux's.
const OF_TEN: u32 = 6;

impl Examiner<'_> {
    pub(super) fn code_size(&mut self) -> u32 {
        let words: u32 = (0..self.program.ops.len())
            .filter(|slot| self.is_reached(*slot))
            .filter_map(|slot| self.program.insn(slot))
            .map(|insn| words(&insn))
            .fold(0, u32::saturating_add);
        let fixed = match self.program.program_type {
            ProgramType::SchedCls => FIXED_TC,
            _ => FIXED_XDP,
        };
        let has = fixed.saturating_add(words / 10 * OF_TEN + words % 10 * OF_TEN / 10);
        let limit = self.capabilities.code.size;
        if has > limit {
            let is_exact = false;
            self.add(
                Reason::CodeSize {
                    has,
                    limit,
                    is_exact,
                },
                None,
            );
        }
        has
    }
}

/// Words of Linux's translation, where they depend on what is not known here, of the usual case.
fn words(insn: &Insn) -> u32 {
    let halves = |width: Width| if width == Width::W64 { 2 } else { 1 };
    let large = |operand: Operand| match operand {
        Operand::Imm(imm) if !(0..=255).contains(&imm) => 1,
        _ => 0,
    };
    match *insn {
        Insn::Alu { width, op, src, .. } => {
            let register = matches!(src, Operand::Reg(_));
            match op {
                AluOp::Mov => 2,
                AluOp::Mul => 7,
                AluOp::Div | AluOp::Mod | AluOp::Sdiv | AluOp::Smod if register => 40,
                AluOp::Div | AluOp::Mod | AluOp::Sdiv | AluOp::Smod => 12,
                AluOp::Lsh | AluOp::Rsh | AluOp::Arsh if register && width == Width::W64 => 10,
                _ => halves(width) + large(src),
            }
        }
        Insn::Neg { width, .. } => halves(width),
        Insn::Endian {
            op: EndianOp::Le, ..
        } => 1,
        Insn::Endian { bits: 64, .. } => 5,
        Insn::Endian { .. } => 3,
        Insn::LoadImm64 { .. } => 4,
        Insn::Load { width, .. } | Insn::LoadAcquire { width, .. } => match width {
            MemWidth::B64 => 3,
            _ => 2,
        },
        Insn::Store { width, .. } | Insn::StoreRelease { width, .. } => match width {
            MemWidth::B64 => 3,
            _ => 2,
        },
        Insn::Atomic { .. } => 10,
        Insn::LoadAbs { .. } => 5,
        Insn::LoadInd { .. } => 7,
        Insn::Branch {
            width, cond, src, ..
        } => match (width, cond, src) {
            (Width::W32, ..) | (_, Cond::Eq | Cond::Ne, Operand::Imm(0)) => 2 + large(src),
            (Width::W64, ..) => 4 + large(src),
        },
        Insn::Call {
            target: CallTarget::Helper(_),
        } => 8,
        Insn::Call { .. } => 6,
        Insn::Movsx { .. } | Insn::AddrSpaceCast { .. } => 3,
        Insn::Goto { .. } | Insn::Exit | Insn::Gotox { .. } | Insn::Callx { .. } => 1,
        Insn::MayGoto { .. } => 4,
    }
}
