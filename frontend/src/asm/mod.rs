//! The assembler: text in LLVM's BPF assembly language to an object.
//!
//! ```text
//! text ─ token (logos) ─ parse (statements) ─ grammar (lalrpop) ─ ast
//!                                                                 │ one statement at a time
//!          object ◄─ output ◄─ relocate ◄─ assembler: lower, data, section, directives, debug
//! ```
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
//! is bounded, see `layout`); time is linear in the text.
//!
//! ```
//! use bpf::{diagnostic::FileId, insn::Endian};
//! use frontend::asm::{AsmOptions, assemble};
//!
//! let options = AsmOptions { endian: Endian::Little };
//! let assembled = assemble("f: r0 = 2\nexit\n", FileId(0), &options).expect("is correct");
//! let text = assembled.object.section_by_name(".text").expect("is always there");
//! assert_eq!(assembled.object.data(text).len(), 16);
//!
//! let errors = assemble("r0 = w\nexti\n", FileId(0), &options).expect_err("two mistakes");
//! assert_eq!(errors.len(), 2);
//! ```

mod assembler;
mod ast;
mod data;
mod debug;
mod directives;
mod expression;
mod layout;
mod lower;
mod mistakes;
mod operands;
mod output;
mod parse;
mod relocate;
mod section;
mod symbols;
mod syntax_error;
mod token;

lalrpop_util::lalrpop_mod!(
    #[allow(clippy::all, clippy::unwrap_used, reason = "generated code")]
    grammar,
    "/asm/grammar.rs"
);

use bpf::diagnostic::{Diagnostic, FileId, Span};
use bpf::insn::Endian;
use bpf::object::{Object, SectionId};

/// What the text does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AsmOptions {
    /// Byte order of the object.
    pub endian: Endian,
}

/// The result of assembling a file without errors.
#[derive(Clone, Debug)]
pub struct Assembled {
    /// The object.
    pub object: Object,
    /// What is suspicious, in the order of the text.
    pub warnings: Vec<Diagnostic>,
    /// Where each instruction lies, as section and byte offset, and its text, by place.
    pub instructions: Vec<(SectionId, u64, Span)>,
}

/// Assembles a file.
///
/// # Errors
/// All errors of the file, in the order of the text.
pub fn assemble(
    source: &str,
    file: FileId,
    options: &AsmOptions,
) -> Result<Assembled, Vec<Diagnostic>> {
    if u32::try_from(source.len()).is_err() {
        let diagnostic = Diagnostic::error("the file is larger than 4 GiB");
        return Err(vec![diagnostic.with_primary(Span::point(file, 0), "")]);
    }
    let mut assembler = assembler::Assembler::new(source, file, *options);
    assembler.run();
    let relocations = assembler.resolve();
    assembler.check_sizes();
    let by_place = |diagnostic: &Diagnostic| diagnostic.span().map_or(0, |span| span.start);
    if !assembler.errors.is_empty() {
        let mut errors = std::mem::take(&mut assembler.errors);
        errors.sort_by_key(by_place);
        return Err(errors);
    }
    let mut warnings = std::mem::take(&mut assembler.warnings);
    warnings.sort_by_key(by_place);
    let instructions = assembler.instruction_places(&relocations);
    Ok(Assembled {
        instructions,
        object: assembler.object(relocations),
        warnings,
    })
}
