//! All maps of an object, in the order of their sections and offsets.

use crate::btf::Btf;
use crate::object::{Contents, Object, SHF_ALLOC, SHF_EXECINSTR, SectionId};

use super::{MMAPABLE, MapDef, MapError, MapErrorKind, MapKind, MapPlace, READ_ONLY_PROG};

/// The maps that an object defines, data sections included.
///
/// # Errors
/// [`MapError`] for a definition that cannot be read.
pub fn definitions(object: &Object, btf: Option<&Btf>) -> Result<Vec<MapDef>, MapError> {
    let mut maps = Vec::new();
    for id in object.section_ids() {
        let Some(section) = object.section(id) else {
            continue;
        };
        match section.name.as_str() {
            "maps" => maps.extend(super::legacy::read(object, id)?),
            ".maps" => match btf {
                Some(btf) => maps.extend(super::by_btf::read(object, btf, id)?),
                None if section.data().is_empty() => {}
                None => {
                    let section = section.name.clone();
                    return Err(MapError {
                        section,
                        offset: 0,
                        kind: MapErrorKind::NoBtf,
                    });
                }
            },
            name if is_data(name) => maps.extend(data_section(object, id)?),
            _ => {}
        }
    }
    Ok(maps)
}

/// Whether libbpf makes a map of a section with this name.
fn is_data(name: &str) -> bool {
    [".data", ".rodata", ".bss"].iter().any(|stem| {
        name.strip_prefix(stem)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

fn data_section(object: &Object, id: SectionId) -> Result<Option<MapDef>, MapError> {
    let Some(section) = object.section(id) else {
        return Ok(None);
    };
    let size = match &section.contents {
        Contents::Bytes(bytes) => bytes.len() as u64,
        Contents::NoBits(size) => *size,
        Contents::Relocations | Contents::Symbols => 0,
    };
    let wanted = section.flags & (SHF_ALLOC | SHF_EXECINSTR) == SHF_ALLOC;
    if size == 0 || !wanted {
        return Ok(None);
    }
    let value_size = u32::try_from(size).map_err(|_| MapError {
        section: section.name.clone(),
        offset: 0,
        kind: MapErrorKind::Huge(size),
    })?;
    let mut map = MapDef::new(&section.name, MapKind::Array, 4, value_size, 1);
    map.flags = MMAPABLE;
    if section.name.starts_with(".rodata") {
        map.flags |= READ_ONLY_PROG;
    }
    if let Contents::Bytes(bytes) = &section.contents {
        map.data = Some(bytes.clone());
    }
    map.place = Some(MapPlace {
        section: id,
        offset: 0,
    });
    Ok(Some(map))
}
