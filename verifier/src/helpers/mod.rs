//! Helper calls: who may call what, with which maps.
//!
//! Arguments and results are in `bpf::helpers`; here is what depends on the program.

use bpf::helpers::{Arg, Helper};
use bpf::program_type::ProgramType;

mod allowed;
mod compatibility;

pub(crate) use allowed::is_allowed;
pub(crate) use compatibility::{TAIL_CALL, fits_map};

/// What a helper takes in a program of a type. Two are other helpers of the same name for some types:
/// one takes no context where there is no socket buffer, and one takes no socket at all only where
/// sockets are looked up.
pub(crate) fn arguments(
    helper: &Helper,
    program_type: ProgramType,
) -> impl Iterator<Item = Arg> + '_ {
    use ProgramType::{LwtIn, LwtOut, LwtSeg6local, LwtXmit, SchedAct, SchedCls, SkLookup};
    const CLASS_OF_CONTROL_GROUP: u32 = 17;
    const ASSIGN_SOCKET: u32 = 124;
    let sees_buffer = matches!(
        program_type,
        SchedCls | SchedAct | LwtIn | LwtOut | LwtXmit | LwtSeg6local
    );
    let takes_none = helper.id == CLASS_OF_CONTROL_GROUP && !sees_buffer;
    let needs_all = helper.id == ASSIGN_SOCKET && program_type != SkLookup;
    let taken = if takes_none { &[][..] } else { helper.args };
    taken.iter().map(move |argument| Arg {
        nullable: argument.nullable && !needs_all,
        ..*argument
    })
}
