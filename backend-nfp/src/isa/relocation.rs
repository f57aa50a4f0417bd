//! What a loader patches in the unrelocated form of code (NFP.md, section 11): the top byte of a
//! word says how, and the branch target or immediate holds what to add to.
//!
//! Relocation is checked: a target outside of the code store, and a kind that does not fit the
//! instruction, are errors.

use super::bits::{self, TARGET_MASK, put_target};
use super::error::DecodeError;
use super::insn::Insn;
use super::{TARGETS, WORD_MASK, ecc};

/// Place of the kind in a word.
const KIND: u32 = 56;
/// What the driver adds to a helper's number in the branch target of an unrelocated call.
pub const HELPER_BASE: u16 = 15_000;

/// How a word is patched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// Not at all.
    None = 0,
    /// Branch within the program.
    Branch = 1,
    /// Branch to the program's regular end.
    Exit = 2,
    /// Branch to the program's end after an error.
    Abort = 3,
    /// Branch to the routine that saves callee-saved registers.
    Push = 4,
    /// Branch to the routine that restores them.
    Pop = 5,
    /// Branch to the firmware's next packet.
    NextPacket = 6,
    /// Branch to a helper of the firmware.
    Helper = 7,
    /// Immediate that is an address within the program.
    Immediate = 8,
}

impl Kind {
    /// The kind of a word; `None` where the number means nothing.
    #[must_use]
    pub fn of(word: u64) -> Option<Kind> {
        Some(match word >> KIND {
            0 => Kind::None,
            1 => Kind::Branch,
            2 => Kind::Exit,
            3 => Kind::Abort,
            4 => Kind::Push,
            5 => Kind::Pop,
            6 => Kind::NextPacket,
            7 => Kind::Helper,
            8 => Kind::Immediate,
            _ => return None,
        })
    }

    /// A word marked with this kind.
    #[must_use]
    pub fn mark(self, word: u64) -> u64 {
        word & WORD_MASK | (self as u64) << KIND
    }
}

/// Where things are when a program is loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places<'a> {
    /// Address of the program's first word.
    pub start: u16,
    /// Address to branch to when the program is done.
    pub done: u16,
    /// Index in the program of its regular end.
    pub exit: u16,
    /// Index in the program of its end after an error.
    pub abort: u16,
    /// Index in the program of the routines that save and restore registers.
    pub push: u16,
    /// See `push`.
    pub pop: u16,
    /// Helpers by number, with their addresses.
    pub helpers: &'a [(u32, u16)],
}

/// Why a word cannot be relocated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RelocationError {
    /// The kind's number means nothing.
    #[error("{0:#x} has an unknown kind of relocation")]
    Kind(u64),
    /// The kind does not fit the instruction.
    #[error("{0:#x} is relocated as what it is not")]
    Shape(u64),
    /// The result is outside of the code store.
    #[error("{0} is outside of the code store")]
    Target(u32),
    /// The firmware has no such helper.
    #[error("the firmware has no helper {0}")]
    Helper(u32),
    /// The word is no instruction.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

/// A word as it is loaded: patched, kind removed, error code added.
///
/// # Errors
/// [`RelocationError`]
pub fn relocate(word: u64, places: &Places<'_>) -> Result<u64, RelocationError> {
    let kind = Kind::of(word).ok_or(RelocationError::Kind(word))?;
    let bare = word & !(0xff << KIND);
    let insn = Insn::decode(bare)?;
    let within = |index: u16| u32::from(places.start) + u32::from(index);
    let target = match kind {
        Kind::None => return Ok(ecc::protect(bare)),
        Kind::Immediate => return immediate(bare, insn, places.start),
        Kind::Branch => within(bits::target(bare)),
        Kind::Exit => within(places.exit),
        Kind::Abort => within(places.abort),
        Kind::Push => within(places.push),
        Kind::Pop => within(places.pop),
        Kind::NextPacket => u32::from(places.done),
        Kind::Helper => {
            let number = u32::from(bits::target(bare).wrapping_sub(HELPER_BASE));
            let found = places.helpers.iter().find(|(helper, _)| *helper == number);
            u32::from(found.ok_or(RelocationError::Helper(number))?.1)
        }
    };
    if !matches!(
        insn,
        Insn::Branch { .. } | Insn::BranchBit { .. } | Insn::BranchByte { .. }
    ) {
        return Err(RelocationError::Shape(word));
    }
    let target = u16::try_from(target)
        .ok()
        .filter(|target| *target < TARGETS)
        .ok_or(RelocationError::Target(target))?;
    Ok(ecc::protect(bare & !TARGET_MASK | put_target(target)))
}

fn immediate(word: u64, insn: Insn, start: u16) -> Result<u64, RelocationError> {
    let Insn::Immed { value, .. } = insn else {
        return Err(RelocationError::Shape(word));
    };
    let sum = u32::from(value) + u32::from(start);
    let moved = match (insn, u16::try_from(sum)) {
        (
            Insn::Immed {
                destination,
                width,
                byte_shift,
                invert,
                mode,
                ..
            },
            Ok(value),
        ) => Insn::Immed {
            destination,
            value,
            width,
            byte_shift,
            invert,
            mode,
        },
        _ => return Err(RelocationError::Target(sum)),
    };
    match moved.encode() {
        Ok(word) => Ok(ecc::protect(word)),
        Err(_) => Err(RelocationError::Shape(word)),
    }
}
