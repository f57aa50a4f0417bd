//! Why a function stays bytecode.

use bpf::insn::DecodeError;

/// Why a function was not lifted. Slots count from the function's start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LiftError {
    /// The section is not tiled by its functions.
    #[error("the functions of section `{section}` overlap or do not cover it")]
    IrregularSection {
        /// The section.
        section: String,
    },
    /// `.BTF` or `.BTF.ext` could not be read, so its records could not follow moved code.
    #[error("the object's BTF cannot be read, so its records could not follow moved code")]
    UnreadableBtf,
    /// The bytes are not a whole number of slots, or the range is not in the section.
    #[error("its bytes are not a whole number of instruction slots in the section")]
    Ragged,
    /// There are no instructions.
    #[error("it has no instructions")]
    Empty,
    /// An instruction is not understood.
    #[error("slot {slot}: {source}")]
    Decode {
        /// Slot.
        slot: u32,
        /// Reason.
        source: DecodeError,
    },
    /// A jump leaves the function or lands inside a wide instruction.
    #[error("slot {slot}: jump to slot {target}, which is no instruction of this function")]
    JumpTarget {
        /// Slot.
        slot: u32,
        /// Destination.
        target: i64,
    },
    /// Control runs past the last instruction.
    #[error("slot {slot}: control runs past the end of the function")]
    FallsOff {
        /// Slot.
        slot: u32,
    },
    /// `gotox` and its jump tables are carried through, not understood.
    #[error("slot {slot}: indirect jumps (`gotox`) are not lifted")]
    IndirectJump {
        /// Slot.
        slot: u32,
    },
    /// A register that no program may use.
    #[error("slot {slot}: register r{register} cannot be lifted here")]
    Register {
        /// Slot.
        slot: u32,
        /// Number.
        register: u8,
    },
    /// A relocation of a kind or at a place that is not understood.
    #[error("slot {slot}: relocation of type {kind} is not understood here")]
    Relocation {
        /// Slot.
        slot: u32,
        /// `R_BPF_*`
        kind: u32,
    },
    /// A call to something that is not the start of a function.
    #[error("slot {slot}: the call's target is not the start of a function")]
    CallTarget {
        /// Slot.
        slot: u32,
    },
    /// A CO-RE record on an instruction without a field to patch.
    #[error("slot {slot}: a CO-RE record on an instruction that has no patchable field")]
    CoreRelocation {
        /// Slot.
        slot: u32,
    },
}
