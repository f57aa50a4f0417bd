//! What can stop emission or linking; the caller then keeps the input.

use bpf::insn::Cpu;

/// Why a function was not emitted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmitError {
    /// It has no body.
    #[error("it is only declared")]
    Declaration,
    /// The program's own slots and the spill slots do not fit the stack.
    #[error("it would need {needed} bytes of stack, {limit} are allowed")]
    Stack {
        /// Bytes.
        needed: u32,
        /// Bytes.
        limit: u32,
    },
    /// Spill slots are needed, but the extent of the program's own stack use is not known.
    #[error("a value had to be spilled, but how deep the program's own stack use goes is unknown")]
    UnknownFrame,
    /// A branch is out of its field's range.
    #[error("a branch of {distance} slots does not fit its offset field")]
    BranchRange {
        /// Slots.
        distance: i64,
    },
    /// An operation that this instruction set level cannot say.
    #[error("{what} needs -mcpu={needed}")]
    Cpu {
        /// Operation.
        what: &'static str,
        /// Level.
        needed: Cpu,
    },
    /// An operand that does not fit its field.
    #[error("{what} does not fit its field")]
    Field {
        /// Operand.
        what: &'static str,
    },
    /// A copy of a possibly unset register could not be avoided.
    #[error("a copy of a register that may be unset could not be avoided")]
    Undefined,
    /// The register allocator refused the function: a bug of ours.
    #[error("register allocation failed: {0}")]
    Allocation(String),
}

/// Why an object could not be put together again; the whole input is kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// A call whose target the object gives no way to name.
    #[error("function `{caller}` calls `{callee}` in another section without a relocation")]
    Call {
        /// Caller.
        caller: String,
        /// Callee.
        callee: String,
    },
    /// A distance or address does not fit 32 bits.
    #[error("an address in section `{section}` does not fit its field")]
    Range {
        /// Section.
        section: String,
    },
    /// A relocation refers to code in a way that is not understood.
    #[error(
        "section `{section}`, byte {offset:#x}: a reference into moved code cannot be adjusted"
    )]
    Reference {
        /// Section.
        section: String,
        /// Byte offset.
        offset: u64,
    },
    /// `.BTF.ext` could not be rebuilt.
    #[error(transparent)]
    Records(#[from] bpf::btf::ext::ReplaceError),
    /// The container refused a change.
    #[error(transparent)]
    Container(#[from] bpf::object::EditError),
}
