//! Functions of an object as symbols and `.BTF.ext` together show them.
//!
//! Linear but for sorts, also for records that all name one long string: a block whose section does
//! not exist ends the search, and names beyond the kernel's limit for symbols are not copied.

use rustc_hash::FxHashMap;

use super::{Btf, BtfExt, StringOffset, TypeId, TypeKind};
use crate::object::{FunctionTable, Object, SectionId};

/// The kernel's `KSYM_NAME_LEN`: no function of a program can have a longer name.
const MAX_NAME: usize = 512;

/// The object's functions: those that symbols show, and in the bytes between them those that
/// `func_info` shows.
#[must_use]
pub fn function_table(object: &Object, btf: &Btf, ext: &BtfExt) -> FunctionTable {
    let mut table = object.function_table();
    if !table.irregularities.is_empty() {
        let starts = starts(object, btf, ext, &table);
        table.fill(&starts);
    }
    table
}

fn starts(
    object: &Object,
    btf: &Btf,
    ext: &BtfExt,
    table: &FunctionTable,
) -> Vec<(SectionId, u64, String)> {
    let mut by_name: FxHashMap<&str, SectionId> = FxHashMap::default();
    for (id, section) in object.section_ids().zip(&object.sections) {
        by_name.entry(&section.name).or_insert(id);
    }
    let mut irregular = vec![false; object.sections.len()];
    for irregularity in &table.irregularities {
        irregular[irregularity.section.0 as usize] = true;
    }
    let mut found: FxHashMap<StringOffset, SectionId> = FxHashMap::default();
    let mut starts = Vec::new();
    for block in &ext.func_info.sections {
        let section = match found.get(&block.section) {
            Some(&section) => section,
            None => match by_name.get(btf.string(block.section)) {
                Some(&section) => section,
                None => break,
            },
        };
        found.insert(block.section, section);
        if irregular[section.0 as usize] {
            for record in &block.records {
                let name = function_name(btf, record.type_id);
                starts.push((section, record.insn_off.into(), name));
            }
        }
    }
    starts
}

fn function_name(btf: &Btf, id: TypeId) -> String {
    match btf.get(id) {
        Some(one) if matches!(one.kind, TypeKind::Function { .. }) => {
            let bytes = btf
                .strings
                .bytes()
                .get(one.name.0 as usize..)
                .unwrap_or(&[]);
            let bytes = &bytes[..bytes.len().min(MAX_NAME)];
            let end = bytes.iter().position(|&byte| byte == 0);
            let name = end.and_then(|end| std::str::from_utf8(&bytes[..end]).ok());
            name.unwrap_or("").to_owned()
        }
        _ => String::new(),
    }
}
