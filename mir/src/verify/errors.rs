//! Violations as data, and the function's text with a caret under each.

use crate::entity::{Block, Func, Inst, Symbol};
use crate::function::Function;
use crate::print;
use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter, Write as _};

/// What an error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The function as a whole, or the module.
    Whole,
    /// A block.
    Block(Block),
    /// An instruction.
    Inst(Inst),
    /// A symbol of the module.
    Symbol(Symbol),
    /// A function of the module.
    Func(Func),
}

impl Display for Place {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Place::Whole => f.write_str("function"),
            Place::Block(block) => block.fmt(f),
            Place::Inst(inst) => inst.fmt(f),
            Place::Symbol(symbol) => symbol.fmt(f),
            Place::Func(func) => func.fmt(f),
        }
    }
}

/// One violation of one rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct VerifierError {
    /// Where.
    pub place: Place,
    /// What is wrong, as a sentence without a full stop.
    pub message: String,
}

/// All violations found, at least one when returned as an error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerifierErrors(pub Vec<VerifierError>);

impl VerifierErrors {
    pub(super) fn report(&mut self, place: Place, message: impl Into<String>) {
        self.0.push(VerifierError {
            place,
            message: message.into(),
        });
    }

    pub(super) fn into_result(self) -> Result<(), VerifierErrors> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }

    /// The function's text with each error under the line that it is about.
    #[must_use]
    pub fn annotate(&self, func: &Function) -> String {
        Annotated { func, errors: self }.to_string()
    }
}

impl std::error::Error for VerifierErrors {}

impl Display for VerifierErrors {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{error}")?;
        }
        Ok(())
    }
}

struct Annotated<'a> {
    func: &'a Function,
    errors: &'a VerifierErrors,
}

impl Display for Annotated<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut by_place: BTreeMap<Place, Vec<&str>> = BTreeMap::new();
        for error in &self.errors.0 {
            by_place
                .entry(error.place)
                .or_default()
                .push(&error.message);
        }
        let printer = print::function(self.func);
        let mut line = String::new();
        printer.fmt_header(f)?;
        f.write_str("\n")?;
        for block in self.func.layout.blocks() {
            printer.fmt_block_header(block, f)?;
            let width = block.to_string().len();
            underline(&mut by_place, Place::Block(block), 1, width, f)?;
            for inst in self.func.layout.insts(block) {
                line.clear();
                write!(line, "{}", print::inst(self.func, inst))?;
                writeln!(f, "    {line}")?;
                underline(&mut by_place, Place::Inst(inst), 4, line.chars().count(), f)?;
            }
        }
        for (place, messages) in by_place {
            for message in messages {
                writeln!(f, "; error: {place}: {message}")?;
            }
        }
        Ok(())
    }
}

/// Writes carets and messages for one place and takes them out of the table.
fn underline(
    by_place: &mut BTreeMap<Place, Vec<&str>>,
    place: Place,
    indent: usize,
    width: usize,
    f: &mut Formatter<'_>,
) -> fmt::Result {
    let Some(messages) = by_place.remove(&place) else {
        return Ok(());
    };
    // Comment lines, so that the output can still be read as MIR.
    let indent = indent.saturating_sub(1);
    let tail = "~".repeat(width.saturating_sub(1));
    writeln!(f, ";{:indent$}^{tail}", "")?;
    for message in messages {
        writeln!(f, "; error: {place}: {message}")?;
    }
    Ok(())
}
