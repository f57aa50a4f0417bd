//! Symbols: what is known of each name, and the order in which names were met.
//!
//! A symbol exists as soon as its name is read, but takes part in the object only when it is
//! *registered*: by its definition, by a directive about it, or by use in an instruction or in
//! data. The symbol table lists symbols in that order, as LLVM's does.

use bpf::diagnostic::Span;
use bpf::object::{STT_NOTYPE, STT_SECTION};

use super::ast::{Arena, Expr, NameId};
use super::layout::Place;

/// Index of a symbol in the order of first reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SymbolIndex(pub u32);

/// What a symbol stands for.
#[derive(Clone, Copy, Debug)]
pub enum Definition {
    /// A place.
    Label(Place),
    /// The start of a section.
    Section(usize),
    /// The value of an expression.
    Variable(Expr),
    /// Storage that the linker makes.
    Common {
        /// Size in bytes.
        size: u64,
        /// Alignment in bytes.
        align: u64,
    },
}

/// A symbol.
#[derive(Debug)]
pub struct Symbol {
    /// Name; `None` for a place that has none.
    pub name: Option<NameId>,
    /// Whether it stays out of the symbol table unless a relocation needs it.
    pub temporary: bool,
    /// Whether it takes part in the object.
    pub registered: bool,
    /// What it stands for, once defined.
    pub definition: Option<Definition>,
    /// Where it was defined.
    pub defined_at: Option<Span>,
    /// `STB_*`, if a directive gave one.
    pub binding: Option<u8>,
    /// `STT_*`
    pub kind: u8,
    /// `STV_*`
    pub visibility: u8,
    /// Size, if a directive gave one.
    pub size: Option<Expr>,
    /// Whether it was named in an expression.
    pub mentioned: bool,
    /// The symbol that this one is a weak name for.
    pub weakly: Option<SymbolIndex>,
    /// Whether another symbol is a weak name for it.
    pub has_weak_name: bool,
    /// The group of sections that it names.
    pub signature: Option<usize>,
    /// Whether a relocation or the list of address-significant symbols refers to it.
    pub used: bool,
    /// A node that refers to it, for those who need nothing but that.
    pub node: Option<u32>,
}

/// All symbols.
#[derive(Debug, Default)]
pub struct Symbols {
    all: Vec<Symbol>,
    by_name: Vec<Option<SymbolIndex>>,
    /// Symbols in the order of registration.
    pub registered: Vec<SymbolIndex>,
}

impl Symbols {
    /// The symbol of this name, made if need be.
    pub fn named(&mut self, name: NameId, arena: &Arena) -> SymbolIndex {
        let slot = name.0 as usize;
        if let Some(&Some(index)) = self.by_name.get(slot) {
            return index;
        }
        let temporary = arena.name(name).starts_with(".L");
        let index = self.push(Some(name), temporary);
        if self.by_name.len() <= slot {
            self.by_name.resize(slot + 1, None);
        }
        self.by_name[slot] = Some(index);
        index
    }

    /// The symbol of this name, if the name was ever met.
    pub fn find(&self, name: NameId) -> Option<SymbolIndex> {
        self.by_name.get(name.0 as usize).copied().flatten()
    }

    /// A symbol without a name.
    pub fn anonymous(&mut self) -> SymbolIndex {
        self.push(None, true)
    }

    /// The symbol of a section; it answers to the section's name unless that is taken.
    pub fn section(&mut self, section: usize, name: NameId, arena: &Arena) -> SymbolIndex {
        let free = match self.find(name) {
            Some(index) => self.get(index).definition.is_none(),
            None => true,
        };
        let index = match free {
            true => self.named(name, arena),
            false => self.push(Some(name), false),
        };
        self.register(index);
        let symbol = self.get_mut(index);
        symbol.definition = Some(Definition::Section(section));
        symbol.kind = STT_SECTION;
        index
    }

    /// Lets a symbol take part in the object.
    pub fn register(&mut self, index: SymbolIndex) {
        let symbol = self.get_mut(index);
        if !symbol.registered {
            symbol.registered = true;
            self.registered.push(index);
        }
    }

    /// A symbol.
    pub fn get(&self, index: SymbolIndex) -> &Symbol {
        &self.all[index.0 as usize]
    }

    /// A symbol, to be changed.
    pub fn get_mut(&mut self, index: SymbolIndex) -> &mut Symbol {
        &mut self.all[index.0 as usize]
    }

    /// All symbols in the order of first reading.
    pub fn indices(&self) -> impl Iterator<Item = SymbolIndex> + use<> {
        (0..self.all.len() as u32).map(SymbolIndex)
    }

    fn push(&mut self, name: Option<NameId>, temporary: bool) -> SymbolIndex {
        let index = SymbolIndex(self.all.len() as u32);
        self.all.push(Symbol {
            name,
            temporary,
            registered: false,
            definition: None,
            defined_at: None,
            binding: None,
            kind: STT_NOTYPE,
            visibility: 0,
            size: None,
            mentioned: false,
            weakly: None,
            has_weak_name: false,
            signature: None,
            used: false,
            node: None,
        });
        index
    }
}
