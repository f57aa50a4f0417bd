//! MIR to BPF for the host kernel.
//!
//! ```text
//!   mir::Function ─[select]► virtual code ─[regalloc]► allocation ─[emit]► slots and records
//!                                                                             │
//!   bpf::Object ─────────────────────────────────────────────────────[link]◄──┘──► bpf::Object
//! ```
//!
//! [`emit_function`] compiles one function and knows nothing of objects; [`link()`] puts any mixture
//! of compiled and untouched functions back into the object, with symbols, relocations and
//! `.BTF.ext` moved along.
//!
//! What keeps programs loadable is stated where it is done: constants, frame addresses and map
//! references are made at their use ([`select`]), copies and spills are 64 bits wide ([`emit`]), a
//! copy of a register that nobody wrote is never emitted ([`undefined`]), spill slots lie below the
//! program's own stack slots ([`frame`]).

pub mod emit;
mod error;
pub mod frame;
pub mod link;
pub mod lir;

pub mod regalloc;
pub mod select;
pub mod undefined;

pub use emit::{CHOICES, EmittedFunction, emit_function};
pub use error::{EmitError, LinkError};
pub use link::{FunctionInput, Linked, link};
pub use regalloc::Allocator;

use bpf::insn::Cpu;

/// What the target offers and allows.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The newest instruction set that output may use.
    pub cpu: Cpu,
    /// Bytes of stack that a function may use.
    pub stack_limit: u32,
    /// Have the register allocator's result proved by its independent checker.
    pub check_allocation: bool,
    /// Whether size is worth more than the time that looking for it takes.
    pub thorough: bool,
    /// The one choice to emit with, below [`CHOICES`]; else those that may be shortest are tried.
    pub choice: Option<usize>,
    /// Order blocks for the fewest jumps; else they keep the order that they have in MIR.
    pub order_blocks: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            cpu: Cpu::V3,
            stack_limit: 512,
            check_allocation: cfg!(debug_assertions),
            thorough: true,
            choice: None,
            order_blocks: true,
        }
    }
}
