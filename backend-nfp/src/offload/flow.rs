//! Instructions that the card has nothing for, and verdicts that it cannot give.
//!
//! Verdicts of TC: the firmware can drop a packet, send it out, or pass it to the host, where the
//! filters behind this one then see it. That is what `TC_ACT_UNSPEC` asks for; `TC_ACT_OK` and its
//! like end the search, and the host is not told. A verdict that is not known to be another one may
//! be one of these. XDP's verdicts have no such difference.

use bpf::insn::{Insn, Reg};
use bpf::program_type::ProgramType;
use verifier::program::Meaning;

use super::{Examiner, Reason};

/// `TC_ACT_OK`, `TC_ACT_RECLASSIFY`, `TC_ACT_PIPE`.
const CANNOT_BE_TOLD: [u32; 3] = [0, 1, 3];

impl Examiner<'_> {
    pub(super) fn flow(&mut self, slot: usize, insn: &Insn) {
        match insn {
            Insn::MayGoto { .. } => self.add(Reason::MayGoto, slot),
            Insn::Gotox { .. } | Insn::Callx { .. } => self.add(Reason::IndirectJump, slot),
            Insn::AddrSpaceCast { .. } => self.add(Reason::Arena, slot),
            Insn::LoadAcquire { .. } | Insn::StoreRelease { .. } => {
                self.add(Reason::Ordered, slot);
            }
            Insn::LoadImm64 { .. } => self.address(slot),
            Insn::Exit if self.program.subprogram_at(slot) == 0 => self.verdict(slot),
            _ => {}
        }
    }

    /// A constant that stands for something.
    fn address(&mut self, slot: usize) {
        let program = self.program;
        let reason = match program.ops.get(slot).map(|op| &op.meaning) {
            Some(Meaning::Function(_)) => Reason::FunctionAddress,
            Some(Meaning::Kfunc(name) | Meaning::Ksym(name)) => Reason::KernelSymbol(name.clone()),
            // With a known place of array values, the address is a constant.
            Some(Meaning::MapValue(id, _)) if self.capabilities.maps.arrays.is_none() => {
                Reason::GlobalData(program.map(*id).def.name.clone())
            }
            _ => return,
        };
        self.add(reason, slot);
    }

    fn verdict(&mut self, slot: usize) {
        if self.program.program_type != ProgramType::SchedCls || self.capabilities.tc_accept {
            return;
        }
        let told = |value: u64| {
            let code = u32::try_from(value & u64::from(u32::MAX)).unwrap_or(0);
            !CANNOT_BE_TOLD.contains(&code)
        };
        let untold = !self.constants.before(slot, Reg(0)).all(told);
        if untold {
            self.add(Reason::Verdict, slot);
        }
    }
}
