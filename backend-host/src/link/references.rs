//! What speaks of code from outside the code: symbols, data, debug sections.

use super::Layout;
use crate::LinkError;
use bpf::insn::Endian;
use bpf::object::{Object, STT_SECTION, SectionId};

const R_BPF_64_ABS64: u32 = 2;
const R_BPF_64_ABS32: u32 = 3;

/// Moves the symbols of sections laid out anew. A function's symbol gets its new size; a label
/// goes to the first instruction that came from its place or after it.
pub(super) fn move_symbols(result: &mut Object, layout: &Layout<'_>) {
    for symbol in &mut result.symbols {
        let Some(section) = symbol.section().filter(|id| layout.sections.contains(id)) else {
            continue;
        };
        if symbol.kind == STT_SECTION {
            continue;
        }
        let old = symbol.value;
        let old_end = old.saturating_add(symbol.size);
        if let Some(new) = layout.moved(section, old) {
            symbol.value = new;
        }
        if symbol.size != 0 {
            let whole = layout
                .starting_at(section, old)
                .map(|index| &layout.functions[index])
                .filter(|placed| placed.input.range.end() == old_end);
            symbol.size = match whole {
                Some(placed) => placed.size,
                None => layout
                    .moved(section, old_end)
                    .map_or(symbol.size, |end| end.saturating_sub(symbol.value)),
            };
        }
    }
}

/// Whether a section holds DWARF or unwind tables.
fn is_debug(name: &str) -> bool {
    name.starts_with(".debug_")
        || name.starts_with(".rel.debug_")
        || name == ".eh_frame"
        || name == ".rel.eh_frame"
}

/// Adjusts code addresses that data sections hold in place, against section symbols.
pub(super) fn move_references(
    object: &Object,
    result: &mut Object,
    layout: &Layout<'_>,
) -> Result<(), LinkError> {
    let moved_sections: Vec<SectionId> = object
        .section_ids()
        .filter(|&id| {
            object.section(id).is_some_and(|section| {
                !section.is_executable() && !is_debug(&section.name) && section.name != ".BTF.ext"
            })
        })
        .collect();
    for id in moved_sections {
        let Some(section) = object.section(id) else {
            continue;
        };
        for relocation in &section.relocations {
            let Some(symbol) = object.symbol(relocation.symbol) else {
                continue;
            };
            let Some(target) = symbol
                .section()
                .filter(|target| layout.sections.contains(target))
            else {
                continue;
            };
            if symbol.kind != STT_SECTION {
                continue;
            }
            let lost = || LinkError::Reference {
                section: section.name.clone(),
                offset: relocation.offset,
            };
            let width = match relocation.kind {
                R_BPF_64_ABS64 => 8,
                R_BPF_64_ABS32 => 4,
                _ => return Err(lost()),
            };
            let start = usize::try_from(relocation.offset).map_err(|_| lost())?;
            let bytes = section.data().get(start..start + width).ok_or_else(lost)?;
            let old = read(bytes, object.endian);
            let new = layout.moved(target, old).ok_or_else(lost)?;
            if let Some(place) = result
                .section_mut(id)
                .and_then(|section| section.data_mut())
                .and_then(|data| data.get_mut(start..start + width))
            {
                write(place, new, object.endian);
            }
        }
    }
    Ok(())
}

fn read(bytes: &[u8], endian: Endian) -> u64 {
    let fold = |value: u64, &byte: &u8| value << 8 | u64::from(byte);
    match endian {
        Endian::Little => bytes.iter().rev().fold(0, fold),
        Endian::Big => bytes.iter().fold(0, fold),
    }
}

fn write(place: &mut [u8], value: u64, endian: Endian) {
    let length = place.len();
    match endian {
        Endian::Little => place.copy_from_slice(&value.to_le_bytes()[..length]),
        Endian::Big => place.copy_from_slice(&value.to_be_bytes()[8 - length..]),
    }
}

/// Removes DWARF sections and their relocations; returns the names of what was removed.
pub(super) fn drop_debug_sections(result: &mut Object) -> Result<Vec<String>, LinkError> {
    let dropped: Vec<SectionId> = result
        .section_ids()
        .filter(|&id| {
            result
                .section(id)
                .is_some_and(|section| is_debug(&section.name))
        })
        .collect();
    let names = dropped
        .iter()
        .filter_map(|&id| result.section(id))
        .map(|section| section.name.clone())
        .filter(|name| !name.starts_with(".rel"))
        .collect();
    if !dropped.is_empty() {
        result.remove_sections(&dropped)?;
    }
    Ok(names)
}
