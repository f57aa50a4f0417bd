//! Operands, and the two forms that fields hold them in (NFP.md, section 2).
//!
//! The *unrestricted* form of ten bits reaches everything. The *restricted* form of eight bits
//! leaves out absolute registers, next neighbours, post-modification and large offsets, and its
//! immediates have seven bits, or eight where the class keeps the highest in a bit of its own.
//!
//! Which bank a general register is in does not lie in the operand: a source's bank is that of its
//! field, a destination's is a bit of the instruction.

use super::error::EncodeError;

/// A bank of general registers, and the source field that reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Bank {
    /// Bank A.
    A,
    /// Bank B.
    B,
}

/// How a local-memory operand finds its word from its index register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LmemAccess {
    /// The word at the index *or* this many words: the offset replaces low bits that are zero.
    Offset(u8),
    /// The word at the index, which then moves one word up.
    PostIncrement,
    /// The word at the index, which then moves one word down.
    PostDecrement,
}

/// What an instruction reads or writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operand {
    /// A general register of this context.
    Gpr(u8),
    /// A general register by its number among those of all contexts.
    Absolute(u8),
    /// A transfer register: reads take the *in* file, writes go to the *out* file.
    Transfer(u8),
    /// A word of local memory.
    Lmem {
        /// Which index register, 0 to 3.
        index: u8,
        /// Which word.
        access: LmemAccess,
    },
    /// A next-neighbour register.
    NextNeighbour(u8),
    /// A number, as a source.
    Immediate(u8),
    /// No destination.
    Nothing,
}

/// General registers of a context in each bank.
pub const GPRS: u8 = 32;
/// Transfer registers of a context in each direction.
pub const TRANSFERS: u8 = 64;

/// An operand as a field's bits, the bit that extends local-memory indices, and the bit that extends
/// restricted immediates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) bits: u64,
    /// Present for local memory only.
    pub(super) extended: Option<bool>,
    /// Present for restricted immediates only.
    pub(super) bit7: Option<bool>,
}

impl Field {
    fn plain(bits: u64) -> Field {
        Field {
            bits,
            extended: None,
            bit7: None,
        }
    }
}

impl Operand {
    /// A word of local memory at an index *or* an offset in words.
    #[must_use]
    pub fn lmem(index: u8, offset: u8) -> Operand {
        Operand::Lmem {
            index,
            access: LmemAccess::Offset(offset),
        }
    }

    fn refused(self, field: &'static str) -> EncodeError {
        EncodeError::Operand {
            field,
            operand: self,
        }
    }

    /// The ten-bit form.
    pub(super) fn unrestricted(self, field: &'static str) -> Result<Field, EncodeError> {
        Ok(match self {
            Operand::Gpr(number) if number < GPRS => Field::plain(u64::from(number)),
            Operand::Absolute(number) if number < 0x80 => Field::plain(0x80 | u64::from(number)),
            Operand::Transfer(number) if number < TRANSFERS => {
                let (half, number) = (u64::from(number) >> 5, u64::from(number) & 31);
                Field::plain(0x180 | half << 6 | number)
            }
            Operand::Lmem { index, access } if index < 4 => {
                let access = match access {
                    LmemAccess::Offset(words) if words < 16 => u64::from(words),
                    LmemAccess::Offset(_) => return Err(self.refused(field)),
                    LmemAccess::PostIncrement => 0x10,
                    LmemAccess::PostDecrement => 0x11,
                };
                Field {
                    bits: 0x200 | u64::from(index & 1) << 5 | access,
                    extended: Some(index >= 2),
                    bit7: None,
                }
            }
            Operand::NextNeighbour(number) if number < 0x80 => {
                Field::plain(0x280 | u64::from(number))
            }
            Operand::Immediate(value) => Field::plain(0x300 | u64::from(value)),
            Operand::Nothing => Field::plain(0x300),
            _ => return Err(self.refused(field)),
        })
    }

    /// The eight-bit form.
    pub(super) fn restricted(self, field: &'static str) -> Result<Field, EncodeError> {
        Ok(match self {
            Operand::Gpr(number) if number < GPRS => Field::plain(u64::from(number)),
            Operand::Transfer(number) if number < TRANSFERS => {
                let (half, number) = (u64::from(number) >> 5, u64::from(number) & 31);
                Field::plain(0x80 | half << 6 | number)
            }
            Operand::Lmem {
                index,
                access: LmemAccess::Offset(words),
            } if index < 4 && words < 8 => Field {
                bits: 0x50 | u64::from(index & 1) << 3 | u64::from(words),
                extended: Some(index >= 2),
                bit7: None,
            },
            Operand::Immediate(value) => {
                let value = u64::from(value);
                Field {
                    bits: 0x20 | value & 0x1f | (value & 0x60) << 1,
                    extended: None,
                    bit7: Some(value & 0x80 != 0),
                }
            }
            Operand::Nothing => Field::plain(0x20),
            _ => return Err(self.refused(field)),
        })
    }

    /// What a ten-bit source field holds; `None` where the form is reserved.
    pub(super) fn from_unrestricted(bits: u64, extended: bool) -> Option<Operand> {
        let low = (bits & 0x1f) as u8;
        Some(match bits {
            0x000..0x020 => Operand::Gpr(low),
            0x080..0x100 => Operand::Absolute((bits & 0x7f) as u8),
            0x180..0x1a0 => Operand::Transfer(low),
            0x1c0..0x1e0 => Operand::Transfer(32 + low),
            0x200..0x240 => Operand::Lmem {
                index: (bits >> 5 & 1) as u8 | u8::from(extended) << 1,
                access: match low {
                    0..0x10 => LmemAccess::Offset(low),
                    0x10 => LmemAccess::PostIncrement,
                    0x11 => LmemAccess::PostDecrement,
                    _ => return None,
                },
            },
            0x280..0x300 => Operand::NextNeighbour((bits & 0x7f) as u8),
            0x300..0x400 => Operand::Immediate((bits & 0xff) as u8),
            _ => return None,
        })
    }

    /// What an eight-bit source field holds; `None` where the form is reserved.
    pub(super) fn from_restricted(bits: u64, extended: bool, bit7: bool) -> Option<Operand> {
        let low = (bits & 0x1f) as u8;
        if bits & 0x20 != 0 {
            let value = bits & 0x1f | (bits & 0xc0) >> 1 | u64::from(bit7) << 7;
            return Some(Operand::Immediate(value as u8));
        }
        Some(match bits {
            0x00..0x20 => Operand::Gpr(low),
            0x50..0x60 => Operand::lmem(
                (bits >> 3 & 1) as u8 | u8::from(extended) << 1,
                (bits & 7) as u8,
            ),
            0x80..0xa0 => Operand::Transfer(low),
            0xc0..0xe0 => Operand::Transfer(32 + low),
            _ => return None,
        })
    }

    /// The same field read as a destination: where a source is zero, there is none.
    pub(super) fn as_destination(self) -> Option<Operand> {
        match self {
            Operand::Immediate(0) => Some(Operand::Nothing),
            Operand::Immediate(_) => None,
            other => Some(other),
        }
    }
}
