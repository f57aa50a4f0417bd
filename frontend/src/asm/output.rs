//! The finished object: section headers, symbol table and relocations in the order in which LLVM
//! writes them.
//!
//! Sections come in the order in which they were entered, each followed by its relocations; symbols
//! in the order of registration, local ones first, file names where their directive stood.

use std::collections::BTreeMap;

use bpf::object::{
    Contents, Object, Relocation, SHF_INFO_LINK, SHT_LLVM_ADDRSIG, SHT_REL, STB_LOCAL, STT_FILE,
    STT_FUNC, STT_OBJECT, STT_SECTION, Section, SectionId, Symbol, SymbolId, SymbolPlace,
};

use super::assembler::Assembler;
use super::ast::Expr;
use super::instructions::Instructions;
use super::layout::{Content, SectionBuilder};
use super::relocate::PendingRelocation;
use super::section::{SHF_EXCLUDE, SHF_GNU_RETAIN, SHF_GROUP};
use super::symbols::{Definition, SymbolIndex};

/// The flag `R` is an extension by GNU, which the header has to say.
const ELFOSABI_GNU: u8 = 3;

impl Assembler<'_> {
    /// The object, after everything else.
    pub fn object(&mut self, relocations: Vec<Vec<PendingRelocation>>) -> Object {
        let mut object = Object::new(self.options.endian);
        for index in self.address_significant.clone() {
            let index = self.address_significant_symbol(index);
            self.symbols.get_mut(index).used = true;
        }
        if self
            .sections
            .all
            .iter()
            .any(|section| section.flags & SHF_GNU_RETAIN != 0)
        {
            object.os_abi = ELFOSABI_GNU;
        }
        let ids = self.section_ids(&relocations);
        let indices = self.symbol_table(&mut object, &ids);
        let symbols = object.sections.pop();
        let count = ids.last().map_or(2, |last| last.0 + 1)
            + u32::from(relocations.last().is_some_and(|last| !last.is_empty()));
        let link = count + u32::from(self.has_address_significance);
        for (index, pending) in relocations.iter().enumerate() {
            let group = self.group_before(index);
            object.sections.extend(
                group.map(|group| self.group_section(group, &ids, &relocations, &indices, link)),
            );
            let mut section = self.section_entry(index, pending, &indices);
            section.link = self.goes_with(index, &ids);
            let mut relocated = relocation_section(&section.name, ids[index], link);
            if self.sections.all[index].group.is_some() {
                relocated.flags = SHF_GROUP;
            }
            object.sections.push(section);
            if !pending.is_empty() {
                object.sections.push(relocated);
            }
        }
        if self.has_address_significance {
            let section = self.address_significance(&indices, link);
            object.sections.push(section);
        }
        object.sections.extend(symbols);
        object.order_symbols();
        object
    }

    /// Where each instruction lies in the object, and its text, by place.
    pub fn instruction_places(&mut self, relocations: &[Vec<PendingRelocation>]) -> Instructions {
        let ids = self.section_ids(relocations);
        let written = std::mem::take(&mut self.instructions);
        written.finish(|section, fragment| {
            let start = self.sections.all.get(section)?.fragments.get(fragment)?;
            Some((*ids.get(section)?, start.start?))
        })
    }

    fn section_entry(
        &mut self,
        index: usize,
        pending: &[PendingRelocation],
        indices: &BTreeMap<SymbolIndex, SymbolId>,
    ) -> Section {
        let section = &mut self.sections.all[index];
        let mut made = Section::new(section.name.clone(), section.kind);
        made.flags = section.flags;
        made.align = section.align;
        made.entry_size = section.entry_size;
        made.contents = match section.is_nobits() {
            true => Contents::NoBits(section.size()),
            false => Contents::Bytes(take_bytes(section)),
        };
        let relocations = pending.iter().map(|relocation| Relocation {
            offset: relocation.offset,
            kind: relocation.kind,
            symbol: indices
                .get(&relocation.symbol)
                .copied()
                .unwrap_or(SymbolId(0)),
            addend: None,
        });
        made.relocations = relocations.collect();
        made
    }

    /// The header index that each section will have: after the null section and `.strtab`, each
    /// with room for its relocations.
    fn section_ids(&self, relocations: &[Vec<PendingRelocation>]) -> Vec<SectionId> {
        let mut next = 2;
        let numbered = relocations.iter().enumerate();
        numbered
            .map(|(index, pending)| {
                next += u32::from(self.group_before(index).is_some());
                let id = SectionId(next);
                next += 1 + u32::from(!pending.is_empty());
                id
            })
            .collect()
    }

    /// Fills the symbol table; the new index of each symbol in it.
    fn symbol_table(
        &self,
        object: &mut Object,
        ids: &[SectionId],
    ) -> BTreeMap<SymbolIndex, SymbolId> {
        let mut locals = Vec::new();
        let mut globals = Vec::new();
        let mut files = self.file_names.iter().peekable();
        // The first name stands in front of everything, wherever its directive was.
        locals.extend(files.next().map(|file| (None, file_symbol(&file.name))));
        for (order, &index) in self.symbols.registered.iter().enumerate() {
            if !self.is_listed(index) {
                continue;
            }
            let made = self.symbol_entry(index, ids);
            if made.binding != STB_LOCAL {
                globals.push((Some(index), made));
                continue;
            }
            while let Some(file) = files.next_if(|file| file.after <= order) {
                locals.push((None, file_symbol(&file.name)));
            }
            locals.push((Some(index), made));
        }
        locals.extend(files.map(|file| (None, file_symbol(&file.name))));
        let mut indices = BTreeMap::new();
        for (index, symbol) in locals.into_iter().chain(globals) {
            if let Some(index) = index {
                indices.insert(index, SymbolId(object.symbols.len() as u32));
            }
            object.symbols.push(symbol);
        }
        indices
    }

    /// Whether a symbol is in the symbol table.
    fn is_listed(&self, index: SymbolIndex) -> bool {
        if self.renamed.contains_key(&index) {
            return false;
        }
        let symbol = self.symbols.get(index);
        symbol.used
            || symbol.signature.is_some()
            || !(symbol.weakly.is_some()
                || symbol.temporary
                || symbol.kind == STT_SECTION
                || self.is_alias_of_nothing(index))
    }

    /// Whether a symbol is set to an expression of symbols that are not defined.
    fn is_alias_of_nothing(&self, index: SymbolIndex) -> bool {
        let Some(Definition::Variable(expr)) = self.symbols.get(index).definition else {
            return false;
        };
        match self.scope().set_value(expr) {
            Ok(value) => value
                .add
                .is_some_and(|base| self.symbols.get(base).definition.is_none()),
            Err(_) => true,
        }
    }

    fn symbol_entry(&self, index: SymbolIndex, ids: &[SectionId]) -> Symbol {
        let symbol = self.symbols.get(index);
        let binding = self.binding(index);
        let mut made = Symbol {
            name: match (symbol.kind, symbol.name) {
                (STT_SECTION, _) => String::new(),
                (_, Some(name)) => self.arena.name(name).to_owned(),
                (_, None) => format!(".Ltmp{}", index.0),
            },
            binding,
            kind: symbol.kind,
            other: symbol.visibility,
            place: SymbolPlace::Undefined,
            value: 0,
            size: self.size(symbol.size),
        };
        let place_of = |index| {
            let place = self.scope().place(index)?;
            let id = *ids.get(place.section)?;
            Some((
                SymbolPlace::Section(id),
                self.sections.offset(place).unwrap_or(0),
            ))
        };
        match symbol.definition {
            None => {
                let group = symbol.signature.filter(|_| binding == STB_LOCAL);
                if let Some(id) = group.and_then(|group| self.group_id(group, ids)) {
                    made.place = SymbolPlace::Section(id);
                }
            }
            Some(Definition::Label(_) | Definition::Section(_)) => {
                if let Some((place, offset)) = place_of(index) {
                    made.place = place;
                    made.value = offset;
                }
            }
            Some(Definition::Common { size, align }) => {
                made.place = SymbolPlace::Common;
                made.value = align;
                made.size = size;
                made.kind = STT_OBJECT;
            }
            Some(Definition::Variable(expr)) => {
                let value = self.scope().set_value(expr).unwrap_or_default();
                made.value = value.constant as u64;
                match value.add {
                    None => made.place = SymbolPlace::Absolute,
                    Some(base) => {
                        if let Some((place, offset)) = place_of(base) {
                            made.place = place;
                            made.value = offset.wrapping_add(value.constant as u64);
                        }
                        let base = self.symbols.get(base);
                        made.kind = merge_kinds(made.kind, base.kind);
                        if symbol.size.is_none() {
                            made.size = self.size(base.size);
                        }
                    }
                }
            }
        }
        made
    }

    fn size(&self, size: Option<Expr>) -> u64 {
        size.and_then(|size| self.scope().number(size)).unwrap_or(0) as u64
    }

    /// Reports sizes that are not numbers.
    pub fn check_sizes(&mut self) {
        let mut errors = Vec::new();
        for index in self.symbols.indices() {
            let symbol = self.symbols.get(index);
            let Some(size) = symbol.size.filter(|_| symbol.registered) else {
                continue;
            };
            match self.scope().evaluate(size) {
                Ok(value) if value.as_number().is_some() => {}
                Ok(_) => errors.push(self.not_a_number(size, "a size")),
                Err((problem, at)) => errors.push(self.no_value(problem, at)),
            }
        }
        self.errors.extend(errors);
    }

    /// Local labels are named by their section here as well.
    fn address_significant_symbol(&self, index: SymbolIndex) -> SymbolIndex {
        if !self.symbols.get(index).temporary {
            return self.in_object(index);
        }
        let place = self.scope().place(index);
        place
            .and_then(|place| self.sections.all.get(place.section))
            .map_or(index, |section| section.symbol)
    }

    fn address_significance(
        &self,
        indices: &BTreeMap<SymbolIndex, SymbolId>,
        link: u32,
    ) -> Section {
        let mut bytes = Vec::new();
        for &index in &self.address_significant {
            let index = self.address_significant_symbol(index);
            if let Some(id) = indices.get(&index) {
                super::data::encode_leb(i64::from(id.0), false, 1, &mut bytes);
            }
        }
        let mut section = Section::new(".llvm_addrsig", SHT_LLVM_ADDRSIG);
        section.flags = SHF_EXCLUDE;
        section.align = 1;
        section.link = link;
        section.contents = Contents::Bytes(bytes);
        section
    }
}

/// The type of a symbol that is set to another one: the more telling of both.
fn merge_kinds(kind: u8, base: u8) -> u8 {
    let rank = |kind| match kind {
        STT_FUNC => 2,
        STT_OBJECT => 1,
        _ => 0,
    };
    match base {
        STT_SECTION => kind,
        base if rank(base) > rank(kind) => base,
        _ => kind,
    }
}

fn relocation_section(name: &str, target: SectionId, link: u32) -> Section {
    let mut section = Section::new(format!(".rel{name}"), SHT_REL);
    section.flags = SHF_INFO_LINK;
    section.align = 8;
    section.entry_size = 16;
    section.link = link;
    section.info = target.0;
    section.contents = Contents::Relocations;
    section
}

/// The bytes of all fragments; those of a section with a single one are not copied.
fn take_bytes(section: &mut SectionBuilder) -> Vec<u8> {
    let mut bytes = Vec::new();
    for index in section.order() {
        let fragment = section.fragments.get_mut(index);
        if let Some(Content::Bytes(content)) = fragment.map(|fragment| &mut fragment.content) {
            if bytes.is_empty() {
                bytes = std::mem::take(content);
            } else {
                bytes.append(content);
            }
        }
    }
    bytes
}

fn file_symbol(name: &str) -> Symbol {
    Symbol {
        name: name.to_owned(),
        binding: STB_LOCAL,
        kind: STT_FILE,
        other: 0,
        place: SymbolPlace::Absolute,
        value: 0,
        size: 0,
    }
}
