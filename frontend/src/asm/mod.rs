//! The assembler: text in LLVM's BPF assembly language to an object.
//!
//! ```text
//! source ─ token (logos) ─ parse (statements) ─ grammar (lalrpop) ─ ast
//!   ▲ more text                                                    │ one statement at a time
//!   └─ macros, include ◄─┐                                         ▼
//!          object ◄─ output ◄─ relocate ◄─ assembler: lower, data, section, directives, debug
//! ```
//!
//! `docs/assembly.md` describes the language.
//!
//! The language is what llvm-mc accepts for `bpfel` and `bpfeb`, together with what clang prints
//! and llvm-mc refuses (`r1 = w2`, comments in any place), and the instructions of newer versions.
//! Where llvm-mc drops bits silently or crashes, there is a diagnostic here. The object has the
//! sections, symbols and relocations that llvm-mc would write, in the same order.
//!
//! Every diagnostic has a place. A statement that cannot be understood is skipped, so that all
//! errors of a file are reported together.
//!
//! No input can overflow the stack (nothing recurses over the text) or fill the memory (the output
//! is bounded, see `layout`, and so is the text that macros make, see `source`); time is linear in
//! the text and in what it expands to.
//!
//! ```
//! use bpf::{diagnostic::FileId, insn::Endian};
//! use frontend::asm::{AsmOptions, assemble};
//!
//! let options = AsmOptions::new(Endian::Little);
//! let assembled = assemble("f: r0 = 2\nexit\n", FileId(0), &options).expect("is correct");
//! let text = assembled.object.section_by_name(".text").expect("is always there");
//! assert_eq!(assembled.object.data(text).len(), 16);
//!
//! let errors = assemble("r0 = w\nexti\n", FileId(0), &options).expect_err("two mistakes");
//! assert_eq!(errors.len(), 2);
//! ```

mod arena;
mod assembler;
mod ast;
mod binding;
mod branches;
mod builder;
mod bundles;
mod classic;
mod conditional;
mod data;
mod debug;
mod directives;
mod expression;
mod forms;
mod groups;
mod include;
mod instructions;
mod layout;
mod lower;
mod macros;
mod mistakes;
mod mnemonics;
mod operands;
mod origins;
mod output;
mod parse;
mod plain;
mod problems;
mod raw;
mod reading;
mod relocate;
mod section;
mod settle;
mod source;
mod symbols;
mod syntax_error;
mod token;
mod unresolved;
mod versions;
pub mod warnings;
mod words;

lalrpop_util::lalrpop_mod!(
    #[allow(clippy::all, clippy::unwrap_used, reason = "generated code")]
    grammar,
    "/asm/grammar.rs"
);

use bpf::diagnostic::{Diagnostic, FileId, SourceMap, Span};
use bpf::insn::Endian;
use bpf::object::Object;

pub use include::{Loaded, Loader, NoFiles};
pub use instructions::{Instructions, Located};
pub use origins::Origins;

/// How instructions are written. All else is the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Syntax {
    /// `r1 = r2`: LLVM's, and the kernel verifier's.
    #[default]
    Llvm,
    /// `mov %r1, %r2`: GNU as's, and the conformance suite's.
    Classic,
}

/// What the text does not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AsmOptions {
    /// Byte order of the object.
    pub endian: Endian,
    /// Constants that are defined before the text begins.
    pub defines: Vec<(String, i64)>,
    /// Whether to read as llvm-mc does where that drops bits without a word.
    pub llvm_compat: bool,
    /// How instructions are written.
    pub syntax: Syntax,
    /// Whether a `goto` that does not reach its label becomes a `gotol`.
    pub relax: bool,
}

impl AsmOptions {
    /// A byte order, and nothing else that is special.
    #[must_use]
    pub fn new(endian: Endian) -> AsmOptions {
        AsmOptions {
            endian,
            defines: Vec::new(),
            llvm_compat: false,
            syntax: Syntax::Llvm,
            relax: false,
        }
    }
}

/// The result of assembling a file without errors.
#[derive(Clone, Debug)]
pub struct Assembled {
    /// The object.
    pub object: Object,
    /// What is suspicious, in the order of the text.
    pub warnings: Vec<Diagnostic>,
    /// What `.print` had to say, in the order of the text.
    pub messages: Vec<String>,
    /// Where each instruction lies, and its text.
    pub instructions: Instructions,
    /// Where the texts that spans point into come from.
    pub origins: Origins,
}

/// Assembles a text that includes no files. What is said about a macro's expansion is said about its
/// call, so that every span lies in `source`.
///
/// # Errors
/// All errors of the text, in its order.
pub fn assemble(
    source: &str,
    file: FileId,
    options: &AsmOptions,
) -> Result<Assembled, Vec<Diagnostic>> {
    let mut map = SourceMap::new();
    let Some(main) = map.add("", source) else {
        let diagnostic = Diagnostic::error("the file is larger than 4 GiB");
        return Err(vec![diagnostic.with_primary(Span::point(file, 0), "")]);
    };
    let place = |origins: &Origins, span| Span {
        file,
        ..origins.outermost(span)
    };
    let told = |origins: &Origins, mut diagnostic: Diagnostic| {
        for label in &mut diagnostic.labels {
            label.span = place(origins, label.span);
        }
        let suggestions = diagnostic.suggestions.iter_mut();
        for edit in suggestions.flat_map(|suggestion| &mut suggestion.edits) {
            edit.span.file = file;
        }
        diagnostic
    };
    let instructions = |origins: &Origins, all: &mut Instructions| {
        all.change_spans(|span| place(origins, span));
    };
    let made = run(&mut map, main, options, &mut NoFiles, told, instructions)?;
    Ok(Assembled {
        // All spans lie in the given text.
        origins: Origins::default(),
        ..made
    })
}

/// Assembles a file of a map, with the files that it includes. These and the expansions of macros
/// become files of the map, which spans point into.
///
/// # Errors
/// All errors of the text, in its order.
pub fn assemble_file(
    map: &mut SourceMap,
    file: FileId,
    options: &AsmOptions,
    loader: &mut dyn Loader,
) -> Result<Assembled, Vec<Diagnostic>> {
    run(
        map,
        file,
        options,
        loader,
        |origins, diagnostic| origins.explain(diagnostic),
        |_, _| {},
    )
}

fn run(
    map: &mut SourceMap,
    file: FileId,
    options: &AsmOptions,
    loader: &mut dyn Loader,
    told: impl Fn(&Origins, Diagnostic) -> Diagnostic,
    instructions_told: impl Fn(&Origins, &mut Instructions),
) -> Result<Assembled, Vec<Diagnostic>> {
    let mut assembler = assembler::Assembler::new(map, file, options.clone(), loader);
    assembler.run();
    let relocations = assembler.resolve();
    assembler.check_sizes();
    let origins = &assembler.sources.origins;
    let finished = |mut diagnostics: Vec<Diagnostic>| -> Vec<Diagnostic> {
        diagnostics.sort_by_cached_key(|diagnostic| origins.order(diagnostic.span()));
        let diagnostics = diagnostics.into_iter();
        diagnostics
            .map(|mut diagnostic| {
                origins.keep_applicable(&mut diagnostic);
                told(origins, diagnostic)
            })
            .collect()
    };
    if !assembler.errors.is_empty() {
        return Err(finished(std::mem::take(&mut assembler.errors)));
    }
    let warnings = finished(std::mem::take(&mut assembler.warnings));
    let mut instructions = assembler.instruction_places(&relocations);
    instructions_told(&assembler.sources.origins, &mut instructions);
    Ok(Assembled {
        instructions,
        messages: std::mem::take(&mut assembler.messages),
        object: assembler.object(relocations),
        origins: std::mem::take(&mut assembler.sources.origins),
        warnings,
    })
}
