//! Putting a rebuilt `.BTF.ext` into an object, relocations included.

use rustc_hash::FxHashMap;

use super::BtfExt;
use crate::btf::{Btf, StringOffset};
use crate::object::{Contents, Object, Relocation, STT_SECTION, SectionId, SymbolId};

const SECTION: &str = ".BTF.ext";

/// A `.BTF.ext` could not be put into an object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplaceError {
    /// The object has no such section.
    #[error("the object has no .BTF.ext section")]
    NoSection,
    /// A block names a section that the object does not have.
    #[error("the section `{0}` that .BTF.ext speaks of does not exist")]
    NoCodeSection(String),
}

/// Writes `ext` into the object's `.BTF.ext` section. If that section has relocations they are made
/// anew, one for each code offset, in the order of the tables, with the symbols and types that they
/// had; otherwise none are made.
///
/// # Errors
/// When the object does not have `.BTF.ext`, or not a section that has records.
pub fn replace(object: &mut Object, btf: &Btf, ext: &BtfExt) -> Result<(), ReplaceError> {
    let id = object
        .section_by_name(SECTION)
        .ok_or(ReplaceError::NoSection)?;
    let (bytes, sites) = ext.encode();
    let old = object
        .section(id)
        .map_or(&[][..], |section| &section.relocations);
    let mut new = Vec::new();
    if let Some(first) = old.first().copied() {
        let mut symbols = SectionSymbols::new(object, id);
        for site in sites {
            new.push(Relocation {
                offset: site.offset.into(),
                kind: first.kind,
                symbol: symbols.find(btf, site.section)?,
                addend: first.addend.map(|_| site.insn_off.into()),
            });
        }
    }
    if let Some(section) = object.section_mut(id) {
        section.contents = Contents::Bytes(bytes);
        section.relocations = new;
    }
    Ok(())
}

/// The symbols that stand for code sections, by the offset of the section's name, so that each name
/// is read once.
struct SectionSymbols<'a> {
    by_name: FxHashMap<&'a str, SymbolId>,
    found: FxHashMap<StringOffset, SymbolId>,
}

impl<'a> SectionSymbols<'a> {
    /// Prefers section symbols; otherwise takes the symbol at the section's start that the old
    /// relocations used.
    fn new(object: &'a Object, ext: SectionId) -> SectionSymbols<'a> {
        let is_section = |id: &SymbolId| {
            object
                .symbol(*id)
                .is_some_and(|symbol| symbol.kind == STT_SECTION)
        };
        let used = object
            .section(ext)
            .map_or(&[][..], |section| &section.relocations);
        let used = used.iter().map(|relocation| relocation.symbol);
        let mut by_name = FxHashMap::default();
        for id in object.symbol_ids().filter(is_section).chain(used) {
            if let Some(symbol) = object.symbol(id)
                && symbol.value == 0
                && let Some(section) = symbol.section().and_then(|id| object.section(id))
            {
                by_name.entry(section.name.as_str()).or_insert(id);
            }
        }
        SectionSymbols {
            by_name,
            found: FxHashMap::default(),
        }
    }

    fn find(&mut self, btf: &Btf, section: StringOffset) -> Result<SymbolId, ReplaceError> {
        if let Some(&symbol) = self.found.get(&section) {
            return Ok(symbol);
        }
        let name = btf.string(section);
        let symbol = self.by_name.get(name).copied();
        let symbol = symbol.ok_or_else(|| ReplaceError::NoCodeSection(name.to_owned()))?;
        self.found.insert(section, symbol);
        Ok(symbol)
    }
}
