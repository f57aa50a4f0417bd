//! Why a walk ends early.

use crate::verdict::Rule;

/// Why a walk ends early.
#[derive(Clone, Debug)]
pub(crate) enum Stop {
    /// The kernel refuses the program here.
    Refused {
        rule: Rule,
        text: String,
        registers: Vec<u8>,
        /// Place, where it is not the instruction being walked.
        insn: Option<usize>,
    },
    /// Something that is not modelled.
    Gap(String),
}

impl Stop {
    /// Adds a line to what the kernel would print.
    pub(crate) fn and(self, line: impl AsRef<str>) -> Stop {
        match self {
            Stop::Refused {
                rule,
                text,
                registers,
                insn,
            } => Stop::Refused {
                rule,
                text: format!("{text}\n{}", line.as_ref()),
                registers,
                insn,
            },
            gap => gap,
        }
    }
}

pub(crate) type Check<T = ()> = Result<T, Stop>;

/// A refusal at the instruction being walked.
pub(crate) fn refuse<T>(rule: Rule, text: impl Into<String>) -> Check<T> {
    Err(Stop::Refused {
        rule,
        text: text.into(),
        registers: Vec::new(),
        insn: None,
    })
}

/// A refusal because of a register.
pub(crate) fn refuse_register<T>(rule: Rule, register: u8, text: impl Into<String>) -> Check<T> {
    Err(Stop::Refused {
        rule,
        text: text.into(),
        registers: vec![register],
        insn: None,
    })
}

/// A refusal at a certain instruction.
pub(crate) fn refuse_at<T>(rule: Rule, insn: usize, text: impl Into<String>) -> Check<T> {
    Err(Stop::Refused {
        rule,
        text: text.into(),
        registers: Vec::new(),
        insn: Some(insn),
    })
}

/// Something that is not modelled.
pub(crate) fn gap<T>(construct: impl Into<String>) -> Check<T> {
    Err(Stop::Gap(construct.into()))
}
