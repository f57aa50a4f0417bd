//! The `maps` section of fixed records, one a symbol.
//!
//! All loaders agree on the first five words: type, key size, value size, entries, flags. The size
//! of a record is the distance between symbols; what follows the five words differs by loader.
//! Records of exactly 36 bytes are iproute2's `struct bpf_elf_map` (`include/bpf_elf.h`): id,
//! pinning, inner id, inner index.

use crate::insn::Endian;
use crate::object::{Object, SectionId};

use super::{MapDef, MapError, MapErrorKind, MapKind, MapPlace};

const IPROUTE2_RECORD: u64 = 36;

/// Reads the records of one section.
pub(super) fn read(object: &Object, id: SectionId) -> Result<Vec<MapDef>, MapError> {
    let Some(section) = object.section(id) else {
        return Ok(Vec::new());
    };
    let data = section.data();
    let mut starts: Vec<(u64, &str)> = object
        .symbols_in(id)
        .filter(|(_, symbol)| !symbol.name.is_empty() && symbol.kind <= 1)
        .map(|(_, symbol)| (symbol.value, symbol.name.as_str()))
        .collect();
    starts.sort_unstable();
    starts.dedup_by_key(|(offset, _)| *offset);
    let mut maps: Vec<(MapDef, u32)> = Vec::new();
    for (place, (offset, name)) in starts.iter().enumerate() {
        let error = |kind| MapError {
            section: section.name.clone(),
            offset: *offset,
            kind,
        };
        let end = starts
            .get(place + 1)
            .map_or(data.len() as u64, |(next, _)| *next);
        let size = end.saturating_sub(*offset);
        let bytes = usize::try_from(*offset)
            .ok()
            .and_then(|from| data.get(from..usize::try_from(end).ok()?))
            .ok_or_else(|| error(MapErrorKind::Outside((*name).to_owned())))?;
        if size < 16 {
            return Err(error(MapErrorKind::Short {
                name: (*name).to_owned(),
                size,
            }));
        }
        let word = |index: usize| word(bytes, index, object.endian);
        let kind = MapKind::from_number(word(0));
        let mut map = MapDef::new(name, kind, word(1), word(2), word(3));
        map.flags = word(4);
        map.place = Some(MapPlace {
            section: id,
            offset: *offset,
        });
        let mut inner = 0;
        if size == IPROUTE2_RECORD {
            map.legacy_id = Some(word(5));
            map.pinned = word(6) != 0;
            inner = word(7);
        }
        maps.push((map, inner));
    }
    let by_id: Vec<MapDef> = maps.iter().map(|(map, _)| map.clone()).collect();
    Ok(maps
        .into_iter()
        .map(|(mut map, inner)| {
            if map.kind.holds_maps() && inner != 0 {
                let found = by_id.iter().find(|other| other.legacy_id == Some(inner));
                map.inner = found.map(|found| {
                    Box::new(MapDef {
                        place: None,
                        ..found.clone()
                    })
                });
            }
            map
        })
        .collect())
}

/// A word of a record; records may end early, and absent words are zero.
fn word(bytes: &[u8], index: usize, endian: Endian) -> u32 {
    let at = index * 4;
    let Some(Ok(bytes)) = bytes.get(at..at + 4).map(<[u8; 4]>::try_from) else {
        return 0;
    };
    match endian {
        Endian::Little => u32::from_le_bytes(bytes),
        Endian::Big => u32::from_be_bytes(bytes),
    }
}
