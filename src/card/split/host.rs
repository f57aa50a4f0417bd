//! What stays on the host: an object without the programs that went to the card.
//!
//! **What.** The functions of those programs go, with their symbols, relocations and records in
//! `.BTF.ext`, and sections that they leave empty. A function that something else needs stays. Maps,
//! data, BTF and all that is not code stay as they are, so that user space finds what it knows by the
//! same names. If no program stays, no function does: what is left is maps and data.
//!
//! **Why sound.** A function goes only if nothing that stays needs it ([`References`]); code that stays
//! is moved by the linker that moves code of every other compilation. Where the functions of a section
//! do not tile it, bytes would be lost that belong to none: such a section goes as a whole or not at
//! all.
//!
//! **Cost.** That of a link without compiled functions, and a pass over symbols and sections.

use std::collections::BTreeSet;

use backend_host::{EmittedFunction, FunctionInput, LinkError, link};
use bpf::btf::Btf;
use bpf::btf::ext::{BtfExt, Record, Table};
use bpf::object::{EditError, FunctionRange, Object, STT_SECTION, SectionId, SymbolId};
use frontend::lift::lift_object;
use verifier::ProgramId;

use super::references::{References, is_debug};

/// The object of the host.
#[derive(Debug)]
pub struct HostHalf {
    /// The object.
    pub object: Object,
    /// Names of the functions that are no longer in it.
    pub removed: Vec<String>,
    /// What a user should know, one sentence each.
    pub remarks: Vec<String>,
}

/// Why there is no such object.
#[derive(Debug, thiserror::Error)]
pub enum SplitError {
    /// A section's bytes are not those of its functions.
    #[error("functions cannot be taken out of section `{0}`: it holds bytes of no function")]
    Irregular(String),
    /// Something refers to what goes.
    #[error(transparent)]
    Container(#[from] EditError),
    /// Code cannot be moved.
    #[error(transparent)]
    Link(#[from] LinkError),
}

/// The programs of an object that a loader of the host knows as such: a static function outside of
/// `.text` is none, whatever it is called by.
#[must_use]
pub fn programs(object: &Object) -> Vec<ProgramId> {
    let table = object.function_table();
    let id = |index: usize| {
        let range = &table.functions[index];
        Some(ProgramId {
            section: object.section(range.section)?.name.clone(),
            function: range.name.clone(),
        })
    };
    table.programs(object).filter_map(id).collect()
}

/// Whether these programs can be taken out of an object.
///
/// # Errors
/// [`SplitError::Irregular`]
pub fn check(object: &Object, programs: &[ProgramId]) -> Result<(), SplitError> {
    let lifted = lift_object(object);
    let ranges: Vec<FunctionRange> = lifted.functions.into_iter().map(|one| one.range).collect();
    Going::of(object, &ranges, programs).check(object)
}

/// Takes programs out of an object.
///
/// # Errors
/// [`SplitError`]
pub fn without(object: &Object, programs: &[ProgramId]) -> Result<HostHalf, SplitError> {
    let mut object = object.clone();
    let mut remarks = Vec::new();
    drop_debug(&mut object, &mut remarks)?;
    let lifted = lift_object(&object);
    let ranges: Vec<FunctionRange> = lifted
        .functions
        .iter()
        .map(|one| one.range.clone())
        .collect();
    let going = Going::of(&object, &ranges, programs);
    going.check(&object)?;
    let ext = lifted.btf_ext.as_ref().zip(lifted.btf.as_ref());
    let ext = ext.map(|(ext, btf)| going.without_functions(&object, ext, btf));
    let inputs: Vec<FunctionInput> = lifted
        .functions
        .iter()
        .enumerate()
        .map(|(index, function)| FunctionInput {
            func: function.func,
            range: function.range.clone(),
            emitted: going.goes(index).then(EmittedFunction::default),
        })
        .collect();
    // Which symbols go, the input says: the linker leaves none of their places.
    let symbols = going.symbols(&object);
    let btf = lifted.btf.as_ref();
    let mut result = link(&object, btf, ext.as_ref(), &lifted.module, &inputs)?.object;
    if let (Some(btf), Some(ext)) = (btf, &ext) {
        finish_records(&mut result, btf, ext)?;
    }
    result.remove_symbols(&symbols)?;
    let empty = empty_sections(&result, &going.sections(&object));
    result.remove_sections(&empty)?;
    Ok(HostHalf {
        object: result,
        removed: going.names(),
        remarks,
    })
}

/// Of sections that lost code those that have none left, and `.BTF.ext` without a record.
fn empty_sections(object: &Object, lost: &BTreeSet<String>) -> Vec<SectionId> {
    let is_empty = |id: &SectionId| {
        object.section(*id).is_some_and(|section| {
            let is_useless = lost.contains(&section.name) && section.is_executable();
            (is_useless || section.name == ".BTF.ext") && section.data().is_empty()
        })
    };
    object.section_ids().filter(is_empty).collect()
}

/// Line tables in DWARF cannot follow moved code; nothing that loads needs them.
fn drop_debug(object: &mut Object, remarks: &mut Vec<String>) -> Result<(), EditError> {
    let is_debug = |id: &SectionId| object.section(*id).is_some_and(|one| is_debug(&one.name));
    let dropped: Vec<SectionId> = object.section_ids().filter(is_debug).collect();
    if dropped.is_empty() {
        return Ok(());
    }
    let names = dropped
        .iter()
        .filter_map(|id| Some(object.section(*id)?.name.as_str()));
    let names: Vec<&str> = names.collect();
    remarks.push(format!(
        "dropped {} of the host's half: DWARF cannot follow moved code (.BTF.ext can, and did)",
        names.join(", ")
    ));
    object.remove_sections(&dropped)?;
    Ok(())
}

/// Takes the section away if nothing is left in it: loaders refuse tables without records.
fn finish_records(object: &mut Object, btf: &Btf, before: &BtfExt) -> Result<(), LinkError> {
    let Some(id) = object.section_by_name(".BTF.ext") else {
        return Ok(());
    };
    let Ok(mut ext) = BtfExt::parse(object.data(id), before.endian) else {
        return Ok(());
    };
    let cores = ext.core_relocations.as_ref();
    if ext.func_info.is_empty() && ext.line_info.is_empty() && cores.is_none_or(Table::is_empty) {
        if let Some(section) = object.section_mut(id) {
            section.relocations.clear();
            if let Some(data) = section.data_mut() {
                data.clear();
            }
        }
        return Ok(());
    }
    absent_if_empty(&mut ext.func_info);
    absent_if_empty(&mut ext.line_info);
    if let Some(table) = &mut ext.core_relocations {
        absent_if_empty(table);
    }
    Ok(bpf::btf::ext::replace(object, btf, &ext)?)
}

fn absent_if_empty<T: Record>(table: &mut Table<T>) {
    if table.is_empty() {
        table.record_size = None;
        table.sections.clear();
    }
}

/// Which functions go.
struct Going<'a> {
    ranges: &'a [FunctionRange],
    functions: BTreeSet<usize>,
}

impl<'a> Going<'a> {
    fn of(object: &Object, ranges: &'a [FunctionRange], programs: &[ProgramId]) -> Going<'a> {
        let is_program = |range: &FunctionRange| {
            let section = object.section(range.section).map(|one| one.name.as_str());
            let mut ids = programs.iter();
            ids.any(|id| id.function == range.name && section == Some(id.section.as_str()))
        };
        let indices = |keep: &dyn Fn(usize) -> bool| -> Vec<usize> {
            (0..ranges.len()).filter(|index| keep(*index)).collect()
        };
        let card = indices(&|index| is_program(&ranges[index]));
        let references = References::of(object, ranges);
        let reached = references.closure(card);
        let table = object.function_table();
        let programs_left = table
            .programs(object)
            .filter_map(|index| {
                let left = &table.functions[index];
                let same =
                    |one: &FunctionRange| (one.section, one.offset) == (left.section, left.offset);
                ranges.iter().position(same)
            })
            .filter(|index| !is_program(&ranges[*index]));
        let programs_left: BTreeSet<usize> = programs_left.collect();
        let roots: Vec<usize> = match programs_left.is_empty() {
            true => references.by_data().collect(),
            // What nothing needs was there before, and stays.
            false => indices(&|index| !reached.contains(&index))
                .into_iter()
                .chain(programs_left)
                .chain(references.by_data())
                .collect(),
        };
        let stays = references.closure(roots);
        Going {
            ranges,
            functions: (0..ranges.len())
                .filter(|index| !stays.contains(index))
                .collect(),
        }
    }

    fn goes(&self, index: usize) -> bool {
        self.functions.contains(&index)
    }

    fn gone(&self) -> impl Iterator<Item = &FunctionRange> {
        self.functions.iter().map(|index| &self.ranges[*index])
    }

    fn names(&self) -> Vec<String> {
        self.gone().map(|range| range.name.clone()).collect()
    }

    /// Names of the sections that lose code.
    fn sections(&self, object: &Object) -> BTreeSet<String> {
        let sections = self
            .gone()
            .filter_map(|range| object.section(range.section));
        sections.map(|section| section.name.clone()).collect()
    }

    /// Whether code can be taken out of the sections.
    fn check(&self, object: &Object) -> Result<(), SplitError> {
        let table = object.function_table();
        for range in self.gone() {
            let whole = range.size == object.data(range.section).len() as u64;
            if !whole && !table.is_regular(range.section) {
                let section = object.section(range.section);
                let name = section.map_or_else(String::new, |one| one.name.clone());
                return Err(SplitError::Irregular(name));
            }
        }
        Ok(())
    }

    fn symbols(&self, object: &Object) -> Vec<SymbolId> {
        let goes = |id: &SymbolId| {
            object.symbol(*id).is_some_and(|symbol| {
                let inside = |range: &FunctionRange| {
                    symbol.section() == Some(range.section) && range.contains(symbol.value)
                };
                symbol.kind != STT_SECTION && self.gone().any(inside)
            })
        };
        object.symbol_ids().filter(goes).collect()
    }

    /// The records without those of functions that go. (Positions and relocations of the others the
    /// linker moves; of a function it wants one that it can move.)
    fn without_functions(&self, object: &Object, ext: &BtfExt, btf: &Btf) -> BtfExt {
        let mut ext = ext.clone();
        for block in &mut ext.func_info.sections {
            let name = btf.string(block.section);
            let Some(section) = object.section_by_name(name) else {
                continue;
            };
            block.records.retain(|record| {
                let at = u64::from(record.insn_off);
                !self
                    .gone()
                    .any(|range| range.section == section && range.contains(at))
            });
        }
        ext.func_info
            .sections
            .retain(|block| !block.records.is_empty());
        ext
    }
}
