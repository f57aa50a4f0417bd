//! `ld_abs` and `ld_ind`, and packet pointers that a call makes invalid.

use bpf::insn::Reg;
use bpf::program_type::ProgramType;

use super::{Flow, Walker};
use crate::state::{Kind, Register};
use crate::stop::{Check, refuse, refuse_register};
use crate::verdict::Rule;

impl Walker<'_> {
    /// Loads from the packet; where there is none so far, the program (or function) ends.
    pub(super) fn packet_load(&mut self, index: Option<Reg>) -> Check<Flow> {
        let program_type = self.program.program_type;
        if !matches!(
            program_type,
            ProgramType::SocketFilter | ProgramType::SchedCls | ProgramType::SchedAct
        ) {
            return refuse(
                Rule::InstructionNotAllowed,
                "BPF_LD_[ABS|IND] instructions not allowed for this program type",
            );
        }
        if self
            .state
            .frames
            .iter()
            .any(|frame| frame.callback.is_some())
        {
            return refuse(
                Rule::PacketReadContext,
                "cannot use BPF_LD_[ABS|IND] within callback",
            );
        }
        self.check_readable(Reg(6))?;
        self.check_nothing_held("BPF_LD_[ABS|IND]", true)?;
        let context = *self.reg(6);
        if context.kind != Kind::Context {
            return refuse_register(
                Rule::ArgumentType,
                6,
                "at the time of BPF_LD_ABS|IND R6 != pointer to skb",
            );
        }
        if let Some(index) = index {
            self.check_readable(index)?;
        }
        self.check_unmoved(&context, 6, context.kind, false)?;
        self.clear_caller_saved();
        self.set(0, Register::UNKNOWN);
        if self.state.current() == 0 {
            return Ok(Flow::Next);
        }
        // In a function, a failed load returns 0 to the caller.
        let next = self.insn + 1;
        self.push_branch(next)?;
        self.set(0, Register::constant(0));
        self.leave().map(Flow::To)
    }

    /// Makes packet pointers unusable.
    pub(super) fn forget_packets(&mut self) {
        self.state.for_each_register(|register| {
            if register.kind.is_packet_or_end() || register.in_packet {
                *register = Register::UNKNOWN;
            }
        });
    }
}
