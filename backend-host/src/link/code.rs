//! The bytes and relocations of code sections.

use super::{FunctionInput, Layout, Placed};
use crate::{EmittedFunction, LinkError};
use bpf::insn::{Slot, read_slots, write_slots};
use bpf::object::{Object, Relocation, STT_SECTION, SectionId, SymbolId};
use cranelift_entity::EntityRef;
use mir::{Func, Module, SymbolKind};
use std::collections::BTreeMap;

const R_BPF_64_64: u32 = 1;
const R_BPF_64_32: u32 = 10;
const CALL: u8 = 0x85;
const LD_IMM64: u8 = 0x18;

/// The input's slots of a function.
fn input_slots(object: &Object, input: &FunctionInput) -> Vec<Slot> {
    let (start, end) = (input.range.offset as usize, input.range.end() as usize);
    object
        .data(input.range.section)
        .get(start..end)
        .and_then(|bytes| read_slots(bytes, object.endian))
        .unwrap_or_default()
}

/// Whether a compiled function is the input, instruction for instruction. References are compared
/// by the rest of the instruction: they name the same things in the same order.
pub(super) fn is_unchanged(
    object: &Object,
    input: &FunctionInput,
    emitted: &EmittedFunction,
) -> bool {
    let slots = input_slots(object, input);
    if slots.len() != emitted.slots.len() {
        return false;
    }
    slots
        .iter()
        .zip(&emitted.slots)
        .enumerate()
        .all(|(index, (old, new))| {
            // Each instruction must have stayed in its place, or records would have to move.
            let call =
                old.opcode == CALL && old.src != 0 && new.opcode == CALL && new.src == old.src;
            let same = if call {
                old.offset == new.offset
            } else {
                old == new
            };
            let origin = emitted.origins.get(index).copied().unwrap_or(0);
            let second_half =
                index > 0 && slots[index - 1].opcode == LD_IMM64 && slots[index].opcode == 0;
            same && (second_half || origin == index as u32 + 1)
        })
}

/// How calls from a section name a function: by this symbol, whose distance is `base`.
#[derive(Clone, Copy)]
struct CallStyle {
    symbol: SymbolId,
    is_section: bool,
}

/// How each section's calls name each function.
fn call_styles(object: &Object, layout: &Layout<'_>) -> BTreeMap<(SectionId, usize), CallStyle> {
    let mut styles = BTreeMap::new();
    for section in object.section_ids().filter(|&id| object.is_executable(id)) {
        let Some(header) = object.section(section) else {
            continue;
        };
        for relocation in &header.relocations {
            let Some((target, style)) = call_target(object, layout, section, relocation) else {
                continue;
            };
            styles.entry((section, target)).or_insert(style);
        }
    }
    styles
}

fn call_target(
    object: &Object,
    layout: &Layout<'_>,
    section: SectionId,
    relocation: &Relocation,
) -> Option<(usize, CallStyle)> {
    if relocation.kind != R_BPF_64_32 {
        return None;
    }
    let slot = slot_at(object, section, relocation.offset)?;
    let symbol = object.symbol(relocation.symbol)?;
    let at = i64::try_from(symbol.value)
        .ok()?
        .checked_add((i64::from(slot.imm) + 1) * 8)?;
    let target = layout.starting_at(symbol.section()?, u64::try_from(at).ok()?)?;
    let is_section = symbol.kind == STT_SECTION;
    Some((
        target,
        CallStyle {
            symbol: relocation.symbol,
            is_section,
        },
    ))
}

fn slot_at(object: &Object, section: SectionId, offset: u64) -> Option<Slot> {
    let start = usize::try_from(offset).ok()?;
    let bytes: [u8; 8] = object
        .data(section)
        .get(start..start.checked_add(8)?)?
        .try_into()
        .ok()?;
    Some(Slot::from_bytes(bytes, object.endian))
}

/// Writes the sections of a layout into `result`.
pub(super) fn rebuild(
    object: &Object,
    result: &mut Object,
    module: &Module,
    layout: &Layout<'_>,
) -> Result<(), LinkError> {
    let styles = call_styles(object, layout);
    // Sections that did not move can still call or reference functions that did.
    let touched = object.section_ids().filter(|&id| object.is_executable(id));
    for section in touched {
        let Some(header) = object.section(section) else {
            continue;
        };
        let functions: Vec<&Placed<'_>> = layout
            .functions
            .iter()
            .filter(|placed| placed.input.range.section == section)
            .collect();
        let builder = SectionBuilder {
            object,
            module,
            layout,
            styles: &styles,
            section,
            name: &header.name,
        };
        let (slots, relocations) = if layout.sections.contains(&section) {
            builder.build(&functions)?
        } else {
            let slots = read_slots(object.data(section), object.endian).unwrap_or_default();
            if slots.len() * 8 != object.data(section).len() {
                continue;
            }
            let mut slots = slots;
            let mut relocations = header.relocations.clone();
            builder.adjust_references(&mut slots, &mut relocations, 0, 0)?;
            (slots, relocations)
        };
        let bytes = write_slots(&slots, object.endian);
        if let Some(header) = result.section_mut(section) {
            if let Some(data) = header.data_mut() {
                *data = bytes;
            }
            header.relocations = relocations;
        }
    }
    Ok(())
}

/// Makes relocation sections for code that had none. They move what is behind them, so this comes
/// last.
pub(super) fn make_relocation_sections(result: &mut Object) -> Result<(), LinkError> {
    let all = result.section_ids().filter(|&id| {
        let section = result.section(id);
        result.is_executable(id) && section.is_some_and(|one| !one.relocations.is_empty())
    });
    let relocated: Vec<SectionId> = all.collect();
    for &section in relocated.iter().rev() {
        result.ensure_relocation_section(section)?;
    }
    Ok(())
}

struct SectionBuilder<'a> {
    object: &'a Object,
    module: &'a Module,
    layout: &'a Layout<'a>,
    styles: &'a BTreeMap<(SectionId, usize), CallStyle>,
    section: SectionId,
    name: &'a str,
}

impl SectionBuilder<'_> {
    fn range_error(&self) -> LinkError {
        LinkError::Range {
            section: self.name.to_owned(),
        }
    }

    fn build(&self, functions: &[&Placed<'_>]) -> Result<(Vec<Slot>, Vec<Relocation>), LinkError> {
        let mut slots = Vec::new();
        let mut relocations = Vec::new();
        let old = self
            .object
            .section(self.section)
            .map_or(&[][..], |header| &header.relocations);
        for placed in functions {
            let start = slots.len();
            match placed.emitted {
                Some(emitted) => {
                    slots.extend_from_slice(&emitted.slots);
                    self.fill(&mut slots[start..], placed, emitted, old, &mut relocations)?;
                }
                None => {
                    slots.extend(input_slots(self.object, placed.input));
                    let range = &placed.input.range;
                    let mut own: Vec<Relocation> = old
                        .iter()
                        .filter(|relocation| range.contains(relocation.offset))
                        .map(|relocation| Relocation {
                            offset: relocation.offset - range.offset + placed.offset,
                            ..*relocation
                        })
                        .collect();
                    self.adjust_references(
                        &mut slots[start..],
                        &mut own,
                        placed.offset,
                        range.offset,
                    )?;
                    relocations.extend(own);
                }
            }
        }
        Ok((slots, relocations))
    }

    /// Fills calls and references of a compiled function and makes its relocations.
    fn fill(
        &self,
        slots: &mut [Slot],
        placed: &Placed<'_>,
        emitted: &EmittedFunction,
        old: &[Relocation],
        relocations: &mut Vec<Relocation>,
    ) -> Result<(), LinkError> {
        let with_addend = old
            .iter()
            .find_map(|relocation| relocation.addend)
            .map(|_| 0);
        let mut own = Vec::new();
        let relocation = |slot: u32, kind: u32, symbol: u32| Relocation {
            offset: placed.offset + u64::from(slot) * 8,
            kind,
            symbol: SymbolId(symbol),
            addend: with_addend,
        };
        for &(slot, symbol) in &emitted.symbols {
            let data = &self.module.symbols[symbol];
            let Some(index) = data.object_symbol else {
                continue;
            };
            let kind = old
                .iter()
                .find(|relocation| relocation.symbol.0 == index && relocation.kind != R_BPF_64_32)
                .map_or(R_BPF_64_64, |relocation| relocation.kind);
            if let SymbolKind::Function(func) = data.kind {
                let imm = self.function_address(func, SymbolId(index), data.imm)?;
                slots[slot as usize].imm = imm;
            }
            own.push(relocation(slot, kind, index));
        }
        for &(slot, func) in &emitted.calls {
            let (imm, symbol) = self.call(placed, slot, func)?;
            slots[slot as usize].imm = imm;
            own.extend(symbol.map(|symbol| relocation(slot, R_BPF_64_32, symbol.0)));
        }
        for &(slot, external) in &emitted.externals {
            if let Some(symbol) = self.module.externals[external].object_symbol {
                own.push(relocation(slot, R_BPF_64_32, symbol));
            }
        }
        own.sort_by_key(|relocation| relocation.offset);
        relocations.extend(own);
        Ok(())
    }

    /// The immediate of `ld_imm64` for a function.
    fn function_address(&self, func: Func, symbol: SymbolId, old: u64) -> Result<i32, LinkError> {
        let is_section = self
            .object
            .symbol(symbol)
            .is_some_and(|symbol| symbol.kind == STT_SECTION);
        let new = if is_section {
            self.layout.functions[func.index()].offset
        } else {
            old
        };
        i32::try_from(new).map_err(|_| self.range_error())
    }

    /// Immediate and symbol of a call: as the input's calls from this section name the callee, or
    /// directly within the section.
    fn call(
        &self,
        placed: &Placed<'_>,
        slot: u32,
        func: Func,
    ) -> Result<(i32, Option<SymbolId>), LinkError> {
        let target = &self.layout.functions[func.index()];
        match self.styles.get(&(self.section, func.index())) {
            Some(style) if style.is_section => {
                let imm = i32::try_from(target.offset / 8).map_err(|_| self.range_error())? - 1;
                Ok((imm, Some(style.symbol)))
            }
            Some(style) => Ok((-1, Some(style.symbol))),
            None if target.input.range.section == self.section => {
                let here = (placed.offset / 8) as i64 + i64::from(slot) + 1;
                let distance = (target.offset / 8) as i64 - here;
                Ok((
                    i32::try_from(distance).map_err(|_| self.range_error())?,
                    None,
                ))
            }
            None => Err(LinkError::Call {
                caller: placed.input.range.name.clone(),
                callee: target.input.range.name.clone(),
            }),
        }
    }

    /// Adjusts what copied slots say of moved functions. `slots` begin at byte `new` and began at
    /// byte `old` in the input; `relocations` have their new offsets.
    fn adjust_references(
        &self,
        slots: &mut [Slot],
        relocations: &mut [Relocation],
        new: u64,
        old: u64,
    ) -> Result<(), LinkError> {
        let mut relocated = vec![false; slots.len()];
        for relocation in relocations.iter() {
            let index = (relocation.offset.wrapping_sub(new) / 8) as usize;
            let Some(slot) = slots.get_mut(index) else {
                continue;
            };
            relocated[index] = true;
            let Some(symbol) = self.object.symbol(relocation.symbol) else {
                continue;
            };
            let Some(section) = symbol.section().filter(|&id| self.object.is_executable(id)) else {
                continue;
            };
            if symbol.kind != STT_SECTION {
                continue;
            }
            let lost = || LinkError::Reference {
                section: self.name.to_owned(),
                offset: relocation.offset,
            };
            if relocation.kind == R_BPF_64_32 {
                let at = u64::try_from((i64::from(slot.imm) + 1) * 8).map_err(|_| lost())?;
                let moved = self.layout.moved(section, at).ok_or_else(lost)?;
                slot.imm = i32::try_from(moved / 8).map_err(|_| self.range_error())? - 1;
            } else if slot.opcode == LD_IMM64 {
                let at = u64::try_from(slot.imm).map_err(|_| lost())?;
                let moved = self.layout.moved(section, at).ok_or_else(lost)?;
                slot.imm = i32::try_from(moved).map_err(|_| self.range_error())?;
            }
        }
        for index in 0..slots.len() {
            let slot = slots[index];
            if slot.opcode != CALL || slot.src != 1 || relocated[index] {
                continue;
            }
            let lost = || LinkError::Reference {
                section: self.name.to_owned(),
                offset: old + index as u64 * 8,
            };
            let here = (old / 8) as i64 + index as i64 + 1;
            let at = u64::try_from((here + i64::from(slot.imm)) * 8).map_err(|_| lost())?;
            let moved = self.layout.moved(self.section, at).ok_or_else(lost)?;
            let here = (new / 8) as i64 + index as i64 + 1;
            let distance = (moved / 8) as i64 - here;
            slots[index].imm = i32::try_from(distance).map_err(|_| self.range_error())?;
        }
        Ok(())
    }
}
