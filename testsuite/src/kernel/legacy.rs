//! Legacy `maps` sections for a loader that knows only `.maps`: the records become variables whose
//! types in BTF say the same.

use bpf::btf::{Btf, Member, SectionVariable, Type, TypeId, TypeKind};
use bpf::maps::{MapDef, definitions};
use bpf::object::{Contents, Object, SHT_PROGBITS, Section, SectionId};

const POINTER: u32 = 8;
/// Members of a definition: type, sizes of key and value, entries, flags.
const MEMBERS: u32 = 5;
const RECORD: u32 = POINTER * MEMBERS;
const GLOBAL: u32 = 1;
const SIGNED: u8 = 1;

/// Defines an object's maps by BTF; an object without legacy maps stays as it is.
///
/// # Errors
/// The definitions cannot be read, or the object has BTF already.
pub fn define_by_btf(object: &mut Object) -> Result<(), String> {
    let Some(section) = object.section_by_name("maps") else {
        return Ok(());
    };
    if object.section_by_name(".BTF").is_some() {
        return Err("legacy maps in an object with BTF".to_owned());
    }
    let maps = definitions(object, None).map_err(|error| error.to_string())?;
    let maps: Vec<(u64, MapDef)> = maps
        .into_iter()
        .filter_map(|map| {
            Some((
                map.place.filter(|place| place.section == section)?.offset,
                map,
            ))
        })
        .collect();
    let symbols: Vec<_> = object.symbols_in(section).map(|(id, _)| id).collect();
    for id in symbols {
        let Some(symbol) = object.symbol_mut(id) else {
            continue;
        };
        let index = maps.iter().position(|(offset, _)| *offset == symbol.value);
        if let Some(index) = index {
            symbol.value = index as u64 * u64::from(RECORD);
            symbol.size = RECORD.into();
        }
    }
    let types = types(&maps, object);
    if let Some(section) = object.section_mut(section) {
        section.name = ".maps".to_owned();
        section.contents = Contents::Bytes(vec![0; maps.len() * RECORD as usize]);
    }
    let mut btf = Section::new(".BTF", SHT_PROGBITS);
    btf.contents = Contents::Bytes(types.to_bytes());
    let _: SectionId = object.add_section(btf);
    Ok(())
}

fn types(maps: &[(u64, MapDef)], object: &Object) -> Btf {
    let mut btf = Btf::new(object.endian);
    let int = TypeKind::Int {
        size: 4,
        encoding: SIGNED,
        offset: 0,
        bits: 32,
    };
    let int = add(&mut btf, "int", int);
    let mut variables = Vec::new();
    for (index, (_, map)) in maps.iter().enumerate() {
        let numbers = [
            ("type", map.kind.number()),
            ("key_size", map.key_size),
            ("value_size", map.value_size),
            ("max_entries", map.max_entries),
            ("map_flags", map.flags),
        ];
        let mut members = Vec::new();
        for (place, (name, number)) in (0..).zip(numbers) {
            // A number is the length of an array that is pointed to.
            let array = TypeKind::Array {
                element: int,
                index: int,
                count: number,
            };
            let target = add(&mut btf, "", array);
            members.push(Member {
                name: btf.add_string(name),
                target: add(&mut btf, "", TypeKind::Pointer { target }),
                offset: place * POINTER * 8,
            });
        }
        let size = RECORD;
        let target = add(&mut btf, "", TypeKind::Struct { size, members });
        let linkage = GLOBAL;
        let variable = TypeKind::Variable { target, linkage };
        variables.push(SectionVariable {
            target: add(&mut btf, &map.name, variable),
            offset: index as u32 * RECORD,
            size: RECORD,
        });
    }
    let size = variables.len() as u32 * RECORD;
    add(&mut btf, ".maps", TypeKind::DataSection { size, variables });
    btf
}

fn add(btf: &mut Btf, name: &str, kind: TypeKind) -> TypeId {
    let name = btf.add_string(name);
    btf.add_type(Type {
        name,
        kind_flag: false,
        kind,
    })
}
