//! What is suspicious about code that assembles.
//!
//! An assembler has to take any instruction, also one that the kernel will refuse or that can never
//! run. Whoever wrote it wants to know before loading. The questions here are about the object that
//! was made, so they hold for what the text became and not for how it was written, and each answer
//! is put at the place of the instruction.
//!
//! In doubt nothing is said: a section that jumps through a register, holds data between its
//! instructions, or has functions in one another is not followed (see [`flow`]).
//!
//! Time is linear in the instructions, but for a sort of the entries.

mod code;
mod effects;
mod entries;
mod flow;
mod single;

use bpf::diagnostic::Diagnostic;
use bpf::object::Object;

use super::Instructions;
use code::Code;

/// The kinds of warnings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Warning {
    /// An instruction that no path reaches.
    Unreachable,
    /// A write to the frame pointer.
    WriteR10,
    /// A read of a register that no path has written.
    Uninitialized,
    /// A stored immediate that is wider than the access.
    WideStore,
    /// A function whose end can be passed.
    MissingExit,
    /// A helper number that the kernel does not have.
    UnknownHelper,
    /// A call to data.
    CallData,
    /// `5ll`, which has 32 bits.
    Suffix,
    /// A negative count, which has no effect.
    NegativeCount,
    /// Source files of which only some have a checksum.
    Checksum,
    /// What `.warning` asks for.
    User,
}

impl Warning {
    /// All of them.
    pub const ALL: [Warning; 11] = [
        Warning::Unreachable,
        Warning::WriteR10,
        Warning::Uninitialized,
        Warning::WideStore,
        Warning::MissingExit,
        Warning::UnknownHelper,
        Warning::CallData,
        Warning::Suffix,
        Warning::NegativeCount,
        Warning::Checksum,
        Warning::User,
    ];

    /// The name, which is the code of its diagnostics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Warning::Unreachable => "unreachable",
            Warning::WriteR10 => "write-r10",
            Warning::Uninitialized => "uninitialized",
            Warning::WideStore => "wide-store",
            Warning::MissingExit => "missing-exit",
            Warning::UnknownHelper => "unknown-helper",
            Warning::CallData => "call-data",
            Warning::Suffix => "suffix",
            Warning::NegativeCount => "negative-count",
            Warning::Checksum => "checksum",
            Warning::User => "user",
        }
    }

    /// The warning with a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Warning> {
        let mut all = Warning::ALL.into_iter();
        all.find(|warning| warning.name() == name)
    }

    /// A diagnostic of this kind.
    pub(super) fn diagnostic(self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::warning(message).with_code(self.name())
    }
}

/// Everything suspicious about an object that was assembled, in the order of its sections.
/// `instructions` says where its instructions lie, as [`Assembled`] does.
///
/// [`Assembled`]: super::Assembled
#[must_use]
pub fn check(object: &Object, instructions: &Instructions) -> Vec<Diagnostic> {
    let code = Code::of(object, instructions);
    let mut found = single::check(object, &code);
    found.extend(flow::check(object, &code));
    let place = |diagnostic: &Diagnostic| diagnostic.span().map(|span| (span.file, span.start));
    found.sort_by_key(place);
    found
}
