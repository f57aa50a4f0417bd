//! What two objects have that is not the same, where a loader or a linker could tell.
//!
//! Sections, symbols and relocations are compared by what they say, not by their numbers: an
//! assembler numbers them as it meets them. Sections that carry only numbers (symbol table,
//! string tables, relocation sections, the list of significant addresses) are left out, and so is
//! an empty `.text`, which every assembler makes.

use std::collections::BTreeMap;

use bpf::object::{
    Contents, Object, SHT_GROUP, SHT_LLVM_ADDRSIG, SHT_NULL, SHT_STRTAB, STT_SECTION, Section,
    SymbolId, SymbolPlace,
};

/// Differences in words; none for objects that mean the same.
#[must_use]
pub fn differences(first: &Object, second: &Object) -> Vec<String> {
    let mut found = Vec::new();
    if first.endian != second.endian {
        found.push("the byte order differs".to_owned());
    }
    let (before, after) = (compared(first), compared(second));
    let names = |sections: &[&Section]| -> Vec<String> {
        sections
            .iter()
            .map(|section| section.name.clone())
            .collect()
    };
    if names(&before) != names(&after) {
        found.push(format!(
            "sections {:?} became {:?}",
            names(&before),
            names(&after)
        ));
        return found;
    }
    for (one, other) in before.into_iter().zip(after) {
        let name = &one.name;
        let header = |section: &Section| {
            (
                section.kind,
                section.flags,
                section.align.max(1),
                section.entry_size,
            )
        };
        if header(one) != header(other) && one.name != ".text" {
            found.push(format!(
                "{name}: header {:?} became {:?}",
                header(one),
                header(other)
            ));
        }
        if one.contents != other.contents {
            let at = one
                .data()
                .iter()
                .zip(other.data())
                .position(|(a, b)| a != b);
            found.push(format!(
                "{name}: {} bytes became {}, first difference at {at:?}",
                one.data().len(),
                other.data().len()
            ));
        }
        let (old, new) = (relocations(first, one), relocations(second, other));
        if old != new {
            let at = old.iter().zip(&new).position(|(a, b)| a != b);
            let at = at.unwrap_or(old.len().min(new.len()));
            found.push(format!(
                "{name}: {} relocations became {}, first {:?} became {:?}",
                old.len(),
                new.len(),
                old.get(at),
                new.get(at)
            ));
        }
    }
    let (old, new) = (symbols(first), symbols(second));
    for (symbol, count) in &old {
        if new.get(symbol) != Some(count) {
            found.push(format!("symbol {symbol} is gone"));
        }
    }
    for (symbol, count) in &new {
        if old.get(symbol) != Some(count) {
            found.push(format!("symbol {symbol} is new"));
        }
    }
    found
}

fn compared(object: &Object) -> Vec<&Section> {
    // The first header stands for no section, whatever a damaged file says in it.
    let sections = object.sections.iter().skip(1);
    let compared = sections.filter(|section| {
        let numbers = matches!(
            section.kind,
            SHT_NULL | SHT_STRTAB | SHT_LLVM_ADDRSIG | SHT_GROUP
        );
        let holds = matches!(section.contents, Contents::Bytes(_) | Contents::NoBits(_));
        let empty_text = section.name == ".text" && section.data().is_empty();
        holds && !numbers && !empty_text
    });
    compared.collect()
}

fn symbol_words(object: &Object, id: SymbolId) -> String {
    let Some(symbol) = object.symbol(id) else {
        return "nothing".to_owned();
    };
    let place = match symbol.place {
        SymbolPlace::Section(id) => {
            let section = object.section(id);
            format!(
                "in {}",
                section.map_or("?", |section| section.name.as_str())
            )
        }
        other => format!("{other:?}"),
    };
    format!(
        "`{}` binding {} type {} other {} {place} value {} size {}",
        symbol.name, symbol.binding, symbol.kind, symbol.other, symbol.value, symbol.size
    )
}

fn relocations(object: &Object, section: &Section) -> Vec<(u64, u32, String, Option<i64>)> {
    let mut all: Vec<_> = section
        .relocations
        .iter()
        .map(|found| {
            let target = symbol_words(object, found.symbol);
            (found.offset, found.kind, target, found.addend)
        })
        .collect();
    all.sort();
    all
}

/// All symbols but those of sections, which are there where a relocation needs them.
fn symbols(object: &Object) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for id in object.symbol_ids().skip(1) {
        if object
            .symbol(id)
            .is_some_and(|symbol| symbol.kind != STT_SECTION)
        {
            *counts.entry(symbol_words(object, id)).or_default() += 1;
        }
    }
    counts
}
