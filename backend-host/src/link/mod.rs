//! Putting compiled functions back into the object.
//!
//! Each executable section with a compiled function is laid out anew, function after function in
//! the input's order; a function that was not compiled keeps its bytes. Everything that speaks of
//! code offsets is moved along: symbols, relocations and calls ([`code`]), references from data
//! ([`references`]), `.BTF.ext` ([`records`]). DWARF cannot follow cheaply and goes, with a remark,
//! when code moved. If every compiled function equals its input, the object is left alone.

mod code;
mod records;
mod references;

use crate::{EmittedFunction, LinkError};
use bpf::btf::Btf;
use bpf::btf::ext::BtfExt;
use bpf::object::{FunctionRange, Object, SectionId};
use mir::{Func, Module};
use std::collections::{BTreeMap, BTreeSet};

/// A function of the object.
#[derive(Clone, Debug)]
pub struct FunctionInput {
    /// Its number in the module.
    pub func: Func,
    /// Where it lies in the input.
    pub range: FunctionRange,
    /// Its compiled form; `None` keeps the input's bytes.
    pub emitted: Option<EmittedFunction>,
}

/// An object put together.
#[derive(Clone, Debug)]
pub struct Linked {
    /// The object.
    pub object: Object,
    /// What a user should know, one sentence each.
    pub remarks: Vec<String>,
}

/// A function's old and new place.
#[derive(Clone, Debug)]
pub(crate) struct Placed<'a> {
    pub input: &'a FunctionInput,
    /// The compiled form if it differs from the input.
    pub emitted: Option<&'a EmittedFunction>,
    /// New byte offset.
    pub offset: u64,
    /// New size in bytes.
    pub size: u64,
    /// The new slot of each input slot, for a compiled form.
    places: Vec<u32>,
}

impl Placed<'_> {
    /// The new byte offset of an input slot, counted from the function's start: where the first
    /// instruction that came from it or from a later one lies.
    pub fn moved(&self, slot: u64) -> u64 {
        let Some(emitted) = self.emitted else {
            return self.offset + slot * 8;
        };
        let index = match usize::try_from(slot) {
            Ok(0) => 0,
            Ok(slot) => self
                .places
                .get(slot)
                .map_or(emitted.slots.len(), |&index| index as usize),
            Err(_) => emitted.slots.len(),
        };
        self.offset + index as u64 * 8
    }
}

/// For each input slot the new one of [`Placed::moved`]: of the instructions that came from it or
/// from later ones, the first of those with the least origin.
fn new_places(emitted: &EmittedFunction, slots: usize) -> Vec<u32> {
    let end = emitted.slots.len() as u32;
    let mut places = vec![end; slots];
    for (index, &origin) in emitted.origins.iter().enumerate().rev() {
        if let Some(place) = (origin as usize)
            .checked_sub(1)
            .and_then(|slot| places.get_mut(slot))
        {
            *place = index as u32;
        }
    }
    let mut later = end;
    for place in places.iter_mut().rev() {
        if *place == end {
            *place = later;
        }
        later = *place;
    }
    places
}

/// All functions of the object with their new places.
pub(crate) struct Layout<'a> {
    pub functions: Vec<Placed<'a>>,
    /// Sections laid out anew.
    pub sections: BTreeSet<SectionId>,
    by_start: BTreeMap<(SectionId, u64), usize>,
}

impl<'a> Layout<'a> {
    fn new(object: &Object, functions: &'a [FunctionInput]) -> Self {
        let mut placed: Vec<Placed<'a>> = functions
            .iter()
            .map(|input| Placed {
                input,
                emitted: input
                    .emitted
                    .as_ref()
                    .filter(|emitted| !code::is_unchanged(object, input, emitted)),
                offset: input.range.offset,
                size: input.range.size,
                places: Vec::new(),
            })
            .collect();
        let sections: BTreeSet<SectionId> = placed
            .iter()
            .filter(|function| function.emitted.is_some())
            .map(|function| function.input.range.section)
            .collect();
        let mut ends: BTreeMap<SectionId, u64> = BTreeMap::new();
        for function in &mut placed {
            let section = function.input.range.section;
            if sections.contains(&section) {
                let end = ends.entry(section).or_default();
                function.offset = *end;
                if let Some(emitted) = function.emitted {
                    let slots = usize::try_from(function.size / 8).unwrap_or(0);
                    function.places = new_places(emitted, slots);
                    function.size = emitted.slots.len() as u64 * 8;
                }
                *end += function.size;
            }
        }
        let by_start = placed
            .iter()
            .enumerate()
            .map(|(index, function)| {
                (
                    (function.input.range.section, function.input.range.offset),
                    index,
                )
            })
            .collect();
        Layout {
            functions: placed,
            sections,
            by_start,
        }
    }

    /// The function that begins at an input offset.
    pub fn starting_at(&self, section: SectionId, offset: u64) -> Option<usize> {
        self.by_start.get(&(section, offset)).copied()
    }

    /// The function that holds an input offset, or the last before it.
    pub fn holding(&self, section: SectionId, offset: u64) -> Option<&Placed<'a>> {
        let (_, &index) = self
            .by_start
            .range((section, 0)..=(section, offset))
            .next_back()?;
        self.functions.get(index)
    }

    /// Where an input offset of a section went.
    pub fn moved(&self, section: SectionId, offset: u64) -> Option<u64> {
        if !self.sections.contains(&section) {
            return Some(offset);
        }
        let function = self.holding(section, offset)?;
        let inside = offset.checked_sub(function.input.range.offset)?;
        if inside >= function.input.range.size {
            return Some(function.offset + function.size + (inside - function.input.range.size));
        }
        Some(function.moved(inside / 8))
    }
}

/// Puts functions back into their object. The functions tile their sections, in the order of
/// sections and offsets, as [`bpf::btf::function_table`] lists them; sections that they do not
/// tile have no compiled function.
///
/// # Errors
/// When something refers to moved code in a way that cannot be adjusted. The input is then the
/// only right output.
pub fn link(
    object: &Object,
    btf: Option<&Btf>,
    btf_ext: Option<&BtfExt>,
    module: &Module,
    functions: &[FunctionInput],
) -> Result<Linked, LinkError> {
    let layout = Layout::new(object, functions);
    let mut remarks = Vec::new();
    let mut result = object.clone();
    if layout.sections.is_empty() {
        return Ok(Linked {
            object: result,
            remarks,
        });
    }
    code::rebuild(object, &mut result, module, &layout)?;
    references::move_symbols(&mut result, &layout);
    references::move_references(object, &mut result, &layout)?;
    if let (Some(btf), Some(ext)) = (btf, btf_ext) {
        let moved = records::rebuild(object, btf, ext, module, &layout);
        bpf::btf::ext::replace(&mut result, btf, &moved)?;
    }
    let dropped = references::drop_debug_sections(&mut result)?;
    if !dropped.is_empty() {
        remarks.push(format!(
            "dropped {}: line tables in DWARF cannot follow moved code (.BTF.ext can, and did)",
            dropped.join(", ")
        ));
    }
    code::make_relocation_sections(&mut result)?;
    Ok(Linked {
        object: result,
        remarks,
    })
}
