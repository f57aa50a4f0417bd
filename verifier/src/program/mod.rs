//! The program that a loader would hand to the kernel: one function and all that it reaches, in
//! one stream of instructions, with its maps.
//!
//! Instructions are numbered by slot, as the kernel numbers them; the second slot of a wide
//! instruction has no instruction.

pub mod cfg;
pub mod depth;
mod link;
pub mod liveness;
mod loops;
mod maps;
mod object_type;
mod origin;
mod plain;
pub mod prototype;
mod record;
mod stream;
mod subprogram;

pub use link::{LinkError, Linker, ProgramId};
pub use maps::{Map, MapId};
pub use object_type::ObjectType;
pub use origin::{Origin, SourceLine};
pub use record::{Field, FieldKind, Record};
pub use subprogram::Subprogram;

use std::sync::Arc;

use bpf::btf::Btf;
use bpf::btf::ext::CoreRelocationKind;
use bpf::insn::{DecodeError, Insn, Slot};
use bpf::program_type::{AttachType, ProgramType};

/// What an instruction's symbol stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// It has none, or none of these.
    Plain,
    /// A map.
    Map(MapId),
    /// A byte of the one value of a data section or array.
    MapValue(MapId, u32),
    /// A function of the program, by its place in [`Program::subprograms`].
    Function(usize),
    /// A kernel function.
    Kfunc(String),
    /// A kernel variable or its address.
    Ksym(String),
    /// Something that this crate cannot resolve.
    Unresolved,
}

/// One slot.
#[derive(Clone, Debug)]
pub struct Op {
    /// The slot as it is.
    pub slot: Slot,
    /// What it decodes to; `Ok(None)` for the second half of a wide instruction.
    pub insn: Result<Option<Insn>, DecodeError>,
    /// What its symbol stands for.
    pub meaning: Meaning,
    /// What a loader may rewrite of it for the running kernel's types.
    pub relocation: Option<CoreRelocationKind>,
}

/// Decodes as the kernel does, which does not look at the offset of `exit`.
fn decode(slots: &[Slot]) -> Result<Insn, DecodeError> {
    const EXIT: u8 = 0x95;
    match slots {
        [slot, ..] if slot.opcode == EXIT => Insn::decode(&[Slot { offset: 0, ..*slot }]),
        _ => Insn::decode(slots),
    }
    .map(|(insn, _)| insn)
}

impl Op {
    /// The instruction, if this slot begins one that is understood.
    #[must_use]
    pub fn decoded(&self) -> Option<Insn> {
        self.insn.as_ref().ok().copied().flatten()
    }

    /// Slots that the instruction takes.
    #[must_use]
    pub fn slots(&self) -> usize {
        if self.slot.opcode == 0x18 { 2 } else { 1 }
    }
}

/// A program ready to be verified.
#[derive(Clone, Debug)]
pub struct Program {
    /// Name of the main function.
    pub name: String,
    /// Its section.
    pub section: String,
    /// Type.
    pub program_type: ProgramType,
    /// Where it attaches.
    pub attach_type: Option<AttachType>,
    /// Whether it may sleep.
    pub sleepable: bool,
    /// Whether its licence is compatible with the GPL.
    pub gpl: bool,
    /// All slots: the main function first.
    pub ops: Vec<Op>,
    /// Functions by their first slot, the main function first.
    pub subprograms: Vec<Subprogram>,
    /// The maps that the program refers to, and their inner maps.
    pub maps: Vec<Map>,
    /// Whether types of functions are known, which some checks depend on.
    pub has_func_info: bool,
    /// The functions that are tagged to run when the program throws, where they exist.
    pub exception_callbacks: Vec<Option<usize>>,
    /// The program's types.
    pub btf: Option<Arc<Btf>>,
    /// Where each slot comes from.
    pub origins: Vec<Origin>,
}

impl Program {
    /// The number of the function that contains a slot.
    #[must_use]
    pub fn subprogram_at(&self, slot: usize) -> usize {
        let after = self
            .subprograms
            .partition_point(|subprogram| subprogram.start <= slot);
        after.saturating_sub(1)
    }

    /// One past the last slot of a function.
    #[must_use]
    pub fn subprogram_end(&self, index: usize) -> usize {
        self.subprograms
            .get(index + 1)
            .map_or(self.ops.len(), |next| next.start)
    }

    /// The instruction that begins at a slot.
    #[must_use]
    pub fn insn(&self, slot: usize) -> Option<Insn> {
        self.ops.get(slot)?.decoded()
    }

    /// The map with this number.
    #[must_use]
    pub fn map(&self, id: MapId) -> &Map {
        &self.maps[id.0 as usize]
    }
}
