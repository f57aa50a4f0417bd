//! A program being put together: functions one behind the other, and what symbols stand for.
//!
//! Functions that the main one calls are appended in the order in which a walk over the
//! instructions meets them, each followed by those that it meets first itself. That order gives
//! functions the numbers and instructions the places that a kernel log shows.

use std::collections::BTreeMap;

use bpf::btf::TypeKind;
use bpf::insn::{CallTarget, Insn, Slot, read_slots};
use bpf::maps::{MapDef, MapKind, MapPlace, READ_ONLY_PROG};
use bpf::object::{FunctionRange, Relocation, SectionId, Symbol, SymbolPlace};
use bpf::program_type::ProgramType;

use super::link::{LinkError, Linker, MAX_SLOTS};
use super::maps::{Map, MapId};
use super::origin::Origin;
use super::prototype::{Signature, returns_number, signature};
use super::{Meaning, Op, Subprogram};

/// `BPF_PSEUDO_FUNC`
const PSEUDO_FUNC: u8 = 4;

/// A program being put together.
pub(super) struct Stream<'l, 'a> {
    linker: &'l Linker<'a>,
    program_type: ProgramType,
    pub ops: Vec<Op>,
    pub origins: Vec<Origin>,
    pub subprograms: Vec<Subprogram>,
    /// Place in `subprograms` by function.
    placed: BTreeMap<usize, usize>,
    pub maps: Vec<Map>,
    map_ids: BTreeMap<usize, MapId>,
    kernel_values: BTreeMap<String, MapId>,
    pub first: (SectionId, u64),
}

impl<'l, 'a> Stream<'l, 'a> {
    pub fn new(linker: &'l Linker<'a>, program_type: ProgramType) -> Self {
        Stream {
            linker,
            program_type,
            ops: Vec::new(),
            origins: Vec::new(),
            subprograms: Vec::new(),
            placed: BTreeMap::new(),
            maps: Vec::new(),
            map_ids: BTreeMap::new(),
            kernel_values: BTreeMap::new(),
            first: (SectionId(0), 0),
        }
    }

    pub fn link(&mut self, main: usize) -> Result<(), LinkError> {
        let range = &self.linker.functions[main];
        self.first = (range.section, range.offset);
        self.append_with_callees(main)
    }

    /// Loaders append a function that the main one is tagged with last.
    pub fn link_exception_callbacks(
        &mut self,
        main: usize,
    ) -> Result<Vec<Option<usize>>, LinkError> {
        let linker = self.linker;
        let range = &linker.functions[main];
        let Some((btf, id)) = linker
            .btf
            .as_deref()
            .zip(linker.types.get(&(range.section, range.offset)))
        else {
            return Ok(Vec::new());
        };
        let mut callbacks = Vec::new();
        for (tag, component) in btf.declaration_tags(*id) {
            let Some(name) = tag.strip_prefix("exception_callback:") else {
                continue;
            };
            let function = linker
                .functions
                .iter()
                .position(|function| function.name == name)
                .filter(|_| component == -1);
            if let Some(function) = function
                && !self.placed.contains_key(&function)
            {
                self.append_with_callees(function)?;
            }
            callbacks.push(function.and_then(|function| self.placed.get(&function).copied()));
        }
        Ok(callbacks)
    }

    /// Appends a function and then what it reaches.
    fn append_with_callees(&mut self, function: usize) -> Result<(), LinkError> {
        let start = self.ops.len();
        self.append(function)?;
        // Functions being walked, innermost last: next slot and end.
        let mut walks = vec![(start, self.ops.len())];
        while let Some((next, end)) = walks.last_mut() {
            if *next >= *end {
                walks.pop();
                continue;
            }
            let slot = *next;
            *next += self.ops[slot].slots();
            let Some(function) = self.resolve(slot)? else {
                continue;
            };
            let index = match self.placed.get(&function) {
                Some(index) => *index,
                None => {
                    let start = self.ops.len();
                    self.append(function)?;
                    walks.push((start, self.ops.len()));
                    self.subprograms.len() - 1
                }
            };
            self.ops[slot].meaning = Meaning::Function(index);
        }
        Ok(())
    }

    /// Appends a function's slots, without meaning as yet.
    fn append(&mut self, function: usize) -> Result<(), LinkError> {
        let range = &self.linker.functions[function];
        let data = self.linker.object.data(range.section);
        let code = usize::try_from(range.offset)
            .ok()
            .zip(usize::try_from(range.end()).ok())
            .and_then(|(from, to)| data.get(from..to))
            .and_then(|bytes| read_slots(bytes, self.linker.object.endian))
            .filter(|slots| !slots.is_empty())
            .ok_or_else(|| LinkError::Code(range.name.clone()))?;
        if self.ops.len() + code.len() > MAX_SLOTS {
            return Err(LinkError::TooLong);
        }
        self.placed.insert(function, self.subprograms.len());
        self.subprograms.push(self.describe(range));
        let mut wide = false;
        for (index, &slot) in code.iter().enumerate() {
            let offset = range.offset + index as u64 * Slot::SIZE as u64;
            let insn = if wide {
                Ok(None)
            } else {
                super::decode(&code[index..]).map(Some)
            };
            wide = !wide && slot.opcode == 0x18;
            self.ops.push(Op {
                slot,
                insn,
                meaning: Meaning::Plain,
                relocation: self
                    .linker
                    .relocatable
                    .get(&(range.section, offset))
                    .copied(),
            });
            self.origins.push(Origin {
                section: range.section,
                offset,
            });
        }
        Ok(())
    }

    fn describe(&self, range: &FunctionRange) -> Subprogram {
        let linker = self.linker;
        let of_type = linker
            .btf
            .as_deref()
            .zip(linker.types.get(&(range.section, range.offset)));
        let hidden = range
            .symbol
            .and_then(|id| linker.object.symbol(id))
            .is_some_and(|symbol| !symbol.is_exported());
        let is_global = |kind: &TypeKind| matches!(kind, TypeKind::Function { linkage: 1, .. });
        Subprogram {
            name: range.name.clone(),
            start: self.ops.len(),
            global: !hidden
                && of_type
                    .is_some_and(|(btf, id)| btf.get(*id).is_some_and(|one| is_global(&one.kind))),
            signature: of_type.map_or(Signature::Missing, |(btf, id)| {
                signature(btf, *id, self.program_type)
            }),
            returns_number: of_type.is_some_and(|(btf, id)| returns_number(btf, *id)),
            tail_call: false,
            reads_packet: false,
            changes_packet: false,
        }
    }

    /// Gives a slot its meaning; returns the function that it refers to.
    fn resolve(&mut self, slot: usize) -> Result<Option<usize>, LinkError> {
        let Some(insn) = self.ops[slot].decoded() else {
            return Ok(None);
        };
        let origin = self.origins[slot];
        let relocation = self
            .linker
            .relocations
            .get(&(origin.section, origin.offset))
            .copied();
        match (insn, relocation) {
            (Insn::LoadImm64 { imm, pseudo, .. }, Some(relocation)) => {
                self.reference(slot, relocation, imm, pseudo.0)
            }
            (Insn::LoadImm64 { pseudo, .. }, None) if pseudo.0 != 0 => {
                self.ops[slot].meaning = Meaning::Unresolved;
                Ok(None)
            }
            (Insn::Call { target }, relocation) => self.call(slot, target, relocation),
            _ => Ok(None),
        }
    }

    fn call(
        &mut self,
        slot: usize,
        target: CallTarget,
        relocation: Option<Relocation>,
    ) -> Result<Option<usize>, LinkError> {
        let origin = self.origins[slot];
        let symbol = relocation.and_then(|found| self.linker.object.symbol(found.symbol));
        let (imm, local) = match target {
            CallTarget::Helper(imm) => (imm, false),
            CallTarget::Subprogram(imm) => (imm, true),
            CallTarget::Kfunc(imm) => (imm, false),
        };
        let bytes = (i64::from(imm) + 1) * Slot::SIZE as i64;
        let (section, base) = match symbol {
            None if local => (origin.section, origin.offset),
            None => {
                if matches!(target, CallTarget::Kfunc(_)) {
                    self.ops[slot].meaning = Meaning::Kfunc(format!("btf_id_{imm}"));
                }
                return Ok(None);
            }
            Some(Symbol {
                place: SymbolPlace::Section(section),
                value,
                ..
            }) => (*section, *value),
            Some(symbol) => {
                self.ops[slot].meaning = Meaning::Kfunc(symbol.name.clone());
                return Ok(None);
            }
        };
        self.function_at(slot, section, base, bytes).map(Some)
    }

    fn function_at(
        &self,
        slot: usize,
        section: SectionId,
        base: u64,
        bytes: i64,
    ) -> Result<usize, LinkError> {
        let place = base.checked_add_signed(bytes);
        let function = place.and_then(|place| self.linker.starts.get(&(section, place)));
        function.copied().ok_or_else(|| {
            let origin = self.origins[slot];
            LinkError::Target {
                section: self.linker.section_name(origin.section).to_owned(),
                offset: origin.offset,
            }
        })
    }

    fn reference(
        &mut self,
        slot: usize,
        relocation: Relocation,
        imm: u64,
        pseudo: u8,
    ) -> Result<Option<usize>, LinkError> {
        let object = self.linker.object;
        let Some(symbol) = object.symbol(relocation.symbol) else {
            self.ops[slot].meaning = Meaning::Unresolved;
            return Ok(None);
        };
        let addend = i64::from(imm as u32 as i32);
        match symbol.place {
            SymbolPlace::Section(section) if object.is_executable(section) => {
                let function = self.function_at(slot, section, symbol.value, addend)?;
                return Ok(Some(function));
            }
            SymbolPlace::Section(section) => {
                self.ops[slot].meaning = self.in_data(section, symbol.value, addend);
            }
            SymbolPlace::Undefined if pseudo != PSEUDO_FUNC => {
                let name = symbol.name.clone();
                self.ops[slot].meaning = self.external(&name);
            }
            _ => self.ops[slot].meaning = Meaning::Unresolved,
        }
        Ok(None)
    }

    /// A map by its definition, or a byte of a data section.
    fn in_data(&mut self, section: SectionId, value: u64, addend: i64) -> Meaning {
        let is_definition = matches!(self.linker.section_name(section), ".maps" | "maps");
        let offset = if is_definition { value } else { 0 };
        let Some(&definition) = self.linker.by_place.get(&MapPlace { section, offset }) else {
            return Meaning::Unresolved;
        };
        let map = self.map(definition);
        if is_definition {
            return Meaning::Map(map);
        }
        let at = value.checked_add_signed(addend);
        match at.and_then(|at| u32::try_from(at).ok()) {
            Some(at) => Meaning::MapValue(map, at),
            None => Meaning::Unresolved,
        }
    }

    fn map(&mut self, definition: usize) -> MapId {
        if let Some(id) = self.map_ids.get(&definition) {
            return *id;
        }
        let def = self.linker.definitions[definition].clone();
        let mut map = Map::new(def, self.linker.btf.as_deref());
        if let Some(inner) = map.def.inner.clone() {
            map.inner = Some(self.add(Map::new(*inner, self.linker.btf.as_deref())));
        }
        let id = self.add(map);
        self.map_ids.insert(definition, id);
        id
    }

    fn add(&mut self, map: Map) -> MapId {
        let id = MapId(self.maps.len() as u32);
        self.maps.push(map);
        id
    }

    /// A kernel configuration value, which loaders put into a read-only map, or a kernel symbol.
    fn external(&mut self, name: &str) -> Meaning {
        let size = self.linker.btf.as_deref().and_then(|btf| {
            let variables = btf.section_variables(".kconfig")?;
            let found = variables.iter().find(|one| btf.name(one.target) == name)?;
            u32::try_from(btf.size_of(found.target)?).ok()
        });
        let Some(size) = size else {
            return Meaning::Ksym(name.to_owned());
        };
        if let Some(id) = self.kernel_values.get(name) {
            return Meaning::MapValue(*id, 0);
        }
        let mut def = MapDef::new(".kconfig", MapKind::Array, 4, size, 1);
        def.flags = READ_ONLY_PROG;
        let mut map = Map::new(def, None);
        map.of_kernel = true;
        let id = self.add(map);
        self.kernel_values.insert(name.to_owned(), id);
        Meaning::MapValue(id, 0)
    }
}
