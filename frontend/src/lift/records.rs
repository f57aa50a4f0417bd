//! `.BTF.ext` records by function: source lines, CO-RE relocations and prototypes.

use bpf::btf::Btf;
use bpf::btf::ext::BtfExt;
use bpf::object::{FunctionRange, Object};
use mir::{CoreRelo, CoreRelocation, Location, Module, SourceLoc};
use std::collections::BTreeMap;

/// Reads `.BTF` and `.BTF.ext`; the last value says in words what could not be read.
pub(super) fn read(object: &Object) -> (Option<Btf>, Option<BtfExt>, Option<String>) {
    let Some(section) = object.section_by_name(".BTF") else {
        let orphan = object.section_by_name(".BTF.ext").is_some();
        return (
            None,
            None,
            orphan.then(|| ".BTF.ext without .BTF".to_owned()),
        );
    };
    let btf = match Btf::parse(object.data(section), object.endian) {
        Ok(btf) => btf,
        Err(error) => return (None, None, Some(error.to_string())),
    };
    let Some(section) = object.section_by_name(".BTF.ext") else {
        return (Some(btf), None, None);
    };
    match BtfExt::parse(object.data(section), object.endian) {
        Ok(ext) => (Some(btf), Some(ext), None),
        Err(error) => (Some(btf), None, Some(error.to_string())),
    }
}

/// The parameter count of a function's prototype in BTF.
pub(super) fn declared_parameters(
    object: &Object,
    btf: Option<&Btf>,
    ext: Option<&BtfExt>,
    range: &FunctionRange,
) -> Option<usize> {
    let (btf, ext) = (btf?, ext?);
    let name = &object.section(range.section)?.name;
    let info = ext
        .func_info
        .sections
        .iter()
        .filter(|block| btf.string(block.section) == name)
        .flat_map(|block| &block.records)
        .find(|record| u64::from(record.insn_off) == range.offset)?;
    btf.parameter_count(info.type_id)
}

/// The records of one function; slots count from its start.
#[derive(Clone, Debug, Default)]
pub(super) struct FunctionRecords {
    /// Where each source position begins, by slot.
    pub lines: Vec<(u32, SourceLoc)>,
    /// CO-RE records by slot.
    pub relocations: BTreeMap<u32, CoreRelo>,
}

impl FunctionRecords {
    /// The position that covers a slot.
    pub fn location(&self, slot: u32) -> Option<SourceLoc> {
        let next = self.lines.partition_point(|&(start, _)| start <= slot);
        self.lines
            .get(next.checked_sub(1)?)
            .map(|&(_, location)| location)
    }
}

/// The records of all functions.
pub(super) struct ByFunction(Vec<FunctionRecords>);

impl ByFunction {
    pub fn new(
        object: &Object,
        btf: Option<&Btf>,
        ext: Option<&BtfExt>,
        module: &mut Module,
        ranges: &[FunctionRange],
    ) -> Self {
        let mut all = vec![FunctionRecords::default(); ranges.len()];
        let (Some(btf), Some(ext)) = (btf, ext) else {
            return ByFunction(all);
        };
        let mut by_section: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, range) in ranges.iter().enumerate() {
            if let Some(section) = object.section(range.section) {
                by_section.entry(&section.name).or_default().push(index);
            }
        }
        let find = |section: &str, offset: u32| {
            // Functions of a section are sorted by offset.
            let list = by_section.get(section)?;
            let next = list.partition_point(|&index| ranges[index].offset <= u64::from(offset));
            let index = *list.get(next.checked_sub(1)?)?;
            ranges[index].contains(u64::from(offset)).then_some(index)
        };
        let mut seen: BTreeMap<Location, SourceLoc> = BTreeMap::new();
        for block in &ext.line_info.sections {
            let name = btf.string(block.section);
            for record in &block.records {
                let Some(index) = find(name, record.insn_off) else {
                    continue;
                };
                let location = Location {
                    file: record.file_name.0,
                    text: record.line_text.0,
                    line_column: record.line_column,
                };
                let location = *seen
                    .entry(location)
                    .or_insert_with(|| module.locations.push(location));
                let slot = (u64::from(record.insn_off) - ranges[index].offset) / 8;
                all[index].lines.push((slot as u32, location));
            }
        }
        for block in ext
            .core_relocations
            .iter()
            .flat_map(|table| &table.sections)
        {
            let name = btf.string(block.section);
            for record in &block.records {
                let Some(index) = find(name, record.insn_off) else {
                    continue;
                };
                let relocation = module.core_relos.push(CoreRelocation {
                    type_id: record.type_id.0,
                    access: record.access.0,
                    kind: record.kind,
                });
                let slot = (u64::from(record.insn_off) - ranges[index].offset) / 8;
                all[index].relocations.insert(slot as u32, relocation);
            }
        }
        for records in &mut all {
            records.lines.sort_by_key(|&(slot, _)| slot);
        }
        ByFunction(all)
    }

    pub fn of(&self, index: usize) -> &FunctionRecords {
        &self.0[index]
    }
}
