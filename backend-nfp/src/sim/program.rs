//! Words in the instruction store.

use crate::isa::{DecodeError, Insn, NOP, TARGETS, TRAILER, ecc};

/// Why words cannot be loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// A word is no instruction, or has a wrong error code.
    #[error("word {index}: {error}")]
    Word {
        /// Which.
        index: usize,
        /// Why.
        error: DecodeError,
    },
    /// The instruction store is fetched ahead: a program ends with instructions that do nothing.
    #[error("the program does not end with {TRAILER} instructions that do nothing")]
    Trailer,
    /// The program does not fit the instruction store at its address.
    #[error("{words} words at {start} do not fit the instruction store")]
    Size {
        /// Words.
        words: usize,
        /// Where they were to go.
        start: u16,
    },
}

/// A loaded program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    start: u32,
    insns: Vec<Insn>,
}

impl Program {
    /// Loads words, with their error codes, at an address.
    ///
    /// # Errors
    /// [`LoadError`]
    pub fn load(words: &[u64], start: u16) -> Result<Program, LoadError> {
        if words.len() > usize::from(TARGETS.saturating_sub(start)) {
            let words = words.len();
            return Err(LoadError::Size { words, start });
        }
        let decode = |(index, word): (usize, &u64)| {
            ecc::check(*word)
                .and_then(Insn::decode)
                .map_err(|error| LoadError::Word { index, error })
        };
        let insns = words
            .iter()
            .enumerate()
            .map(decode)
            .collect::<Result<_, _>>()?;
        let trailer = words.last_chunk::<TRAILER>();
        if trailer.is_none_or(|words| words.iter().any(|word| *word != ecc::protect(NOP))) {
            return Err(LoadError::Trailer);
        }
        let start = u32::from(start);
        Ok(Program { start, insns })
    }

    /// Address of the first word.
    #[must_use]
    pub fn start(&self) -> u32 {
        self.start
    }

    /// How many words there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.insns.len()
    }

    /// Whether there is none; what was loaded has a trailer.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.insns.is_empty()
    }

    /// The instruction at an address.
    #[must_use]
    pub fn at(&self, address: u32) -> Option<Insn> {
        let index = address.checked_sub(self.start)?;
        self.insns.get(index as usize).copied()
    }
}
