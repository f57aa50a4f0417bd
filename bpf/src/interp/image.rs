//! Programs ready to run: what a loader makes of an object.
//!
//! A program is one run of slots, its own function first, then the subprograms that it reaches, as
//! libbpf hands it to the kernel. Calls of subprograms and addresses of callbacks are distances in
//! it; an `ld_imm64` that names a map holds the map's place in [`Image::maps`].

use crate::insn::{DecodeError, Endian, Insn, Slot};
use crate::maps::MapDef;
use crate::program_type::ProgramType;

use super::fault::Fault;
use super::machine::{Machine, Options};

/// Source nibbles of `ld_imm64` (`BPF_PSEUDO_*` in `include/uapi/linux/bpf.h`).
pub mod pseudo {
    /// A number.
    pub const NUMBER: u8 = 0;
    /// A map.
    pub const MAP: u8 = 1;
    /// A byte of a map's values: the map in the low half, the offset in the high half.
    pub const MAP_VALUE: u8 = 2;
    /// A kernel variable by BTF id.
    pub const BTF_ID: u8 = 3;
    /// A subprogram, by its distance from the next slot.
    pub const FUNCTION: u8 = 4;
    /// A map by index.
    pub const MAP_INDEX: u8 = 5;
    /// A byte of a map's values, the map by index.
    pub const MAP_INDEX_VALUE: u8 = 6;
}

/// A program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Name of its function.
    pub name: String,
    /// Type, where known.
    pub program_type: Option<ProgramType>,
    /// The slots.
    pub slots: Vec<Slot>,
    /// Where each function starts, in order, with its name.
    pub functions: Vec<(usize, String)>,
    /// Names of kernel functions that calls with source nibble 2 name by index.
    pub kernel_functions: Vec<String>,
}

/// Maps and programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Byte order.
    pub endian: Endian,
    /// Maps by number.
    pub maps: Vec<MapDef>,
    /// Programs; the first is the one that was asked for, others are reached by tail calls.
    pub programs: Vec<Program>,
    /// Contents before the first run: map, index in it, and the number of the program or map that
    /// goes there.
    pub links: Vec<(u32, u32, u32)>,
}

/// What is at a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Insn(Insn),
    /// Not an instruction: a fault when control gets there.
    Bad(DecodeError),
    /// Second slot of an instruction.
    Second,
}

/// A program decoded once.
#[derive(Clone, Debug)]
pub(super) struct Code {
    pub(super) steps: Vec<Step>,
    pub(super) functions: Vec<(usize, String)>,
    pub(super) kernel_functions: Vec<String>,
}

impl Code {
    pub(super) fn new(program: &Program) -> Code {
        let mut steps = Vec::with_capacity(program.slots.len());
        let mut rest = program.slots.as_slice();
        while !rest.is_empty() {
            let used = match Insn::decode(rest) {
                Ok((insn, used)) => {
                    steps.push(Step::Insn(insn));
                    steps.extend(std::iter::repeat_n(Step::Second, used - 1));
                    used
                }
                Err(error) => {
                    steps.push(Step::Bad(error));
                    1
                }
            };
            rest = rest.get(used..).unwrap_or(&[]);
        }
        Code {
            steps,
            functions: program.functions.clone(),
            kernel_functions: program.kernel_functions.clone(),
        }
    }

    /// The function around a slot, and the slot's place in it.
    pub(super) fn place(&self, slot: usize) -> (&str, usize) {
        let after = self.functions.partition_point(|(start, _)| *start <= slot);
        match after
            .checked_sub(1)
            .and_then(|index| self.functions.get(index))
        {
            Some((start, name)) => (name, slot - start),
            None => ("program", slot),
        }
    }
}

impl Image {
    /// A machine with the image's maps in it, for the first program's type (or `program_type`).
    ///
    /// # Errors
    /// When memory runs out.
    pub fn machine(&self, program_type: ProgramType, options: Options) -> Result<Machine, Fault> {
        let mut machine = Machine::new(self.endian, program_type, options);
        for map in &self.maps {
            machine.add_map(map)?;
        }
        for (map, index, target) in &self.links {
            let key = match self.endian {
                Endian::Little => index.to_le_bytes(),
                Endian::Big => index.to_be_bytes(),
            };
            machine.map_link(*map, &key, *target);
        }
        Ok(machine)
    }
}
