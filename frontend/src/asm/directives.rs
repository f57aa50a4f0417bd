//! Directives by name, and those about symbols.
//!
//! Data and sections have files of their own. What is known but not carried out is listed by name,
//! so that its message differs from that for a misspelt one.

use bpf::diagnostic::Diagnostic;
use bpf::object::{
    SHF_MERGE, SHF_STRINGS, SHT_PROGBITS, STB_GLOBAL, STB_LOCAL, STB_WEAK, STT_FUNC, STT_NOTYPE,
    STT_OBJECT,
};

use super::assembler::Assembler;
use super::ast::{BinaryOp, Directive, Expr, Item, NameId, Node, Spanned};
use super::data::DataKind;
use super::expression::Problem;
use super::symbols::{Definition, SymbolIndex};

const STV_DEFAULT: u8 = 0;
const STV_INTERNAL: u8 = 1;
const STV_HIDDEN: u8 = 2;
const STV_PROTECTED: u8 = 3;
const STT_COMMON: u8 = 5;
const STT_TLS: u8 = 6;

/// Directives that other assemblers know and this one does not carry out.
const UNSUPPORTED: &[&str] = &[
    ".macro",
    ".endm",
    ".endmacro",
    ".rept",
    ".rep",
    ".irp",
    ".irpc",
    ".endr",
    ".if",
    ".ifdef",
    ".ifndef",
    ".ifb",
    ".ifnb",
    ".ifc",
    ".ifnc",
    ".ifeq",
    ".ifne",
    ".ifgt",
    ".ifge",
    ".iflt",
    ".ifle",
    ".elseif",
    ".else",
    ".endif",
    ".include",
    ".incbin",
    ".float",
    ".single",
    ".double",
    ".weakref",
    ".symver",
    ".reloc",
    ".subsection",
    ".altmacro",
    ".noaltmacro",
    ".purgem",
    ".bundle_align_mode",
    ".bundle_lock",
    ".bundle_unlock",
    ".dcb",
    ".ds",
    ".line",
    ".stabs",
];

impl Assembler<'_> {
    /// Carries out one directive.
    pub fn directive(&mut self, directive: &Directive) -> Result<(), Diagnostic> {
        let name = self.directive_name(directive).to_owned();
        match name.as_str() {
            ".text" | ".data" | ".bss" | ".rodata" => self.standard_section(directive, &name),
            ".section" => self.section_directive(directive),
            ".pushsection" => self.push_section(directive),
            ".popsection" => self.pop_section(directive),
            ".previous" => self.previous_section(directive),

            ".globl" | ".global" => self.set_binding(directive, STB_GLOBAL),
            ".weak" => self.set_binding(directive, STB_WEAK),
            ".local" => self.set_binding(directive, STB_LOCAL),
            ".hidden" => self.set_visibility(directive, STV_HIDDEN),
            ".protected" => self.set_visibility(directive, STV_PROTECTED),
            ".internal" => self.set_visibility(directive, STV_INTERNAL),
            ".type" => self.set_type(directive),
            ".size" => self.set_size(directive),
            ".set" | ".equ" | ".equiv" => self.set_value(directive, name == ".equiv"),
            ".comm" | ".common" => self.common(directive, false),
            ".lcomm" => self.common(directive, true),

            ".byte" | ".1byte" => self.data(directive, DataKind::Integer(1)),
            ".short" | ".2byte" | ".value" => self.data(directive, DataKind::Integer(2)),
            ".long" | ".4byte" | ".int" => self.data(directive, DataKind::Integer(4)),
            ".quad" | ".8byte" => self.data(directive, DataKind::Integer(8)),
            ".octa" => self.data(directive, DataKind::Octa),
            ".uleb128" => self.data(directive, DataKind::Leb { signed: false }),
            ".sleb128" => self.data(directive, DataKind::Leb { signed: true }),
            ".ascii" => self.ascii(directive, false),
            ".asciz" | ".string" => self.ascii(directive, true),
            ".zero" | ".skip" | ".space" => self.skip(directive),
            ".fill" => self.fill(directive),
            ".org" => self.org(directive),
            ".p2align" => self.align(directive, true),
            ".align" | ".balign" => self.align(directive, false),

            ".file" => self.file(directive),
            ".loc" => self.location(directive),
            ".ident" => self.ident(directive),
            ".addrsig" => {
                self.has_address_significance = true;
                self.no_operands(directive)
            }
            ".addrsig_sym" => {
                self.at_most(directive, 1)?;
                let name = self.symbol(directive, 0)?;
                let symbol = self.named(name.value);
                self.address_significant.push(symbol);
                Ok(())
            }
            ".error" => {
                let message = match self.item(directive, 0)? {
                    Some(_) => self.text(directive, 0, "a message")?.value,
                    None => "`.error` was reached".to_owned(),
                };
                Err(Diagnostic::error(message).with_primary(directive.span, "requested here"))
            }
            ".err" | ".abort" => {
                Err(Diagnostic::error(format!("`{name}` was reached"))
                    .with_primary(directive.span, ""))
            }
            ".warning" => {
                let message = match self.item(directive, 0)? {
                    Some(_) => self.text(directive, 0, "a message")?.value,
                    None => "`.warning` was reached".to_owned(),
                };
                let warning = Diagnostic::warning(message);
                self.warnings
                    .push(warning.with_primary(directive.span, "requested here"));
                Ok(())
            }
            ".print" => self.text(directive, 0, "a message").map(|_| ()),
            ".end" => {
                self.ended = true;
                Ok(())
            }
            name if name.starts_with(".cfi_") => self.unwind(directive),
            name if UNSUPPORTED.contains(&name) => {
                Err(Diagnostic::error(format!("`{name}` is not supported yet"))
                    .with_primary(directive.name.span, ""))
            }
            name => Err(unknown(name, directive)),
        }
    }

    /// The symbol of an operand, which takes part in the object from here on.
    fn mentioned(
        &mut self,
        directive: &Directive,
        index: usize,
    ) -> Result<SymbolIndex, Diagnostic> {
        let name = self.symbol(directive, index)?;
        let symbol = self.named(name.value);
        self.symbols.register(symbol);
        Ok(symbol)
    }

    fn set_binding(&mut self, directive: &Directive, binding: u8) -> Result<(), Diagnostic> {
        for index in 0..directive.operands.len().max(1) {
            let at = self.symbol(directive, index)?.span;
            let symbol = self.mentioned(directive, index)?;
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

    fn set_visibility(&mut self, directive: &Directive, visibility: u8) -> Result<(), Diagnostic> {
        debug_assert_ne!(visibility, STV_DEFAULT);
        for index in 0..directive.operands.len().max(1) {
            let symbol = self.mentioned(directive, index)?;
            self.symbols.get_mut(symbol).visibility = visibility;
        }
        Ok(())
    }

    fn set_type(&mut self, directive: &Directive) -> Result<(), Diagnostic> {
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

    fn set_size(&mut self, directive: &Directive) -> Result<(), Diagnostic> {
        self.at_most(directive, 2)?;
        let name = self.symbol(directive, 0)?;
        let size = self.expr(directive, 1, "a size")?;
        self.bind(size)?;
        self.keep_nodes();
        let symbol = self.named(name.value);
        self.symbols.get_mut(symbol).size = Some(size);
        Ok(())
    }

    fn set_value(&mut self, directive: &Directive, once: bool) -> Result<(), Diagnostic> {
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

    fn assign(
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

    fn mentions(&self, expr: Expr, symbol: SymbolIndex) -> bool {
        let nodes = self.arena.nodes(expr);
        nodes.iter().any(|node| node.value == Node::Place(symbol.0))
    }

    fn common(&mut self, directive: &Directive, local: bool) -> Result<(), Diagnostic> {
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
            let before = (self.sections.current, self.sections.previous);
            self.standard_section_named(".bss");
            self.debug.lines.take_pending();
            self.pad(align, None, u64::MAX, directive.span)?;
            let place = self.sections.here();
            self.define(symbol, Definition::Label(place), name.span)?;
            let filled = self.sections.fill(0, bytes);
            filled.map_err(|_| super::assembler::too_large(directive.span))?;
            (self.sections.current, self.sections.previous) = before;
        } else {
            let definition = Definition::Common { size: bytes, align };
            self.define(symbol, definition, name.span)?;
            let entry = self.symbols.get_mut(symbol);
            entry.binding = entry.binding.or(Some(STB_GLOBAL));
        }
        self.symbols.get_mut(symbol).size = Some(size);
        Ok(())
    }

    fn ident(&mut self, directive: &Directive) -> Result<(), Diagnostic> {
        self.at_most(directive, 1)?;
        let text = self.text(directive, 0, "a string")?;
        self.debug.lines.take_pending();
        let before = (self.sections.current, self.sections.previous);
        let comment = match self.sections.find(".comment", None) {
            Some(section) => section,
            None => {
                let flags = SHF_MERGE | SHF_STRINGS;
                self.add_section(".comment", None, SHT_PROGBITS, flags, 1)
            }
        };
        self.sections.current = comment;
        let mut bytes = Vec::new();
        if self.sections.section().fragments.is_empty() {
            bytes.push(0);
        }
        bytes.extend_from_slice(text.value.as_bytes());
        bytes.push(0);
        let result = self.emit(&bytes, text.span).map(|_| ());
        (self.sections.current, self.sections.previous) = before;
        result
    }
}

/// The diagnostic for a directive that nobody knows.
fn unknown(name: &str, directive: &Directive) -> Diagnostic {
    let diagnostic = Diagnostic::error(format!("there is no directive `{name}`"))
        .with_primary(directive.name.span, "");
    let meant = match name {
        ".word" => ".long` for 4 bytes, `.short",
        ".hword" | ".half" => ".short",
        ".dword" | ".xword" => ".quad",
        ".inst" => ".quad",
        ".str" => ".asciz",
        ".extern" => ".globl",
        ".function" | ".func" => ".type name, @function",
        ".equal" => ".equ",
        _ => return diagnostic,
    };
    diagnostic.with_help(format!("write `{meant}`"))
}
