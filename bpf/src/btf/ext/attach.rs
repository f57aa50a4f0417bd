//! Putting a rebuilt `.BTF.ext` into an object, relocations included.

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
        new.reserve(sites.len());
        let mut last: Option<(StringOffset, SymbolId)> = None;
        for site in sites {
            let symbol = match last {
                Some((section, symbol)) if section == site.section => symbol,
                _ => {
                    let name = btf.string(site.section);
                    let symbol = section_symbol(object, id, name)
                        .ok_or_else(|| ReplaceError::NoCodeSection(name.to_owned()))?;
                    last = Some((site.section, symbol));
                    symbol
                }
            };
            new.push(Relocation {
                offset: site.offset.into(),
                kind: first.kind,
                symbol,
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

/// The symbol that stands for a code section: its section symbol, or whatever symbol at its start
/// the old relocations used.
fn section_symbol(object: &Object, ext: SectionId, name: &str) -> Option<SymbolId> {
    let code = object.section_by_name(name)?;
    let section = object
        .symbols_in(code)
        .find(|(_, symbol)| symbol.kind == STT_SECTION);
    if let Some((id, _)) = section {
        return Some(id);
    }
    let used = &object.section(ext)?.relocations;
    let is_start = |id: SymbolId| {
        object
            .symbol(id)
            .is_some_and(|symbol| symbol.section() == Some(code) && symbol.value == 0)
    };
    used.iter()
        .map(|relocation| relocation.symbol)
        .find(|&id| is_start(id))
}
