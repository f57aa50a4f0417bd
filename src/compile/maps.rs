//! Which map each symbol names: what passes may know of maps.

use std::collections::BTreeMap;

use bpf::maps::{MapDef, MapPlace, definitions};
use bpf::object::{Object, STT_SECTION, SymbolPlace};
use frontend::lift::LiftedObject;
use mir::SymbolKind;
use passes::Maps;

/// The maps of an object by the symbols of its module. Where the definitions cannot be read, none is
/// known.
pub(super) fn of(object: &Object, lifted: &LiftedObject) -> Maps {
    let Ok(maps) = definitions(object, lifted.btf.as_ref()) else {
        return Maps::new();
    };
    let by_place: BTreeMap<MapPlace, &MapDef> = maps
        .iter()
        .filter_map(|map| Some((map.place?, map)))
        .collect();
    let symbols = lifted.module.symbols.iter();
    let named = symbols.filter(|(_, symbol)| symbol.kind == SymbolKind::Map);
    let found = named.filter_map(|(id, symbol)| {
        let elf = object.symbols.get(symbol.object_symbol? as usize)?;
        let SymbolPlace::Section(section) = elf.place else {
            return None;
        };
        // The addend of a map's own symbol means nothing; of its section's symbol it says which.
        let offset = match elf.kind {
            STT_SECTION => elf.value.wrapping_add(symbol.imm & u64::from(u32::MAX)),
            _ => elf.value,
        };
        let map = by_place.get(&MapPlace { section, offset })?;
        Some((id, (*map).clone()))
    });
    found.collect()
}
