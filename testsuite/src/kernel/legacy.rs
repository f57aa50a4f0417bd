//! Old objects for today's loader. It knows only `.maps`: the records of a legacy `maps` section
//! become variables whose types in BTF say the same. And it takes for programs only what old
//! compilers did not mark as such: global functions with a size. Code stays as it is.

use bpf::btf::{Btf, Member, SectionVariable, Type, TypeId, TypeKind};
use bpf::maps::{MapDef, definitions};
use bpf::object::{
    Contents, Object, SHT_PROGBITS, STB_GLOBAL, STT_FUNC, STT_OBJECT, Section, SectionId,
};

const POINTER: u32 = 8;
/// Members of a definition: type, sizes of key and value, entries, flags.
const MEMBERS: u32 = 5;
const RECORD: u32 = POINTER * MEMBERS;
const GLOBAL: u32 = 1;
const SIGNED: u8 = 1;

/// Makes every function outside `.text` a program for today's loader.
pub fn mark_programs(object: &mut Object) {
    for range in object.functions() {
        let section = object.section(range.section);
        if section.is_none_or(|section| section.name == ".text") {
            continue;
        }
        let symbol = object
            .symbols_in(range.section)
            .find(|(_, symbol)| symbol.value == range.offset && symbol.name == range.name)
            .map(|(id, _)| id);
        if let Some(symbol) = symbol.and_then(|id| object.symbol_mut(id)) {
            symbol.kind = STT_FUNC;
            symbol.size = range.size;
            symbol.binding = STB_GLOBAL;
        }
    }
}

/// Defines an object's maps by BTF; an object without legacy maps stays as it is.
///
/// # Errors
/// The definitions or the BTF that is there cannot be read.
pub fn define_by_btf(object: &mut Object) -> Result<(), String> {
    let Some(section) = object.section_by_name("maps") else {
        return Ok(());
    };
    let present = object.section_by_name(".BTF");
    let mut btf = match present {
        Some(id) => {
            Btf::parse(object.data(id), object.endian).map_err(|error| error.to_string())?
        }
        None => Btf::new(object.endian),
    };
    let maps = definitions(object, present.map(|_| &btf)).map_err(|error| error.to_string())?;
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
            symbol.kind = STT_OBJECT;
        }
    }
    if let Some(section) = object.section_mut(section) {
        section.name = ".maps".to_owned();
        section.contents = Contents::Bytes(vec![0; maps.len() * RECORD as usize]);
    }
    add_types(&mut btf, &maps);
    let contents = Contents::Bytes(btf.to_bytes());
    match present.and_then(|id| object.section_mut(id)) {
        Some(section) => section.contents = contents,
        None => {
            let mut section = Section::new(".BTF", SHT_PROGBITS);
            section.contents = contents;
            let _: SectionId = object.add_section(section);
        }
    }
    Ok(())
}

fn add_types(btf: &mut Btf, maps: &[(u64, MapDef)]) {
    let int = TypeKind::Int {
        size: 4,
        encoding: SIGNED,
        offset: 0,
        bits: 32,
    };
    let int = add(btf, "int", int);
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
            let target = add(btf, "", array);
            members.push(Member {
                name: btf.add_string(name),
                target: add(btf, "", TypeKind::Pointer { target }),
                offset: place * POINTER * 8,
            });
        }
        let size = RECORD;
        let target = add(btf, "", TypeKind::Struct { size, members });
        let linkage = GLOBAL;
        let variable = TypeKind::Variable { target, linkage };
        variables.push(SectionVariable {
            target: add(btf, &map.name, variable),
            offset: index as u32 * RECORD,
            size: RECORD,
        });
    }
    let size = variables.len() as u32 * RECORD;
    let kind = TypeKind::DataSection { size, variables };
    let name = btf.add_string(".maps");
    let legacy = btf.find("maps", |kind| matches!(kind, TypeKind::DataSection { .. }));
    match legacy.and_then(|id| btf.get_mut(id)) {
        // Its section is there no longer.
        Some(section) => (section.name, section.kind) = (name, kind),
        None => {
            add(btf, ".maps", kind);
        }
    }
}

fn add(btf: &mut Btf, name: &str, kind: TypeKind) -> TypeId {
    let name = btf.add_string(name);
    btf.add_type(Type {
        name,
        kind_flag: false,
        kind,
    })
}
