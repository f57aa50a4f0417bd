//! Helper calls: who may call what, with which maps.
//!
//! Arguments and results are in `bpf::helpers`; here is what depends on the program.

mod allowed;
mod compatibility;

pub(crate) use allowed::is_allowed;
pub(crate) use compatibility::{TAIL_CALL, fits_map};
