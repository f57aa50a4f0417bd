//! Addresses for the symbols of a lifted object: what a loader does to `ld_imm64`.
//!
//! The machine's maps know where the object defines them, data sections included, so a symbol's
//! place in the object finds its map. What has no map (variables of the kernel, its configuration)
//! stays without address and is a fault when it is used.

use super::Interpreter;
use crate::module::{SymbolData, SymbolKind};
use bpf::interp::{Fault, Machine, Memory, pseudo};
use bpf::object::Object;

impl Interpreter<'_> {
    /// Gives addresses to all symbols that name a map of the machine or a byte of its data.
    ///
    /// # Errors
    /// When the machine's memory runs out.
    pub fn bind_symbols(&mut self, machine: &mut Machine, object: &Object) -> Result<(), Fault> {
        for (id, symbol) in &self.module.symbols {
            let address = match symbol.object_symbol {
                Some(_) => by_place(machine, object, symbol)?,
                None => by_number(machine, symbol)?,
            };
            if let Some(address) = address {
                self.symbols[id] = Some(address);
            }
        }
        Ok(())
    }
}

/// The address of what a relocation names.
fn by_place(
    machine: &mut Machine,
    object: &Object,
    symbol: &SymbolData,
) -> Result<Option<u64>, Fault> {
    let Some(place) = symbol.place(object) else {
        return Ok(None);
    };
    let numbered = (0u32..).zip(machine.maps());
    let map = numbered.into_iter().find_map(|(number, map)| {
        let defined = map
            .def
            .place
            .filter(|defined| defined.section == place.section)?;
        let is_it = symbol.kind == SymbolKind::Data || defined.offset == place.offset;
        is_it.then_some(number)
    });
    match (map, symbol.kind) {
        (Some(number), SymbolKind::Map) => Ok(Some(Memory::map_address(number))),
        (Some(number), SymbolKind::Data) => match u32::try_from(place.offset) {
            Ok(offset) => machine.map_value_address(number, offset),
            Err(_) => Ok(None),
        },
        _ => Ok(None),
    }
}

/// The address of what an instruction names by itself: bytecode that was loaded once already.
fn by_number(machine: &mut Machine, symbol: &SymbolData) -> Result<Option<u64>, Fault> {
    let (low, high) = (symbol.imm as u32, (symbol.imm >> 32) as u32);
    match symbol.pseudo {
        pseudo::NUMBER => Ok(Some(symbol.imm)),
        pseudo::MAP | pseudo::MAP_INDEX if (low as usize) < machine.maps().len() => {
            Ok(Some(Memory::map_address(low)))
        }
        pseudo::MAP_VALUE | pseudo::MAP_INDEX_VALUE => machine.map_value_address(low, high),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entity::Symbol;
    use crate::module::Module;
    use bpf::insn::Endian;
    use bpf::interp::{Meaning, Options};
    use bpf::maps::{MapDef, MapKind, MapPlace};
    use bpf::object::{
        Contents, STT_SECTION, Section, SectionId, Symbol as ElfSymbol, SymbolPlace,
    };
    use bpf::program_type::ProgramType;

    fn elf_symbol(object: &mut Object, section: SectionId, kind: u8, value: u64) -> u32 {
        let symbol = ElfSymbol {
            name: String::new(),
            binding: 1,
            kind,
            other: 0,
            place: SymbolPlace::Section(section),
            value,
            size: 8,
        };
        object.add_symbol(symbol).0
    }

    #[test]
    fn symbols_find_maps_and_data_by_place() {
        let mut object = Object::new(Endian::Little);
        let mut section = |name: &str| {
            let mut section = Section::new(name, 1);
            section.contents = Contents::Bytes(vec![0; 64]);
            object.add_section(section)
        };
        let (maps, data) = (section(".maps"), section(".data"));
        let second = elf_symbol(&mut object, maps, 1, 32);
        let variable = elf_symbol(&mut object, data, 1, 16);
        let whole = elf_symbol(&mut object, data, STT_SECTION, 0);

        let mut machine = Machine::new(Endian::Little, ProgramType::Xdp, Options::default());
        for (name, section, offset) in [("a", maps, 0), ("b", maps, 32), (".data", data, 0)] {
            let mut def = MapDef::new(name, MapKind::Array, 4, 64, 1);
            def.place = Some(MapPlace { section, offset });
            machine.add_map(&def).unwrap();
        }

        let mut module = Module::new(Endian::Little);
        for (kind, object_symbol, pseudo, imm) in [
            (SymbolKind::Map, Some(second), 1, 0),
            (SymbolKind::Data, Some(variable), 2, 4),
            (SymbolKind::Data, Some(whole), 2, 24),
            (SymbolKind::Extern, Some(999), 3, 0),
            (SymbolKind::Other, None, 1, 1),
            (SymbolKind::Other, None, 1, 9),
        ] {
            module.symbols.push(SymbolData {
                name: String::new(),
                kind,
                object_symbol,
                pseudo,
                imm,
            });
        }
        let mut interpreter = Interpreter::new(&module);
        interpreter.bind_symbols(&mut machine, &object).unwrap();
        let meanings: Vec<Option<Meaning>> = (0..6)
            .map(|index| {
                let address = interpreter.symbols[Symbol::from_u32(index)]?;
                Some(machine.memory().meaning(address))
            })
            .collect();
        assert_eq!(meanings[0], Some(Meaning::Map(1)));
        let Some(Meaning::Region(region, 20)) = meanings[1] else {
            panic!("{meanings:?}");
        };
        assert_eq!(meanings[2], Some(Meaning::Region(region, 24)));
        assert_eq!(meanings[3], None);
        assert_eq!(meanings[4], Some(Meaning::Map(1)));
        assert_eq!(meanings[5], None);
    }
}
