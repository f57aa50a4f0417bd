//! Directives about symbols: their binding, type, size and value, and storage for them.

use bpf::diagnostic::Diagnostic;
use bpf::object::{STB_GLOBAL, STB_LOCAL, STB_WEAK, STT_FUNC, STT_NOTYPE, STT_OBJECT};

use super::super::assembler::{Assembler, too_large};
use super::super::ast::{BinaryOp, Directive, Expr, Item, NameId, Node, Spanned};
use super::super::expression::Problem;
use super::super::symbols::{Definition, SymbolIndex};

const STV_DEFAULT: u8 = 0;
const STT_COMMON: u8 = 5;
const STT_TLS: u8 = 6;

impl Assembler<'_> {
    /// The symbol of an operand, which takes part in the object from here on.
    pub(super) fn mentioned(
        &mut self,
        directive: &Directive,
        index: usize,
    ) -> Result<SymbolIndex, Diagnostic> {
        let name = self.symbol(directive, index)?;
        let symbol = self.named(name.value);
        self.symbols.register(symbol);
        Ok(symbol)
    }

    pub(super) fn set_binding(
        &mut self,
        directive: &Directive,
        binding: u8,
    ) -> Result<(), Diagnostic> {
        for index in 0..directive.operands.len().max(1) {
            let at = self.symbol(directive, index)?.span;
            let symbol = self.mentioned(directive, index)?;
            if binding == STB_GLOBAL && self.symbols.get(symbol).temporary {
                let name = self.name_of(symbol);
                return Err(Diagnostic::error(format!("`{name}` cannot become global"))
                    .with_primary(at, "names that begin with `.L` stay in this file")
                    .with_help("give it another name"));
            }
            let before = self.symbols.get(symbol).binding;
            let changed = match (before, binding) {
                (Some(STB_GLOBAL), STB_WEAK) | (None, _) => false,
                (Some(before), now) => before != now,
            };
            if changed {
                let name = self.name_of(symbol);
                let word = |binding| match binding {
                    STB_LOCAL => "local",
                    STB_WEAK => "weak",
                    _ => "global",
                };
                return Err(Diagnostic::error(format!(
                    "`{name}` cannot become {}: it is {} already",
                    word(binding),
                    word(before.unwrap_or(STB_GLOBAL)),
                ))
                .with_primary(at, ""));
            }
            self.symbols.get_mut(symbol).binding = Some(binding);
        }
        Ok(())
    }

    pub(super) fn set_visibility(
        &mut self,
        directive: &Directive,
        visibility: u8,
    ) -> Result<(), Diagnostic> {
        debug_assert_ne!(visibility, STV_DEFAULT);
        for index in 0..directive.operands.len().max(1) {
            let symbol = self.mentioned(directive, index)?;
            self.symbols.get_mut(symbol).visibility = visibility;
        }
        Ok(())
    }

    /// `.weakref alias, target`: uses of the alias are uses of the target that may stay undefined
    pub(super) fn weak_name(&mut self, directive: &Directive) -> Result<(), Diagnostic> {
        self.at_most(directive, 2)?;
        let alias = self.symbol(directive, 0)?;
        let target = self.symbol(directive, 1)?;
        let (alias, at) = (self.named(alias.value), alias.span);
        let target = self.named(target.value);
        let entry = self.symbols.get(alias);
        if entry.definition.is_some() || entry.weakly.is_some() {
            let name = self.name_of(alias);
            return Err(Diagnostic::error(format!("`{name}` is already defined"))
                .with_primary(at, "defined again here"));
        }
        if alias == target || self.symbols.get(target).weakly.is_some() {
            let name = self.name_of(target);
            return Err(Diagnostic::error(format!("`{name}` is a weak name itself"))
                .with_primary(directive.span, "the second operand is a symbol of its own"));
        }
        self.symbols.get_mut(alias).weakly = Some(target);
        self.symbols.get_mut(target).has_weak_name = true;
        self.symbols.register(target);
        Ok(())
    }

    pub(super) fn set_type(&mut self, directive: &Directive) -> Result<(), Diagnostic> {
        // The comma may be left out here.
        let items: Vec<Item> = directive
            .operands
            .iter()
            .flat_map(|group| group.items.iter().copied())
            .collect();
        let Some(&first) = items.first() else {
            return Err(self.missing(directive, 0, "a symbol"));
        };
        let name = self.symbol_item(first)?;
        let Some(&kind) = items.get(1) else {
            return Err(self.missing(directive, 1, "a type such as `@function`"));
        };
        let span = kind.span();
        let word = match kind {
            Item::Tag(tag) => Some(self.arena.name(tag.value)),
            Item::Expr(expr) => match self.arena.single(expr) {
                Some(Node::Symbol(name) | Node::Quoted(name)) => Some(self.arena.name(name)),
                _ => None,
            },
        };
        let kind = match word.unwrap_or("") {
            "function" | "STT_FUNC" => STT_FUNC,
            "object" | "STT_OBJECT" | "gnu_unique_object" => STT_OBJECT,
            "notype" | "STT_NOTYPE" => STT_NOTYPE,
            "common" | "STT_COMMON" => STT_COMMON,
            "tls_object" | "STT_TLS" => STT_TLS,
            word => {
                return Err(Diagnostic::error(format!("`{word}` is no type of symbol"))
                    .with_primary(span, "expected `@function`, `@object` or `@notype`"));
            }
        };
        if let Some(extra) = items.get(2) {
            return Err(Diagnostic::error("`.type` takes two operands")
                .with_primary(extra.span(), "one too many"));
        }
        let symbol = self.named(name.value);
        self.symbols.register(symbol);
        self.symbols.get_mut(symbol).kind = kind;
        Ok(())
    }

    pub(super) fn set_size(&mut self, directive: &Directive) -> Result<(), Diagnostic> {
        self.at_most(directive, 2)?;
        let name = self.symbol(directive, 0)?;
        let size = self.expr(directive, 1, "a size")?;
        self.bind(size)?;
        self.keep_nodes();
        let symbol = self.named(name.value);
        self.symbols.get_mut(symbol).size = Some(size);
        Ok(())
    }

    pub(super) fn set_value(
        &mut self,
        directive: &Directive,
        once: bool,
    ) -> Result<(), Diagnostic> {
        self.at_most(directive, 2)?;
        let name = self.symbol(directive, 0)?;
        let value = self.expr(directive, 1, "a value")?;
        self.bind(value)?;
        let symbol = self.named(name.value);
        if self.mentions(value, symbol) {
            let spelled = self.arena.name(name.value);
            return Err(
                Diagnostic::error(format!("`{spelled}` cannot be defined by itself"))
                    .with_primary(value.span, ""),
            );
        }
        self.keep_nodes();
        let value = match self.scope().set_value(value) {
            Ok(found) => match (found.add, found.sub) {
                (None, None) => self.arena.leaf(Node::Number(found.constant), value.span),
                // Chains of names stay short this way.
                (Some(base), None) => {
                    let base = self.arena.leaf(Node::Place(base.0), value.span);
                    let constant = self.arena.leaf(Node::Number(found.constant), value.span);
                    self.arena.binary(BinaryOp::Add, base, constant)
                }
                _ => value,
            },
            // Later definitions may make numbers of the symbols.
            Err((Problem::NotNumbers | Problem::TooManySymbols, _)) => value,
            Err((problem, at)) => return Err(self.no_value(problem, at)),
        };
        self.symbols.register(symbol);
        self.register_all(value);
        self.assign(symbol, name, value, once)
    }

    pub(super) fn assign(
        &mut self,
        symbol: SymbolIndex,
        name: Spanned<NameId>,
        value: Expr,
        once: bool,
    ) -> Result<(), Diagnostic> {
        let existing = self.symbols.get(symbol);
        if matches!(existing.definition, Some(Definition::Variable(_))) && !once {
            let entry = self.symbols.get_mut(symbol);
            entry.definition = Some(Definition::Variable(value));
            entry.defined_at = Some(name.span);
            return Ok(());
        }
        self.define(symbol, Definition::Variable(value), name.span)
    }

    pub(super) fn mentions(&self, expr: Expr, symbol: SymbolIndex) -> bool {
        let nodes = self.arena.nodes(expr);
        nodes.iter().any(|node| node.value == Node::Place(symbol.0))
    }

    pub(super) fn common(&mut self, directive: &Directive, local: bool) -> Result<(), Diagnostic> {
        self.at_most(directive, if local { 2 } else { 3 })?;
        let name = self.symbol(directive, 0)?;
        let size = self.number(directive, 1, "a size")?;
        let Ok(bytes) = u64::try_from(size.value) else {
            return Err(Diagnostic::error("a size cannot be negative").with_primary(size.span, ""));
        };
        let align = match self.optional_number(directive, 2, "an alignment")? {
            None => 1,
            Some(align) => self.power_of_two(align)?,
        };
        let symbol = self.named(name.value);
        self.symbols.register(symbol);
        let entry = self.symbols.get_mut(symbol);
        entry.kind = STT_OBJECT;
        if local {
            entry.binding = Some(STB_LOCAL);
        }
        let size = self.arena.leaf(Node::Number(size.value), size.span);
        self.keep_nodes();
        if self.symbols.get(symbol).binding == Some(STB_LOCAL) {
            let before = (self.sections.position(), self.sections.previous);
            self.standard_section_named(".bss");
            self.debug.lines.take_pending();
            self.pad(align, None, u64::MAX, directive.span)?;
            let place = self.sections.here();
            self.define(symbol, Definition::Label(place), name.span)?;
            let filled = self.sections.fill(0, bytes);
            filled.map_err(|_| too_large(directive.span))?;
            self.sections.go_to(before.0);
            self.sections.previous = before.1;
        } else {
            let definition = Definition::Common { size: bytes, align };
            self.define(symbol, definition, name.span)?;
            let entry = self.symbols.get_mut(symbol);
            entry.binding = entry.binding.or(Some(STB_GLOBAL));
        }
        self.symbols.get_mut(symbol).size = Some(size);
        Ok(())
    }
}
