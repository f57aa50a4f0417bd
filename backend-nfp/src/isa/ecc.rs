//! The error code of the instruction store (NFP.md, section 4): seven bits above the instruction,
//! each the parity of the bits that one polynomial selects.

use super::WORD_MASK;
use super::error::DecodeError;

/// For each bit of the code, the instruction bits whose parity it is.
const POLYNOMIALS: [u64; 7] = [
    0x0ff8_0000_7fff,
    0x11f8_01ff_801f,
    0x1e38_7e07_81e1,
    0x17cb_8e38_8e22,
    0x1af5_b2c9_3244,
    0x1f56_d552_5488,
    0x0daf_69a4_6910,
];
/// Place of the code's lowest bit.
const LOWEST: u32 = 45;

/// The instruction with its error code; what lay above the instruction is dropped.
#[must_use]
pub fn protect(word: u64) -> u64 {
    let word = word & WORD_MASK;
    let code = POLYNOMIALS.iter().enumerate().map(|(bit, polynomial)| {
        let parity = u64::from((word & polynomial).count_ones() & 1);
        parity << (LOWEST + bit as u32)
    });
    word | code.sum::<u64>()
}

/// The instruction without its error code.
///
/// # Errors
/// [`DecodeError::ErrorCode`] when the code is not the instruction's.
pub fn check(word: u64) -> Result<u64, DecodeError> {
    if protect(word) == word {
        Ok(word & WORD_MASK)
    } else {
        Err(DecodeError::ErrorCode(word))
    }
}
