//! Directives that choose the section that grows.

use bpf::diagnostic::{Diagnostic, Span};
use bpf::object::{
    SHF_ALLOC, SHF_EXECINSTR, SHF_MERGE, SHF_STRINGS, SHF_WRITE, SHT_NOBITS, SHT_PROGBITS,
};

use super::assembler::Assembler;
use super::ast::{Directive, Item, Node};
use super::layout::Apart;
use super::symbols::{Definition, SymbolIndex};

const SHT_NOTE: u32 = 7;
const SHT_INIT_ARRAY: u32 = 14;
const SHT_FINI_ARRAY: u32 = 15;
const SHT_PREINIT_ARRAY: u32 = 16;
const SHF_TLS: u64 = 0x400;
/// `G`
pub const SHF_GROUP: u64 = 0x200;
/// `o`
const SHF_LINK_ORDER: u64 = 0x80;
/// `R`
pub const SHF_GNU_RETAIN: u64 = 0x20_0000;
/// `e`
pub const SHF_EXCLUDE: u64 = 0x8000_0000;

/// What a `.section` directive says of the section.
struct Header {
    name: String,
    name_span: Span,
    flags: Option<(u64, Span)>,
    kind: Option<(u32, Span)>,
    entry_size: Option<(u64, Span)>,
    apart: Apart,
    /// Whether the group needs only one of several with its name.
    comdat: bool,
}

impl Assembler<'_> {
    /// `.text`, `.data` and others, with the number of a subsection
    pub fn standard_section(
        &mut self,
        directive: &Directive,
        name: &str,
    ) -> Result<(), Diagnostic> {
        self.at_most(directive, 1)?;
        let part = self.part(directive)?;
        self.standard_section_named(name);
        self.sections.part = part;
        Ok(())
    }

    /// `.subsection number`
    pub fn subsection(&mut self, directive: &Directive) -> Result<(), Diagnostic> {
        self.at_most(directive, 1)?;
        let part = self.part(directive)?;
        self.sections.enter(self.sections.current, part);
        Ok(())
    }

    fn part(&mut self, directive: &Directive) -> Result<u32, Diagnostic> {
        let Some(number) = self.optional_number(directive, 0, "a subsection")? else {
            return Ok(0);
        };
        match i32::try_from(number.value) {
            Ok(part @ 0..) => Ok(part as u32),
            _ => Err(
                Diagnostic::error("a subsection is a number from 0 to 2147483647")
                    .with_primary(number.span, format!("this is {}", number.value)),
            ),
        }
    }

    /// Enters a section that needs no description.
    pub fn standard_section_named(&mut self, name: &str) {
        let index = match self.sections.find(name, Apart::default()) {
            Some(index) => index,
            None => {
                let (kind, flags, entry_size) = default_header(name);
                self.add_section(name, Apart::default(), kind, flags, entry_size)
            }
        };
        self.sections.enter(index, 0);
    }

    /// `.section name[, "flags"[, @type[, entsize][, symbol][, group[, comdat]][, unique, number]]]`
    pub fn section_directive(&mut self, directive: &Directive) -> Result<(), Diagnostic> {
        let header = self.header(directive)?;
        let index = self.section_for(&header)?;
        self.sections.enter(index, 0);
        Ok(())
    }

    /// `.pushsection`, with the operands of `.section`
    pub fn push_section(&mut self, directive: &Directive) -> Result<(), Diagnostic> {
        let saved = (self.sections.position(), self.sections.previous);
        self.section_directive(directive)?;
        self.sections.stack.push(saved);
        Ok(())
    }

    /// `.popsection`
    pub fn pop_section(&mut self, directive: &Directive) -> Result<(), Diagnostic> {
        self.no_operands(directive)?;
        match self.sections.stack.pop() {
            Some((current, previous)) => {
                self.sections.go_to(current);
                self.sections.previous = previous;
                Ok(())
            }
            None => Err(Diagnostic::error("no `.pushsection` comes before")
                .with_primary(directive.span, "there is no section to go back to")),
        }
    }

    /// `.previous`
    pub fn previous_section(&mut self, directive: &Directive) -> Result<(), Diagnostic> {
        self.no_operands(directive)?;
        match self.sections.previous {
            Some(previous) => {
                self.sections.enter(previous.section, previous.part);
                Ok(())
            }
            None => Err(Diagnostic::error("no other section comes before")
                .with_primary(directive.span, "there is no section to go back to")),
        }
    }

    fn section_for(&mut self, header: &Header) -> Result<usize, Diagnostic> {
        let (kind, flags, entry_size) = default_header(&header.name);
        let Some(index) = self.sections.find(&header.name, header.apart) else {
            let kind = header.kind.map_or(kind, |kind| kind.0);
            let flags = header.flags.map_or(flags, |flags| flags.0);
            let entry_size = match (header.entry_size, header.flags) {
                (Some((size, _)), _) => size,
                (None, Some(_)) => 0,
                (None, None) => entry_size,
            };
            let name = self.arena.intern(&header.name);
            if let Some(symbol) = self.symbols.find(name)
                && let Some(definition) = self.symbols.get(symbol).definition
                && !matches!(definition, Definition::Section(_))
            {
                let message = format!("`{}` is already the name of a symbol", header.name);
                let diagnostic =
                    Diagnostic::error(message).with_primary(header.name_span, "used for a section");
                return Err(match self.symbols.get(symbol).defined_at {
                    Some(first) => diagnostic.with_secondary(first, "defined here"),
                    None => diagnostic,
                });
            }
            self.group(header);
            return Ok(self.add_section(&header.name, header.apart, kind, flags, entry_size));
        };
        let section = &self.sections.all[index];
        let changed = |what: &str, at: Span| {
            let name = &header.name;
            Err(
                Diagnostic::error(format!("the section `{name}` had another {what} before"))
                    .with_primary(at, "")
                    .with_help("leave out what follows the name to go on with a section"),
            )
        };
        match (header.kind, header.flags, header.entry_size) {
            (Some((kind, at)), _, _) if kind != section.kind => changed("type", at),
            (_, Some((flags, at)), _) if flags != section.flags => changed("set of flags", at),
            (_, _, Some((size, at))) if size != section.entry_size => changed("entry size", at),
            _ => Ok(index),
        }
    }

    fn header(&mut self, directive: &Directive) -> Result<Header, Diagnostic> {
        let Some(item) = self.item(directive, 0)? else {
            return Err(self.missing(directive, 0, "the name of a section"));
        };
        let name = self.symbol_item(item)?;
        let mut header = Header {
            name: self.arena.name(name.value).to_owned(),
            name_span: name.span,
            flags: None,
            kind: None,
            entry_size: None,
            apart: Apart::default(),
            comdat: false,
        };
        if directive.operands.len() < 2 {
            return Ok(header);
        }
        let Some(flags) = self.item(directive, 1)? else {
            return Err(self.missing(directive, 1, "flags in quotes"));
        };
        let text = self.text_item(flags)?;
        let mut bits = section_flags(&text, flags.span())?;
        let mut next = 2;
        if let Some(item) = self.item(directive, 2)? {
            header.kind = Some((self.section_type(item)?, item.span()));
            next = 3;
        }
        if bits & SHF_MERGE != 0 {
            let size = self.number(directive, next, "the size of an entry")?;
            match u64::try_from(size.value) {
                Ok(value) if value > 0 => header.entry_size = Some((value, size.span)),
                _ => {
                    return Err(Diagnostic::error("the size of an entry is positive")
                        .with_primary(size.span, ""));
                }
            }
            next += 1;
        }
        if bits & SHF_LINK_ORDER != 0 {
            header.apart.goes_with = Some(self.linked_symbol(directive, next)?);
            next += 1;
        }
        if bits & SHF_GROUP != 0 {
            if header.kind.is_none() {
                return Err(self.missing(directive, 2, "a type such as `@progbits`"));
            }
            let signature = self.symbol(directive, next)?;
            header.apart.group = Some(self.named(signature.value));
            next += 1;
            if self.is_word(directive, next, "comdat")? {
                header.comdat = true;
                next += 1;
            }
        } else if text.contains(&b'?')
            && let Some(group) = self.sections.section().group
            && let Some(group) = self.sections.groups.get(group)
        {
            header.apart.group = Some(group.signature);
            bits |= SHF_GROUP;
        }
        header.flags = Some((bits, flags.span()));
        if let Some(Item::Expr(expr)) = self.item(directive, next)? {
            if !self.is_word(directive, next, "unique")? {
                return Err(Diagnostic::error("this means nothing for a section")
                    .with_primary(expr.span, "expected `unique`"));
            }
            let number = self.number(directive, next + 1, "a number that tells sections apart")?;
            header.apart.unique = Some(number.value as u64);
            next += 2;
        }
        self.at_most(directive, next)?;
        Ok(header)
    }

    /// The symbol whose section another one goes with, or 0 for none.
    fn linked_symbol(
        &mut self,
        directive: &Directive,
        index: usize,
    ) -> Result<Option<SymbolIndex>, Diagnostic> {
        if let Some(Item::Expr(expr)) = self.item(directive, index)?
            && self.arena.single(expr) == Some(Node::Number(0))
        {
            return Ok(None);
        }
        let name = self.symbol(directive, index)?;
        let symbol = self.named(name.value);
        let place = self.scope().place(symbol);
        match place {
            Some(_) => Ok(Some(symbol)),
            None => Err(
                Diagnostic::error("a section goes with a symbol that is defined before")
                    .with_primary(name.span, "this one is not"),
            ),
        }
    }

    fn is_word(
        &self,
        directive: &Directive,
        index: usize,
        wanted: &str,
    ) -> Result<bool, Diagnostic> {
        let Some(Item::Expr(expr)) = self.item(directive, index)? else {
            return Ok(false);
        };
        Ok(match self.arena.single(expr) {
            Some(Node::Symbol(name)) => self.arena.name(name) == wanted,
            _ => false,
        })
    }

    /// Makes the group of a new section unless there is one.
    fn group(&mut self, header: &Header) {
        let Some(signature) = header.apart.group else {
            return;
        };
        let number = self.sections.group(signature, header.comdat);
        self.symbols.register(signature);
        self.symbols.get_mut(signature).signature = Some(number);
    }

    fn section_type(&self, item: Item) -> Result<u32, Diagnostic> {
        let name = match item {
            Item::Tag(tag) => Some(tag.value),
            Item::Expr(expr) => match self.arena.single(expr) {
                Some(Node::Quoted(name)) => Some(name),
                _ => None,
            },
        };
        let name = name.map_or("", |name| self.arena.name(name));
        Ok(match name {
            "progbits" => SHT_PROGBITS,
            "nobits" => SHT_NOBITS,
            "note" => SHT_NOTE,
            "init_array" => SHT_INIT_ARRAY,
            "fini_array" => SHT_FINI_ARRAY,
            "preinit_array" => SHT_PREINIT_ARRAY,
            "unwind" => 0x7000_0001,
            "llvm_odrtab" => 0x6fff_4c00,
            "llvm_linker_options" => 0x6fff_4c01,
            "llvm_call_graph_profile" => 0x6fff_4c09,
            "llvm_dependent_libraries" => 0x6fff_4c04,
            "llvm_sympart" => 0x6fff_4c05,
            "llvm_bb_addr_map" => 0x6fff_4c0a,
            "llvm_offloading" => 0x6fff_4c0b,
            "llvm_lto" => 0x6fff_4c0c,
            _ => {
                return Err(Diagnostic::error(format!("`{name}` is no type of section"))
                    .with_primary(item.span(), "expected `@progbits`, `@nobits` or `@note`"));
            }
        })
    }
}

/// Type, flags and entry size of a section of which only the name is given.
fn default_header(name: &str) -> (u32, u64, u64) {
    let is = |prefix: &str| {
        name.strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let data = SHF_ALLOC | SHF_WRITE;
    match name {
        _ if is(".text") || is(".init") || is(".fini") => {
            (SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, 0)
        }
        _ if is(".rodata") || is(".rodata1") || is(".eh_frame") => (SHT_PROGBITS, SHF_ALLOC, 0),
        _ if is(".data") || is(".data1") => (SHT_PROGBITS, data, 0),
        _ if is(".bss") => (SHT_NOBITS, data, 0),
        _ if is(".tdata") => (SHT_PROGBITS, data | SHF_TLS, 0),
        _ if is(".tbss") => (SHT_NOBITS, data | SHF_TLS, 0),
        _ if is(".init_array") => (SHT_INIT_ARRAY, data, 0),
        _ if is(".fini_array") => (SHT_FINI_ARRAY, data, 0),
        _ if is(".preinit_array") => (SHT_PREINIT_ARRAY, data, 0),
        _ if name.starts_with(".note") => (SHT_NOTE, 0, 0),
        ".debug_str" | ".debug_line_str" => (SHT_PROGBITS, SHF_MERGE | SHF_STRINGS, 1),
        _ => (SHT_PROGBITS, 0, 0),
    }
}

fn section_flags(text: &[u8], at: Span) -> Result<u64, Diagnostic> {
    let mut flags = 0;
    let text = String::from_utf8_lossy(text);
    for (index, letter) in text.char_indices() {
        let start = at.start + 1 + index as u32;
        // With escapes in the text, a letter's place is not its index.
        let place = match text.len() + 2 == at.len() as usize {
            true => Span::new(at.file, start, start + letter.len_utf8() as u32),
            false => at,
        };
        flags |= match letter {
            'a' => SHF_ALLOC,
            'w' => SHF_WRITE,
            'x' => SHF_EXECINSTR,
            'M' => SHF_MERGE,
            'S' => SHF_STRINGS,
            'T' => SHF_TLS,
            'R' => SHF_GNU_RETAIN,
            'e' => SHF_EXCLUDE,
            'G' => SHF_GROUP,
            'o' => SHF_LINK_ORDER,
            // The group of the section before, which the caller knows.
            '?' => 0,
            other => {
                let shown = other.escape_debug();
                return Err(
                    Diagnostic::error(format!("`{shown}` is no flag of a section"))
                        .with_primary(place, "flags are a w x M S T G o R e ?"),
                );
            }
        };
    }
    Ok(flags)
}
