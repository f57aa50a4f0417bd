//! What is in the way of a program as a whole: type, byte order, the verifier's answer.

use bpf::insn::Endian;
use bpf::program_type::ProgramType;
use verifier::Verdict;

use super::{Examiner, Reason};

impl Examiner<'_> {
    pub(super) fn whole(&mut self, endian: Endian) {
        let kind = self.program.program_type;
        if !matches!(kind, ProgramType::Xdp | ProgramType::SchedCls) {
            self.add(Reason::ProgramType(kind), None);
        }
        // The driver hands programs of a little-endian host to a card that swaps by itself.
        if endian == Endian::Big {
            self.add(Reason::ByteOrder, None);
        }
        match &self.report.verdict {
            Verdict::Accepted => {}
            Verdict::Rejected(finding) => self.add(Reason::Refused, finding.insn),
            Verdict::Undecided(gap) => {
                self.add(Reason::Undecided(gap.construct.clone()), gap.insn);
            }
        }
    }
}
