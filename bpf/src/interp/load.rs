//! From an object to programs ready to run: what libbpf does before it calls the kernel.
//!
//! A program is its own function followed by every subprogram that it reaches, each once, in the
//! order in which calls name them. References become what [`Image`] says; what only a kernel can
//! give (its variables and configuration) becomes 0, as for a weak variable that it lacks, and
//! CO-RE records are not applied. Linear in the slots of the functions that a program reaches.
//!
//! Source: `bpf_object__relocate` and `bpf_object__append_subprog_code` in `tools/lib/bpf/libbpf.c`.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use thiserror::Error;

use crate::insn::{Slot, read_slots};
use crate::maps::{MapDef, MapKind};
use crate::object::{
    FunctionRange, FunctionTable, Object, Relocation, STT_SECTION, SectionId, Symbol, SymbolPlace,
};
use crate::program_type::ProgramType;

use super::image::{Image, Program, pseudo};

const LD_IMM64: u8 = 0x18;
const CALL: u8 = 0x85;
/// Slots of one program: the kernel takes a million.
const SLOT_LIMIT: usize = 1 << 20;

/// Why an object's programs cannot be put together.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("function `{function}`, slot {slot}: {kind}")]
pub struct LoadError {
    /// Function.
    pub function: String,
    /// Slot, from the function's start.
    pub slot: usize,
    /// What is wrong there.
    pub kind: LoadErrorKind,
}

/// What is wrong with a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum LoadErrorKind {
    /// The function's bytes are not whole slots of its section.
    #[error("the function is not a whole number of slots in its section")]
    Ragged,
    /// A call or address of a function that begins nowhere.
    #[error("no function begins where this points")]
    Target,
    /// A reference to a map or to data that the object does not define.
    #[error("the symbol names no map and no data")]
    Symbol,
    /// The program reaches too much code.
    #[error("the program is longer than a million slots")]
    Long,
}

/// Puts together every program of an object. `functions` are its functions, `maps` its maps.
///
/// # Errors
/// When a reference leads nowhere.
pub fn load(
    object: &Object,
    functions: &FunctionTable,
    maps: Vec<MapDef>,
) -> Result<Image, LoadError> {
    let loader = Loader::new(object, functions, &maps);
    let mut programs = Vec::new();
    for index in functions.programs(object) {
        programs.push(loader.program(index)?);
    }
    let links = links(object, functions, &maps, &programs);
    Ok(Image {
        endian: object.endian,
        maps,
        programs,
        links,
    })
}

/// What program arrays and maps of maps hold before the first run.
fn links(
    object: &Object,
    functions: &FunctionTable,
    maps: &[MapDef],
    programs: &[Program],
) -> Vec<(u32, u32, u32)> {
    let number = |place: usize| u32::try_from(place).ok();
    let mut links = Vec::new();
    for (map, definition) in (0u32..).zip(maps) {
        for (index, name) in &definition.values {
            let target = if definition.kind == MapKind::ProgArray {
                programs.iter().position(|program| program.name == *name)
            } else {
                maps.iter().position(|other| other.name == *name)
            };
            links.extend(target.and_then(number).map(|target| (map, *index, target)));
        }
        let Some(id) = definition.legacy_id else {
            continue;
        };
        for (program, index) in (0u32..).zip(functions.programs(object)) {
            let section = functions
                .functions
                .get(index)
                .and_then(|range| object.section(range.section));
            let tail = section
                .and_then(|section| section.name.split_once('/'))
                .filter(|(first, _)| first.parse() == Ok(id))
                .and_then(|(_, second)| second.parse().ok());
            links.extend(tail.map(|index| (map, index, program)));
        }
    }
    links
}

struct Loader<'a> {
    object: &'a Object,
    functions: &'a [FunctionRange],
    maps: &'a [MapDef],
    starts: BTreeMap<(SectionId, u64), usize>,
    relocations: FxHashMap<(SectionId, u64), Relocation>,
}

/// A reference to a function of the program, to be filled in when all functions have a place.
struct Hole {
    slot: usize,
    target: usize,
}

/// A program while it grows.
#[derive(Default)]
struct Growing {
    slots: Vec<Slot>,
    placed: BTreeMap<usize, usize>,
    waiting: Vec<usize>,
    order: Vec<(usize, String)>,
    holes: Vec<Hole>,
    kernel_functions: Vec<String>,
}

impl<'a> Loader<'a> {
    fn new(object: &'a Object, table: &'a FunctionTable, maps: &'a [MapDef]) -> Loader<'a> {
        let place =
            |(index, range): (usize, &FunctionRange)| ((range.section, range.offset), index);
        let executable = object.section_ids().filter(|&id| object.is_executable(id));
        let relocations = executable
            .filter_map(|id| Some((id, object.section(id)?)))
            .flat_map(|(id, section)| {
                let list = section.relocations.iter();
                list.map(move |relocation| ((id, relocation.offset), *relocation))
            })
            .collect();
        Loader {
            object,
            functions: &table.functions,
            maps,
            starts: table.functions.iter().enumerate().map(place).collect(),
            relocations,
        }
    }

    fn program(&self, index: usize) -> Result<Program, LoadError> {
        let mut growing = Growing {
            waiting: vec![index],
            ..Growing::default()
        };
        while let Some(index) = growing.waiting.pop() {
            if !growing.placed.contains_key(&index) {
                self.append(index, &mut growing)?;
            }
        }
        for hole in &growing.holes {
            let target = growing.placed.get(&hole.target).copied().unwrap_or(0);
            let distance = target as i64 - hole.slot as i64 - 1;
            // Within a million slots.
            growing.slots[hole.slot].imm = distance as i32;
        }
        let range = &self.functions[index];
        let section = self.object.section(range.section);
        Ok(Program {
            name: range.name.clone(),
            program_type: section.and_then(|section| ProgramType::from_section(&section.name)),
            slots: growing.slots,
            functions: growing.order,
            kernel_functions: growing.kernel_functions,
        })
    }

    fn append(&self, index: usize, growing: &mut Growing) -> Result<(), LoadError> {
        let range = &self.functions[index];
        let error = |slot, kind| LoadError {
            function: range.name.clone(),
            slot,
            kind,
        };
        let start = usize::try_from(range.offset).unwrap_or(usize::MAX);
        let end = usize::try_from(range.end()).unwrap_or(usize::MAX);
        let slots = self
            .object
            .data(range.section)
            .get(start..end)
            .and_then(|bytes| read_slots(bytes, self.object.endian))
            .ok_or_else(|| error(0, LoadErrorKind::Ragged))?;
        let base = growing.slots.len();
        if base + slots.len() > SLOT_LIMIT {
            return Err(error(0, LoadErrorKind::Long));
        }
        growing.placed.insert(index, base);
        growing.order.push((base, range.name.clone()));
        growing.slots.extend_from_slice(&slots);
        let mut reached = Vec::new();
        let mut skip = false;
        for (slot, insn) in slots.iter().enumerate() {
            if std::mem::take(&mut skip) {
                continue;
            }
            skip = insn.opcode == LD_IMM64;
            let target = self
                .resolve(range, slot, growing, base)
                .map_err(|kind| error(slot, kind))?;
            if let Some(target) = target {
                growing.holes.push(Hole {
                    slot: base + slot,
                    target,
                });
                reached.push(target);
            }
        }
        // The first call's target comes first.
        growing.waiting.extend(reached.into_iter().rev());
        Ok(())
    }

    /// Rewrites a slot's reference; gives the function that it names, if it names one.
    fn resolve(
        &self,
        range: &FunctionRange,
        slot: usize,
        growing: &mut Growing,
        base: usize,
    ) -> Result<Option<usize>, LoadErrorKind> {
        let offset = range.offset + slot as u64 * 8;
        let relocation = self.relocations.get(&(range.section, offset));
        let symbol = relocation.and_then(|found| self.object.symbol(found.symbol));
        let place = base + slot;
        let insn = growing.slots[place];
        match (insn.opcode, symbol) {
            (CALL, Some(symbol)) => match symbol.place {
                SymbolPlace::Section(section) => {
                    growing.slots[place].src = 1;
                    let at = symbol.value as i64 + (i64::from(insn.imm) + 1) * 8;
                    self.function_at(section, at).map(Some)
                }
                _ => {
                    growing.slots[place].src = 2;
                    growing.slots[place].imm = growing.kernel_function(&symbol.name);
                    Ok(None)
                }
            },
            (CALL, None) if insn.src == 1 => {
                let at = offset as i64 + (i64::from(insn.imm) + 1) * 8;
                self.function_at(range.section, at).map(Some)
            }
            (LD_IMM64, Some(symbol)) => self.address(symbol, place, growing),
            _ => Ok(None),
        }
    }

    fn function_at(&self, section: SectionId, at: i64) -> Result<usize, LoadErrorKind> {
        let at = u64::try_from(at).map_err(|_| LoadErrorKind::Target)?;
        let found = self.starts.get(&(section, at)).copied();
        found.ok_or(LoadErrorKind::Target)
    }

    fn address(
        &self,
        symbol: &Symbol,
        place: usize,
        growing: &mut Growing,
    ) -> Result<Option<usize>, LoadErrorKind> {
        let addend = growing.slots[place].imm;
        let mut set = |source: u8, low: u32, high: u32| {
            growing.slots[place].src = source;
            growing.slots[place].imm = low.cast_signed();
            if let Some(second) = growing.slots.get_mut(place + 1) {
                second.imm = high.cast_signed();
            }
        };
        let section = match symbol.place {
            SymbolPlace::Section(section) => section,
            SymbolPlace::Undefined => {
                set(pseudo::NUMBER, 0, 0);
                return Ok(None);
            }
            _ => return Err(LoadErrorKind::Symbol),
        };
        let offset = (symbol.value as i64).wrapping_add(i64::from(addend));
        if self.object.is_executable(section) {
            let target = self.function_at(section, offset)?;
            set(pseudo::FUNCTION, 0, 0);
            return Ok(Some(target));
        }
        let here = |map: &MapDef| map.place.filter(|place| place.section == section);
        let data = self.maps.iter().position(|map| {
            // A data section is one map; its definition is the section itself.
            here(map).is_some_and(|place| place.offset == 0)
                && map.flags & crate::maps::MMAPABLE != 0
                && self
                    .object
                    .section(section)
                    .is_some_and(|found| found.name == map.name)
        });
        if let Some(map) = data {
            let map = u32::try_from(map).map_err(|_| LoadErrorKind::Symbol)?;
            let offset = u32::try_from(offset).map_err(|_| LoadErrorKind::Symbol)?;
            set(pseudo::MAP_VALUE, map, offset);
            return Ok(None);
        }
        // The addend of a map's own symbol means nothing; of its section's it says which map.
        let wanted = if symbol.kind == STT_SECTION {
            offset
        } else {
            symbol.value as i64
        };
        let map = self
            .maps
            .iter()
            .position(|map| here(map).is_some_and(|place| place.offset as i64 == wanted))
            .and_then(|map| u32::try_from(map).ok())
            .ok_or(LoadErrorKind::Symbol)?;
        set(pseudo::MAP, map, 0);
        Ok(None)
    }
}

impl Growing {
    /// The number of a kernel function in the program's list.
    fn kernel_function(&mut self, name: &str) -> i32 {
        let found = self.kernel_functions.iter().position(|known| known == name);
        let index = found.unwrap_or_else(|| {
            self.kernel_functions.push(name.to_owned());
            self.kernel_functions.len() - 1
        });
        i32::try_from(index).unwrap_or(i32::MAX)
    }
}
