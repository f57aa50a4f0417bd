//! Helper calls: who may call what, with which maps.
//!
//! Arguments and results are in `bpf::helpers`; here is what depends on the program.

use bpf::helpers::{Arg, Helper};
use bpf::program_type::ProgramType;

mod allowed;
mod compatibility;

pub(crate) use allowed::is_allowed;
pub(crate) use compatibility::{TAIL_CALL, fits_map};

/// What a helper takes in a program of a type: one is another helper of the same name for programs
/// that see no socket buffer on its way out.
#[must_use]
pub(crate) fn arguments(helper: &Helper, program_type: ProgramType) -> &[Arg] {
    use ProgramType::{LwtIn, LwtOut, LwtSeg6local, LwtXmit, SchedAct, SchedCls};
    const CLASS_OF_CONTROL_GROUP: u32 = 17;
    let sees_buffer = matches!(
        program_type,
        SchedCls | SchedAct | LwtIn | LwtOut | LwtXmit | LwtSeg6local
    );
    if helper.id == CLASS_OF_CONTROL_GROUP && !sees_buffer {
        return &[];
    }
    helper.args
}
