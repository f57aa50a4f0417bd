//! A function of a program.

use super::prototype::Signature;

/// A function of a program.
#[derive(Clone, Debug)]
pub struct Subprogram {
    /// Name.
    pub name: String,
    /// First slot.
    pub start: usize,
    /// Whether the kernel verifies it on its own, for any arguments of its types.
    pub global: bool,
    /// What its type says, or why nothing can be said.
    pub signature: Signature,
    /// Whether its type says that it returns a number.
    pub returns_number: bool,
    /// Whether it makes a tail call.
    pub tail_call: bool,
    /// Whether it reads the packet by `ld_abs` or `ld_ind`.
    pub reads_packet: bool,
    /// Whether it, or a function that it calls, may change the packet.
    pub changes_packet: bool,
}
