//! Adding and removing sections and symbols.
//!
//! Each edit that moves indices rewrites all references to them at once (see `remap`), so that
//! nobody else has to know where indices hide. An edit that is refused changes nothing. Every edit
//! costs a pass over the object: remove sections together, and add local symbols before relocations.

use super::*;
use crate::insn::Endian;

/// Why an edit was refused; the object is unchanged then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// No section has this index.
    #[error("there is no section {}", .0.0)]
    NoSuchSection(SectionId),
    /// The null section, the symbol table or a string table in use.
    #[error("section {} `{name}` is needed by the container itself", .id.0)]
    Needed {
        /// The section.
        id: SectionId,
        /// Its name.
        name: String,
    },
    /// A relocation that stays refers to a symbol in a section that goes.
    #[error("`{user}` has a relocation against `{symbol}`, which is defined in a removed section")]
    StillUsed {
        /// The section with the relocation.
        user: String,
        /// The symbol.
        symbol: String,
    },
    /// A relocation refers to a symbol that goes.
    #[error("`{user}` has a relocation against `{symbol}`, which is removed")]
    SymbolUsed {
        /// The section with the relocation.
        user: String,
        /// The symbol.
        symbol: String,
    },
    /// The object has no symbol table.
    #[error("the object has no symbol table")]
    NoSymbolTable,
}

impl Object {
    /// An object with the null section, an empty `.strtab` that serves sections and symbols, and a
    /// `.symtab` with the null symbol.
    #[must_use]
    pub fn new(endian: Endian) -> Object {
        let mut null = Section::new("", SHT_NULL);
        null.align = 0;
        null.contents = Contents::NoBits(0);
        let strings = Section::new(".strtab", SHT_STRTAB);
        let mut symbols = Section::new(".symtab", SHT_SYMTAB);
        symbols.align = 8;
        symbols.entry_size = 24;
        symbols.link = 1;
        symbols.info = 1;
        symbols.contents = Contents::Symbols;
        Object {
            endian,
            flags: 0,
            os_abi: 0,
            abi_version: 0,
            machine: EM_BPF,
            sections: vec![null, strings, symbols],
            symbols: vec![Symbol {
                name: String::new(),
                binding: STB_LOCAL,
                kind: STT_NOTYPE,
                other: 0,
                place: SymbolPlace::Undefined,
                value: 0,
                size: 0,
            }],
            section_names: SectionId(1),
            layout: FileLayout::default(),
        }
    }

    /// Adds a section at the end, before the symbol table if that is last, as LLVM orders them.
    pub fn add_section(&mut self, section: Section) -> SectionId {
        let count = self.sections.len() as u32;
        let at = match self.symbol_table() {
            Some(table) if table.0 + 1 == count => table.0,
            _ => count,
        };
        self.insert_section(SectionId(at), section)
    }

    /// Inserts a section before `at`; the section's own `link` and `info` mean indices after the
    /// insertion. Positions past the end append, position 0 is taken as 1.
    pub fn insert_section(&mut self, at: SectionId, section: Section) -> SectionId {
        let at = at.0.clamp(1, self.sections.len() as u32);
        if (at as usize) < self.sections.len() {
            self.remap_sections(|index| Some(if index >= at { index + 1 } else { index }));
        }
        self.sections.insert(at as usize, section);
        if (at as usize) < self.layout.sections.len() {
            self.layout.sections.insert(at as usize, None);
        }
        SectionId(at)
    }

    /// The relocation section of `target`, made right behind it if there is none. Indices of
    /// later sections move by one then.
    ///
    /// # Errors
    /// When `target` or the symbol table does not exist.
    pub fn ensure_relocation_section(&mut self, target: SectionId) -> Result<SectionId, EditError> {
        if let Some(found) = self.relocation_section(target) {
            return Ok(found);
        }
        let name = &self
            .section(target)
            .ok_or(EditError::NoSuchSection(target))?
            .name;
        let mut section = Section::new(format!(".rel{name}"), SHT_REL);
        section.flags = SHF_INFO_LINK;
        section.align = 8;
        section.entry_size = 16;
        section.info = target.0;
        section.contents = Contents::Relocations;
        let id = self.insert_section(SectionId(target.0 + 1), section);
        let link = self.symbol_table().ok_or(EditError::NoSymbolTable)?.0;
        if let Some(section) = self.section_mut(id) {
            section.link = link;
        }
        Ok(id)
    }

    /// Adds a symbol. A local one goes behind the other locals, as ELF demands, and the indices of
    /// the globals move by one.
    pub fn add_symbol(&mut self, symbol: Symbol) -> SymbolId {
        let count = self.symbols.len() as u32;
        if !symbol.is_local() {
            self.symbols.push(symbol);
            return SymbolId(count);
        }
        let first_global = self
            .symbols
            .iter()
            .skip(1)
            .position(|symbol| !symbol.is_local());
        let at = first_global.map_or(count, |index| index as u32 + 1);
        if at < count {
            self.remap_symbols(|index| Some(if index >= at { index + 1 } else { index }));
            let hints = &mut self.layout.symbol_names;
            if (at as usize) < hints.len() {
                hints.insert(at as usize, 0);
            }
        }
        self.symbols.insert(at as usize, symbol);
        self.set_first_global(at + 1);
        SymbolId(at)
    }

    /// Brings local symbols before global ones, each kind in its present order, and sets the symbol
    /// table's `sh_info`. Returns the new index of each old one.
    pub fn order_symbols(&mut self) -> Vec<SymbolId> {
        let mut order: Vec<u32> = self.symbol_ids().map(|id| id.0).collect();
        order.sort_by_key(|&index| index != 0 && !self.symbols[index as usize].is_local());
        let mut new = vec![SymbolId(0); order.len()];
        for (position, &old) in order.iter().enumerate() {
            new[old as usize] = SymbolId(position as u32);
        }
        self.remap_symbols(|index| new.get(index as usize).map(|id| id.0));
        let hints = std::mem::take(&mut self.layout.symbol_names);
        self.layout.symbol_names = order
            .iter()
            .map(|&old| hints.get(old as usize).copied().unwrap_or(0))
            .collect();
        self.symbols = order
            .iter()
            .map(|&old| self.symbols[old as usize].clone())
            .collect();
        let locals = self
            .symbols
            .iter()
            .skip(1)
            .take_while(|symbol| symbol.is_local())
            .count();
        self.set_first_global(locals as u32 + 1);
        new
    }

    /// Removes a section; see [`Object::remove_sections`].
    ///
    /// # Errors
    /// As [`Object::remove_sections`].
    pub fn remove_section(&mut self, id: SectionId) -> Result<(), EditError> {
        self.remove_sections(&[id]).map(|_| ())
    }

    /// Removes sections together with their relocation sections and the symbols defined in them.
    /// Returns the new index of each old section.
    ///
    /// # Errors
    /// When a section does not exist, is the null section, the symbol table or a string table in
    /// use, or when a relocation that stays needs a symbol that would go.
    pub fn remove_sections(
        &mut self,
        ids: &[SectionId],
    ) -> Result<Vec<Option<SectionId>>, EditError> {
        let going = self.removal_set(ids)?;
        let gone = |place: SymbolPlace| match place {
            SymbolPlace::Section(section) => going.get(section.0 as usize) == Some(&true),
            _ => false,
        };
        for (section, _) in self
            .sections
            .iter()
            .zip(&going)
            .filter(|(_, going)| !**going)
        {
            for relocation in &section.relocations {
                if self
                    .symbol(relocation.symbol)
                    .is_some_and(|symbol| gone(symbol.place))
                {
                    return Err(EditError::StillUsed {
                        user: section.name.clone(),
                        symbol: self.symbol_label(relocation.symbol).to_owned(),
                    });
                }
            }
        }
        let section_map = renumber(going.iter().map(|going| !going));
        self.keep_symbols(|_, symbol| !gone(symbol.place));
        self.remap_sections(|index| section_map.get(index as usize).copied().flatten());
        keep_mapped(&mut self.sections, &section_map);
        keep_mapped(&mut self.layout.sections, &section_map);
        Ok(section_map
            .into_iter()
            .map(|new| new.map(SectionId))
            .collect())
    }

    /// Removes symbols; the null symbol stays. Indices of later ones move.
    ///
    /// # Errors
    /// When a relocation refers to one of them.
    pub fn remove_symbols(&mut self, ids: &[SymbolId]) -> Result<(), EditError> {
        let mut going = vec![false; self.symbols.len()];
        for id in ids.iter().filter(|id| id.0 > 0) {
            if let Some(place) = going.get_mut(id.0 as usize) {
                *place = true;
            }
        }
        let goes = |id: SymbolId| going.get(id.0 as usize) == Some(&true);
        for section in &self.sections {
            let used = section.relocations.iter().find(|one| goes(one.symbol));
            if let Some(relocation) = used {
                return Err(EditError::SymbolUsed {
                    user: section.name.clone(),
                    symbol: self.symbol_label(relocation.symbol).to_owned(),
                });
            }
        }
        self.keep_symbols(|index, _| going.get(index) != Some(&true));
        Ok(())
    }

    /// Removes the other symbols; what referred to them is void.
    fn keep_symbols(&mut self, keeps: impl Fn(usize, &Symbol) -> bool) {
        let all = self.symbols.iter().enumerate();
        let map = renumber(all.map(|(index, symbol)| keeps(index, symbol)));
        let table = self.symbol_table();
        let locals_gone = table
            .and_then(|table| self.section(table))
            .map_or(0, |table| {
                let before = map.iter().take(table.info as usize);
                before.filter(|new| new.is_none()).count() as u32
            });
        self.remap_symbols(|index| map.get(index as usize).copied().flatten());
        keep_mapped(&mut self.symbols, &map);
        keep_mapped(&mut self.layout.symbol_names, &map);
        if let Some(table) = table.and_then(|table| self.section_mut(table)) {
            table.info = table.info.saturating_sub(locals_gone);
        }
    }

    fn removal_set(&self, ids: &[SectionId]) -> Result<Vec<bool>, EditError> {
        let symbol_table = self.symbol_table();
        let symbol_names = symbol_table
            .and_then(|id| self.section(id))
            .map(|table| table.link);
        let mut going = vec![false; self.sections.len()];
        for &id in ids {
            let section = self.section(id).ok_or(EditError::NoSuchSection(id))?;
            let needed = id.0 == 0
                || id == self.section_names
                || Some(id) == symbol_table
                || Some(id.0) == symbol_names;
            if needed {
                return Err(EditError::Needed {
                    id,
                    name: section.name.clone(),
                });
            }
            going[id.0 as usize] = true;
        }
        for (index, section) in self.sections.iter().enumerate() {
            let target_goes = going.get(section.info as usize) == Some(&true);
            if section.contents == Contents::Relocations && target_goes {
                going[index] = true;
            }
        }
        // Relocations live with their target: they would be left without a place in the file.
        for (index, section) in self.sections.iter().enumerate() {
            let target = section.info as usize;
            if section.contents == Contents::Relocations
                && going[index]
                && going.get(target) == Some(&false)
                && self
                    .sections
                    .get(target)
                    .is_some_and(|target| !target.relocations.is_empty())
            {
                let (id, name) = (SectionId(index as u32), section.name.clone());
                return Err(EditError::Needed { id, name });
            }
        }
        Ok(going)
    }

    fn set_first_global(&mut self, index: u32) {
        if let Some(table) = self
            .symbol_table()
            .and_then(|table| self.section_mut(table))
        {
            table.info = index;
        }
    }
}

fn renumber(keeps: impl Iterator<Item = bool>) -> Vec<Option<u32>> {
    let mut next = 0;
    keeps
        .map(|keep| {
            let new = keep.then_some(next);
            next += u32::from(keep);
            new
        })
        .collect()
}

fn keep_mapped<T>(list: &mut Vec<T>, map: &[Option<u32>]) {
    let mut decisions = map.iter();
    list.retain(|_| decisions.next().is_none_or(Option::is_some));
}
