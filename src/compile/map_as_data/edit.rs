//! The object with a section in the map's place: code, symbols and BTF.
//!
//! A map that is alone in its section gives the section its new name and contents; else a section is
//! added. In `.maps` the definition's bytes stay, since BTF alone says where definitions are; in the
//! section `maps`, whose records loaders count, the record goes. In BTF the map's variable becomes
//! one of the value's type, in a section of its own; types are appended only, so that no number
//! changes, and what `.rel.BTF` says of variables moves along.

use std::collections::{BTreeMap, BTreeSet};

use bpf::btf::{Btf, SectionVariable, StringOffset, Type, TypeId, TypeKind};
use bpf::insn::{AluOp, CallTarget, Insn, Operand, Reg, Width, read_slots};
use bpf::object::{
    Contents, Object, SHF_ALLOC, SHF_WRITE, SHT_PROGBITS, Section, SectionId, SymbolPlace,
};

use super::{LOOKUP, Map, MapAsDataError};

/// Bytes of a type in BTF before what belongs to its kind.
const TYPE_HEADER: usize = 12;
/// Bytes of a variable in a data section's type, and where in it the offset lies.
const VARIABLE: usize = 12;
const VARIABLE_OFFSET: usize = 4;
/// Linkage of a variable that other objects see.
const GLOBAL: u32 = 1;

/// The type of a map's value, if its definition in BTF has one.
pub(super) fn value_type(btf: &Btf, section: &str, map: &str) -> Option<TypeId> {
    let structure = btf.resolve(btf.get(variable(btf, section, map)?)?.target()?)?;
    let pointer = btf.member(structure, "value")?.target;
    match btf.resolved(pointer)?.kind {
        TypeKind::Pointer { target } => Some(target),
        _ => None,
    }
}

/// The variable that defines a map in BTF, if one does.
fn variable(btf: &Btf, section: &str, map: &str) -> Option<TypeId> {
    let variables = btf.section_variables(section)?.iter();
    let mut named = variables.filter(|variable| btf.name(variable.target) == map);
    named.next().map(|variable| variable.target)
}

/// Puts a data section in the place of a map, with these calls that look it up.
pub(super) fn rewrite(
    object: &Object,
    btf: Option<Btf>,
    map: &Map<'_>,
    calls: &BTreeSet<(SectionId, u64)>,
) -> Result<Object, MapAsDataError> {
    let mut object = object.clone();
    let name = format!(".data.{}", map.def.name);
    if object.section_by_name(&name).is_some() {
        return Err(map.not_plain(format!("there is a section `{name}` already")));
    }
    for &(section, offset) in calls {
        take_address(&mut object, section, offset)
            .ok_or_else(|| map.not_plain("a look-up in it is not where it should be"))?;
    }
    if let Some(mut btf) = btf {
        let places = variable_places(&btf);
        if !retype(&mut btf, map, &name) {
            return Err(map.not_plain("BTF has no place for it"));
        }
        replace_btf(&mut object, &btf, &places);
    }
    move_symbol(&mut object, map, &name);
    Ok(object)
}

/// Makes a move of the call: what it was given first is the address that it would have returned.
fn take_address(object: &mut Object, section: SectionId, offset: u64) -> Option<()> {
    let endian = object.endian;
    let start = usize::try_from(offset).ok()?;
    let bytes = object.section_mut(section)?.data_mut()?;
    let slot = bytes.get_mut(start..start.checked_add(8)?)?;
    let (call, _) = Insn::decode(&read_slots(slot, endian)?).ok()?;
    let target = CallTarget::Helper(i32::try_from(LOOKUP).ok()?);
    if call != (Insn::Call { target }) {
        return None;
    }
    let copy = Insn::Alu {
        width: Width::W64,
        op: AluOp::Mov,
        dst: Reg(0),
        src: Operand::Reg(Reg(1)),
    };
    let encoded = copy.encode();
    slot.copy_from_slice(&encoded.as_slice().first()?.to_bytes(endian));
    Some(())
}

/// Moves the map's symbol to a section of zeros.
fn move_symbol(object: &mut Object, map: &Map<'_>, name: &str) {
    let size = map.def.value_size;
    let data = Section {
        flags: SHF_ALLOC | SHF_WRITE,
        align: 8,
        contents: Contents::Bytes(vec![0; size as usize]),
        ..Section::new(name, SHT_PROGBITS)
    };
    let section = if map.is_alone {
        if let Some(section) = object.section_mut(map.section) {
            *section = data;
        }
        map.section
    } else {
        if map.section_name == "maps" {
            remove_record(object, map);
        }
        object.add_section(data)
    };
    if let Some(symbol) = object.symbol_mut(map.symbol) {
        symbol.place = SymbolPlace::Section(section);
        symbol.value = 0;
        symbol.size = u64::from(size);
    }
}

/// Takes the map's record out of a section of records.
fn remove_record(object: &mut Object, map: &Map<'_>) {
    let symbols = object.symbols_in(map.section);
    let starts = symbols.map(|(_, symbol)| symbol.value);
    let next = starts.filter(|&start| start > map.offset).min();
    let Some(data) = object.section_mut(map.section).and_then(Section::data_mut) else {
        return;
    };
    let end = next.unwrap_or(data.len() as u64);
    let range = (
        usize::try_from(map.offset)
            .unwrap_or(usize::MAX)
            .min(data.len()),
        usize::try_from(end).unwrap_or(usize::MAX).min(data.len()),
    );
    data.drain(range.0..range.1);
    let length = end.saturating_sub(map.offset);
    for symbol in &mut object.symbols {
        if symbol.place == SymbolPlace::Section(map.section) && symbol.value > map.offset {
            symbol.value -= length;
        }
    }
}

/// Which variable each place in BTF that `.rel.BTF` may name belongs to.
fn variable_places(btf: &Btf) -> BTreeMap<u64, TypeId> {
    let mut places = BTreeMap::new();
    for (id, found) in btf.iter() {
        let TypeKind::DataSection { variables, .. } = &found.kind else {
            continue;
        };
        let start = btf.type_position(id).unwrap_or(0) + TYPE_HEADER + VARIABLE_OFFSET;
        for (index, variable) in variables.iter().enumerate() {
            places.insert((start + index * VARIABLE) as u64, variable.target);
        }
    }
    places
}

/// Writes BTF, with its relocations where their variables are now.
fn replace_btf(object: &mut Object, btf: &Btf, before: &BTreeMap<u64, TypeId>) {
    let after: BTreeMap<TypeId, u64> = variable_places(btf)
        .into_iter()
        .map(|(place, variable)| (variable, place))
        .collect();
    let Some(section) = object.section_by_name(".BTF") else {
        return;
    };
    let Some(section) = object.section_mut(section) else {
        return;
    };
    section.contents = Contents::Bytes(btf.to_bytes());
    for relocation in &mut section.relocations {
        let variable = before.get(&relocation.offset);
        if let Some(&place) = variable.and_then(|variable| after.get(variable)) {
            relocation.offset = place;
        }
    }
}

/// Makes the map's variable one of the value, in a data section of this name.
fn retype(btf: &mut Btf, map: &Map<'_>, name: &str) -> bool {
    let size = map.def.value_size;
    let value = value_type(btf, &map.section_name, &map.def.name)
        .filter(|&value| btf.size_of(value) == Some(u64::from(size)));
    let value = value.unwrap_or_else(|| bytes_type(btf, size));
    let variable = variable(btf, &map.section_name, &map.def.name).unwrap_or_else(|| {
        let name = btf.add_string(&map.def.name);
        let kind = TypeKind::Variable {
            target: value,
            linkage: GLOBAL,
        };
        btf.add_type(plain(name, kind))
    });
    let Some(Type {
        kind: TypeKind::Variable { target, .. },
        ..
    }) = btf.get_mut(variable)
    else {
        return false;
    };
    *target = value;
    let name = btf.add_string(name);
    let contents = TypeKind::DataSection {
        size,
        variables: vec![SectionVariable {
            target: variable,
            offset: 0,
            size,
        }],
    };
    let mut emptied = None;
    for (index, found) in btf.types.iter_mut().enumerate() {
        if let TypeKind::DataSection { variables, .. } = &mut found.kind {
            let before = variables.len();
            variables.retain(|one| one.target != variable);
            if before == 1 && variables.is_empty() {
                emptied = Some(index);
            }
        }
    }
    // An empty section would be none; its place is as good as the end.
    let section = plain(name, contents);
    match emptied {
        Some(index) => btf.types[index] = section,
        None => {
            btf.add_type(section);
        }
    }
    true
}

fn plain(name: StringOffset, kind: TypeKind) -> Type {
    Type {
        name,
        kind_flag: false,
        kind,
    }
}

/// An array of so many bytes.
fn bytes_type(btf: &mut Btf, count: u32) -> TypeId {
    let mut integer = |size: u32, name: &str| {
        let found = btf.iter().find(|(_, found)| {
            matches!(found.kind, TypeKind::Int { size: has, offset: 0, bits, .. }
                if has == size && u32::from(bits) == 8 * size)
        });
        if let Some((id, _)) = found {
            return id;
        }
        let name = btf.add_string(name);
        let kind = TypeKind::Int {
            size,
            encoding: 0,
            offset: 0,
            bits: u8::try_from(8 * size).unwrap_or(8),
        };
        btf.add_type(plain(name, kind))
    };
    let (element, index) = (integer(1, "unsigned char"), integer(4, "unsigned int"));
    let kind = TypeKind::Array {
        element,
        index,
        count,
    };
    btf.add_type(plain(StringOffset(0), kind))
}
