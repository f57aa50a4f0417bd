//! Names in place of numbers: which symbol lies at a place, and what an instruction refers to.
//!
//! Symbols are sorted by section and offset once; a look-up is a binary search.

use bpf::helpers;
use bpf::insn::{CallTarget, Insn};
use bpf::object::{Object, STT_FILE, STT_SECTION, SectionId, Symbol, SymbolId, SymbolPlace};

use super::line::Line;

/// The named symbols of all sections.
#[derive(Debug)]
pub struct Names<'a> {
    object: &'a Object,
    /// By section, then by offset and name.
    sections: Vec<Vec<&'a Symbol>>,
}

impl<'a> Names<'a> {
    /// Sorts the symbols of an object.
    pub fn of(object: &'a Object) -> Names<'a> {
        let mut sections: Vec<Vec<&Symbol>> = vec![Vec::new(); object.sections.len()];
        for symbol in &object.symbols {
            let named = symbol.kind != STT_SECTION && symbol.kind != STT_FILE;
            if let SymbolPlace::Section(id) = symbol.place
                && named
                && !symbol.name.is_empty()
                && let Some(list) = sections.get_mut(id.0 as usize)
            {
                list.push(symbol);
            }
        }
        for list in &mut sections {
            list.sort_by(|a, b| (a.value, &a.name).cmp(&(b.value, &b.name)));
        }
        Names { object, sections }
    }

    /// The symbols of a section by offset and name.
    pub fn section(&self, id: SectionId) -> &[&'a Symbol] {
        self.sections.get(id.0 as usize).map_or(&[], Vec::as_slice)
    }

    /// The last symbol at or before an offset, as llvm-objdump chooses it: of several at one place
    /// the last by name.
    pub fn before(&self, id: SectionId, offset: u64) -> Option<&'a Symbol> {
        let list = self.section(id);
        let after = list.partition_point(|symbol| symbol.value <= offset);
        list.get(after.checked_sub(1)?).copied()
    }

    /// A place as a symbol and a distance, or as the section and the offset.
    pub fn place(&self, id: SectionId, offset: i64) -> String {
        let found = u64::try_from(offset).ok().and_then(|offset| {
            let symbol = self.before(id, offset)?;
            let inside = offset == symbol.value || offset - symbol.value < symbol.size;
            inside.then_some((symbol, offset - symbol.value))
        });
        match found {
            Some((symbol, distance)) => sum(&symbol.name, distance as i64),
            None => {
                let section = self.object.section(id);
                sum(section.map_or("", |section| &section.name), offset)
            }
        }
    }

    /// What a relocation's symbol and an addend are called together.
    pub fn target(&self, symbol: SymbolId, addend: i64) -> String {
        match self.object.symbol(symbol) {
            Some(found) if found.kind == STT_SECTION => match found.place {
                SymbolPlace::Section(id) => {
                    self.place(id, addend.wrapping_add(found.value.cast_signed()))
                }
                _ => sum(&found.name, addend),
            },
            _ => sum(self.object.symbol_label(symbol), addend),
        }
    }

    /// An instruction with names for what it loads and calls; `None` where it has none.
    pub fn insn(&self, id: SectionId, line: &Line<'_>) -> Option<String> {
        let relocation = line.relocations.first();
        match (*line.insn.as_ref().ok()?, relocation) {
            (Insn::LoadImm64 { dst, imm, .. }, Some(found)) => {
                let name = self.target(found.symbol, imm.cast_signed());
                Some(format!("{dst} = {name} ll"))
            }
            (Insn::Call { target }, Some(found)) => {
                let addend = match target {
                    CallTarget::Subprogram(distance) => (i64::from(distance) + 1) * 8,
                    _ => 0,
                };
                Some(format!("call {}", self.target(found.symbol, addend)))
            }
            (Insn::Call { target }, None) => match target {
                CallTarget::Helper(number) => {
                    let helper = helpers::by_id(u32::try_from(number).ok()?)?;
                    Some(format!("call bpf_{}#{number}", helper.name))
                }
                CallTarget::Subprogram(distance) => {
                    Some(format!("call {}", self.place(id, line.target(distance))))
                }
                CallTarget::Kfunc(number) => Some(format!("call kfunc#{number}")),
            },
            _ => None,
        }
    }
}

/// A name and a distance.
fn sum(name: &str, distance: i64) -> String {
    match distance {
        0 => name.to_owned(),
        _ => format!("{name}{distance:+}"),
    }
}
