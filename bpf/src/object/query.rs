//! Look-ups. All are linear in the tables they search; none allocates more than its answer.

use super::*;

impl Object {
    /// The section with this index.
    #[must_use]
    pub fn section(&self, id: SectionId) -> Option<&Section> {
        self.sections.get(id.0 as usize)
    }

    /// The section with this index, to be changed.
    pub fn section_mut(&mut self, id: SectionId) -> Option<&mut Section> {
        self.sections.get_mut(id.0 as usize)
    }

    /// The first section of this name.
    #[must_use]
    pub fn section_by_name(&self, name: &str) -> Option<SectionId> {
        self.section_ids()
            .zip(&self.sections)
            .skip(1)
            .find(|(_, section)| section.name == name)
            .map(|(id, _)| id)
    }

    /// The symbol with this index.
    #[must_use]
    pub fn symbol(&self, id: SymbolId) -> Option<&Symbol> {
        self.symbols.get(id.0 as usize)
    }

    /// The symbol with this index, to be changed.
    pub fn symbol_mut(&mut self, id: SymbolId) -> Option<&mut Symbol> {
        self.symbols.get_mut(id.0 as usize)
    }

    /// The first symbol of this name.
    #[must_use]
    pub fn symbol_by_name(&self, name: &str) -> Option<SymbolId> {
        self.symbol_ids()
            .zip(&self.symbols)
            .skip(1)
            .find(|(_, symbol)| symbol.name == name)
            .map(|(id, _)| id)
    }

    /// All section indices, the null section included.
    pub fn section_ids(&self) -> impl Iterator<Item = SectionId> + use<> {
        (0..self.sections.len() as u32).map(SectionId)
    }

    /// All symbol indices, the null symbol included.
    pub fn symbol_ids(&self) -> impl Iterator<Item = SymbolId> + use<> {
        (0..self.symbols.len() as u32).map(SymbolId)
    }

    /// The symbols that are defined in a section, in table order.
    pub fn symbols_in(&self, section: SectionId) -> impl Iterator<Item = (SymbolId, &Symbol)> {
        self.symbol_ids()
            .zip(&self.symbols)
            .filter(move |(_, symbol)| symbol.place == SymbolPlace::Section(section))
    }

    /// The bytes of a section; empty for sections that hold none.
    #[must_use]
    pub fn data(&self, section: SectionId) -> &[u8] {
        self.section(section).map_or(&[], Section::data)
    }

    /// Whether a section holds instructions.
    #[must_use]
    pub fn is_executable(&self, section: SectionId) -> bool {
        self.section(section).is_some_and(Section::is_executable)
    }

    /// The symbol table's section.
    #[must_use]
    pub fn symbol_table(&self) -> Option<SectionId> {
        self.section_ids()
            .zip(&self.sections)
            .find(|(_, section)| section.contents == Contents::Symbols)
            .map(|(id, _)| id)
    }

    /// The `SHT_REL` or `SHT_RELA` section whose entries are `target`'s relocations.
    #[must_use]
    pub fn relocation_section(&self, target: SectionId) -> Option<SectionId> {
        self.section_ids()
            .zip(&self.sections)
            .find(|(_, section)| {
                section.contents == Contents::Relocations && section.info == target.0
            })
            .map(|(id, _)| id)
    }

    /// What a relocation's symbol is called: its name, or its section's name for a section symbol.
    #[must_use]
    pub fn symbol_label(&self, id: SymbolId) -> &str {
        let Some(symbol) = self.symbol(id) else {
            return "";
        };
        match symbol.place {
            SymbolPlace::Section(section) if symbol.name.is_empty() => {
                self.section(section).map_or("", |section| &section.name)
            }
            _ => &symbol.name,
        }
    }
}

impl Section {
    /// A section without contents, flags or alignment.
    #[must_use]
    pub fn new(name: impl Into<String>, kind: u32) -> Section {
        Section {
            name: name.into(),
            kind,
            flags: 0,
            address: 0,
            align: 1,
            entry_size: 0,
            link: 0,
            info: 0,
            contents: Contents::Bytes(Vec::new()),
            relocations: Vec::new(),
        }
    }

    /// The bytes; empty for sections that hold none.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        match &self.contents {
            Contents::Bytes(bytes) => bytes,
            _ => &[],
        }
    }

    /// The bytes, to be changed; `None` for sections that hold none.
    pub fn data_mut(&mut self) -> Option<&mut Vec<u8>> {
        match &mut self.contents {
            Contents::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// Whether the section holds instructions.
    #[must_use]
    pub fn is_executable(&self) -> bool {
        self.kind == SHT_PROGBITS && self.flags & SHF_EXECINSTR != 0
    }
}

impl Symbol {
    /// Whether the symbol's binding is local.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.binding == STB_LOCAL
    }

    /// Whether the symbol is global or weak and not hidden: what the kernel verifies on its own if
    /// it is a function.
    #[must_use]
    pub fn is_exported(&self) -> bool {
        self.binding != STB_LOCAL && self.other & 3 != STV_HIDDEN
    }

    /// The section in which the symbol is defined.
    #[must_use]
    pub fn section(&self) -> Option<SectionId> {
        match self.place {
            SymbolPlace::Section(section) => Some(section),
            _ => None,
        }
    }
}
