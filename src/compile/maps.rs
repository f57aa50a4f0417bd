//! Which map each symbol names: what passes may know of maps.

use std::collections::BTreeMap;

use bpf::maps::{MapDef, MapPlace, definitions};
use bpf::object::Object;
use frontend::lift::LiftedObject;
use mir::SymbolKind;
use passes::Maps;

/// The maps of an object by the symbols of its module. Where the definitions cannot be read, none is
/// known.
pub fn of(object: &Object, lifted: &LiftedObject) -> Maps {
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
        let map = by_place.get(&symbol.place(object)?)?;
        Some((id, (*map).clone()))
    });
    found.collect()
}
