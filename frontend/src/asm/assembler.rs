//! The assembler's state, and what every statement needs from it.
//!
//! Statements are carried out in order as they are read; what depends on later ones is noted as a
//! [`Fixup`] and filled in by `relocate` when the whole file has been read.

use std::collections::BTreeMap;
use std::sync::Arc;

use bpf::diagnostic::{Diagnostic, FileId, SourceMap, Span};
use bpf::object::{SHF_ALLOC, SHF_EXECINSTR, SHT_PROGBITS};
use rustc_hash::FxHashMap;

use super::ast::{Arena, Body, Expr, Label, NameId, Node, Spanned};
use super::bundles::Bundles;
use super::classic::ImplicitExit;
use super::conditional::Conditional;
use super::debug::DebugInformation;
use super::expression::Scope;
use super::include::Loader;
use super::instructions::Written;
use super::layout::{Apart, Place, SectionBuilder, Sections, TooLarge};
use super::macros::Macros;
use super::parse::{Reader, Statement};
use super::source::Sources;
use super::symbols::{Definition, SymbolIndex, Symbols};
use super::versions::Version;
use super::{AsmOptions, Syntax};

/// Errors after which text that repeats itself is not read on.
const MAX_ERRORS: usize = 1000;

/// The name that a `.file` directive gave, and how many symbols were registered before it.
pub struct FileName {
    /// Name for the `STT_FILE` symbol.
    pub name: String,
    /// Symbols registered before.
    pub after: usize,
}

/// A field to be filled in at the end.
#[derive(Clone, Copy, Debug)]
pub struct Fixup {
    /// Where the instruction or datum begins.
    pub place: Place,
    /// Which field it is.
    pub kind: FixupKind,
    /// What goes there.
    pub value: Expr,
}

/// The fields that can refer to symbols.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FixupKind {
    /// Data of this many bytes.
    Data(u8),
    /// Both halves of a `ld_imm64`.
    Wide,
    /// The immediate of a call.
    Call,
    /// The offset of a branch.
    Branch,
    /// The immediate of a `gotol`.
    LongBranch,
    /// Nothing but a relocation of this kind.
    Relocation(u32),
    /// An immediate that had to be a number when it was read, and was none.
    Immediate,
}

/// Everything known while a file is assembled.
pub struct Assembler<'m> {
    /// All text.
    pub sources: Sources<'m>,
    /// Finds other files.
    pub loader: &'m mut dyn Loader,
    /// Macros.
    pub macros: Macros,
    /// Conditionals that are open.
    pub conditionals: Vec<Conditional>,
    /// Whether text is passed over, and how many conditionals were opened in that text.
    pub skipping: Option<usize>,
    /// What the caller wants.
    pub options: AsmOptions,
    /// Expressions and names.
    pub arena: Arena,
    /// Symbols.
    pub symbols: Symbols,
    /// Sections.
    pub sections: Sections,
    /// Instructions that were written.
    pub instructions: Written,
    /// Fields to be filled in at the end.
    pub fixups: Vec<Fixup>,
    /// Names for `STT_FILE` symbols.
    pub file_names: Vec<FileName>,
    /// Symbols of `.addrsig_sym`, if `.addrsig` was met.
    pub address_significant: Vec<SymbolIndex>,
    /// Whether `.addrsig` was met.
    pub has_address_significance: bool,
    /// What `.symver` has said.
    pub versions: Vec<Version>,
    /// Symbols whose place in the object a version takes.
    pub renamed: FxHashMap<SymbolIndex, SymbolIndex>,
    /// What is wrong so far.
    pub errors: Vec<Diagnostic>,
    /// What is suspicious so far.
    pub warnings: Vec<Diagnostic>,
    /// What `.print` had to say.
    pub messages: Vec<String>,
    /// What directives have said about bundles.
    pub bundles: Bundles,
    /// What directives have said about lines and frames.
    pub debug: DebugInformation,
    /// The `exit` of each section that jumps go to without a label of that name.
    pub exits: BTreeMap<usize, ImplicitExit>,
    /// Whether `.end` was met.
    pub ended: bool,
    /// The last label of each number.
    pub backward: BTreeMap<u64, SymbolIndex>,
    /// Labels by number that have to follow, and where one is referred to.
    pub forward: BTreeMap<u64, (SymbolIndex, Span)>,
    /// Whether the nodes of the statement are needed after it.
    pub keep_nodes: bool,
}

impl<'m> Assembler<'m> {
    /// Ready to read, in an empty `.text`.
    pub fn new(
        map: &'m mut SourceMap,
        file: FileId,
        options: AsmOptions,
        loader: &'m mut dyn Loader,
    ) -> Assembler<'m> {
        let mut assembler = Assembler {
            sources: Sources::new(map, file),
            loader,
            macros: Macros::default(),
            conditionals: Vec::new(),
            skipping: None,
            arena: Arena::default(),
            symbols: Symbols::default(),
            sections: Sections::new(options.endian),
            options,
            instructions: Written::default(),
            fixups: Vec::new(),
            file_names: Vec::new(),
            address_significant: Vec::new(),
            has_address_significance: false,
            versions: Vec::new(),
            renamed: FxHashMap::default(),
            errors: Vec::new(),
            warnings: Vec::new(),
            messages: Vec::new(),
            bundles: Bundles::default(),
            debug: DebugInformation::default(),
            exits: BTreeMap::new(),
            ended: false,
            backward: BTreeMap::new(),
            forward: BTreeMap::new(),
            keep_nodes: false,
        };
        assembler.define_given();
        let flags = SHF_ALLOC | SHF_EXECINSTR;
        let text = assembler.add_section(".text", Apart::default(), SHT_PROGBITS, flags, 0);
        assembler.sections.all[text].align = 4;
        assembler.sections.current = text;
        assembler
    }

    /// Reads and carries out all statements.
    pub fn run(&mut self) {
        while !self.ended
            && let Some(frame) = self.sources.top()
        {
            let (text, file, position) = (Arc::clone(&frame.text), frame.file, frame.position);
            let reader = Reader::new(&text, file, position);
            self.read(reader.speaking(self.options.syntax));
        }
        self.place_implicit_exits();
        self.check_conditionals();
        self.check_open_bundle();
        if let Some(span) = self.debug.frames.open().map(|frame| frame.opened) {
            self.errors.push(
                Diagnostic::error("a function is not closed before the end of the file")
                    .with_primary(span, "no `.cfi_endproc` follows"),
            );
        }
        for (number, (_, span)) in &self.forward {
            self.errors.push(
                Diagnostic::error(format!("no label `{number}:` follows"))
                    .with_primary(*span, "referred to here"),
            );
        }
    }

    /// Carries out one statement.
    pub fn statement(&mut self, statement: &Statement) {
        for label in &statement.labels {
            self.label(*label);
        }
        let result = match &statement.body {
            Ok(None) => Ok(()),
            Ok(Some(Body::Instruction(instruction))) => {
                let result = self.instruction(instruction, statement.span);
                result.map_err(|diagnostic| self.in_this_dialect(diagnostic))
            }
            Ok(Some(Body::Directive(directive))) => {
                let before = self.sections.current;
                let result = self.directive(directive);
                if self.sections.current != before {
                    self.debug.lines.take_pending();
                }
                result
            }
            Ok(Some(Body::Raw(raw))) => self.raw(raw),
            Err(diagnostic) => Err(diagnostic.clone()),
        };
        self.note(result);
    }

    /// Keeps what is wrong with a statement; ends the reading when a text repeats its mistakes.
    pub fn note(&mut self, result: Result<(), Diagnostic>) {
        if let Err(diagnostic) = result {
            self.errors.push(diagnostic);
            self.ended |= self.errors.len() >= MAX_ERRORS && self.sources.expansion().is_some();
        }
    }

    /// Changes that would repair an instruction are spelled in LLVM's dialect.
    fn in_this_dialect(&self, mut diagnostic: Diagnostic) -> Diagnostic {
        if self.options.syntax == Syntax::Classic {
            diagnostic.suggestions.clear();
        }
        diagnostic
    }

    /// Puts a label here.
    pub fn label(&mut self, label: Spanned<Label>) {
        let index = match label.value {
            Label::Name(name) if self.sources.text(label.span).starts_with('"') => {
                let name = self.unquoted(name);
                self.named(name)
            }
            Label::Name(name) => self.named(name),
            Label::Local(number) => {
                let waiting = self.forward.remove(&number);
                let index = match waiting {
                    Some((index, _)) => index,
                    None => self.symbols.anonymous(),
                };
                self.backward.insert(number, index);
                index
            }
        };
        let place = self.sections.here();
        if let Err(diagnostic) = self.define(index, Definition::Label(place), label.span) {
            self.errors.push(diagnostic);
        }
    }

    /// Gives a symbol its meaning, unless it has one.
    pub fn define(
        &mut self,
        index: SymbolIndex,
        definition: Definition,
        at: Span,
    ) -> Result<(), Diagnostic> {
        let symbol = self.symbols.get(index);
        if symbol.weakly.is_some() {
            let message = format!(
                "`{}` is a weak name for another symbol",
                self.name_of(index)
            );
            return Err(Diagnostic::error(message).with_primary(at, "defined here"));
        }
        if let Some(existing) = symbol.definition {
            let name = self.name_of(index);
            let diagnostic = Diagnostic::error(format!("`{name}` is already defined"))
                .with_primary(at, "defined again here");
            return Err(match (symbol.defined_at, existing) {
                (_, Definition::Section(_)) => {
                    diagnostic.with_note(format!("`{name}` is the name of a section"))
                }
                (Some(first), _) => diagnostic.with_secondary(first, "first defined here"),
                _ => diagnostic,
            });
        }
        let symbol = self.symbols.get_mut(index);
        symbol.definition = Some(definition);
        symbol.defined_at = Some(at);
        self.symbols.register(index);
        Ok(())
    }

    /// Makes a section.
    pub fn add_section(
        &mut self,
        name: &str,
        apart: Apart,
        kind: u32,
        flags: u64,
        entry_size: u64,
    ) -> usize {
        let index = self.sections.all.len();
        let id = self.arena.intern(name);
        let symbol = self.symbols.section(index, id, &self.arena);
        let group = apart.group;
        let group = group.and_then(|signature| self.sections.group_of(signature));
        let section = SectionBuilder {
            name: name.to_owned(),
            kind,
            flags,
            entry_size,
            align: 1,
            symbol,
            group,
            goes_with: apart.goes_with,
            fragments: Vec::new(),
            ends: BTreeMap::new(),
        };
        self.sections.add(section, apart)
    }

    /// The symbol of a name.
    pub fn named(&mut self, name: NameId) -> SymbolIndex {
        self.symbols.named(name, &self.arena)
    }

    /// A symbol's name for messages.
    pub fn name_of(&self, index: SymbolIndex) -> &str {
        match self.symbols.get(index).name {
            Some(name) => self.arena.name(name),
            None => "a local label",
        }
    }

    /// What expressions are evaluated in.
    pub fn scope(&self) -> Scope<'_> {
        Scope {
            arena: &self.arena,
            symbols: &self.symbols,
            sections: &self.sections,
        }
    }

    /// Keeps the nodes of this statement for later.
    pub fn keep_nodes(&mut self) {
        self.keep_nodes = true;
    }

    /// Registers the symbols in an expression that becomes part of the object.
    pub fn register_all(&mut self, expr: Expr) {
        for node in self.arena.nodes(expr) {
            if let Node::Place(index) = node.value {
                self.symbols.register(SymbolIndex(index));
            }
        }
    }

    /// Notes a field that is to be filled in at the end.
    pub fn add_fixup(&mut self, place: Place, kind: FixupKind, value: Expr) {
        self.keep_nodes();
        self.fixups.push(Fixup { place, kind, value });
    }

    /// Appends bytes to the section that grows.
    pub fn emit(&mut self, bytes: &[u8], at: Span) -> Result<Place, Diagnostic> {
        if self.sections.section().is_nobits() && bytes.iter().any(|byte| *byte != 0) {
            let name = &self.sections.section().name;
            return Err(Diagnostic::error(format!(
                "the section `{name}` has no bytes in the file and can only hold zeros"
            ))
            .with_primary(at, "")
            .with_help("put initialised data into `.data`"));
        }
        self.reach_line();
        self.sections
            .append(bytes)
            .map_err(|TooLarge| too_large(at))
    }
}

/// The diagnostic for more bytes than an object may have.
pub fn too_large(at: Span) -> Diagnostic {
    Diagnostic::error("the object becomes too large")
        .with_primary(at, "")
        .with_note(format!(
            "all sections together may hold {} MiB",
            super::layout::MAX_BYTES >> 20
        ))
}
