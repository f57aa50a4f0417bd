//! Why a command stops, and which exit code that is.

use bpf::diagnostic::{Diagnostic, SourceMap};

/// Why a command stops.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The input was understood and refused: exit code 1.
    #[error("the input is refused")]
    Refused {
        /// Files that the diagnostics point into.
        map: SourceMap,
        /// What is wrong.
        diagnostics: Vec<Diagnostic>,
    },
    /// The command line makes no sense: exit code 2.
    #[error("{0}")]
    Usage(String),
    /// Something outside failed: exit code 2.
    #[error("{path}: {error}")]
    Io {
        /// File, or `-`.
        path: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// A program was checked and would be refused; the report says why: exit code 1.
    #[error("rejected")]
    Rejected,
    /// A program was checked, and what it does is not modelled: exit code 2.
    #[error("undecided")]
    Undecided,
    /// What was asked for is not there, which says nothing about the input: exit code 77, by which
    /// harnesses (automake's, meson's) know a test that is skipped.
    #[error("{0}")]
    Unsupported(String),
    /// Whoever read our output has gone; nothing is to be said.
    #[error("output closed")]
    Closed,
}

impl Failure {
    /// A refusal in one sentence, with no place in a text.
    #[must_use]
    pub fn refused(message: impl Into<String>) -> Failure {
        Failure::Refused {
            map: SourceMap::new(),
            diagnostics: vec![Diagnostic::error(message)],
        }
    }

    /// A failed operation on a file.
    #[must_use]
    pub fn io(path: &str, error: std::io::Error) -> Failure {
        Failure::Io {
            path: path.to_owned(),
            error,
        }
    }

    /// The exit code.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Failure::Refused { .. } | Failure::Rejected => 1,
            Failure::Usage(_) | Failure::Io { .. } | Failure::Undecided => 2,
            Failure::Unsupported(_) => 77,
            Failure::Closed => 0,
        }
    }
}

impl From<passes::UnknownPass> for Failure {
    fn from(error: passes::UnknownPass) -> Failure {
        Failure::Usage(error.to_string())
    }
}
