//! `.BTF.ext` for moved code.
//!
//! For each section laid out anew, functions are visited in order and give their records: a
//! compiled function those that emission recorded, an untouched one its own, shifted. So offsets
//! rise, each function with source positions has one on its first instruction, and there is one
//! `func_info` record per function, as the kernel demands.

use super::{Layout, Placed};
use bpf::btf::ext::{BtfExt, CoreRelocation, FuncInfo, LineInfo, Record};
use bpf::btf::{Btf, StringOffset, TypeId};
use bpf::object::{Object, SectionId};
use mir::Module;

/// The records of an object after its code has moved.
pub(super) fn rebuild(
    object: &Object,
    btf: &Btf,
    ext: &BtfExt,
    module: &Module,
    layout: &Layout<'_>,
) -> BtfExt {
    let mut result = ext.clone();
    for &section in &layout.sections {
        let Some(name) = object.section(section).map(|section| section.name.as_str()) else {
            continue;
        };
        for block in &mut result.func_info.sections {
            if btf.string(block.section) == name {
                for record in &mut block.records {
                    move_func_info(record, section, layout);
                }
            }
        }
        let functions: Vec<&Placed<'_>> = layout
            .functions
            .iter()
            .filter(|placed| placed.input.range.section == section)
            .collect();
        if let Some(string) = block_name(btf, &ext.line_info.sections, name, |block| block.section)
        {
            let old: Vec<&LineInfo> = ext.line_info.of_section(string).collect();
            result
                .line_info
                .set_section(string, lines(&old, module, &functions));
        }
        if let Some(table) = &mut result.core_relocations
            && let Some(string) = block_name(btf, &table.sections, name, |block| block.section)
        {
            let old: Vec<CoreRelocation> = table.of_section(string).cloned().collect();
            table.set_section(string, relocations(&old, module, &functions));
        }
    }
    result
}

fn block_name<T>(
    btf: &Btf,
    blocks: &[T],
    name: &str,
    string: impl Fn(&T) -> StringOffset,
) -> Option<StringOffset> {
    blocks
        .iter()
        .map(string)
        .find(|&string| btf.string(string) == name)
}

fn move_func_info(record: &mut FuncInfo, section: SectionId, layout: &Layout<'_>) {
    if let Some(new) = layout.moved(section, u64::from(record.insn_off))
        && let Ok(new) = u32::try_from(new)
    {
        record.insn_off = new;
    }
}

/// Records of an untouched function, shifted to its new place.
fn shifted<T: Record + Clone>(old: &[T], placed: &Placed<'_>, result: &mut Vec<T>) {
    let range = &placed.input.range;
    for record in old {
        let offset = u64::from(record.insn_offset());
        if range.contains(offset) {
            let mut record = record.clone();
            record.set_insn_offset((offset - range.offset + placed.offset) as u32);
            result.push(record);
        }
    }
}

fn lines(old: &[&LineInfo], module: &Module, functions: &[&Placed<'_>]) -> Vec<LineInfo> {
    let old: Vec<LineInfo> = old.iter().map(|&record| record.clone()).collect();
    let mut result = Vec::new();
    for placed in functions {
        match placed.emitted {
            None => shifted(&old, placed, &mut result),
            Some(emitted) => {
                for &(slot, location) in &emitted.locations {
                    let location = module.locations[location];
                    result.push(LineInfo::new(
                        (placed.offset + u64::from(slot) * 8) as u32,
                        StringOffset(location.file),
                        StringOffset(location.text),
                        location.line_column,
                    ));
                }
            }
        }
    }
    result
}

fn relocations(
    old: &[CoreRelocation],
    module: &Module,
    functions: &[&Placed<'_>],
) -> Vec<CoreRelocation> {
    let mut result = Vec::new();
    for placed in functions {
        match placed.emitted {
            None => shifted(old, placed, &mut result),
            Some(emitted) => {
                for &(slot, relocation) in &emitted.core_relos {
                    let relocation = module.core_relos[relocation];
                    result.push(CoreRelocation {
                        insn_off: (placed.offset + u64::from(slot) * 8) as u32,
                        type_id: TypeId(relocation.type_id),
                        access: StringOffset(relocation.access),
                        kind: relocation.kind,
                        surplus: Box::default(),
                    });
                }
            }
        }
    }
    result
}
