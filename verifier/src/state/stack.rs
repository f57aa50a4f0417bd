//! Eight bytes of stack: what each byte holds, and the register spilled there.

use super::register::Register;

/// Bytes in a slot.
pub const SLOT_BYTES: usize = 8;

/// What a byte of stack holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Byte {
    /// Nothing was written.
    #[default]
    Invalid,
    /// A byte of a spilled register.
    Spill,
    /// Some data.
    Misc,
    /// Zero.
    Zero,
    /// A byte of an iterator.
    Iterator,
    /// A byte of a dynptr.
    Dynptr,
}

/// A slot. Bytes are counted from the highest address down, as the stack grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Each byte.
    pub bytes: [Byte; SLOT_BYTES],
    /// The spilled register.
    pub spilled: Register,
}

impl Default for Slot {
    fn default() -> Slot {
        Slot {
            bytes: [Byte::Invalid; SLOT_BYTES],
            spilled: Register::UNSET,
        }
    }
}

impl Slot {
    /// Whether a register, or a part of one, is spilled here: its lowest-placed byte says so.
    #[must_use]
    pub fn is_spilled(&self) -> bool {
        self.bytes[SLOT_BYTES - 1] == Byte::Spill
    }

    /// Whether a number is spilled here.
    #[must_use]
    pub fn is_spilled_scalar(&self) -> bool {
        self.is_spilled() && self.spilled.is_scalar()
    }

    /// Whether a number of full width is spilled here.
    #[must_use]
    pub fn is_spilled_scalar64(&self) -> bool {
        self.bytes[0] == Byte::Spill && self.spilled.is_scalar()
    }

    /// Whether a dynptr, or a half of one, lies here.
    #[must_use]
    pub fn is_dynptr(&self) -> bool {
        self.bytes[SLOT_BYTES - 1] == Byte::Dynptr
    }

    /// Whether an iterator lies here.
    #[must_use]
    pub fn is_iterator(&self) -> bool {
        self.bytes[SLOT_BYTES - 1] == Byte::Iterator
    }

    /// Whether nothing is known of any byte.
    #[must_use]
    pub fn is_all_misc(&self) -> bool {
        self.bytes
            .iter()
            .all(|byte| matches!(byte, Byte::Misc | Byte::Invalid))
    }

    /// Bytes of the spilled register.
    #[must_use]
    pub fn spill_size(&self) -> u32 {
        let from_end = self.bytes.iter().rev();
        from_end.take_while(|byte| **byte == Byte::Spill).count() as u32
    }

    /// Spills a register in the lowest-placed `size` bytes. Bytes known zero or not written stay as
    /// they are; all others become unknown.
    pub fn spill(&mut self, register: Register, size: u32) {
        self.spilled = register;
        let kept = SLOT_BYTES - (size as usize).min(SLOT_BYTES);
        for (index, byte) in self.bytes.iter_mut().enumerate() {
            if index >= kept {
                *byte = Byte::Spill;
            } else if !matches!(*byte, Byte::Zero | Byte::Invalid) {
                *byte = Byte::Misc;
            }
        }
    }

    /// Forgets the spilled register; the bytes that were written become unknown data.
    pub fn scrub(&mut self) {
        if self.is_spilled() || self.is_iterator() {
            for byte in &mut self.bytes {
                if *byte != Byte::Invalid {
                    *byte = Byte::Misc;
                }
            }
        }
        self.spilled.kind = super::Kind::Unset;
    }
}
