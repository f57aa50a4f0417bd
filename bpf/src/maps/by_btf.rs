//! The `.maps` section: a variable a map, whose structure type says everything.
//!
//! Numbers are array lengths behind pointers (`int (*max_entries)[64]`), types are what pointers
//! point to, and `values` is an array whose relocations name the contents. The variable's bytes
//! say nothing. Source: `parse_btf_map_def` in `tools/lib/bpf/libbpf.c`.

use crate::btf::{Btf, TypeId, TypeKind};
use crate::object::{Object, SectionId};

use super::{MapDef, MapError, MapErrorKind, MapKind, MapPlace};

/// Inner definitions in inner definitions: the kernel allows one.
const DEPTH_LIMIT: usize = 2;
/// Bytes in a pointer, which `values` is an array of.
const POINTER: u64 = 8;

/// Reads the definitions in one section.
pub(super) fn read(object: &Object, btf: &Btf, id: SectionId) -> Result<Vec<MapDef>, MapError> {
    let Some(section) = object.section(id) else {
        return Ok(Vec::new());
    };
    let mut maps = Vec::new();
    for variable in btf.section_variables(&section.name).unwrap_or(&[]) {
        let name = btf.name(variable.target);
        // The offset in BTF is for the loader to fill in; the symbol has it.
        let symbol = object
            .symbols_in(id)
            .find(|(_, symbol)| symbol.name == name);
        let offset = symbol.map_or(u64::from(variable.offset), |(_, symbol)| symbol.value);
        let error = |kind| MapError {
            section: section.name.clone(),
            offset,
            kind,
        };
        let definition = Definition { btf, name };
        let structure = match btf.resolved(variable.target).map(|found| &found.kind) {
            Some(TypeKind::Variable { target, .. }) => btf.resolve(*target),
            _ => None,
        };
        let structure = structure.ok_or_else(|| error(MapErrorKind::NotStruct(name.to_owned())))?;
        let mut map = definition.read(structure, 0).map_err(error)?;
        map.place = Some(MapPlace {
            section: id,
            offset,
        });
        if let Some(values) = btf.member(structure, "values") {
            let start = offset.saturating_add(u64::from(values.bit_offset(false) / 8));
            map.values = initial_values(
                object,
                id,
                start,
                offset.saturating_add(
                    btf.size_of(structure)
                        .unwrap_or(0)
                        .max(values_size(object, id, name)),
                ),
            );
        }
        maps.push(map);
    }
    Ok(maps)
}

/// Bytes of the variable, which is longer than its type when `values` has no fixed length.
fn values_size(object: &Object, id: SectionId, name: &str) -> u64 {
    let symbol = object
        .symbols_in(id)
        .find(|(_, symbol)| symbol.name == name);
    symbol.map_or(0, |(_, symbol)| symbol.size)
}

/// What relocations put into the array between two offsets.
fn initial_values(object: &Object, id: SectionId, start: u64, end: u64) -> Vec<(u32, String)> {
    let Some(section) = object.section(id) else {
        return Vec::new();
    };
    section
        .relocations
        .iter()
        .filter(|relocation| (start..end).contains(&relocation.offset))
        .filter_map(|relocation| {
            let index = u32::try_from((relocation.offset - start) / POINTER).ok()?;
            Some((index, object.symbol_label(relocation.symbol).to_owned()))
        })
        .collect()
}

struct Definition<'btf> {
    btf: &'btf Btf,
    name: &'btf str,
}

impl Definition<'_> {
    fn read(&self, structure: TypeId, depth: usize) -> Result<MapDef, MapErrorKind> {
        if depth >= DEPTH_LIMIT {
            return Err(MapErrorKind::Nested(self.name.to_owned()));
        }
        let Some(TypeKind::Struct { members, .. }) =
            self.btf.resolved(structure).map(|found| &found.kind)
        else {
            return Err(MapErrorKind::NotStruct(self.name.to_owned()));
        };
        let mut map = MapDef::new(self.name, MapKind::Other(0), 0, 0, 0);
        for member in members {
            let name = self.btf.string(member.name);
            match name {
                "type" => map.kind = MapKind::from_number(self.number(structure, name)?),
                "max_entries" => map.max_entries = self.number(structure, name)?,
                "map_flags" => map.flags = self.number(structure, name)?,
                "key_size" => map.key_size = self.number(structure, name)?,
                "value_size" => map.value_size = self.number(structure, name)?,
                "pinning" => map.pinned = self.number(structure, name)? != 0,
                "key" => map.key_size = self.size(member.target, name)?,
                "value" => map.value_size = self.size(member.target, name)?,
                "values" => {
                    if let Some(inner) = self.element(member.target)
                        && map.kind != MapKind::ProgArray
                    {
                        map.inner = Some(Box::new(self.read(inner, depth + 1)?));
                    }
                }
                // Members that later libbpf knows say nothing about what programs do.
                _ => {}
            }
        }
        if map.kind.holds_maps() || map.kind == MapKind::ProgArray {
            map.value_size = map.value_size.max(4);
            map.key_size = map.key_size.max(4);
        }
        Ok(map)
    }

    fn unreadable(&self, member: &str) -> MapErrorKind {
        MapErrorKind::Member {
            name: self.name.to_owned(),
            member: member.to_owned(),
        }
    }

    fn number(&self, structure: TypeId, member: &str) -> Result<u32, MapErrorKind> {
        let number = self.btf.map_number(structure, member);
        number.ok_or_else(|| self.unreadable(member))
    }

    /// Size of what a pointer points to.
    fn size(&self, pointer: TypeId, member: &str) -> Result<u32, MapErrorKind> {
        let size = match self.btf.resolved(pointer).map(|found| &found.kind) {
            Some(TypeKind::Pointer { target }) => self.btf.size_of(*target),
            _ => None,
        };
        let size = size.and_then(|size| u32::try_from(size).ok());
        size.ok_or_else(|| self.unreadable(member))
    }

    /// Structure that the pointers in an array point to.
    fn element(&self, array: TypeId) -> Option<TypeId> {
        let TypeKind::Array { element, .. } = self.btf.resolved(array)?.kind else {
            return None;
        };
        let TypeKind::Pointer { target } = self.btf.resolved(element)?.kind else {
            return None;
        };
        let target = self.btf.resolve(target)?;
        let found = &self.btf.get(target)?.kind;
        matches!(found, TypeKind::Struct { .. }).then_some(target)
    }
}
