//! The text form read back: a logos lexer under a hand-written recursive-descent parser.
//!
//! Numbers are kept: `v7` of the text is value 7 of the function, so that print → parse → print is
//! a fixed point. Numbers that are out of proportion to the text are closed up instead, since a
//! table as long as a number in a file would let a few bytes ask for gigabytes; the allowance for
//! gaps is the length of the text plus [`GAP_ALLOWANCE`].
//!
//! The parser knows syntax and names. It refuses values and blocks that a function does not define
//! or defines twice; everything else about well-formedness is [`crate::verify`]'s. A statement is a
//! line, and reading goes on with the next line after an error.
//!
//! ```
//! use bpf::diagnostic::FileId;
//! let text = "module little\n\nfunction fn0 \"two\" section \"\" params 0 {\n\
//!             block0:\n    v0 = iconst.i64 2\n    return v0\n}\n";
//! let module = mir::parse::module(FileId(0), text).unwrap();
//! assert_eq!(module.to_string(), text);
//! ```

mod function;
mod inst;
mod lexer;
mod numbering;
mod operation;
mod tables;
mod tokens;

#[cfg(test)]
mod tests;

use crate::entity::{Func, Inst};
use crate::module::Module;
use bpf::diagnostic::{Diagnostic, FileId, Span};
use bpf::insn::Endian;
use cranelift_entity::SecondaryMap;
use tokens::Tokens;

/// Unused numbers below the largest one that a module may have beside the length of its text.
pub const GAP_ALLOWANCE: usize = 1 << 16;

/// Errors after which the parser gives up.
const MAX_ERRORS: usize = 50;

/// A module with the place of each instruction in the text.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// The module.
    pub module: Module,
    /// The text of each instruction, attributes not included.
    pub spans: SecondaryMap<Func, SecondaryMap<Inst, Span>>,
    /// The head of each function.
    pub heads: SecondaryMap<Func, Span>,
}

/// Reads a module.
///
/// # Errors
/// What is wrong with the text, each with its place.
pub fn module(file: FileId, text: &str) -> Result<Module, Vec<Diagnostic>> {
    module_with_spans(file, text).map(|parsed| parsed.module)
}

/// Reads a module and keeps the places of instructions, for messages about them.
///
/// # Errors
/// What is wrong with the text, each with its place.
pub fn module_with_spans(file: FileId, text: &str) -> Result<Parsed, Vec<Diagnostic>> {
    let mut parser = Parser {
        tokens: Tokens::new(file, text),
        parsed: Parsed {
            module: Module::new(Endian::Little),
            spans: SecondaryMap::new(),
            heads: SecondaryMap::new(),
        },
        diagnostics: Vec::new(),
        gaps_left: text.len().saturating_add(GAP_ALLOWANCE),
    };
    parser.parse_module();
    if parser.diagnostics.is_empty() {
        Ok(parser.parsed)
    } else {
        Err(parser.diagnostics)
    }
}

impl Parsed {
    /// Checks the module's well-formedness and says what is wrong at the places of the text.
    #[must_use]
    pub fn verify(&self) -> Vec<Diagnostic> {
        let Err(groups) = crate::verify::verify_module(&self.module) else {
            return Vec::new();
        };
        let mut diagnostics = Vec::new();
        for (func, errors) in groups {
            for error in errors.0 {
                let span = match (func, error.place) {
                    (Some(func), crate::verify::Place::Inst(inst)) => self.spans[func][inst],
                    (Some(func), _) => self.heads[func],
                    (None, _) => Span::default(),
                };
                diagnostics.push(Diagnostic::error(error.message).with_primary(span, ""));
            }
        }
        diagnostics
    }
}

/// An error ends the statement; the diagnostic goes to the list.
type Statement<T> = Result<T, Box<Diagnostic>>;

struct Parser<'t> {
    tokens: Tokens<'t>,
    parsed: Parsed,
    diagnostics: Vec<Diagnostic>,
    /// Unused numbers that functions may still have.
    gaps_left: usize,
}

impl Parser<'_> {
    /// Notes an error and goes to the next line.
    fn recover(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
        if self.diagnostics.len() >= MAX_ERRORS {
            self.tokens.stop();
        }
        self.tokens.skip_line();
    }
}

fn error(span: Span, message: impl Into<String>) -> Box<Diagnostic> {
    Box::new(Diagnostic::error(message).with_primary(span, ""))
}
